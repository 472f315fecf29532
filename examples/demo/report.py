"""What the demonstration prints: one line for each step, for a person to read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.text import Text

from examples.demo.steps import Judged
from examples.federation.record_view import RecordedEntry

_SENT_CHARS: Final = 48
_CODE_CHARS: Final = 22


class Report:
    """Prints on standard output. Lines are not broken, so that each step stays one line in a file too."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def heading(self, text: str) -> None:
        """What comes next."""
        self._console.print(Text(f"\n{text}", style="bold"))

    def line(self, text: str) -> None:
        """Something to know."""
        self._console.print(Text(text))

    def step(self, judged: Judged) -> None:
        """One step: what was sent, what came back, and the record numbers on both sides."""
        mark, style = ("ok ", "green") if judged.is_as_stated else ("NOT", "bold red")
        words = Text.assemble(
            f"{judged.number:>3} ",
            (mark, style),
            f" {judged.sent:<{_SENT_CHARS}} ",
            (f"{judged.came_back.code:<{_CODE_CHARS}}", "bold"),
            f" {numbers(judged.entries)}",
        )
        if judged.came_back.remark:
            words.append(f"  ({judged.came_back.remark})", style="dim")
        self._console.print(words)
        for wrong in judged.wrong:
            self._console.print(Text(f"        {wrong}", style="bold red"))

    def skipped(self, sent: str, reason: str) -> None:
        """A step that cannot be played here."""
        self._console.print(Text(f"  -     {sent:<{_SENT_CHARS}} skipped: {reason}", style="dim"))

    def good(self, text: str) -> None:
        """Something that was checked and is well."""
        self._console.print(Text.assemble(("    ok  ", "green"), text))

    def bad(self, text: str) -> None:
        """Something that was checked and is not."""
        self._console.print(Text.assemble(("    NOT ", "bold red"), text))


def numbers(entries: Mapping[str, tuple[RecordedEntry, ...]]) -> str:
    """The record numbers of each adapter: `social 3 4, population 2 3`."""
    said = [f"{adapter} {' '.join(str(entry.number) for entry in found)}" for adapter, found in entries.items()]
    return "record: " + (", ".join(said) or "nothing")
