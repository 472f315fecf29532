"""The task that has the TLS certificate renewed by ACME: it looks at the plan, and calls the command when it is due.

`adapter keys renew` runs as a process of its own, so that neither the CA's answers nor the library that reads them come
near messages. Of several workers one does it. A failure is tried again, after a minute first and six hours at last.
"""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from adapter.app.keyring import own_lives, own_tls_key
from adapter.app.one_worker import WorkerLock
from adapter.app.renewal import RenewalRule, plan
from adapter.app.renewal_failure import RenewalFailure, forget_failure, keep_failure
from adapter.app.rounds import look_every
from adapter.crypto.keys import key_id
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.store.keyfiles import load_certificate

log = structlog.get_logger(__name__)

LOCK_FILE: Final = "renewal.lock"
_LOOK_EVERY_S: Final = 60.0
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=6)
_GRACE_S: Final = 60.0
_STOPS_WITHIN_S: Final = 5.0
_MAX_SAID: Final = 300


class RenewalKeeper:
    """One for each worker. failures: of this worker, by the code of the error."""

    def __init__(self, settings: Settings, command: Sequence[str], clock: Clock) -> None:
        """command: `adapter keys renew --json` with its settings, as words."""
        self._settings = settings
        self._command = tuple(command)
        self._clock = clock
        self._lock = WorkerLock(settings.adapter.data_dir / LOCK_FILE)
        self._pause = _FIRST_PAUSE
        self._not_before: datetime | None = None
        self.failures: Counter[str] = Counter()

    async def keep_renewed(self) -> None:
        """Look once a minute until cancelled; whatever fails, it looks again. Ends at once where it is not wanted."""
        if self._settings.acme is None or not self._settings.acme.automatic:
            return
        await look_every(_LOOK_EVERY_S, self.look, failed="renewal not looked at", lock=self._lock)

    def release(self) -> None:
        """Let another worker do it."""
        self._lock.release()

    async def look(self) -> None:
        """One round. Raises StoreUnusable, KeyUnusable, OSError."""
        now = self._clock()
        if (self._not_before is not None and now < self._not_before) or not self._lock.acquire():
            return
        if not await asyncio.to_thread(self._is_due, now):
            return
        failed = await self._run()
        if failed is None:
            log.info("renewed")
            await asyncio.to_thread(forget_failure, self._settings)
            self._pause, self._not_before = _FIRST_PAUSE, None
            return
        code, reason = failed
        self.failures[code] += 1
        self._not_before = now + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        log.error("not renewed", code=code, because=reason)
        failure = RenewalFailure(at=now, code=code, reason=reason)
        await asyncio.to_thread(keep_failure, self._settings, failure)

    def _is_due(self, now: datetime) -> bool:
        lives = own_lives(self._settings)
        certificate = load_certificate(own_tls_key(self._settings, lives).certificate_file)
        rule = RenewalRule.of(self._settings)
        return plan(lives, shown=key_id(certificate.public_key()), certificate=certificate, rule=rule).is_due(now)

    async def _run(self) -> tuple[str, str] | None:
        """None: it went well; else code and reason. Raises OSError."""
        acme = self._settings.acme
        limit_s = _GRACE_S + (0 if acme is None else 2 * acme.order_timeout_s)
        process = await asyncio.create_subprocess_exec(*self._command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
        try:
            _, said = await asyncio.wait_for(process.communicate(), limit_s)
        except TimeoutError:
            return "CertificateNotIssued", f"`adapter keys renew` did not end within {limit_s:g} s"
        finally:
            await _end(process)
        return None if process.returncode == 0 else _failure(said)


async def _end(process: Process) -> None:
    """When it is cancelled or late, the command goes with it."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOPS_WITHIN_S)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _failure(said: bytes) -> tuple[str, str]:
    """What the command says of itself with --json."""
    try:
        error = json.loads(said[said.index(b"{") :])
        return str(error["error"])[:64], str(error["reason"])[:_MAX_SAID]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "InternalError", "`adapter keys renew` ended without saying why"
