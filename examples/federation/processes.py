"""Operating-system processes that are started together, watched while they start, and all stopped, whatever happens.

Every program gets a process group of its own, so that its workers are stopped with it, and a log file of its own. When
whoever started them is killed, the kernel stops them too (launcher.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_LAUNCHER: Final = Path(__file__).with_name("launcher.py")
_POLL_S: Final = 0.02
_TAIL_LINES: Final = 15


class NotStarted(Exception):
    """A process ended, or was not ready in time; the message holds the end of its log."""


class LeftBehind(Exception):
    """A process could not be stopped. Never seen; if it is, its group is named here."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """One program that was started: its process (the leader of its own group) and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """Process id, which is the id of its process group too."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether the program itself (not only one of its children) is there."""
        return self.process.poll() is None

    @property
    def group_exists(self) -> bool:
        """Whether any process of its group lives: itself, or a worker that it left behind."""
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return any(_lives_in_group(stat, self.pid) for stat in Path("/proc").glob("[0-9]*/stat"))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone; its workers are its own business."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL to the whole group at once, as when the machine loses power, and wait for the end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def tail(self) -> str:
        """The last lines of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


class Processes:
    """A set of running programs; a context manager that leaves none behind.

    logs: folder for one log file for each program. grace_s: seconds between SIGTERM and SIGKILL.
    """

    def __init__(self, logs: Path, *, grace_s: float = 15.0) -> None:
        self._logs = logs
        self._grace_s = grace_s
        self._running: dict[str, Running] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop_all()

    def __getitem__(self, name: str) -> Running:
        return self._running[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all programs that were started and not stopped."""
        return tuple(self._running)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of all programs that were started and not stopped."""
        return tuple(running.pid for running in self._running.values())

    def start(
        self, name: str, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None
    ) -> Running:
        """Start a program. Its output goes to NAME.log; what was there stays, so that a restart can be read too."""
        log = self._logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  the commands are the federation's own
                [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *command],
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running[name] = Running(name=name, process=process, log=log)
        return self._running[name]

    def wait_until(self, name: str, ready: Callable[[], bool], *, timeout_s: float = 90.0) -> None:
        """Wait until `ready` says so. Raises NotStarted when the program ends or is not ready in time."""
        running = self._running[name]
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not running.is_running:
                code = running.process.returncode
                raise NotStarted(f"{name} ended with exit code {code}; the end of {running.log}:\n{running.tail()}")
            if time.monotonic() > deadline:
                raise NotStarted(f"{name} is not ready after {timeout_s:g} s; the end of its log:\n{running.tail()}")
            time.sleep(_POLL_S)

    def stop(self, name: str) -> int:
        """SIGTERM to one program, SIGKILL after the grace. The exit code (negative: the signal that ended it)."""
        running = self._running.pop(name)
        running.signal(signal.SIGTERM)
        return self._finish(running, time.monotonic() + self._grace_s)

    def stop_all(self) -> dict[str, int]:
        """Stop every program, the last one started first; name to exit code. Raises LeftBehind if that fails."""
        stopping = list(reversed(self._running.values()))
        self._running.clear()
        for running in stopping:
            running.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace_s
        codes = {running.name: self._finish(running, deadline) for running in stopping}
        left = [running.name for running in stopping if running.group_exists]
        if left:
            raise LeftBehind(f"could not be stopped: {', '.join(left)}")
        return codes

    def _finish(self, running: Running, deadline: float) -> int:
        """Wait for a program that was told to stop, then make sure of it and of its whole group."""
        try:
            running.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            running.kill()
        while running.group_exists and time.monotonic() < deadline:
            time.sleep(_POLL_S)  # workers that are still finishing what was in flight
        if running.group_exists:
            running.kill()
            _wait_for_end(running)
        return running.process.returncode


def _lives_in_group(stat: Path, group: int) -> bool:
    """Whether a /proc/PID/stat (proc(5)) is of a living member of the group.

    The dead whom nobody has reaped yet, as in a container whose first process does not care, are in it too.
    """
    try:
        state, _parent, group_of, *_ = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except (OSError, ValueError):
        return False
    return state != "Z" and int(group_of) == group


def _wait_for_end(running: Running) -> None:
    """Killed processes vanish when the kernel has reaped them, which is not at once."""
    for _ in range(100):
        if not running.group_exists:
            return
        time.sleep(_POLL_S)


def answers(url: str, *, status: int = 200) -> bool:
    """Whether an HTTP server answers a GET with this status, now."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:  # noqa: S310  http on loopback, from the federation's plan
            return bool(response.status == status)
    except urllib.error.HTTPError as refused:
        return refused.code == status
    except (OSError, ValueError):
        return False
