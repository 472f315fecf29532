"""Moving kept messages to archive files and back: sealed as they are. Their keys stay here (evidence.archive_file)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select, update

from adapter.audit.admin import admin_entry
from adapter.audit.document import read_document
from adapter.audit.retention import ARCHIVED, RESTORED, Compartment
from adapter.errors import CommandRefused, RecordBroken, StoreUnusable
from adapter.evidence.archive_file import ArchivedMessage, VerifiedArchive
from adapter.identifiers import RecordNumber
from adapter.store.appending import Log, append
from adapter.store.archive import DESTROYED, Archive
from adapter.store.engine import Database
from adapter.store.holds import held_messages
from adapter.store.kept_messages import check_said
from adapter.store.schema import entries, message_keys, messages

_ROWS_AT_ONCE: Final = 1_000
_MESSAGE: Final = (
    messages.c.number,
    messages.c.direction,
    messages.c.sealed,
    messages.c.archived_in,
    message_keys.c.wrapped,
    *(message_keys.c[name] for name in Compartment._fields),
)
_WITH_KEYS: Final = messages.join(message_keys, messages.c.key_name == message_keys.c.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    """What came of putting an archive file back. erased: by now, so that nobody can read it. present: were here."""

    entry: RecordNumber
    messages: int
    erased: int
    present: int


class Archiver:
    """Moves the messages of one adapter."""

    def __init__(self, database: Database, archive_key: bytes, log: Log) -> None:
        self._database = database
        self._archive = Archive(archive_key)
        self._log = log

    def next_batch(self, before: date, *, after: int, max_bytes: int) -> list[ArchivedMessage]:
        """The next messages of one day before `before`, of entries above `after`; empty when there are no more.

        Without what is under a hold. Each one was opened and is what its entry says. max_bytes: of the sealed octets;
        one entry's messages go together, however large. Raises StoreUnusable, RecordBroken, KeyUnusable.
        """
        batch: list[ArchivedMessage] = []
        octets = 0
        with self._database.reading() as connection:
            held = {number for some in held_messages(connection).values() for number, _, _ in some}
            for number, rows in groupby(_living(connection, before, after), lambda row: int(row.number)):
                of_entry = [] if number in held else [self._checked(connection, row) for row in rows]
                size = sum(len(one.sealed) for one in of_entry)
                if batch and of_entry:
                    is_of_day = of_entry[0].compartment.day == batch[0].compartment.day
                    if not is_of_day or octets + size > max_bytes:
                        break
                batch += of_entry
                octets += size
        return batch

    def moved(
        self, batch: Sequence[ArchivedMessage], *, file: str, sha256: str, officer: str, now: datetime
    ) -> RecordNumber:
        """Remove from here what is in a file for sure; gives the number of the entry that says so.

        Raises StoreUnusable: something of it was erased, held or moved in between, and nothing was done.
        """
        days = sorted(one.compartment.day for one in batch)
        details = {
            "file": file,
            "sha256": sha256,
            "first_day": days[0],
            "last_day": days[-1],
            "first_entry": batch[0].number,
            "last_entry": batch[-1].number,
            "messages": len(batch),
        }
        with self._database.writing() as connection:
            held = {number for some in held_messages(connection).values() for number, _, _ in some}
            entry = admin_entry(ARCHIVED, officer=officer, at=now, details=details)
            (number,) = append(connection, self._log, (entry,))
            for one in batch:
                gone = update(messages).where(
                    messages.c.number == one.number,
                    messages.c.direction == one.direction,
                    messages.c.sealed == one.sealed,
                )
                done = connection.execute(gone.values(sealed=b"", archived_in=number))
                if done.rowcount != 1 or one.number in held:
                    raise StoreUnusable(f"the messages of entry {one.number} were changed meanwhile; archive again")
        return number

    def restore(self, archive: VerifiedArchive, *, file: str, sha256: str, officer: str, now: datetime) -> Restored:
        """Put messages back that were moved to a file. Each is opened with its key and held against its entry first.

        Raises CommandRefused: the file is of another record; RecordBroken, KeyUnusable, StoreUnusable. Then nothing
        was put back.
        """
        counts = {"messages": 0, "erased": 0, "present": 0}
        with self._database.writing() as connection:
            for number, text in archive.entries.items():
                if text != _document(connection, number):
                    raise CommandRefused(f"entry {number} of the file is not entry {number} of this record")
            for one in archive.messages:
                counts[self._put_back(connection, one, archive.entries[one.number])] += 1
            details = {"file": file, "sha256": sha256, **counts}
            (number,) = append(
                connection, self._log, (admin_entry(RESTORED, officer=officer, at=now, details=details),)
            )
        return Restored(entry=number, **counts)

    def _put_back(self, connection: Connection, one: ArchivedMessage, document: str) -> str:
        of_message = (messages.c.number == one.number, messages.c.direction == one.direction)
        row = connection.execute(select(*_MESSAGE).select_from(_WITH_KEYS).where(*of_message)).one_or_none()
        if row is None or row.wrapped == DESTROYED:
            return "erased"
        if row.sealed:
            return "present"
        if _compartment(row) != one.compartment:
            raise RecordBroken(f"the {one.direction} of entry {one.number} is of another day, service or purpose here")
        self._check(row.wrapped, one, document)
        connection.execute(update(messages).where(*of_message).values(sealed=one.sealed, archived_in=None))
        return "messages"

    def _checked(self, connection: Connection, row: Row[Any]) -> ArchivedMessage:
        one = ArchivedMessage(
            number=row.number, direction=row.direction, compartment=_compartment(row), sealed=row.sealed
        )
        self._check(row.wrapped, one, _document(connection, one.number))
        return one

    def _check(self, wrapped: bytes, one: ArchivedMessage, document: str) -> None:
        """It opens with its key, and is the message whose digest is in its entry. Raises RecordBroken, KeyUnusable."""
        kept = self._archive.open(wrapped, one.compartment, one.number, one.direction, one.sealed)
        check_said(one.number, kept, read_document(document)[0])


def _living(connection: Connection, before: date, after: int) -> Iterator[Row[Any]]:
    """Messages with their octets and their keys, in the order of their entries."""
    while True:
        wanted = (
            select(*_MESSAGE)
            .select_from(_WITH_KEYS)
            .where(
                messages.c.number > after,
                func.length(messages.c.sealed) > 0,
                message_keys.c.day < before.isoformat(),
                message_keys.c.wrapped != DESTROYED,
            )
            .order_by(messages.c.number, messages.c.direction)
        )
        numbers = connection.execute(
            wanted.with_only_columns(messages.c.number, maintain_column_froms=True).distinct().limit(_ROWS_AT_ONCE)
        ).scalars()
        page = sorted(set(numbers))
        if not page:
            return
        yield from connection.execute(wanted.where(messages.c.number <= page[-1]))
        after = page[-1]


def _compartment(row: Row[Any]) -> Compartment:
    return Compartment(*(getattr(row, name) for name in Compartment._fields))


def _document(connection: Connection, number: int) -> str:
    text = connection.execute(select(entries.c.document).where(entries.c.number == number)).scalar()
    if text is None:
        raise CommandRefused(f"the record has no entry {number}")
    return str(text)
