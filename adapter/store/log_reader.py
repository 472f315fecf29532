"""Reading the record: list, search, show, prove, and hand everything to audit.verify. Never writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, select, tuple_

from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.document import IndexedValues, read_document
from adapter.audit.merkle import TILE_HEIGHT, TileHash
from adapter.audit.proofs import consistency_proof, inclusion_proof, range_root
from adapter.audit.verify import RecordEnd, StoredCheckpoint, StoredEntry
from adapter.crypto.note import NoteVerifier
from adapter.errors import CommandRefused, RecordBroken
from adapter.identifiers import RecordNumber
from adapter.store.engine import Database
from adapter.store.log_search import LogFilter, conditions_of, found_numbers
from adapter.store.schema import checkpoints, entries, subjects, tile_hashes, tree_head
from adapter.store.statements import Cursor
from adapter.store.stored_hashes import KeptRoots, StoredHashes

__all__ = ["EntryProof", "LogFilter", "LogReader", "LoggedEntry", "latest_opened"]

_PAGE_ROWS: Final = 2_000
"""The record is read in pages, each in a transaction of its own: what is committed never changes."""

_ENTRY: Final[tuple[ColumnElement[Any], ...]] = tuple(
    entries.c[name] for name in ("number", "leaf_hash", *IndexedValues._fields, "document")
)
_CHECKPOINT: Final[tuple[ColumnElement[Any], ...]] = (checkpoints.c.size, checkpoints.c.note)
_ONE_ENTRY: Final = select(*_ENTRY).where(entries.c.number == bindparam("wanted"))
_NEWEST_CHECKPOINT: Final = select(*_CHECKPOINT).order_by(checkpoints.c.size.desc()).limit(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedEntry:
    """An entry as it is stored. document: the canonical text that leaf_hash is of; body: the same, read."""

    number: RecordNumber
    leaf_hash: bytes
    indexed: IndexedValues
    document: str
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryProof:
    """What shows an outsider that an entry is in the record. checkpoint: the signed note (C2SP)."""

    entry: LoggedEntry
    size: int
    path: tuple[bytes, ...]
    checkpoint: str


class LogReader:
    """The record of one adapter, for reading. For any thread; each call sees one consistent state."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._roots = KeptRoots()

    # --- list and show -----------------------------------------------------------------------------------------------

    def search(self, which: LogFilter) -> list[LoggedEntry]:
        """The newest entries that fit, newest first. Raises StoreUnusable, RecordBroken."""
        with self._database.reading() as connection:
            return _rows(connection, found_numbers(connection, which))

    def following(self, first: int, which: LogFilter, limit: int) -> tuple[list[LoggedEntry], int]:
        """What fits among the `limit` entries from number `first` on, oldest first; and the number after those.

        The period and the page of the filter count as in a search. Raises StoreUnusable, RecordBroken.
        """
        with self._database.reading() as connection:
            number = entries.c.number
            highest = connection.execute(select(func.max(number))).scalar_one()
            end = first if highest is None else max(first, min(first + limit, highest + 1))
            page = select(*_ENTRY).where(number >= first, number < end, *conditions_of(which)).order_by(number)
            return [_logged(row) for row in connection.execute(page)], end

    def show(self, number: int) -> LoggedEntry:
        """One entry. Raises CommandRefused when there is none with this number, StoreUnusable, RecordBroken."""
        with self._database.reading() as connection:
            return _shown(connection, number)

    # --- checkpoints and proofs --------------------------------------------------------------------------------------

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The newest signed checkpoint; None as long as the record is empty. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _last_checkpoint(connection)

    def end_size(self) -> int:
        """How many entries there are. Raises RecordBroken, StoreUnusable."""
        with self._database.reading() as connection:
            size = connection.execute(select(tree_head.c.size)).scalar_one_or_none()
        if size is None:
            raise RecordBroken("the tree head is missing")
        return int(size)

    def checkpoint_of(self, number: int) -> StoredCheckpoint:
        """The oldest checkpoint that covers an entry. Raises CommandRefused, StoreUnusable."""
        with self._database.reading() as connection:
            return _covering(connection, number)

    def checkpoint_at(self, size: int) -> StoredCheckpoint:
        """The checkpoint of exactly this size. Raises CommandRefused: none was signed then; StoreUnusable."""
        with self._database.reading() as connection:
            return _checkpoint_of_size(connection, size)

    def prove_entry(self, number: int, size: int | None = None) -> EntryProof:
        """That entry `number` is in the record of the checkpoint of this size (default: the newest checkpoint).

        Raises CommandRefused when there is no such entry or checkpoint, StoreUnusable, RecordBroken.
        """
        with self._database.reading() as connection:
            entry = _shown(connection, number)
            checkpoint = _last_checkpoint(connection) if size is None else _checkpoint_of_size(connection, size)
            if checkpoint is None or checkpoint.size <= number:
                raise CommandRefused(f"entry {number} is not in that checkpoint")
            path = inclusion_proof(self._stored(connection), number, checkpoint.size)
        return EntryProof(entry=entry, size=checkpoint.size, path=path, checkpoint=checkpoint.note)

    def prove_consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """That the record of new_size entries begins with the one of old_size. Raises RecordBroken, StoreUnusable."""
        with self._database.reading() as connection:
            return consistency_proof(self._stored(connection), old_size, new_size)

    def prove_past(
        self, sizes: Sequence[int]
    ) -> tuple[StoredCheckpoint | None, list[tuple[int, bytes, tuple[bytes, ...]]]]:
        """The newest checkpoint; and for each size that it covers the root, and the proof from there to it.

        Raises RecordBroken, StoreUnusable.
        """
        with self._database.reading() as connection:
            newest = _last_checkpoint(connection)
            stored = self._stored(connection)
            covered = [size for size in sizes if newest is not None and size <= newest.size]
            end = 0 if newest is None else newest.size
            return newest, [(size, range_root(stored, size), consistency_proof(stored, size, end)) for size in covered]

    # --- for audit.verify --------------------------------------------------------------------------------------------

    def end(self) -> RecordEnd:
        """The end of the record at this instant (audit.verify.RecordReader)."""
        with self._database.reading_as_stored() as connection:
            head = connection.execute(select(tree_head.c.size, tree_head.c.hashes)).one_or_none()
            if head is None:
                raise RecordBroken("the tree head is missing")
            highest = connection.execute(select(func.max(entries.c.number))).scalar_one()
            return RecordEnd(
                next_number=0 if highest is None else highest + 1,
                head_size=head.size,
                head_hashes=head.hashes,
                tile_hashes=connection.execute(select(func.count()).select_from(tile_hashes)).scalar_one(),
                last_checkpoint=_last_checkpoint(connection),
            )

    def entries(self, size: int) -> Iterator[StoredEntry]:
        """The entries below `size` (audit.verify.RecordReader)."""
        for row in self._pages(select(*_ENTRY).where(entries.c.number < size), entries.c.number):
            yield StoredEntry(row[0], row[1], IndexedValues(*row[2:-1]), row[-1])

    def tile_hashes(self, level: int, size: int) -> Iterator[TileHash]:
        """The stored hashes of a level (audit.verify.RecordReader)."""
        position = tile_hashes.c.position
        of_level = select(position, tile_hashes.c.hash).where(
            tile_hashes.c.level == level, position < size >> level * TILE_HEIGHT
        )
        for row in self._pages(of_level, position):
            yield TileHash(level, row[0], row[1])

    def checkpoints(self, size: int) -> Iterator[StoredCheckpoint]:
        """The checkpoints up to `size` (audit.verify.RecordReader)."""
        for row in self._pages(select(*_CHECKPOINT).where(checkpoints.c.size <= size), checkpoints.c.size):
            yield StoredCheckpoint(row[0], row[1])

    def subject_tags(self, size: int) -> Iterator[tuple[str, int]]:
        """The index of subjects below `size` (audit.verify.RecordReader)."""
        key = (subjects.c.tag, subjects.c.number)
        try:
            for row in self._pages(select(*key), *key):
                if not isinstance(row[1], int) or row[1] < size:
                    yield row[0], row[1]
        except UnicodeEncodeError:
            return  # from a tag that is no text one cannot go on; that it is none of ours is noticed all the same

    def _stored(self, connection: Connection) -> StoredHashes:
        return StoredHashes(cast("Cursor", connection.connection.cursor()), self._roots)

    def _pages(self, statement: Select[Any], *key: ColumnElement[Any]) -> Iterator[Any]:
        """All rows in the order of a unique key, which is the first columns that are selected."""
        page = statement
        while True:
            with self._database.reading_as_stored() as connection:
                rows = connection.execute(page.order_by(*key).limit(_PAGE_ROWS)).all()
            yield from rows
            if len(rows) < _PAGE_ROWS:
                return
            page = statement.where(tuple_(*key) > tuple_(*rows[-1][: len(key)]))


