"""The record as tiles (C2SP tlog-tiles v1.0.0): a folder that existing tools and mirrors read, all of it static files.

    checkpoint                  the newest signed checkpoint
    tile/<L>/<N>[.p/<W>]        hashes of level L: 256 of them, 32 octets each; partial tiles with W of them
    tile/entries/<N>[.p/<W>]    the entries themselves, each after its length (uint16, big-endian); only when asked for

N is written in groups of three digits, all but the last with an x before it: 1234067 is x001/x234/067.
"""

from __future__ import annotations

from typing import Final

from adapter.audit.merkle import HASH_OCTETS, TILE_HEIGHT, TILE_WIDTH, node_hash
from adapter.errors import CommandRefused

CHECKPOINT: Final = "checkpoint"
MAX_BUNDLED_OCTETS: Final = (1 << 16) - 1


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
