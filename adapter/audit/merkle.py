"""The Merkle tree of the record: RFC 6962 hashing, and a tree that grows at its right edge only.

Leaf and node hashes have different first octets, so that no leaf can pass for a node (RFC 6962, 2.1; W150).
Proofs and their verification are in audit.proofs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from adapter.errors import RecordBroken

HASH_OCTETS: Final = 32
TILE_HEIGHT: Final = 8
"""Hashes are stored for every eighth height only, as in C2SP tlog-tiles; what is between is computed."""
TILE_WIDTH: Final = 1 << TILE_HEIGHT
MAX_SIZE: Final = (1 << 63) - 1
"""What a database can count; larger numbers are refused before any computation (W151)."""

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(octets: bytes) -> bytes:
    """The hash of an entry: SHA-256(0x00 || octets) (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + octets).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right) (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class TileHash:
    """The root of a complete subtree of 256**level leaves; position counts such subtrees from the left."""

    level: int
    position: int
    hash: bytes


class CompactRange:
    """The roots of the complete subtrees that a tree of this size falls into, largest first: all that growing needs.

    Holds at most 63 hashes whatever the size; appending costs one hash on average.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._hashes: list[bytes] = []

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @classmethod
    def from_bytes(cls, size: int, octets: bytes) -> Self:
        """Read what `to_bytes` wrote for a tree of this size. Raises RecordBroken if the two do not fit."""
        if not 0 <= size <= MAX_SIZE or len(octets) != size.bit_count() * HASH_OCTETS:
            raise RecordBroken(f"the tree head's hashes do not fit its size {size}")
        loaded = cls()
        loaded._size = size
        loaded._hashes = [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]
        return loaded

    def to_bytes(self) -> bytes:
        """The hashes, largest subtree first, 32 octets each."""
        return b"".join(self._hashes)

    def append(self, leaf: bytes) -> tuple[TileHash, ...]:
        """Add a leaf hash at the right edge. Gives the hashes to store: of the tile-level subtrees it completed."""
        node, height, index = leaf, 0, self._size
        completed: tuple[TileHash, ...] = ()
        while index >> height & 1:
            node = node_hash(self._hashes.pop(), node)
            height += 1
            if height % TILE_HEIGHT == 0:
                completed += (TileHash(height // TILE_HEIGHT, index >> height, node),)
        self._hashes.append(node)
        self._size += 1
        return completed

    def root(self) -> bytes:
        """The Merkle Tree Hash of all leaves (RFC 6962, 2.1); of none, the hash of the empty string."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for subtree in reversed(self._hashes[:-1]):
            root = node_hash(subtree, root)
        return root
