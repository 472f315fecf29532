"""The authority's draft as commands change it: checked as a whole, kept, and what changed said in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.options import reader
from adapter.cli.output import Output, good
from adapter.directory.changes import change_lines, changes_between
from adapter.directory.draft import DirectoryDraft
from adapter.directory.elements import read_duration
from adapter.errors import CommandRefused

LANGUAGES: Final = ("en", "ru", "uz", "uz-Cyrl")


@dataclass(frozen=True, slots=True)
class Title:
    """A text in a language, as an option gives it."""

    language: str
    text: str


def read_title(text: str) -> Title:
    """`en=Assigning a benefit`. Raises CommandRefused."""
    language, _, title = text.partition("=")
    if language not in LANGUAGES or not title.strip():
        raise CommandRefused(f"a title is written LANGUAGE=TEXT with one of {', '.join(LANGUAGES)}")
    return Title(language, title.strip())


TitlesOption = Annotated[
    list[Title],
    typer.Option(
        "--title", parser=reader(read_title), metavar="LANGUAGE=TEXT", help="In en, ru, uz, uz-Cyrl; one each."
    ),
]

TextArgument = Annotated[str, typer.Argument(help="The title in English.", show_default=False)]
MoreTitlesOption = Annotated[
    list[Title] | None,
    typer.Option("--title", parser=reader(read_title), metavar="LANGUAGE=TEXT", help="In another language; repeat it."),
]
DurationValue = Annotated[
    timedelta, typer.Argument(parser=reader(read_duration), metavar="DURATION", help="P3D, PT12H, PT15M or PT90S.")
]


def edit(folder: Path, draft: DirectoryDraft, what: str) -> None:
    """Keep a draft that was changed and checked, and say so."""
    home = AuthorityFolder(path=folder)
    changes = changes_between(home.draft(), draft)
    home.keep_draft(draft)
    Output.of().result(what, Text.assemble(good("Draft: "), what), *map(Text, change_lines(changes)))


def titles_of(titles: Iterable[Title]) -> dict[str, str]:
    """Language to text, as the directory has it."""
    return {one.language: one.text for one in titles}


def draft_of(folder: Path) -> DirectoryDraft:
    """The draft in the authority's folder. Raises CommandRefused."""
    return AuthorityFolder(path=folder).draft()
