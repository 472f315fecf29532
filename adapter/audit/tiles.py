"""The record as tiles (C2SP tlog-tiles v1.0.0): a folder that existing tools and mirrors read, all of it static files.

    checkpoint                  the newest signed checkpoint
    tile/<L>/<N>[.p/<W>]        hashes of level L: 256 of them, 32 octets each; partial tiles with W of them
    tile/entries/<N>[.p/<W>]    the entries themselves, each after its length (uint16, big-endian); only when asked for

N is written in groups of three digits, all but the last with an x before it: 1234067 is x001/x234/067.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.merkle import HASH_OCTETS, TILE_HEIGHT, TILE_WIDTH, CompactRange, leaf_hash, node_hash
from adapter.crypto.note import NoteVerifier
from adapter.errors import CommandRefused, RecordBroken

CHECKPOINT: Final = "checkpoint"
MAX_BUNDLED_OCTETS: Final = (1 << 16) - 1
MAX_FILE_OCTETS: Final = TILE_WIDTH * (2 + MAX_BUNDLED_OCTETS)
"""A bundle of the largest entries; no other file is as large."""


def tile_path(level: str, number: int, width: int) -> str:
    """The path of a tile or, with the level `entries`, of a bundle."""
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03d}")
    part = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{part}"


def tile_root(octets: bytes) -> bytes:
    """The hash of a whole tile, which stands in the level above it."""
    row = [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]
    for _ in range(TILE_HEIGHT):
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def bundle(entries: list[str]) -> bytes:
    """An entry bundle. Raises CommandRefused for an entry that the form has no room for."""
    octets = bytearray()
    for text in entries:
        entry = text.encode()
        if len(entry) > MAX_BUNDLED_OCTETS:
            raise CommandRefused(f"an entry has {len(entry)} octets, and a bundle has room for {MAX_BUNDLED_OCTETS}")
        octets += len(entry).to_bytes(2, "big") + entry
    return bytes(octets)


# --- verifying a folder of tiles ------------------------------------------------------------------------------------

Read = Callable[[str], bytes | None]
"""Gives the octets of the file at a path of this form, None when there is none. Nothing of them is believed."""


def verify_tiles(read: Read, verifier: NoteVerifier, *, with_entries: bool) -> Checkpoint:
    """Verify every tile of a folder against its signed checkpoint, and every entry against its tile when asked to.

    Raises RecordBroken at the first file that is not what was signed, naming it. Of two files that contradict each
    other both are named, unless the entries tell which one it is.
    """
    note = read(CHECKPOINT)
    if note is None:
        raise RecordBroken("there is no checkpoint")
    checkpoint = open_checkpoint(note, [verifier], origin=verifier.name)
    tree = CompactRange()
    for number in range(-(-checkpoint.size // TILE_WIDTH)):
        width = min(TILE_WIDTH, checkpoint.size - number * TILE_WIDTH)
        path = tile_path("0", number, width)
        hashes = _hashes(read, path, width)
        if with_entries:
            _check_bundle(read, tile_path("entries", number, width), path, hashes)
        for leaf in hashes:
            for whole in tree.append(leaf):
                _check_above(read, checkpoint.size, whole.level, whole.position, whole.hash)
    if tree.root() != checkpoint.root:
        raise RecordBroken(f"{_right_edge(checkpoint.size)} is not what the checkpoint signed")
    return checkpoint


def _check_above(read: Read, size: int, level: int, position: int, root: bytes) -> None:
    """A whole tile's root stands in the tile above it."""
    complete = size >> level * TILE_HEIGHT
    number, at = divmod(position, TILE_WIDTH)
    width = min(TILE_WIDTH, complete - number * TILE_WIDTH)
    path = tile_path(str(level), number, width)
    if _hashes(read, path, width)[at] != root:
        below = tile_path(str(level - 1), position, TILE_WIDTH)
        raise RecordBroken(f"{path} and {below} do not fit: one of them was changed")


def _check_bundle(read: Read, path: str, tile: str, hashes: Sequence[bytes]) -> None:
    octets = read(path)
    if octets is None:
        raise RecordBroken(f"{path} is missing")
    found = list(_entries(path, octets))
    if len(found) != len(hashes):
        raise RecordBroken(f"{path} has {len(found)} entries, and {tile} has {len(hashes)}")
    wrong = [at for at, (entry, leaf) in enumerate(zip(found, hashes, strict=True)) if leaf_hash(entry) != leaf]
    if wrong:
        raise RecordBroken(f"{path} and {tile} do not fit at {wrong[0]}: one of them was changed")


def _entries(path: str, octets: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(octets):
        start = at + 2
        at = start + int.from_bytes(octets[at:start], "big")
        if start > len(octets) or at > len(octets):
            raise RecordBroken(f"{path} was changed: it is cut off")
        yield octets[start:at]


def _hashes(read: Read, path: str, width: int) -> list[bytes]:
    octets = read(path)
    if octets is None:
        raise RecordBroken(f"{path} is missing")
    if len(octets) != width * HASH_OCTETS:
        raise RecordBroken(f"{path} was changed: it does not have {width} hashes")
    return [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]


def _right_edge(size: int) -> str:
    """The tiles that no other tile speaks for: at the right edge of each level."""
    edge = []
    level = 0
    while size:
        number, width = divmod(size, TILE_WIDTH)
        if width:
            edge.append(tile_path(str(level), number, width))
        size >>= TILE_HEIGHT
        level += 1
    return "one of " + ", ".join(edge) if len(edge) > 1 else edge[0]
