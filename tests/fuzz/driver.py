"""Runs one target under atheris in a process of its own, and tries what it found again, alone and uninstrumented."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.fuzz.model import Target

VAR = ROOT / "var" / "fuzz"
_STATUS = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/\S+")
_EXECUTIONS = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_PROGRESS_S = 30
_START_S = 900
"""For instrumentation and the first inputs, on a busy machine."""

_GRACE_S = 120
_REPLAY_S = 600
"""By the clock, for what never ends: on a busy machine the imports alone may take a minute."""


@dataclass(kw_only=True)
class Run:
    """What came of one target. coverage, features: as libFuzzer counts them. exit_code: of the fuzzer, 0 is good."""

    target: str
    seconds: float = 0.0
    executions: int = 0
    coverage: int = 0
    features: int = 0
    corpus: int = 0
    exit_code: int = 0
    confirmed: tuple[Path, ...] = ()
    last_lines: str = ""


def fuzz(target: Target, seconds: int, say: Callable[[str], None]) -> Run:
    """One target for so long. say: gets a line of progress now and then, and a line for each finding."""
    folder = VAR / target.name
    before = set(_saved(folder))
    run = Run(target=target.name)
    launched = started = said = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz.guided", target.name, str(seconds), str(folder)]
    last: deque[str] = deque(maxlen=6)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            last.append(line.strip())
            if not run.executions:
                started = time.monotonic()
            _read(line, run)
            run.seconds = time.monotonic() - started
            if line.startswith("FINDING"):
                say(line.strip())
            elif time.monotonic() - said > _PROGRESS_S:
                said = time.monotonic()
                say(_progress(run))
            if run.seconds > seconds + _GRACE_S or (not run.executions and time.monotonic() - launched > _START_S):
                process.kill()
    run.seconds = time.monotonic() - started
    run.exit_code = process.returncode
    run.last_lines = " | ".join(last)
    found = [path for path in _saved(folder) if path not in before]
    run.confirmed = tuple(path for path in found if not replayed(target.name, path))
    for path in set(found).difference(run.confirmed):
        path.unlink()
    return run


def _progress(run: Run) -> str:
    if not run.executions:
        return "instrumenting the adapter"
    return f"{run.seconds:.0f} s: {run.executions} inputs, coverage {run.coverage}, {run.corpus} kept"


def _read(line: str, run: Run) -> None:
    if status := _STATUS.match(line):
        run.executions, run.coverage, run.features, run.corpus = (int(status[at]) for at in (1, 3, 4, 5))
    if executions := _EXECUTIONS.match(line):
        run.executions = int(executions[1])


def _saved(folder: Path) -> list[Path]:
    return sorted((folder / "findings").glob("*"))


def replayed(name: str, path: Path) -> bool:
    """Whether the input is well when it is run alone."""
    command = [sys.executable, "-m", "tests.fuzz", "replay", "--target", name, str(path)]
    try:
        again = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=_REPLAY_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return again.returncode == 0
