"""Several worker processes behind the same listening sockets: started, watched, stopped together.

The parent binds and waits; it has no threads and no event loop, so that forking is safe. A worker that dies is
replaced; workers that die at once, again and again, end the whole adapter with an error instead of a silent loop.
When the parent itself is killed, the workers notice (their end of a pipe closes) and stop like on SIGTERM.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

import structlog

log = structlog.get_logger(__name__)

_QUICK_DEATH_S = 2.0
_MAX_QUICK_DEATHS = 5

Worker = Callable[[int], int]
"""Takes the file descriptor of the parent's pipe (end of file: the parent is gone), returns the exit code."""
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
        self._lifeline_read, self._lifeline_write = os.pipe()

    def run(self) -> int:
        """Returns the exit code of the whole adapter: 0 when it was asked to stop and every worker stopped cleanly."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        for _ in range(self._count):
            self._start()
        worst = 0
        while self._started:
            pid, status = os.wait()
            lived_s = time.monotonic() - self._started.pop(pid, time.monotonic())
            code = os.waitstatus_to_exitcode(status)
            if self._stopping:
                worst = max(worst, abs(code))
                continue
            log.error("worker died", pid=pid, exit_code=code)
            self._when_died(pid)
            if not self._may_restart(lived_s):
                log.error("workers die at once; stopping", deaths=self._quick_deaths)
                worst = max(worst, 1)
                self._stop(signal.SIGTERM, None)
                continue
            self._start()
        return worst

    def _may_restart(self, lived_s: float) -> bool:
        self._quick_deaths = self._quick_deaths + 1 if lived_s < _QUICK_DEATH_S else 0
        return self._quick_deaths < _MAX_QUICK_DEATHS

    def _start(self) -> None:
        pid = os.fork()
        if pid:
            self._started[pid] = time.monotonic()
            return
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.close(self._lifeline_write)
            code = self._worker(self._lifeline_read)
        finally:
            os._exit(code)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for pid in tuple(self._started):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                continue
