"""Typing what docs/officer.md shows, and comparing what is printed with what the page says.

`adapter …` runs in the test's own process, as it would from a shell; everything else on the page is a shell's.
UPDATE_DIALOGUES=1 writes what was printed into the page, to be read and shortened (…) before it is committed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from examples.federation.federation import CHECKOUT
from tests.adapters.dialogues import ELISION, Dialogue, assert_shown, dialogues
from tests.command_line import typed

PAGE = CHECKOUT / "docs/officer.md"
_FAILED = ("adapter: ", "checks failed")
"""How the page shows that a command did not do what it was asked for."""


@dataclass(kw_only=True)
class Desk:
    """Where it is typed. stands_for: what the page calls an address, and what it is here."""

    place: Path
    stands_for: dict[str, str] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)

    def follow(self, step: str, *, instead: Mapping[str, str] | None = None) -> str:
        """Type the commands of one step; gives what they printed.

        instead: words of the page that are others this time. Only a step as it stands on the page is compared with it.
        """
        self.followed.add(step)
        printed = []
        for one in dialogues(step, PAGE, level="###"):
            command = _with(one.command, (instead or {}).items())
            lines, succeeded = self.type(command)
            printed += lines
            if instead is None:
                _compare(step, one, lines)
                if not _updating():
                    assert succeeded != any(mark in line for line in one.shown for mark in _FAILED), lines
            else:
                assert succeeded, (command, lines)
        return "\n".join(printed)

    def type(self, command: str) -> tuple[list[str], bool]:
        """One command of the page; what it printed, in the words of the page, and whether it succeeded."""
        here = _with(command.replace("\\\n", " "), self.stands_for.items())
        if here.startswith("adapter ") and "\n" not in here:
            done = typed(*shlex.split(here)[1:], answers="y\n", together=True)
            text, code = done.out.replace("[y/N] ", "[y/N] y\n"), done.code
        else:
            ran = subprocess.run(
                ["bash", "-ec", here], cwd=self.place, capture_output=True, text=True, timeout=120, check=False
            )
            text, code = ran.stdout + ran.stderr, ran.returncode
        text = _with(text, ((value, key) for key, value in self.stands_for.items() if "://" in value))
        return text.replace(str(self.place), ELISION).splitlines(), code == 0


def _with(text: str, replaced: Iterable[tuple[str, str]]) -> str:
    """The longest first, so that an address that begins another one is not taken for it; and each place once."""
    pairs = dict(sorted(replaced, key=lambda pair: -len(pair[0])))
    if not pairs:
        return text
    return re.sub("|".join(map(re.escape, pairs)), lambda found: pairs[found[0]], text)


def steps_of_the_page() -> set[str]:
    """The headings below which something is typed."""
    parts = PAGE.read_text(encoding="utf-8").split("\n### ")[1:]
    return {part.splitlines()[0] for part in parts if "```console" in part}


def _compared(shown: list[str], printed: list[str]) -> None:
    """Raises AssertionError. That a command waited is shown, and need not be so on a machine that is slow already."""
    waited = ("Waiting until ",)
    assert_shown(*([line for line in lines if not line.startswith(waited)] for lines in (shown, printed)))


def _compare(step: str, one: Dialogue, printed: list[str]) -> None:
    if not _updating():
        _compared(one.shown, printed)
        return
    try:
        _compared(one.shown, printed)
    except AssertionError:
        command = "$ " + one.command.replace("\n", "\n> ")
        above, heading, text = PAGE.read_text(encoding="utf-8").partition(f"\n### {step}\n")
        before, after = "\n".join((command, *one.shown)), "\n".join((command, *(line.rstrip() for line in printed)))
        assert before in text
        PAGE.write_text(above + heading + text.replace(before, after, 1), encoding="utf-8")


def _updating() -> bool:
    return bool(os.environ.get("UPDATE_DIALOGUES"))
