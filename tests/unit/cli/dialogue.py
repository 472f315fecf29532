"""Dialogues as text files: what was typed, what was shown, the exit code.

    $ adapter validate request.xml        a command, run in the dialogue's own folder
    what comes on standard output
    ! what comes on standard error
    [exit 1]                              only where it is not 0

Lines that begin with # before the first command say what the dialogue is about. What differs from run to run is masked
(<uuid>, <time>, <sha256>, <here> …). UPDATE_DIALOGUES=1 writes what was shown into the files, to be read before it is
committed.
"""

from __future__ import annotations

import os
import re
import shlex
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.command_line import Typed

Run = Callable[..., Typed]
"""tests.command_line.typed, in a folder of its own."""

MASKS: Final = (
    (re.compile(r"(?:urn:uuid:)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uuid>"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|\+00:00)"), "<time>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<sha256>"),
    (re.compile(r"\b[0-9A-F]{2}(?::[0-9A-F]{2}){31}\b"), "<fingerprint>"),
    (re.compile(r"\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}"), "<vkey>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?\b"), "<date>"),
    (re.compile(r"\b[0-9]+ (?=MB free|octets)"), "<number> "),
    (re.compile(r"(?<=\S) {2,}"), "  "),  # how wide a column is depends on what is masked
)


_BLOCK: Final = re.compile(r"^(?:    .*\n)+", re.MULTILINE)
_COMMANDS: Final = re.compile(r"^    \$ .*\n(?:    .*\n|\n(?=    ))*", re.MULTILINE)
_BETWEEN: Final = re.compile(r"\n\n(?=\$ )")


@dataclass(frozen=True)
class Exchange:
    """One command of a dialogue and what was shown."""

    command: str
    shown: tuple[str, ...]

    def text(self) -> str:
        return "\n".join((f"$ {self.command}", *self.shown)) + "\n"


@dataclass(frozen=True)
class Dialogue:
    """One file. heading: the comment lines before the first command."""

    heading: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    @classmethod
    def parse(cls, text: str) -> Dialogue:
        heading: list[str] = []
        exchanges: list[tuple[str, list[str]]] = []
        for line in text.splitlines():
            if line.startswith("$ "):
                exchanges.append((line[2:], []))
            elif exchanges:
                exchanges[-1][1].append(line)
            else:
                heading.append(line)
        return cls(tuple(heading), tuple(Exchange(command, _trimmed(shown)) for command, shown in exchanges))

    def text(self) -> str:
        return "\n".join((*self.heading, *([""] if self.heading and self.heading[-1] else []))) + "\n".join(
            exchange.text() for exchange in self.exchanges
        )


def _trimmed(lines: list[str]) -> tuple[str, ...]:
    while lines and not lines[-1].strip():
        lines.pop()
    return tuple(lines)


def play(dialogue: Dialogue, run: Run, home: Path) -> Dialogue:
    """Type every command and note what is shown. `adapter` is run in this process; nothing else can be typed."""
    return Dialogue(dialogue.heading, tuple(_answered(exchange.command, run, home) for exchange in dialogue.exchanges))


def played(file: Path, run: Run, home: Path) -> tuple[str, str]:
    """What is shown when the file's dialogue is typed, and what the file says is shown."""
    expected = Dialogue.parse(file.read_text())
    shown = play(expected, run, home)
    if updating():
        file.write_text(shown.text())
    return shown.text(), expected.text()


def _answered(command: str, run: Run, home: Path) -> Exchange:
    program, *arguments = shlex.split(command)
    assert program == "adapter", f"only `adapter` can be typed in a dialogue, not {program}"
    typed = run(*arguments)
    shown = [*_lines(typed.out, home, ""), *_lines(typed.err, home, "! ")]
    if typed.code:
        shown.append(f"[exit {typed.code}]")
    return Exchange(command, _trimmed(shown))


def _lines(text: str, home: Path, prefix: str) -> list[str]:
    text = text.replace(str(home), "<here>")
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return [(prefix + line).rstrip() for line in text.splitlines()]


def blocks_of(page: str) -> list[str]:
    """The indented blocks of a page of the manual: each a command and what it prints."""
    return [textwrap.dedent(block).strip() for block in _BLOCK.findall(page)]


def commands_of(page: str) -> list[str]:
    """The commands of a page of the manual, each with what it prints, empty lines included."""
    blocks = (textwrap.dedent(block) for block in _COMMANDS.findall(page))
    return [one.strip() for block in blocks for one in _BETWEEN.split(block)]


def played_in(*files: Path) -> set[str]:
    """Every command of these dialogues, with what it prints, as a page would show it."""
    dialogues = (Dialogue.parse(file.read_text()) for file in files)
    return {exchange.text().strip() for dialogue in dialogues for exchange in dialogue.exchanges}


def updating() -> bool:
    return bool(os.environ.get("UPDATE_DIALOGUES"))
