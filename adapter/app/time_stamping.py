"""Time-stamps over the record's checkpoints, off the path of every message; and the one comparison that is on it.

Every worker looks every other second until when the record may wait. One of them, whoever holds the lock, asks the
directory's authorities in turn. A worker that is killed loses its lock and at most one answer; it is asked for again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.audit.stamps import StampState
from adapter.crypto.time_stamps import TimeStamp, accept_stamp, ask_for_stamp
from adapter.directory.content import TimeStampAuthority
from adapter.directory.model import Directory
from adapter.errors import AdapterError
from adapter.ports import Clock
from adapter.store.time_stamps import TimeStamps
from adapter.transport.time_stamp_client import TimeStampClient

log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 2.0
_AGAIN_AFTER_FAILURE_S: Final = 15.0
LOCK_FILE: Final = "time-stamps.lock"


async def obtain_stamp(
    client: TimeStampClient, authority: TimeStampAuthority, document: bytes, *, clock: Clock, skew: timedelta
) -> TimeStamp:
    """Ask one authority, and accept what it answers.

    Raises SecurityFailed, PeerUnreachable, PeerTimeout, PeerAnswerInvalid.
    """
    question = ask_for_stamp(document)
    asked = clock()
    answer = await client.ask(authority.address, question.octets)
    answered = clock()
    return await asyncio.to_thread(
        accept_stamp, answer, question, trusted=authority.certificates, asked=asked, answered=answered, skew=skew
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class StampingRule:
    """every_s: seconds between two stamps. skew: how far our clock and an authority's may be apart."""

    every_s: float
    skew: timedelta


class StampKeeper:
    """One for each worker. `deadline` is what the path of a message looks at."""

    def __init__(
        self,
        *,
        stamps: TimeStamps,
        client: TimeStampClient,
        directory: Callable[[], Directory],
        clock: Clock,
        rule: StampingRule,
        lock: Path,
    ) -> None:
        """lock: a file that the worker which stamps holds locked; it is made when there is none."""
        self._stamps = stamps
        self._client = client
        self._directory = directory
        self._clock = clock
        self._rule = rule
        self._lock = WorkerLock(lock)
        self._deadline: datetime | None = None
        self._next: datetime | None = None
        self._told_overdue = False
        self.state: StampState | None = None
        self.failures: Counter[tuple[str, str]] = Counter()
        """Of this worker: by authority and code of the error."""

    def deadline(self) -> datetime | None:
        """From when on exchanges with personal data are refused, as it was last found; None: not at all."""
        return self._deadline

    async def keep_stamped(self) -> None:
        """Look, and stamp when it is time, until cancelled. Whatever fails, the next round is tried."""
        await look_every(_LOOK_EVERY_S, self.look, failed="time-stamps not looked at", lock=self._lock)

    def release(self) -> None:
        """Let another worker stamp."""
        self._lock.release()

    async def look(self) -> None:
        """One round. Raises StoreUnusable, DirectoryUnavailable, DirectoryExpired."""
        directory = self._directory()
        await self._find_deadline(directory)
        if not directory.time_stamp_authorities or not self._lock.acquire():
            return
        now = self._clock()
        await asyncio.to_thread(self._stamps.want, now, wanted=directory.time_stamp_limit is not None)
        if self._next is not None and now < self._next:
            return
        done = await self._stamp_newest(directory)
        wait_s = self._rule.every_s if done else min(self._rule.every_s, _AGAIN_AFTER_FAILURE_S)
        self._next = now + timedelta(seconds=wait_s)
        await self._find_deadline(directory)

    async def _find_deadline(self, directory: Directory) -> None:
        self.state = await asyncio.to_thread(self._stamps.state)
        self._deadline = self.state.deadline(directory.time_stamp_limit)
        overdue = self._deadline is not None and self._deadline <= self._clock()
        if overdue and not self._told_overdue:
            log.error("time-stamp overdue: refusing exchanges with personal data", since=self._deadline)
        if self._told_overdue and not overdue:
            log.info("time-stamped again: exchanges with personal data go on")
        self._told_overdue = overdue

    async def _stamp_newest(self, directory: Directory) -> bool:
        """Have the newest checkpoint stamped by the first authority that does. True: nothing is left to stamp."""
        checkpoint = await asyncio.to_thread(self._stamps.unstamped)
        if checkpoint is None:
            return True
        for authority in directory.time_stamp_authorities.values():
            try:
                stamp = await obtain_stamp(
                    self._client, authority, checkpoint.note.encode(), clock=self._clock, skew=self._rule.skew
                )
            except AdapterError as failure:
                self.failures[authority.name, failure.code] += 1
                log.warning("not time-stamped", authority=authority.name, code=failure.code, because=failure.reason)
                continue
            await asyncio.to_thread(
                self._stamps.add,
                size=checkpoint.size,
                at=stamp.time,
                authority=authority.name,
                directory_version=directory.version,
                token=stamp.token,
            )
            log.info("time-stamped", authority=authority.name, entries=checkpoint.size)
            return True
        return False
