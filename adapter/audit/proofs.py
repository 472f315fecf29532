"""Inclusion and consistency proofs: made from stored hashes in O(log n) reads, verified without trusting anybody.

A proof is made by whoever keeps the record and verified by whoever does not trust them: the verifiers take nothing for
granted, neither sizes nor lengths nor counts (RFC 9162, 2.1.3.2 and 2.1.4.2; W150 to W152).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adapter.audit.merkle import HASH_OCTETS, MAX_SIZE, TILE_HEIGHT, node_hash
from adapter.errors import RecordBroken


class HashReader(Protocol):
    """Where the stored hashes are."""

    def hashes(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """The hashes of `count` neighbouring complete subtrees of 256**level leaves; level 0: leaf hashes.

        Raises RecordBroken when one is missing. At most 128 are asked for at once.
        """

    def root(self, height: int, start: int) -> bytes:
        """The root of the complete subtree of 2**height leaves from leaf `start`, a multiple of that. RecordBroken.

        Folded from at most 128 stored hashes of the tile level below it.
        """
        level, rest = divmod(height, TILE_HEIGHT)
        row = list(self.hashes(level, start >> level * TILE_HEIGHT, 1 << rest))
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]


def inclusion_proof(reader: HashReader, index: int, size: int) -> tuple[bytes, ...]:
    """The audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962, 2.1.1).

    Raises RecordBroken when there is no such leaf in such a tree.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise RecordBroken(f"entry {index} is not in a record of {size} entries")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left_width(end - start)
        if index < middle:
            path.append(_range_root(reader, middle, end))
            end = middle
        else:
            path.append(_range_root(reader, start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_proof(reader: HashReader, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """What shows that the first `old_size` leaves of the larger tree are the older tree (RFC 6962, 2.1.2).

    Empty for equal sizes. Raises RecordBroken for an old size of 0 or one above the new size.
    """
    if not 0 < old_size <= new_size <= MAX_SIZE:
        raise RecordBroken(f"there is no consistency proof from {old_size} to {new_size} entries")
    path: list[bytes] = []
    start, end, whole = 0, new_size, True
    while old_size != end:
        middle = start + _left_width(end - start)
        if old_size <= middle:
            path.append(_range_root(reader, middle, end))
            end = middle
        else:
            path.append(_range_root(reader, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(_range_root(reader, start, end))
    return tuple(reversed(path))


def range_root(reader: HashReader, size: int) -> bytes:
    """The root of the tree of the first `size` leaves, from stored hashes. Raises RecordBroken."""
    if not 0 < size <= MAX_SIZE:
        raise RecordBroken(f"a record of {size} entries has no root to prove")
    return _range_root(reader, 0, size)


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf hash is number `index` in the tree with this root (RFC 9162, 2.1.3.2).

    All arguments are untrusted, except that the caller knows whose root it is. Raises RecordBroken.
    """
    _check_numbers(index, size)
    _check_hashes((leaf, root, *proof))
    if index >= size:
        raise RecordBroken("the inclusion proof is for an entry beyond the end of the record")
    at, last, computed = index, size - 1, leaf
    for neighbour in proof:
        if last == 0:
            raise RecordBroken("the inclusion proof is longer than the tree is high")
        if at & 1 or at == last:
            computed = node_hash(neighbour, computed)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, neighbour)
        at, last = at >> 1, last >> 1
    if last != 0 or computed != root:
        raise RecordBroken("the inclusion proof does not lead to the root")


def verify_consistency(
    *, old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the newer tree begins with the whole older tree (RFC 9162, 2.1.4.2).

    All arguments are untrusted, except that the caller knows whose roots they are. Raises RecordBroken.
    """
    _check_numbers(old_size, new_size)
    _check_hashes((old_root, new_root, *proof))
    if not 0 < old_size <= new_size:
        raise RecordBroken("a record never shrinks, and nothing can be consistent with an empty one")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise RecordBroken("two checkpoints of the same size differ")
        return
    if not proof:
        raise RecordBroken("the consistency proof is empty")
    # A complete old tree is a node of the new one, and is not repeated in the proof.
    path = proof if old_size & (old_size - 1) else (old_root, *proof)
    old, new = _climb(path, old_size, new_size)
    if old != old_root or new != new_root:
        raise RecordBroken("the newer record does not contain the older one unchanged")


def _climb(path: Sequence[bytes], old_size: int, new_size: int) -> tuple[bytes, bytes]:
    """The two roots that a consistency proof leads to (RFC 9162, 2.1.4.2, steps 3 to 6)."""
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for neighbour in path[1:]:
        if last == 0:
            raise RecordBroken("the consistency proof is longer than the tree is high")
        if at & 1 or at == last:
            old, new = node_hash(neighbour, old), node_hash(neighbour, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, neighbour)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise RecordBroken("the consistency proof is shorter than the tree is high")
    return old, new


def _left_width(width: int) -> int:
    """The largest power of two below the width: how many leaves are left of the split (RFC 6962, 2.1)."""
    return 1 << (width - 1).bit_length() - 1


def _range_root(reader: HashReader, start: int, end: int) -> bytes:
    """The root of the leaves from start to end, a range that the splits of RFC 6962 lead to."""
    width = end - start
    if width & (width - 1) == 0:
        return reader.root(width.bit_length() - 1, start)
    middle = start + _left_width(width)
    return node_hash(_range_root(reader, start, middle), _range_root(reader, middle, end))


def _check_numbers(*numbers: int) -> None:
    for number in numbers:
        if type(number) is not int or not 0 <= number <= MAX_SIZE:
            raise RecordBroken("a number in the proof is not a size that a record can have")


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(one) != HASH_OCTETS for one in hashes):
        raise RecordBroken("a hash in the proof does not have 32 octets")
