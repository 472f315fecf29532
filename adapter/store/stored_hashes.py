"""The hashes of the record's tree, read for proofs: no more of them than a proof needs, and the costly roots once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select

from adapter.audit.merkle import TILE_HEIGHT
from adapter.audit.proofs import HashReader
from adapter.errors import RecordBroken
from adapter.store.schema import entries, tile_hashes
from adapter.store.statements import Cursor, sql

MAX_KEPT: Final = 65_536
"""Roots; about 16 MiB. As many as a record of a hundred million entries has."""

_CHEAP_HEIGHTS: Final = 4
"""A root of at most 8 stored hashes is not kept: to read those takes about as long as one of them."""

_LEAVES: Final = sql(
    select(entries.c.number, entries.c.leaf_hash)
    .where(entries.c.number >= bindparam("start"), entries.c.number < bindparam("stop"))
    .order_by(entries.c.number),
    "start",
    "stop",
)
_TILE_HASHES: Final = sql(
    select(tile_hashes.c.position, tile_hashes.c.hash)
    .where(
        tile_hashes.c.level == bindparam("of_level"),
        tile_hashes.c.position >= bindparam("start"),
        tile_hashes.c.position < bindparam("stop"),
    )
    .order_by(tile_hashes.c.position),
    "of_level",
    "start",
    "stop",
)


class KeptRoots:
    """Roots of large complete subtrees, of which a record has few and every proof asks for some. For any thread.

    What is committed never changes, and neither does the root of a complete subtree. Were the file changed by hand, a
    proof would say what was committed before, until the process ends; `adapter log verify` reads everything again.
    """

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most = most
        self._roots: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        return len(self._roots)

    def get(self, height: int, start: int) -> bytes | None:
        """The root of the complete subtree of 2**height leaves from `start`, if it is kept."""
        return self._roots.get((height, start))

    def keep(self, height: int, start: int, root: bytes) -> None:
        """Keep a root that was computed from committed hashes, if computing it again would cost much."""
        if height < TILE_HEIGHT or height % TILE_HEIGHT < _CHEAP_HEIGHTS:
            return
        if len(self._roots) >= self._most:
            self._roots.clear()
        self._roots[height, start] = root


class StoredHashes(HashReader):
    """The stored hashes, in the transaction of the cursor."""

    def __init__(self, cursor: Cursor, kept: KeptRoots) -> None:
        self._cursor = cursor
        self._kept = kept
        self._found: dict[tuple[int, int], bytes] = {}

    def hashes(self, level: int, start: int, count: int) -> Sequence[bytes]:
        """Leaf hashes are with the entries; those of higher levels have a table. Raises RecordBroken, sqlite3.Error."""
        if level == 0:
            self._cursor.execute(_LEAVES, (start, start + count))
        else:
            self._cursor.execute(_TILE_HASHES, (level, start, start + count))
        rows = self._cursor.fetchall()
        if len(rows) != count:
            there = {position for position, _ in rows}
            missing = next(position for position in range(start, start + count) if position not in there)
            raise RecordBroken(f"stored hash {missing} of level {level} is missing")
        return [one for _, one in rows]

    def root(self, height: int, start: int) -> bytes:
        """The root of a complete subtree, computed once in a transaction; a large one, once in a process."""
        root = self._found.get((height, start)) or self._kept.get(height, start)
        if root is None:
            root = super().root(height, start)
            self._kept.keep(height, start, root)
        self._found[height, start] = root
        return root
