"""Adding entries to the log, inside a transaction that somebody else began and will commit.

The tree head is read inside that transaction, which holds the write lock: other processes append too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from sqlalchemy import Connection, bindparam, func, insert, select, update

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from adapter.audit.document import EntryDocument, document_of
from adapter.audit.merkle import CompactRange
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import RecordBroken
from adapter.identifiers import RecordNumber
from adapter.ports import Entry
from adapter.store.engine import Database
from adapter.store.schema import checkpoints, entries, subjects, tile_hashes, tree_head
from adapter.store.statements import Cursor, sql

_READ_HEAD: Final = sql(select(tree_head.c.size, tree_head.c.hashes))
_WRITE_HEAD: Final = sql(
    update(tree_head)
    .where(tree_head.c.size == bindparam("old_size"))
    .values(size=bindparam("new_size"), hashes=bindparam("new_hashes")),
    "new_size",
    "new_hashes",
    "old_size",
)
_ADD_ENTRY: Final = sql(insert(entries), *(column.name for column in entries.columns))
_READ_LEAF: Final = sql(select(entries.c.leaf_hash).where(entries.c.number == bindparam("at")), "at")
_ADD_SUBJECT: Final = sql(insert(subjects), "tag", "number")
_ADD_TILE_HASH: Final = sql(insert(tile_hashes), "level", "position", "hash")
_ADD_CHECKPOINT: Final = sql(insert(checkpoints), "size", "note")
_earlier = checkpoints.alias("earlier")
_LAST_CHECKPOINT: Final = sql(
    select(checkpoints.c.size, checkpoints.c.note).where(
        checkpoints.c.size == select(func.max(_earlier.c.size)).scalar_subquery()
    )
)


class Log:
    """The log of one adapter, as its writer sees it.

    origin: its name, the first line of every checkpoint. former_keys: from before its signing key was changed.
    """

    def __init__(self, origin: str, signer: NoteSigner, former_keys: Sequence[NoteVerifier] = ()) -> None:
        self.origin = origin
        self._signer = signer
        self._verifiers = (NoteVerifier.parse(signer.vkey), *former_keys)

    def begin(self, cursor: Cursor) -> Appending:
        """Read the head; then entries can be added. Raises RecordBroken when the head is unreadable."""
        cursor.execute(_READ_HEAD)
        row = cursor.fetchone()
        if row is None:
            raise RecordBroken("the tree head is missing")
        return Appending(cursor, CompactRange.from_bytes(*row))

    def sign(self, appending: Appending) -> str:
        """The signed checkpoint of the log as it is after the additions. Not valid before they are committed."""
        return sign_checkpoint(Checkpoint(origin=self.origin, size=appending.size, root=appending.root()), self._signer)

    def leaf_at(self, cursor: Cursor, number: RecordNumber) -> bytes | None:
        """The leaf hash of a committed entry, None when there is no such entry."""
        cursor.execute(_READ_LEAF, (number,))
        row = cursor.fetchone()
        return None if row is None else bytes(row[0])

    def check_head(self, cursor: Cursor) -> str | None:
        """The newest checkpoint. Refuses to go on from a head that was not signed last. Raises RecordBroken."""
        head = self.begin(cursor)
        cursor.execute(_LAST_CHECKPOINT)
        row = cursor.fetchone()
        if row is None:
            if head.size:
                raise RecordBroken(f"the record has {head.size} entries and no checkpoint")
            return None
        size, note = row
        signed = open_checkpoint(note, self._verifiers, origin=self.origin)
        if (signed.size, signed.root) != (head.size, head.root()) or signed.size != size:
            raise RecordBroken(
                f"the record's head ({head.size} entries) is not what was signed ({signed.size} entries)"
            )
        return str(note)


class Appending:
    """The additions of one transaction. Nothing is written before `write`."""

    def __init__(self, cursor: Cursor, tree: CompactRange) -> None:
        self._cursor = cursor
        self._tree = tree
        self._old_size = tree.size
        self._entries: list[tuple[Any, ...]] = []
        self._subjects: list[tuple[Any, ...]] = []
        self._tile_hashes: list[tuple[Any, ...]] = []

    @property
    def size(self) -> int:
        """How many entries the log has with these additions."""
        return self._tree.size

    @property
    def next_number(self) -> RecordNumber:
        """The number that the next added entry will have."""
        return RecordNumber(self._tree.size)

    def root(self) -> bytes:
        """The Merkle root with these additions."""
        return self._tree.root()

    def add(self, document: EntryDocument) -> RecordNumber:
        """Add one entry; its number is its position in the log, from 0."""
        number = self.next_number
        completed = self._tree.append(document.leaf_hash)
        self._entries.append((number, document.leaf_hash, *document.indexed, document.text))
        self._subjects.extend((tag, number) for tag in document.subjects)
        self._tile_hashes.extend((one.level, one.position, one.hash) for one in completed)
        return number

    def write(self, log: Log) -> str | None:
        """Write the entries, the hashes, the new head and one signed checkpoint, which is given back.

        None when there is nothing new. Raises RecordBroken, sqlite3.Error.
        """
        if self.size == self._old_size:
            return None
        cursor = self._cursor
        cursor.executemany(_ADD_ENTRY, self._entries)
        if self._subjects:
            cursor.executemany(_ADD_SUBJECT, self._subjects)
        if self._tile_hashes:
            cursor.executemany(_ADD_TILE_HASH, self._tile_hashes)
        cursor.execute(_WRITE_HEAD, (self.size, self._tree.to_bytes(), self._old_size))
        if cursor.rowcount != 1:
            raise RecordBroken("the tree head changed under the write lock")
        note = log.sign(self)
        cursor.execute(_ADD_CHECKPOINT, (self.size, note))
        return note


def append(connection: Connection, log: Log, new: Iterable[Entry]) -> tuple[RecordNumber, ...]:
    """Add entries with whatever else a transaction changes (`Database.writing`). Raises RecordBroken, sqlite3.Error."""
    cursor = cast("Cursor", connection.connection.cursor())
    appending = log.begin(cursor)
    numbers = tuple(appending.add(document_of(entry)) for entry in new)
    appending.write(log)
    return numbers


def append_entries(database: Database, log: Log, new: Iterable[Entry]) -> tuple[RecordNumber, ...]:
    """Add entries in a transaction of their own, durably. Raises StoreUnusable, RecordBroken."""
    with database.writing() as connection:
        return append(connection, log, new)
