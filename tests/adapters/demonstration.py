"""A run of `adapter demo --keep` that is up while tests look at it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from examples.federation.federation import ADAPTER, CHECKOUT

PEOPLE = 2000
LAST_WORDS = "adapter log list"


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """printed: everything, the invitation included."""

    process: subprocess.Popen
    folder: Path
    printed: str


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "DEMO_FOLDER": str(folder), "DEMO_PEOPLE": str(PEOPLE)}


@contextmanager
def demonstrating(folder: Path) -> Iterator[Demonstration]:
    """Play it below the folder, keep it up, and end it as SIGTERM does."""
    output = folder.parent / "printed.txt"
    output.parent.mkdir(parents=True, exist_ok=True)
    # A shell that runs the tests behind itself hands down that SIGINT is ignored; the demonstration has to end by it.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    with output.open("wb") as file:
        process = subprocess.Popen(
            [ADAPTER, "demo", "--keep"], cwd=CHECKOUT, env=environment(folder), stdout=file, stderr=subprocess.STDOUT
        )
    signal.signal(signal.SIGINT, inherited)
    deadline = time.monotonic() + 240
    while LAST_WORDS not in output.read_text() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        yield Demonstration(process=process, folder=folder, printed=output.read_text())
    finally:
        process.terminate()
        process.wait(60)
