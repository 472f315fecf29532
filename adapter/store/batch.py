"""One batch of writes: one transaction, one signed checkpoint, one fsync. Runs in the writer's thread only."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from adapter.audit.document import EntryDocument
from adapter.errors import AdapterError, RecordUnavailable
from adapter.identifiers import RecordNumber
from adapter.ports import KnownExchange, RecordWrite, Shown, Written
from adapter.store import exchanges
from adapter.store.appending import Appending, Log
from adapter.store.archive import Archive, SealedRow, Sealing, compartment_of
from adapter.store.engine import Database
from adapter.store.failures import advice, translated
from adapter.store.lookup import read_known_exchange
from adapter.store.peer_checkpoints import keep_shown

log = structlog.get_logger(__name__)

Outcome = Written | KnownExchange | AdapterError


@dataclass(frozen=True, slots=True)
class PreparedWrite:
    """A write whose entry is in canonical form. octets: what it adds to the database, about."""

    write: RecordWrite
    document: EntryDocument
    octets: int


@dataclass(slots=True)
class _Staged:
    """A transaction that is written but not committed. outcomes: one for each write; leaves: of the new entries."""

    outcomes: list[Outcome | exchanges.ExchangeRow]
    leaves: dict[RecordNumber, bytes]
    sealed: list[SealedRow]
    shown: list[tuple[Shown, datetime]]
    checkpoint: str | None = None


class BatchWriter:
    """Owns the connection that writes. owner: the run and the worker, noted with each reservation."""

    def __init__(self, database: Database, log: Log, archive: Archive, owner: str) -> None:
        self._database = database
        self._log = log
        self._archive = archive
        self._owner = owner
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self.checkpoint: str | None = None
        """The newest that this process committed or found: a signed note. Set once its entries are durable."""

    def open(self) -> None:
        """Connect, and refuse to go on from a head that was not signed. Raises RecordUnavailable, RecordBroken."""
        with translated(RecordUnavailable):
            cursor = self._connected().cursor()
            cursor.execute("BEGIN")  # head and checkpoint as of one moment: another worker may be writing
            try:
                self.checkpoint = self._log.check_head(cursor)
            finally:
                cursor.execute("ROLLBACK")

    def close(self) -> None:
        """Give back the connection."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def commit(self, writes: Sequence[PreparedWrite]) -> list[Outcome]:
        """Write the batch durably; one outcome for each write, in order. Never raises.

        An error of the database fails the whole batch; a mistake in one write fails that write only.
        """
        try:
            return self._commit(writes)
        except Exception as error:  # noqa: BLE001 - the thread must live on, and each write must get an answer
            self.close()
            if len(writes) > 1 and not _concerns_all(error):
                return [outcome for write in writes for outcome in self.commit([write])]
            reason = error.reason if isinstance(error, AdapterError) else advice(error)
            log.error("not recorded", entries=len(writes), because=reason)
            return [RecordUnavailable(reason) for _ in writes]

    def _commit(self, writes: Sequence[PreparedWrite]) -> list[Outcome]:
        cursor = self._connected().cursor()
        self._check_in_place()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            staged = self._stage(cursor, writes)
        except BaseException:
            with suppress(sqlite3.Error):
                cursor.execute("ROLLBACK")
            raise
        try:
            cursor.execute("COMMIT")
        except sqlite3.Error as error:
            self._settle(staged, error)
        self.checkpoint = staged.checkpoint or self.checkpoint
        return [self._known(outcome) for outcome in staged.outcomes]

    def _stage(self, cursor: sqlite3.Cursor, writes: Sequence[PreparedWrite]) -> _Staged:
        staged = _Staged([], {}, [], [])
        appending, sealing = self._log.begin(cursor), Sealing(self._archive, cursor)
        for prepared in writes:
            try:
                outcome = self._stage_one(cursor, appending, sealing, prepared, staged)
            except AdapterError as error:
                outcome = RecordUnavailable(error.reason)
            if isinstance(outcome, Written):
                staged.leaves[outcome.number] = prepared.document.leaf_hash
            staged.outcomes.append(outcome)
        self._archive.add(cursor, staged.sealed)
        if staged.shown:
            keep_shown(cursor, *staged.shown)
        staged.checkpoint = appending.write(self._log)
        return staged

    def _stage_one(
        self,
        cursor: sqlite3.Cursor,
        appending: Appending,
        sealing: Sealing,
        prepared: PreparedWrite,
        staged: _Staged,
    ) -> Outcome | exchanges.ExchangeRow:
        """Whatever may refuse this write comes before anything of it is added. Raises what refuses it."""
        write, number = prepared.write, appending.next_number
        compartment = compartment_of(write.entry.at, write.keeping)
        sealed = [sealing.seal(number, compartment, kept) for kept in write.kept]
        if write.claim is not None:
            answered = write.answers is not None
            known = exchanges.reserve(cursor, write.claim, number, answered=answered, owner=self._owner)
            if known is not None:
                return known
        elif write.answers is not None:
            exchanges.close(cursor, write.answers, number)
        staged.sealed.extend(sealed)
        if write.shown is not None:
            staged.shown.append((write.shown, write.entry.at))
        appending.add(prepared.document)
        return Written(number=number)

    def _settle(self, staged: _Staged, error: sqlite3.Error) -> None:
        """The commit failed, or only its answer did: look again. Raises RecordUnavailable unless all of it is there."""
        self.close()
        cursor = self._connected().cursor()
        if not staged.leaves or any(
            self._log.leaf_at(cursor, number) != leaf for number, leaf in staged.leaves.items()
        ):
            raise RecordUnavailable(advice(error)) from error

    def _known(self, outcome: Outcome | exchanges.ExchangeRow) -> Outcome:
        """The batch is committed: what goes wrong here concerns this one write only."""
        if not isinstance(outcome, exchanges.ExchangeRow):
            return outcome
        try:
            return read_known_exchange(self._connected(), self._archive, outcome)
        except RecordUnavailable as error:
            return error

    def _check_in_place(self) -> None:
        """A connection goes on writing into a file that was deleted or replaced, and all of it would be lost."""
        if self._identity() != self._file:
            raise RecordUnavailable("the database was replaced while the adapter runs; restart the adapter")

    def _identity(self) -> tuple[int, int]:
        found = self._database.path.stat()
        return found.st_dev, found.st_ino

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._database.connect()
            self._file = self._file or self._identity()
        return self._connection


def _concerns_all(error: Exception) -> bool:
    """Whether the error is the database's, and not of one write in the batch."""
    return isinstance(error, AdapterError | OSError | sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError
