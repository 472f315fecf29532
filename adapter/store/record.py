"""The record as the exchanges see it (ports.Record): asynchronous on the outside, one thread that writes inside.

Group commit: whatever is waiting when the thread is free goes into one transaction, with one signed checkpoint and one
fsync. When little happens, a write is committed at once.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapter.audit.document import document_of
from adapter.crypto.note import NoteSigner
from adapter.errors import AdapterError, InternalError, Overloaded, RecordUnavailable
from adapter.identifiers import MessageId, SubsystemId
from adapter.ports import KnownExchange, RecordWrite, Written
from adapter.store import exchanges
from adapter.store.appending import Log
from adapter.store.archive import REPLY, Archive
from adapter.store.batch import BatchWriter, Outcome, PreparedWrite, known_exchange
from adapter.store.engine import Database
from adapter.store.failures import translated


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLimits:
    """How much may be written at once and how much may wait (promise 8). A write beyond that gets Overloaded."""

    max_batch_writes: int = 64
    max_batch_bytes: int = 32 * 1024 * 1024
    max_waiting_writes: int = 4_096
    max_waiting_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Job:
    prepared: PreparedWrite
    future: asyncio.Future[Written | KnownExchange]


class RecordWriter:
    """Implements ports.Record over one database. One for each worker process, used from one event loop."""

    def __init__(
        self,
        database: Database,
        *,
        origin: str,
        signer: NoteSigner,
        archive_key: bytes,
        owner: str,
        limits: RecordLimits | None = None,
    ) -> None:
        """origin: the name of the log. owner: names the run of `serve` and the worker (store.recovery)."""
        self._database = database
        self._limits = limits or RecordLimits()
        self._batches = BatchWriter(database, Log(origin, signer), Archive(archive_key), owner)
        self._archive_key = archive_key
        self._reader: sqlite3.Cursor | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._waiting_writes = 0
        self._waiting_bytes = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        """Check the end of the log and begin to write. Raises RecordUnavailable, RecordBroken."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._batches.open)
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="record-writer", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Write what is waiting, then stop. Later writes raise RecordUnavailable."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._jobs.put(None)
        await asyncio.to_thread(thread.join)
        if self._reader is not None:
            with suppress(sqlite3.Error):
                self._reader.connection.close()
            self._reader = None

    async def find(self, consumer: SubsystemId, message_id: MessageId) -> KnownExchange | None:
        """What is known of a message id. Raises RecordUnavailable.

        Nearly always the answer is "nothing", out of an index page in memory: 10 microseconds, which a thread would
        multiply. The event loop reads it itself; only a stored reply is fetched in a thread.
        """
        with translated(RecordUnavailable):
            if self._reader is None:
                self._reader = self._database.connect(lock_timeout_s=1.0).cursor()
            row = exchanges.find(self._reader, str(consumer), str(message_id))
        if row is None:
            return None
        return await asyncio.to_thread(self._known, row)

    async def write(self, write: RecordWrite) -> Written | KnownExchange:
        """Append durably (ports.Record). Raises RecordUnavailable; Overloaded when too much is waiting."""
        if self._thread is None or self._loop is None:
            raise RecordUnavailable("the record is closed")
        prepared = _prepare(write)
        waiting_bytes = self._waiting_bytes + prepared.octets
        if self._waiting_writes >= self._limits.max_waiting_writes or waiting_bytes > self._limits.max_waiting_bytes:
            raise Overloaded(f"{self._waiting_writes} writes are waiting for the record")
        self._waiting_writes += 1
        self._waiting_bytes = waiting_bytes
        future: asyncio.Future[Written | KnownExchange] = self._loop.create_future()
        self._jobs.put(_Job(prepared, future))
        return await future

    # --- the writer's thread -----------------------------------------------------------------------------------------

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        closing = False
        while not closing:
            jobs, closing = self._take()
            if jobs:
                outcomes = self._batches.commit([job.prepared for job in jobs])
                with suppress(RuntimeError):  # the loop is gone, and whoever waited with it
                    loop.call_soon_threadsafe(self._resolve, jobs, outcomes)
        self._batches.close()

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for a write, then take what else is there, up to the limits. True: it was the last."""
        jobs: list[_Job] = []
        octets = 0
        job = self._jobs.get()
        while job is not None:
            jobs.append(job)
            octets += job.prepared.octets
            if len(jobs) >= self._limits.max_batch_writes or octets >= self._limits.max_batch_bytes:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    # --- the event loop ----------------------------------------------------------------------------------------------

    def _resolve(self, jobs: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            self._waiting_writes -= 1
            self._waiting_bytes -= job.prepared.octets
            if job.future.done():  # whoever waited was cancelled; the entry is written all the same
                continue
            if isinstance(outcome, AdapterError):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    def _known(self, row: exchanges.ExchangeRow) -> KnownExchange:
        """In a thread, with a connection of its own: a stored reply may be large."""
        with translated(RecordUnavailable):
            connection = self._database.connect(lock_timeout_s=1.0)
            try:
                return known_exchange(connection.cursor(), Archive(self._archive_key), row)
            finally:
                connection.close()


def _prepare(write: RecordWrite) -> PreparedWrite:
    """Check a write and bring its entry into canonical form. Raises InternalError: a mistake in the program."""
    if write.claim is not None and write.answers is not None and write.claim != write.answers:
        raise InternalError("a write can only answer the exchange that it reserves")
    if write.answers is not None and (not write.kept or write.kept[-1].direction != REPLY):
        raise InternalError("the last message kept by an answer must be the reply")
    if len({kept.direction for kept in write.kept}) != len(write.kept):
        raise InternalError("an entry keeps one message of each direction")
    document = document_of(write.entry)
    octets = len(document.text) + sum(len(kept.octets) for kept in write.kept)
    return PreparedWrite(write, document, octets)
