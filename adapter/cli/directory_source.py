"""Which directory a command looks at: a published folder or address with its anchor, or the adapter's own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from adapter.cli.files import read_octets
from adapter.cli.options import settings_from
from adapter.directory.anchor import MAX_ANCHOR_BYTES, Anchor, read_anchor
from adapter.directory.model import Directory
from adapter.directory.proof import authenticate_directory
from adapter.directory.refresh import Known, Refresh
from adapter.errors import AdapterError, CommandRefused, DirectoryUnavailable
from adapter.settings import Settings
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.transport.directory_client import DirectoryClient

COPY_FOLDER: Final = "directory"
"""Below data_dir: where the running adapter keeps the last good directory."""

DirectoryOption = Annotated[
    str | None,
    typer.Option("--directory", metavar="PLACE", help="Folder or http(s) address of a published directory."),
]
AnchorOption = Annotated[
    Path | None,
    typer.Option("--anchor", metavar="FILE", help="The authority's anchor.json; needed with --directory."),
]


def anchor_from(path: Path) -> Anchor:
    """The root in an anchor file. Raises CommandRefused, SettingsInvalid."""
    return read_anchor(read_octets(path, what="anchor", max_bytes=MAX_ANCHOR_BYTES))


def fetch_directory(
    places: Sequence[str],
    anchor: Anchor,
    known: Known | None = None,
    *,
    now: datetime | None = None,
    timeout_s: float = 10,
) -> tuple[Directory, datetime]:
    """The published directory, verified as by an adapter that knows what `known` says, and until when it is fresh.

    now: None for who looks at it whatever the time: an expired one is opened too.
    Raises DirectoryUnavailable, DirectoryRefused, DirectoryExpired.
    """
    begun = Refresh(anchor, known or Known(), now=now, has_document=False)
    found = asyncio.run(DirectoryClient(places, timeout_s=timeout_s).look(begun))
    if found is None or found.directory is None:
        raise DirectoryUnavailable("nothing was read")  # cannot be: the document was asked for
    return found.directory, found.fresh_until


def open_directory(place: str, anchor: Path) -> Directory:
    """Fetch and verify. An expired directory is opened too: who looks at it wants to see that.

    Raises DirectoryUnavailable, DirectoryRefused, SettingsInvalid (anchor), CommandRefused.
    """
    return fetch_directory((place,), anchor_from(anchor))[0]


def directory_of(place: str | None, anchor: Path | None, settings_file: Path) -> Directory:
    """The directory that the options name, else the one that the adapter of the settings has."""
    if place is None:
        return own_directory(settings_from(settings_file))
    if anchor is None:
        raise CommandRefused("--directory needs --anchor: without the authority's root nothing can be believed")
    return open_directory(place, anchor)


def own_directory(settings: Settings) -> Directory:
    """The newest directory that the adapter accepted; where it has none yet, what is published. Raises as above."""
    anchor = anchor_from(settings.directory.anchor)
    with suppress(AdapterError):  # no database, or a damaged copy: `doctor` says so; what is published will do here
        proof = own_copy(settings).load()
        if proof is not None:
            return authenticate_directory(proof, anchor)
    return fetch_directory(settings.directory.url, anchor, timeout_s=settings.directory.timeout_s)[0]


def own_copy(settings: Settings) -> DirectoryCopy:
    """The adapter's own copy. Raises StoreUnusable."""
    return DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, open_database(settings.database_url))
