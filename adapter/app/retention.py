"""Erasing what is over its time, off the path of every message: one worker, once an hour.

Where the erasing of messages needs two officers, nothing is erased by itself: the log says that something waits for
`adapter log retain`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from adapter.app.keepers import utc_now
from adapter.app.keyring import Keyring
from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.audit.approvals import Rule
from adapter.audit.checkpoint import record_origin
from adapter.audit.retention import BY_RETENTION, Retention, RetentionRule
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.store.appending import Log
from adapter.store.approvals import Approvals
from adapter.store.engine import Database
from adapter.store.erasure import Eraser

log = structlog.get_logger(__name__)

ERASE: Final = "messages-erase"
"""The act that can need two officers ([approvals] acts)."""
LOCK_FILE: Final = "retention.lock"
_LOOK_EVERY_S: Final = 3_600.0
_BY: Final = "adapter"


def retention_of(settings: Settings) -> Retention:
    """What the settings say of how long messages are kept."""
    said = settings.retention
    return Retention(
        keep_days=said.keep_days,
        rules=tuple(
            RetentionRule(service=one.service, purpose=one.purpose, keep_days=one.keep_days) for one in said.rule
        ),
    )


def retention_keeper(settings: Settings, keyring: Keyring, database: Database) -> RetentionKeeper:
    """The keeper of one worker."""
    own = Log(record_origin(settings.member), keyring.record)
    said = settings.approvals
    rule = Rule.of(said.acts, said.officers, said.lasts_h)
    approvals = Approvals(database, own, member=settings.member, of_settings=rule)
    return RetentionKeeper(
        eraser=Eraser(database, keyring.archive_key, own),
        retention=retention_of(settings),
        by_officers=lambda: approvals.rule().asks_for(ERASE),
        clock=utc_now,
        lock=settings.adapter.data_dir / LOCK_FILE,
    )


class RetentionKeeper:
    """One for each worker; whichever holds the lock erases."""

    def __init__(
        self, *, eraser: Eraser, retention: Retention, by_officers: Callable[[], bool], clock: Clock, lock: Path
    ) -> None:
        """by_officers: whether the rule in force wants two officers for an erasure."""
        self._eraser = eraser
        self._retention = retention
        self._by_officers = by_officers
        self._clock = clock
        self._lock = WorkerLock(lock)
        self._is_finished = False  # another run may have been ended between destroying a key and overwriting its copies

    async def keep(self) -> None:
        """Look until cancelled. Whatever fails, the next round is tried."""
        await look_every(_LOOK_EVERY_S, self.look, failed="messages not erased", lock=self._lock)

    async def look(self) -> None:
        """One round. Raises StoreUnusable, RecordBroken, KeyUnusable."""
        if self._lock.acquire():
            await asyncio.to_thread(self._erase)

    def _erase(self) -> None:
        now = self._clock()
        due = self._eraser.due(self._retention, now.date())
        if due and self._by_officers():
            log.warning("messages are over their time and wait for two officers", count=len(due))
        elif due:
            self._is_finished = False
            erased = self._eraser.erase([one.compartment for one in due], why=BY_RETENTION, officer=_BY, now=now)
            log.info("messages erased", count=erased.messages, held=erased.held, entries=len(erased.entries))
            if erased.left:
                log.warning("messages under a hold are in archive files: restore those", count=len(erased.left))
        if not self._is_finished:
            self._eraser.finish()
            self._is_finished = True
