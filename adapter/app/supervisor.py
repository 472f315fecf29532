"""Several worker processes behind the same listening sockets: started, watched, stopped together.

The parent binds and waits; it has no threads and no event loop, so that forking is safe. It takes its signals one by
one from `sigwait` and never in the middle of something; a worker inherits them blocked and lets them in when it can
stop cleanly, so that none is lost. A worker that dies is replaced; workers that die at once, again and again, end the
whole adapter with an error instead of a silent loop. When the parent itself is killed, the workers notice (their end of
a pipe closes) and stop like on SIGTERM.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import structlog

from adapter.exchange.incidents import where

log = structlog.get_logger(__name__)

_QUICK_DEATH_S = 2.0
_MAX_QUICK_DEATHS = 5
STOP_SIGNALS = frozenset((signal.SIGTERM, signal.SIGINT))
_AWAITED = STOP_SIGNALS | {signal.SIGCHLD}

Worker = Callable[[int], int]
"""Takes the file descriptor of the parent's pipe (end of file: the parent is gone), returns the exit code.

STOP_SIGNALS are blocked when it begins; it unblocks them when its own handlers are in place.
"""
WhenDied = Callable[[int], None]
"""Told the process id of a worker that died without being asked to, before it is replaced."""


class Supervisor:
    """Keeps `count` workers running until SIGTERM or SIGINT."""

    def __init__(self, worker: Worker, *, count: int, when_died: WhenDied) -> None:
        self._worker = worker
        self._count = count
        self._when_died = when_died
        self._started: dict[int, float] = {}
        self._stopping = False
        self._quick_deaths = 0
        self._worst = 0
        self._lifeline_read, self._lifeline_write = os.pipe()

    def run(self) -> int:
        """Returns the exit code of the whole adapter: 0 when it was asked to stop and every worker stopped cleanly."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        for _ in range(self._count):
            self._start()
        while self._started:
            if signal.sigwait(_AWAITED) in STOP_SIGNALS:
                self._stop()
            for pid, status in _ended():
                self._settle(pid, os.waitstatus_to_exitcode(status))
        return self._worst

    def _settle(self, pid: int, code: int) -> None:
        """Take note of a worker that ended, and replace it unless all are to stop."""
        lived_s = time.monotonic() - self._started.pop(pid, time.monotonic())
        if self._stopping:
            self._worst = max(self._worst, abs(code))
            return
        log.error("worker died", pid=pid, exit_code=code)
        self._when_died(pid)
        self._quick_deaths = self._quick_deaths + 1 if lived_s < _QUICK_DEATH_S else 0
        if self._quick_deaths < _MAX_QUICK_DEATHS:
            self._start()
            return
        log.error("workers die at once; stopping", deaths=self._quick_deaths)
        self._worst = max(self._worst, 1)
        self._stop()

    def _start(self) -> None:
        pid = os.fork()
        if pid:
            self._started[pid] = time.monotonic()
            return
        code = 1
        try:
            os.close(self._lifeline_write)
            code = self._worker(self._lifeline_read)
        except Exception as error:  # noqa: BLE001  the last door of a process that must not run the parent's code
            log.error("worker failed", error=type(error).__name__, where=where(error))
        finally:
            os._exit(code)

    def _stop(self) -> None:
        self._stopping = True
        for pid in self._started:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _ended() -> Iterator[tuple[int, int]]:
    """Every child that has ended and was not waited for yet; one SIGCHLD may stand for several."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        yield pid, status
