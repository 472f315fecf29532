"""`adapter log export`: the record as tiles, for tools and mirrors that we did not write (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.audit.checkpoint import open_checkpoint, record_origin
from adapter.audit.merkle import HASH_OCTETS, TILE_WIDTH, CompactRange
from adapter.audit.tiles import CHECKPOINT, MAX_FILE_OCTETS, Read, bundle, tile_path, tile_root, verify_tiles
from adapter.audit.verify import StoredEntry
from adapter.cli.directory_source import own_directory
from adapter.cli.files import read_octets, write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import Output, good
from adapter.cli.own_record import record_signer
from adapter.crypto.note import NoteVerifier
from adapter.errors import CommandRefused, RecordBroken
from adapter.settings import Settings
from adapter.store.cosignatures import Cosignatures, CosignedNote
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader, latest_opened


def export_tiles(
    tiles: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write the tiles into.")],
    *,
    entries: Annotated[
        bool, typer.Option("--entries", help="Also the entries themselves; without them the hashes only.")
    ] = False,
    witnessed: Annotated[
        bool, typer.Option("--witnessed", help="Only as far as enough witnesses of the directory have cosigned.")
    ] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Write the record as C2SP tiles: static files by which anybody computes proofs, and verifies them.

    What is in the folder already and is whole stays; a tile never changes. The hashes say nothing about any person.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    database = open_database(settings.database_url)
    reader, cosignatures = LogReader(database), Cosignatures(database)
    verifier = NoteVerifier.parse(record_signer(settings).vkey)
    origin = record_origin(settings.member)
    newest = latest_opened(reader, [verifier], origin=origin)
    if witnessed:
        newest = open_checkpoint(_newest_witnessed(settings, cosignatures).note, [verifier], origin=origin)
    if newest is None:
        raise CommandRefused("the record is empty: there is nothing to export yet")
    root = write_tiles(reader.entries(newest.size), tiles, with_entries=entries)
    if root != newest.root:
        raise RecordBroken("the entries are not those that the newest checkpoint signed; run `adapter log verify`")
    cosigned = cosignatures.cosigned(newest.size)
    note = reader.checkpoint_of(newest.size - 1).note if cosigned is None else cosigned.note
    write_octets(tiles / CHECKPOINT, note.encode())
    output.result(
        {"entries": newest.size, "root": newest.root.hex(), "folder": str(tiles)},
        Text.assemble(good("Exported: "), f"{newest.size} entries as tiles in {tiles}"),
    )


def _newest_witnessed(settings: Settings, cosignatures: Cosignatures) -> CosignedNote:
    directory = own_directory(settings)
    vkeys = [one.vkey for one in directory.witnesses.values()]
    found = cosignatures.newest_witnessed(vkeys, directory.witness_rule.threshold)
    if found is None:
        raise CommandRefused("no checkpoint has enough cosignatures yet")
    return found


def verify_tiles_here(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of tiles.", show_default=False)],
    *,
    vkey: Annotated[Path, typer.Option(metavar="FILE", help="The verifier key of the record.", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Verify a folder of tiles against the checkpoint in it: a mirror's, or one that was handed over.

    Needs neither settings nor database. The entries are held against their tiles where the folder has them. Exit
    code 6: a file was changed, and is named.
    """
    output = Output.of(as_json=as_json)
    if not folder.is_dir():
        raise CommandRefused(f"there is no folder {folder}")
    verifier = NoteVerifier.parse(read_octets(vkey, what="verifier key", max_bytes=4096).decode("ascii", "replace"))
    with_entries = (folder / "tile" / "entries").is_dir()
    checkpoint = verify_tiles(_reading(folder), verifier, with_entries=with_entries)
    said = f"{checkpoint.size} entries of {checkpoint.origin}, " + ("each of them read" if with_entries else "by hash")
    output.result(
        {"entries": checkpoint.size, "root": checkpoint.root.hex(), "read": with_entries},
        Text.assemble(good("The tiles are whole: "), said),
    )


def _reading(folder: Path) -> Read:
    """Each file is read as it is asked for; the last one is kept, as its hashes are asked for one by one."""

    @lru_cache(maxsize=8)
    def read(path: str) -> bytes | None:
        file = folder / path
        return read_octets(file, what="tile", max_bytes=MAX_FILE_OCTETS) if file.is_file() else None

    return read


class _Tiles:
    """Tiles as they become whole, written below a folder. What is there already is not written again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[bytearray] = []
        self._written: list[int] = []

    def add(self, hashes: bytes, level: int = 0) -> None:
        """Put the hashes of at most one tile at the right edge of a level; a whole tile's root goes one level up."""
        if level == len(self._rows):
            self._rows.append(bytearray())
            self._written.append(0)
        row = self._rows[level]
        row += hashes
        if len(row) == TILE_WIDTH * HASH_OCTETS:
            whole = bytes(row)
            row.clear()
            self.write(tile_path(str(level), self._written[level], TILE_WIDTH), whole)
            self._written[level] += 1
            self.add(tile_root(whole), level + 1)

    def finish(self) -> None:
        """Write the partial tiles at the right edge."""
        for level, row in enumerate(self._rows):
            if row:
                self.write(tile_path(str(level), self._written[level], len(row) // HASH_OCTETS), bytes(row))

    def write(self, path: str, octets: bytes) -> None:
        """Write one file, unless it is there with these octets."""
        file = self._folder / path
        if not file.is_file() or read_octets(file, what="tile") != octets:
            write_octets(file, octets)


def write_tiles(entries: Iterable[StoredEntry], folder: Path, *, with_entries: bool) -> bytes:
    """Write all tiles of a tree of these entries, from the first; gives its root. Raises CommandRefused."""
    tree, tiles = CompactRange(), _Tiles(folder)
    found = iter(entries)
    number = 0
    while page := list(islice(found, TILE_WIDTH)):
        for entry in page:
            tree.append(entry.leaf_hash)
        if with_entries:
            tiles.write(tile_path("entries", number, len(page)), bundle([entry.document for entry in page]))
        tiles.add(b"".join(entry.leaf_hash for entry in page))
        number += 1
    tiles.finish()
    return tree.root()
