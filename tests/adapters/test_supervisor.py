"""Workers are started, replaced and stopped, and no signal is lost at whatever instant it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, os, signal, sys, time
from adapter.app.supervisor import STOP_SIGNALS, Supervisor

def steady(lifeline):
    async def work():
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_reader(lifeline, stop.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.write(1, f"up {os.getpid()}\\n".encode())  # one write: lines of several workers do not mix
        await stop.wait()
    asyncio.run(work())
    return 0

def failing(lifeline):
    raise RuntimeError("30101900000012")

worker = {"steady": steady, "failing": failing}[sys.argv[1]]
signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # as `serve` does before it says that it starts
print("begin", flush=True)
sys.exit(Supervisor(worker, count=int(sys.argv[2]), when_died=lambda pid: print("died", pid, flush=True)).run())
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()


def supervise(started: list[subprocess.Popen[str]], worker: str, count: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, worker, str(count)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    return process


def next_of(process: subprocess.Popen[str], word: str) -> int:
    """The process id in the next line that begins with the word; log lines are passed over."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word + " "):
            return int(line.split()[1])
    raise AssertionError(f"no line with {word}")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("delay_ms", [0, 1, 3, 10, 30, 100, 400])
def test_a_signal_at_any_instant_of_the_start_stops_all(started: list[subprocess.Popen[str]], delay_ms: int) -> None:
    process = supervise(started, "steady", 4)
    time.sleep(delay_ms / 1000)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert not any(is_alive(int(line.split()[1])) for line in out.splitlines() if line.startswith("up"))


def test_a_worker_that_dies_is_replaced(started: list[subprocess.Popen[str]]) -> None:
    process = supervise(started, "steady", 1)
    first = next_of(process, "up")
    os.kill(first, signal.SIGKILL)
    assert next_of(process, "died") == first
    assert next_of(process, "up") != first
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_workers_that_die_at_once_end_the_adapter_and_say_of_what(started: list[subprocess.Popen[str]]) -> None:
    process = supervise(started, "failing", 2)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "RuntimeError" in out + err
    assert "30101900000012" not in out + err


def test_workers_stop_when_the_parent_is_killed(started: list[subprocess.Popen[str]]) -> None:
    process = supervise(started, "steady", 2)
    workers = [next_of(process, "up") for _ in range(2)]
    process.kill()
    for _ in range(200):
        if not any(is_alive(pid) for pid in workers):
            return
        time.sleep(0.05)
    pytest.fail("workers outlived their parent")
