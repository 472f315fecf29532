"""Which directory a command looks at: a published folder or address with its anchor, or the adapter's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer

from adapter.cli.files import read_octets
from adapter.cli.options import settings_from
from adapter.crypto.note import NoteVerifier
from adapter.directory.model import Directory
from adapter.directory.signing import MAX_ANCHOR_BYTES, authenticate_directory, read_anchor
from adapter.errors import AdapterError, CommandRefused
from adapter.settings import Settings
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.transport.directory_client import DirectoryClient, PublishedDirectory

COPY_FOLDER: Final = "directory"
"""Below data_dir: where the running adapter keeps the last good directory."""

DirectoryOption = Annotated[
    str | None,
    typer.Option("--directory", metavar="PLACE", help="Folder or http(s) address of a published directory."),
]
AnchorOption = Annotated[
    Path | None,
    typer.Option("--anchor", metavar="FILE", help="The authority's verifier key; needed with --directory."),
]


def anchor_from(path: Path) -> NoteVerifier:
    """The verifier key in an anchor file. Raises CommandRefused, SettingsInvalid."""
    return read_anchor(read_octets(path, what="anchor", max_bytes=MAX_ANCHOR_BYTES + 1))


def fetch_directory(place: str, *, timeout_s: float = 10) -> PublishedDirectory:
    """The published files as they are, untrusted. Raises DirectoryUnavailable, DirectoryRefused."""
    return asyncio.run(DirectoryClient(place, timeout_s=timeout_s).fetch())


def open_directory(place: str, anchor: Path) -> Directory:
    """Fetch and verify. An expired directory is opened too: who looks at it wants to see that.

    Raises DirectoryUnavailable, DirectoryRefused, SettingsInvalid (anchor), CommandRefused.
    """
    verifier = anchor_from(anchor)
    published = fetch_directory(place)
    return authenticate_directory(published.document, published.note, verifier)


def directory_of(place: str | None, anchor: Path | None, settings_file: Path) -> Directory:
    """The directory that the options name, else the one that the adapter of the settings has."""
    if place is None:
        return own_directory(settings_from(settings_file))
    if anchor is None:
        raise CommandRefused("--directory needs --anchor: without the authority's key nothing can be believed")
    return open_directory(place, anchor)


def own_directory(settings: Settings) -> Directory:
    """The newest directory that the adapter accepted; where it has none yet, what is published. Raises as above."""
    anchor = anchor_from(settings.directory.anchor)
    try:
        stored = DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, open_database(settings.database_url)).load()
        if stored is not None:
            return authenticate_directory(stored.document, stored.note, anchor)
    except AdapterError:
        pass  # no database, or a damaged copy: `doctor` says so; what is published will do here
    published = fetch_directory(settings.directory.url, timeout_s=settings.directory.timeout_s)
    return authenticate_directory(published.document, published.note, anchor)
