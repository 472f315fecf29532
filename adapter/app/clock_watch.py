"""Whether this machine's clock was set back: the record says so at the place where its times go back.

Two things show it. An entry that says a later time than the clock does now; and a clock that advanced by less than the
one that nobody can set (CLOCK_MONOTONIC), which is noticed on a busy adapter too, whose newest entry is never old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.audit.runs import CLOCK_TOLERANCE
from adapter.ports import Clock
from adapter.store.runs import Runs

log = structlog.get_logger(__name__)

_LOOK_EVERY_S: Final = 2.0
LOCK_FILE: Final = "clock-watch.lock"


@dataclass(frozen=True, slots=True)
class _Look:
    """The clock, read between two readings of the monotonic one: a pause of the process cannot look like a jump."""

    before_s: float
    now: datetime
    after_s: float

    def lost_since(self, last: _Look) -> timedelta:
        """By how much, at least, the clock advanced by less than the time that passed."""
        return timedelta(seconds=self.before_s - last.after_s) - (self.now - last.now)


class ClockWatch:
    """One for each worker; one of them looks."""

    def __init__(self, *, runs: Runs, clock: Clock, monotonic_s: Callable[[], float], lock: Path) -> None:
        """monotonic_s: seconds of a clock that is never set. lock: held by the worker that looks."""
        self._runs = runs
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._lock = WorkerLock(lock)
        self._last: _Look | None = None

    async def keep_watch(self) -> None:
        """Look until cancelled."""
        await look_every(_LOOK_EVERY_S, self.look, failed="clock not watched", lock=self._lock)

    async def look(self) -> None:
        """Look once. Raises StoreUnusable, RecordBroken."""
        if self._lock.acquire():
            behind = await asyncio.to_thread(self._behind)
            if behind is not None:
                log.warning("clock was set back", behind_ms=behind // timedelta(milliseconds=1))

    def _behind(self) -> timedelta | None:
        """By how much, at least, the clock was set back since the last look, when it is worth an entry."""
        newest = self._runs.newest()  # before the clock is read: no entry can be from after that
        look = _Look(self._monotonic_s(), self._clock(), self._monotonic_s())
        behind = timedelta(0) if self._last is None else look.lost_since(self._last)
        if newest is not None:
            behind = max(behind, newest.at - look.now)
        if behind > CLOCK_TOLERANCE:
            self._runs.note_set_back(behind, newest, look.now)
        self._last = look
        return behind if behind > CLOCK_TOLERANCE else None
