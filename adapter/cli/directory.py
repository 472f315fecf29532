"""`adapter directory`: looking at what the authority says of who is who."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.cli.directory_source import AnchorOption, DirectoryOption, directory_of
from adapter.cli.directory_words import directory_value, directory_words
from adapter.cli.files import read_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, member_reader, now_utc
from adapter.cli.output import JsonValue, Output
from adapter.directory.changes import change_lines, changes_between
from adapter.directory.document import DIRECTORY_LIMITS, read_draft
from adapter.directory.draft import DirectoryDraft
from adapter.errors import CommandRefused, DirectoryRefused
from adapter.identifiers import MemberId

app = typer.Typer(
    help="The authority's directory of members, keys and services: show it, and what changed in it.",
    no_args_is_help=True,
)


@app.command(epilog="adapter directory show --directory https://directory.example.uz --anchor anchor.json")
def show(
    *,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    member: Annotated[
        MemberId | None, typer.Option(parser=member_reader, metavar="MEMBER", help="Only this member, in full.")
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Verify a directory and show it: the adapter's own, or the one at --directory."""
    output = Output.of(as_json=as_json)
    known = directory_of(directory, anchor, settings_file)
    output.result(directory_value(known, member), *directory_words(known, member, now_utc()))


@app.command("changes", epilog="adapter directory changes old/directory.xml authority/draft.xml")
def changes(
    before: Annotated[Path, typer.Argument(metavar="FILE", help="An earlier document.", show_default=False)],
    after: Annotated[Path, typer.Argument(metavar="FILE", help="A later one.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Say what changed between two directory documents, in words. Signatures are not looked at."""
    found = changes_between(_document(before), _document(after))
    value: JsonValue = [
        {"how": one.how.value, "what": one.what, "name": one.name, "details": list(one.details)} for one in found
    ]
    Output.of(as_json=as_json).result(value, *map(Text, change_lines(found)))


def _document(file: Path) -> DirectoryDraft:
    try:
        return read_draft(read_octets(file, what="directory", max_bytes=DIRECTORY_LIMITS.max_bytes))
    except DirectoryRefused as cause:
        raise CommandRefused(f"{file} is no directory: {cause.reason}") from None
