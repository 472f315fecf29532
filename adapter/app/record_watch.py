"""Watching other members' records: what they showed in messages is held against what they prove now.

Off the path of every message. One worker, whoever holds the lock, asks each member from whom there is something new,
at the address that the directory names, over the same mutual TLS as messages. What does not fit is an alarm: an entry
of our own record with both checkpoints and the other's own proof (docs/decisions/0120).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin
from adapter.audit.past import Answer, read_answer, write_question
from adapter.audit.peer_checkpoints import MAX_SIZES, ClaimedPast, Fork, ShownState, fits
from adapter.crypto.note import NoteVerifier
from adapter.directory.model import Directory
from adapter.errors import AdapterError, RecordBroken
from adapter.identifiers import MemberId
from adapter.ports import Clock, Shown
from adapter.store.alarms import FORGED, FORKED, SHRUNK, UNPROVEN
from adapter.store.appending import Log
from adapter.store.peer_checkpoints import KeptCheckpoint, PeerCheckpoints

log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 15.0
_ALARM_AFTER: Final = 20
"""Answers without a proof in a row: five minutes in which a record says nothing for itself."""
LOCK_FILE: Final = "record-watch.lock"

Ask = Callable[[MemberId, bytes], Awaitable[bytes]]


class RecordWatch:
    """One for each worker."""

    def __init__(
        self, *, kept: PeerCheckpoints, ask: Ask, directory: Callable[[], Directory], clock: Clock, own: Log, lock: Path
    ) -> None:
        """ask: posts a question to a member's adapter. own: our log, for alarms. lock: held by the one that asks."""
        self._kept = kept
        self._ask = ask
        self._directory = directory
        self._clock = clock
        self._own = own
        self._lock = WorkerLock(lock)
        self._unproven: Counter[MemberId] = Counter()
        self.outcomes: Counter[str] = Counter()
        """Of this worker: what came of asking, by outcome."""
        self.alarms = 0
        """Open ones, as last looked at."""

    async def keep_watch(self) -> None:
        """Look until cancelled. Whatever fails, the next round is tried."""
        await look_every(_LOOK_EVERY_S, self.look, failed="records not watched", lock=self._lock)

    async def look(self) -> None:
        """One round. Raises StoreUnusable, DirectoryUnavailable, DirectoryExpired."""
        directory = self._directory()
        self.alarms = len(await asyncio.to_thread(self._kept.open_alarms))
        if not self._lock.acquire():
            return
        for member in await asyncio.to_thread(self._kept.waiting):
            outcome = await self._look_at(member, directory)
            self.outcomes[outcome] += 1
            if outcome == "unproven":
                await asyncio.to_thread(self._kept.thin, member)

    async def _look_at(self, member: MemberId, directory: Directory) -> str:
        """Ask one member about what it showed; gives what came of it."""
        entered = directory.members.get(member)
        if entered is None or entered.record_vkey is None:
            return "unknown key"
        verifier = NoteVerifier.parse(entered.record_vkey)
        base = await asyncio.to_thread(self._kept.newest, member)
        pending = await asyncio.to_thread(self._kept.of, member, ShownState.PENDING, limit=MAX_SIZES - 1)
        kept = [*([] if base is None else [base]), *pending]
        try:
            sizes = sorted({one.shown.size for one in kept})
            answer = read_answer(await self._ask(member, write_question(sizes)))
            newest = open_checkpoint(answer.newest, [verifier], origin=record_origin(member))
        except AdapterError as failure:
            log.warning("record not proven", member=str(member), code=failure.code, because=failure.reason)
            return await self._nothing_proven(kept)
        return await asyncio.to_thread(self._judge, kept, answer, newest, verifier)

    def _judge(self, kept: list[KeptCheckpoint], answer: Answer, newest: Checkpoint, verifier: NoteVerifier) -> str:
        past = {one.size: one for one in answer.past}
        fitting: list[KeptCheckpoint] = []
        unproven: list[KeptCheckpoint] = []
        outcome = "fits"
        for one in kept:
            found = self._compare(one, past.get(one.shown.size), answer, newest, verifier)
            if found == "fits":
                fitting.append(one)
            elif found == "unproven":
                unproven.append(one)
            else:
                outcome = found
        member = kept[0].shown.member
        if unproven:
            return self._count_unproven(unproven[0], answer)
        self._unproven.pop(member, None)
        shown = Shown(member=member, size=newest.size, root=newest.root, note=answer.newest)
        self._kept.settle(shown, fitting, self._clock())
        return outcome

    def _compare(
        self,
        one: KeptCheckpoint,
        past: ClaimedPast | None,
        answer: Answer,
        newest: Checkpoint,
        verifier: NoteVerifier,
    ) -> str:
        """Hold one kept checkpoint against the answer, and raise the alarm when it does not fit."""
        checkpoint = Checkpoint(origin=newest.origin, size=one.shown.size, root=one.shown.root)
        try:
            if checkpoint.size <= newest.size:
                if past is None:
                    return "unproven"
                if fits(checkpoint, newest, past):
                    return "fits"
            open_checkpoint(one.shown.note, [verifier], origin=newest.origin)
        except RecordBroken as wrong:
            if past is not None and wrong.reason.startswith("a checkpoint's signature"):
                return self._alarm(FORGED, one, None)
            return "unproven"
        if checkpoint.size > newest.size:
            return self._alarm(SHRUNK, one, Fork(kept=one.shown.note, newer=answer.newest, past=None))
        return self._alarm(FORKED, one, Fork(kept=one.shown.note, newer=answer.newest, past=past))

    async def _nothing_proven(self, kept: list[KeptCheckpoint]) -> str:
        return await asyncio.to_thread(self._count_unproven, kept[0], None)

    def _count_unproven(self, one: KeptCheckpoint, answer: Answer | None) -> str:
        member = one.shown.member
        self._unproven[member] += 1
        if self._unproven[member] == _ALARM_AFTER:
            fork = None if answer is None else Fork(kept=one.shown.note, newer=answer.newest, past=None)
            self._alarm(UNPROVEN, one, fork)
        return "unproven"

    def _alarm(self, kind: str, one: KeptCheckpoint, fork: Fork | None) -> str:
        number = self._kept.raise_alarm(self._own, kind, one, fork=fork, now=self._clock())
        log.error(
            "alarm about a record", kind=kind, member=str(one.shown.member), entries=one.shown.size, record=number
        )
        return kind
