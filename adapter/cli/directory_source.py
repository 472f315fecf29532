"""Which directory a command looks at: a published folder or address with its anchor, or the adapter's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from adapter.cli.files import read_octets
from adapter.cli.options import settings_from
from adapter.directory.model import Directory
from adapter.directory.signing import MAX_ANCHOR_BYTES, authenticate_directory, read_anchor
from adapter.errors import CommandRefused
from adapter.transport.directory_client import DirectoryClient, PublishedDirectory

DirectoryOption = Annotated[
    str | None,
    typer.Option("--directory", metavar="PLACE", help="Folder or http(s) address of a published directory."),
]
AnchorOption = Annotated[
    Path | None,
    typer.Option("--anchor", metavar="FILE", help="The authority's verifier key; needed with --directory."),
]


def fetch_directory(place: str, *, timeout_s: float = 10) -> PublishedDirectory:
    """The published files as they are, untrusted. Raises DirectoryUnavailable, DirectoryRefused."""
    return asyncio.run(DirectoryClient(place, timeout_s=timeout_s).fetch())


def open_directory(place: str, anchor: Path) -> Directory:
    """Fetch and verify. An expired directory is opened too: who looks at it wants to see that.

    Raises DirectoryUnavailable, DirectoryRefused, SettingsInvalid (anchor), CommandRefused.
    """
    verifier = read_anchor(read_octets(anchor, what="anchor", max_bytes=MAX_ANCHOR_BYTES + 1))
    published = fetch_directory(place)
    return authenticate_directory(published.document, published.note, verifier)


def directory_of(place: str | None, anchor: Path | None, settings_file: Path) -> Directory:
    """The directory that the options name, else the one of the settings. Raises as open_directory does."""
    if place is not None:
        if anchor is None:
            raise CommandRefused("--directory needs --anchor: without the authority's key nothing can be believed")
        return open_directory(place, anchor)
    settings = settings_from(settings_file)
    return open_directory(str(settings.directory.url), anchor or settings.directory.anchor)