def latest_opened(reader: LogReader, verifiers: Sequence[NoteVerifier], *, origin: str) -> Checkpoint | None:
    """The newest checkpoint, its signature verified. Raises RecordBroken, StoreUnusable."""
    stored = reader.latest_checkpoint()
    return None if stored is None else open_checkpoint(stored.note, verifiers, origin=origin)


def _rows(connection: Connection, numbers: Sequence[int]) -> list[LoggedEntry]:
    """These entries, in this order."""
    found = {row.number: row for row in connection.execute(select(*_ENTRY).where(entries.c.number.in_(numbers)))}
    return [_logged(found[number]) for number in numbers]


def _shown(connection: Connection, number: int) -> LoggedEntry:
    row = connection.execute(_ONE_ENTRY, {"wanted": number}).one_or_none()
    if row is None:
        raise CommandRefused(f"the record has no entry {number}")
    return _logged(row)


def _logged(row: Row[Any]) -> LoggedEntry:
    try:
        body, indexed = read_document(row.document)
    except RecordBroken as error:
        raise RecordBroken(f"entry {row.number}: {error.reason}") from error
    return LoggedEntry(
        number=RecordNumber(row.number), leaf_hash=row.leaf_hash, indexed=indexed, document=row.document, body=body
    )


def _last_checkpoint(connection: Connection) -> StoredCheckpoint | None:
    row = connection.execute(_NEWEST_CHECKPOINT).one_or_none()
    return None if row is None else StoredCheckpoint(row[0], row[1])


def _checkpoint_of_size(connection: Connection, size: int) -> StoredCheckpoint:
    row = connection.execute(select(*_CHECKPOINT).where(checkpoints.c.size == size)).one_or_none()
    if row is None:
        raise CommandRefused(f"the record has no checkpoint of size {size}")
    return StoredCheckpoint(row[0], row[1])


def _covering(connection: Connection, number: int) -> StoredCheckpoint:
    first = select(*_CHECKPOINT).where(checkpoints.c.size > number).order_by(checkpoints.c.size).limit(1)
    row = connection.execute(first).one_or_none()
    if row is None:
        raise CommandRefused(f"the record has no entry {number}")
    return StoredCheckpoint(row[0], row[1])
