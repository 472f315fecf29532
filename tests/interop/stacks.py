"""The foreign stacks: whether one is on this machine, in which version, and how its client of GetPerson is made.

Every client is a program with the same contract: the WSDL's address and a PINFL are its arguments, options come first;
on standard output it says `surname:` and `born:` of an answer, or `code:`, `retry:`, `incident:`, `text:` of a fault.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.federation.federation import CHECKOUT

HERE = Path(__file__).parent
_FETCHED = CHECKOUT / "var" / "interop"
_BUILD_TIMEOUT_S = 300
_CALL_TIMEOUT_S = 60

Prepare = Callable[[Path, str], Sequence[str]]
"""(an empty folder to build in, the address of the WSDL) to the command that runs the client."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One foreign stack. missing: what is not there, or None. version: of all that takes part; asked only if it is."""

    missing: Callable[[], str | None]
    version: Callable[[], str]
    prepare: Prepare

    def found(self) -> str:
        """The version, or why there is none."""
        absent = self.missing()
        return f"not here: {absent}" if absent else self.version()


def need(stack: Stack) -> None:
    """Skip the test where the stack is not on this machine."""
    if absent := stack.missing():
        pytest.skip(absent)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a client printed. exit_code: 0 answered, 1 a fault."""

    exit_code: int
    lines: Mapping[str, str]
    complaint: str


def call(command: Sequence[str], *arguments: str) -> Said:
    """Run a client once."""
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=_CALL_TIMEOUT_S, check=False)
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    return Said(exit_code=done.returncode, lines=lines, complaint=done.stderr)


def build(*command: str, cwd: Path) -> str:
    """A step of making a client, which must succeed. Its standard output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False)
    assert done.returncode == 0, f"{' '.join(command)[:300]}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def fetched(name: str, pinned: Sequence[Path], *command: str) -> Path:
    """The folder into which a package manager fetched what the pinned files name; fetched again when they change.

    Skips the test where the packages cannot be had.
    """
    folder = _FETCHED / name
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in pinned)).hexdigest()
    ready = folder / "ready"
    if ready.is_file() and ready.read_text() == stamp:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in pinned:
        shutil.copy(path, folder)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_BUILD_TIMEOUT_S, check=False)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        pytest.skip(f"the packages of {name} cannot be fetched: {''.join(last)[:200]}")
    ready.write_text(stamp)
    return folder


def no_program(*names: str) -> str | None:
    """Which of these programs is not on this machine."""
    absent = [name for name in names if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed" if absent else None


def says(*command: str) -> str:
    """The first line that a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=_CALL_TIMEOUT_S, check=False)
    return (done.stdout.strip() or done.stderr.strip()).partition("\n")[0]


# --- PHP --------------------------------------------------------------------------------------------------------------


def _php_missing() -> str | None:
    if absent := no_program("php"):
        return absent
    return None if says("php", "-r", "echo class_exists('SoapClient');") == "1" else "php has no SoapClient (php-soap)"


def _php(_folder: Path, _wsdl: str) -> Sequence[str]:
    return ("php", str(HERE / "php" / "client.php"))


# --- the table --------------------------------------------------------------------------------------------------------

STACKS: Mapping[str, Stack] = {
    "php": Stack(missing=_php_missing, version=lambda: f"PHP {says('php', '-r', 'echo PHP_VERSION;')}", prepare=_php),
}
