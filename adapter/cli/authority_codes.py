"""`adapter authority set-…`: the lists of codes that requests and orders name."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from adapter.cli.authority_draft import (
    MoreTitlesOption,
    TextArgument,
    TitlesOption,
    draft_of,
    edit,
    titles_of,
)
from adapter.cli.options import FolderArgument, reader
from adapter.directory.content import BasisName, IdentifierType, LegalBasisKind, SecrecyKind
from adapter.directory.editing import put_entry, set_purpose
from adapter.directory.elements import read_duration
from adapter.directory.identifier_pattern import IdentifierPattern
from adapter.errors import CommandRefused, DirectoryRefused

app = typer.Typer()


@app.command("set-purpose", epilog="adapter authority set-purpose authority/ social-benefit 'Assigning a benefit'")
def put_purpose(folder: FolderArgument, code: str, text: TextArgument, *, title: MoreTitlesOption = None) -> None:
    """Add a purpose for which data may be asked, or change its titles."""
    edit(folder, set_purpose(draft_of(folder), code, {"en": text, **titles_of(title or ())}), f"purpose {code}")


@app.command("set-legal-basis", epilog="adapter authority set-legal-basis authority/ order 'Order' --must-name court")
def set_legal_basis(
    folder: FolderArgument,
    code: str,
    text: TextArgument,
    *,
    title: MoreTitlesOption = None,
    must_name: Annotated[
        list[BasisName] | None, typer.Option(help="What a request on such a basis has to name; repeat it.")
    ] = None,
    withheld: Annotated[
        bool, typer.Option("--withheld", help="A secrecy order: not told to the person before the date `until`.")
    ] = False,
) -> None:
    """Add a kind of legal basis, or change it: its titles, and what a request must name."""
    entry = LegalBasisKind(
        code=code,
        titles={"en": text, **titles_of(title or ())},
        must_name=frozenset(must_name or ()),
        withheld=withheld,
    )
    edit(folder, put_entry(draft_of(folder), entry), f"legal basis {code}")


@app.command(
    "set-secrecy-kind",
    epilog="adapter authority set-secrecy-kind authority/ criminal-inquiry 'A criminal inquiry' --maximum P365D",
)
def set_secrecy_kind(
    folder: FolderArgument,
    code: str,
    text: TextArgument,
    *,
    title: MoreTitlesOption = None,
    maximum: Annotated[
        timedelta,
        typer.Option(
            parser=reader(read_duration), metavar="DURATION", help="How long an order may last: whole days, as P365D."
        ),
    ],
) -> None:
    """Add a kind of secrecy order, or change it. An order that is placed already keeps its last day."""
    entry = SecrecyKind(code=code, titles={"en": text, **titles_of(title or ())}, maximum=maximum)
    edit(folder, put_entry(draft_of(folder), entry), f"kind of secrecy order {code}")


@app.command("set-identifier-type", epilog="adapter authority set-identifier-type authority/ passport '[A-Z]{2}[0-9]+'")
def set_identifier_type(folder: FolderArgument, code: str, pattern: str, *, title: TitlesOption) -> None:
    """Enter a type of identifier for those whom data is about."""
    try:
        form = IdentifierPattern(pattern)
    except DirectoryRefused as cause:
        raise CommandRefused(cause.reason) from None
    entry = IdentifierType(code=code, pattern=form, titles=titles_of(title))
    edit(folder, put_entry(draft_of(folder), entry), f"identifier type {code}")
