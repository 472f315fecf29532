"""The record as the exchanges see it (ports.Record): asynchronous on the outside, one thread that writes inside.

Group commit: the writes that the tasks of one turn of the event loop ask for go to the thread together, and whatever
comes while it is busy goes next. One batch is one transaction, one signed checkpoint, one fsync; no write waits for
company. Handing over by the turn, not write by write, was measured to save a third of the CPU of a loaded adapter.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapter.audit.document import document_of
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import AdapterError, InternalError, Overloaded, RecordUnavailable
from adapter.identifiers import MessageId, SubsystemId
from adapter.ports import REPLY, KnownExchange, RecordWrite, Written
from adapter.store.appending import Log
from adapter.store.archive import Archive
from adapter.store.batch import BatchWriter, Outcome, PreparedWrite
from adapter.store.engine import Database
from adapter.store.lookup import ExchangeLookup


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLimits:
    """How much goes into one transaction and how much may wait (promise 8); a write beyond that gets Overloaded."""

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
        former_keys: Sequence[NoteVerifier] = (),
    ) -> None:
        """origin: the name of the log. owner: names the run of `serve` and the worker (store.recovery).

        former_keys: of the log, from before its signing key was changed.
        """
        self._limits = limits or RecordLimits()
        self._batches = BatchWriter(database, Log(origin, signer, former_keys), Archive(archive_key), owner)
        self._lookup = ExchangeLookup(database, archive_key)
        self._batch_queue: queue.SimpleQueue[list[_Job] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        # Touched by the event loop only:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[_Job] = deque()
        self._waiting_bytes = 0
        self._busy = False
        self._idle = asyncio.Event()
        self._accepting = False
        self._newest: bytes | None = None

    async def start(self) -> None:
        """Check the end of the log and begin to write. Raises RecordUnavailable, RecordBroken."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._batches.open)
        self._adopt_checkpoint()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="record-writer", daemon=True)
        self._thread.start()
        self._idle.set()
        self._accepting = True

    async def close(self) -> None:
        """Write what is waiting, then stop. Later writes raise RecordUnavailable."""
        self._accepting = False
        if self._thread is not None:
            await self._idle.wait()
            self._batch_queue.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        self._lookup.close()

    def newest_checkpoint(self) -> bytes | None:
        """The newest checkpoint that this process knows to be durable, a signed note; None while there is no entry."""
        return self._newest

    async def find(self, consumer: SubsystemId, message_id: MessageId) -> KnownExchange | None:
        """What is known of a message id (ports.Record). Raises RecordUnavailable."""
        return await self._lookup.find(consumer, message_id)

    async def write(self, write: RecordWrite) -> Written | KnownExchange:
        """Append durably (ports.Record). Raises RecordUnavailable; Overloaded when too much is waiting."""
        if not self._accepting or self._loop is None:
            raise RecordUnavailable("the record is closed")
        prepared = prepare_write(write)
        waiting_bytes = self._waiting_bytes + prepared.octets
        if len(self._waiting) >= self._limits.max_waiting_writes or waiting_bytes > self._limits.max_waiting_bytes:
            raise Overloaded(f"{len(self._waiting)} writes are waiting for the record")
        job = _Job(prepared, self._loop.create_future())
        self._waiting.append(job)
        self._waiting_bytes = waiting_bytes
        self._wake()
        return await job.future

    def _adopt_checkpoint(self) -> None:
        note = self._batches.checkpoint
        self._newest = None if note is None else note.encode()

    # --- the event loop ----------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Hand over at the end of this turn of the loop, so that whoever else writes in it comes along."""
        if self._loop is not None and not self._busy:
            self._busy = True
            self._idle.clear()
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        batch: list[_Job] = []
        octets = 0
        while self._waiting and len(batch) < self._limits.max_batch_writes and octets < self._limits.max_batch_bytes:
            job = self._waiting.popleft()
            batch.append(job)
            octets += job.prepared.octets
        self._waiting_bytes -= octets
        self._batch_queue.put(batch)

    def _resolve(self, batch: Sequence[_Job], outcomes: Sequence[Outcome]) -> None:
        self._adopt_checkpoint()
        for job, outcome in zip(batch, outcomes, strict=True):
            if job.future.done():  # whoever waited was cancelled; the entry is written all the same
                continue
            if isinstance(outcome, AdapterError):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)
        self._busy = False
        if self._waiting:
            self._wake()
        else:
            self._idle.set()

    # --- the writer's thread -----------------------------------------------------------------------------------------

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while (batch := self._batch_queue.get()) is not None:
            outcomes = self._batches.commit([job.prepared for job in batch])
            with suppress(RuntimeError):  # the loop is gone, and whoever waited with it
                loop.call_soon_threadsafe(self._resolve, batch, outcomes)
        self._batches.close()


def prepare_write(write: RecordWrite) -> PreparedWrite:
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
