"""The two consoles: results to standard output, everything else to standard error.

A command makes one `Output` and hands every result to `Output.result` in both forms, so that `--json` never lags behind
what a person reads.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TextIO, TypeAlias

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

# Piped output is read by programs and by people with a wider window: lines are not broken there.
_PIPED_WIDTH: Final = 400


def console_of(stream: TextIO) -> Console:
    """A console that never takes brackets in data for markup, and breaks lines only for a terminal."""
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """Where one command prints. as_json: results are JSON on standard output, remarks stay text."""

    results: Console
    remarks: Console
    as_json: bool

    @classmethod
    def of(cls, *, as_json: bool = False) -> Output:
        """The consoles of this process."""
        return cls(results=console_of(sys.stdout), remarks=console_of(sys.stderr), as_json=as_json)

    def result(self, value: JsonValue, *shown: RenderableType) -> None:
        """Print one result: `value` with --json, else `shown` for a person."""
        if self.as_json:
            self.results.file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
            return
        for one in shown:
            self.results.print(one)

    def remark(self, text: RenderableType) -> None:
        """Something that is not the result: progress, a hint, a question's context."""
        self.remarks.print(text)


def table_of(columns: Sequence[str], rows: Iterable[Sequence[RenderableType]]) -> Table:
    """A plain table: a heading, no frame, so that a line can be copied."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def facts_of(pairs: Iterable[tuple[str, RenderableType]]) -> Table:
    """Name and value, one below the other."""
    table = Table(box=None, pad_edge=False, show_header=False, show_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, value)
    return table


def counted(number: int, word: str) -> str:
    """`1 service`, `2 services`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def when(at: datetime | None) -> str:
    """A time for a person and for a script alike: UTC, seconds. None is a dash."""
    return "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def good(text: str) -> Text:
    """Something that is as it should be."""
    return Text(text, style="green")


def bad(text: str) -> Text:
    """Something that is not."""
    return Text(text, style="bold red")


def doubtful(text: str) -> Text:
    """Something to look at."""
    return Text(text, style="yellow")
