"""Run the `adapter` command under a sampling profiler: what `--profile` puts in its place. Not part of the product.

    python -m bench.profiled FOLDER serve --settings adapter.toml

SIGUSR1 begins a measurement, SIGUSR2 ends it and writes FOLDER/PID.json. In between a timer of the process's CPU time
(setitimer(2), ITIMER_PROF) interrupts, and the CPU time that each thread has used since the last time is put down to
the Python stack that it is in. What runs in compiled code is put down to the Python line that called it. Of what it
slows the program by (some per cent) every group has its share; cProfile would add to short functions mostly.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, Final

BEGIN: Final = signal.SIGUSR1
END: Final = signal.SIGUSR2
GARBAGE: Final = "garbage collection"

_EVERY_CPU_S: Final = 0.001
_MAX_DEPTH: Final = 80

Stack = tuple[str, ...]


class Sampler:
    """Collects stacks (innermost first, `file:function:line`) and the CPU time of each, in this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stacks: Counter[Stack] = Counter()
        self._thread_cpu_s: dict[int, float] = {}
        self._garbage_s = 0.0
        self._garbage_began_s = 0.0

    def install(self) -> None:
        """Wait for the signals, in this process and in every worker that it forks."""
        signal.signal(BEGIN, self._begin)
        signal.signal(END, self._end)
        signal.signal(signal.SIGPROF, self._sample)
        gc.callbacks.append(self._garbage)

    def _begin(self, _signal: int, _frame: FrameType | None) -> None:
        self._stacks.clear()
        self._thread_cpu_s = _cpu_of_threads()
        self._garbage_s = 0.0
        signal.setitimer(signal.ITIMER_PROF, _EVERY_CPU_S, _EVERY_CPU_S)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        lines = [{"seconds": seconds, "stack": stack} for stack, seconds in self._stacks.items()]
        beside = self._folder / f"{os.getpid()}.new"
        beside.write_text(json.dumps(lines), encoding="utf-8")
        beside.rename(self._folder / f"{os.getpid()}.json")

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        """Put the CPU time of each thread since the last sample down to where it is now."""
        now, frames = _cpu_of_threads(), sys._current_frames()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        main = threading.main_thread().ident
        for ident, cpu_s in now.items():
            spent_s = cpu_s - self._thread_cpu_s.get(ident, 0.0)
            if ident == main and self._garbage_s:
                garbage_s, self._garbage_s = min(self._garbage_s, spent_s), 0.0
                self._stacks[GARBAGE,] += garbage_s  # type: ignore[assignment]
                spent_s -= garbage_s
            if spent_s > 0:
                at = frame if ident == main else frames.get(ident)
                stack = (*_stack_of(at), f"thread:{names.get(ident, '?')}:0")
                self._stacks[stack] += spent_s  # type: ignore[assignment]
        self._thread_cpu_s = now

    def _garbage(self, phase: str, _info: dict[str, Any]) -> None:
        if threading.get_ident() != threading.main_thread().ident:
            return
        if phase == "start":
            self._garbage_began_s = time.thread_time()
        else:
            self._garbage_s += time.thread_time() - self._garbage_began_s


def _cpu_of_threads() -> dict[int, float]:
    found = {}
    for thread in threading.enumerate():
        if thread.ident is not None:
            try:
                found[thread.ident] = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            except OSError:
                continue
    return found


def _stack_of(frame: FrameType | None) -> list[str]:
    """A function that has only been entered has used nothing yet: the time is that of who called it."""
    if frame is not None and frame.f_back is not None and frame.f_lineno == frame.f_code.co_firstlineno:
        frame = frame.f_back
    stack: list[str] = []
    while frame is not None and len(stack) < _MAX_DEPTH:
        code = frame.f_code
        stack.append(f"{code.co_filename}:{code.co_qualname}:{frame.f_lineno}")
        frame = frame.f_back
    return stack


def main() -> None:
    """The command line."""
    Sampler(Path(sys.argv[1])).install()
    sys.argv = ["adapter", *sys.argv[2:]]
    from adapter.cli.main import run  # noqa: PLC0415  the profiler first

    run()


if __name__ == "__main__":
    main()
