"""The supervisor of the demo's processes: whatever happens, nothing is left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from examples.federation.free_ports import free_ports
from examples.federation.processes import NotStarted, Processes, answers

pytestmark = pytest.mark.sockets

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
WITH_CHILD = "import os, time; os.fork(); print(os.getpid(), flush=True); time.sleep(60)"
SHORT = "import sys; sys.exit('there is no key file')"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def said(processes: Processes, name: str) -> bool:
    return "\n" in processes[name].log.read_text()


def test_sigterm_first_and_sigkill_after_the_grace(tmp_path: Path):
    with Processes(tmp_path, grace_s=0.3) as processes:
        processes.start("polite", python("import time; print('up', flush=True); time.sleep(60)"), cwd=tmp_path)
        processes.start("stubborn", python(STUBBORN), cwd=tmp_path)
        processes.wait_until("polite", lambda: said(processes, "polite"))
        processes.wait_until("stubborn", lambda: said(processes, "stubborn"))
        assert processes.stop_all() == {"polite": -signal.SIGTERM, "stubborn": -signal.SIGKILL}


def test_children_go_with_their_parent(tmp_path: Path):
    with Processes(tmp_path, grace_s=0.3) as processes:
        running = processes.start("family", python(WITH_CHILD), cwd=tmp_path)
        processes.wait_until("family", lambda: running.log.read_text().count("\n") == 2)
        running.signal(signal.SIGKILL)  # only the parent; its child is left alone
        running.process.wait()
        assert running.group_exists
    assert not running.group_exists


def test_everything_is_stopped_when_the_block_fails(tmp_path: Path):
    processes = Processes(tmp_path, grace_s=5)
    running = processes.start("sleeper", python("import time; time.sleep(60)"), cwd=tmp_path)
    with pytest.raises(KeyboardInterrupt), processes:
        raise KeyboardInterrupt
    assert not running.group_exists


def test_a_program_that_ends_says_why(tmp_path: Path):
    with Processes(tmp_path) as processes:
        processes.start("short", python(SHORT), cwd=tmp_path)
        with pytest.raises(NotStarted, match=r"exit code 1[\s\S]*there is no key file"):
            processes.wait_until("short", lambda: False)


def test_a_program_that_is_never_ready_is_not_waited_for_for_ever(tmp_path: Path):
    with Processes(tmp_path, grace_s=1) as processes:
        processes.start("sleeper", python("import time; time.sleep(60)"), cwd=tmp_path)
        with pytest.raises(NotStarted, match="not ready after"):
            processes.wait_until("sleeper", lambda: False, timeout_s=0.1)


def test_whoever_kills_the_starter_kills_what_it_started(tmp_path: Path):
    starter = (
        "import sys, time; from pathlib import Path; from examples.federation.processes import Processes\n"
        f"running = Processes(Path({str(tmp_path)!r})).start('orphan', [sys.executable, '-c', "
        f"'import time; print(1, flush=True); time.sleep(60)'], cwd=Path('.'))\n"
        "print(running.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(python(starter), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    orphan = int(process.stdout.readline())
    deadline = time.monotonic() + 20
    while not (tmp_path / "orphan.log").read_text() and time.monotonic() < deadline:
        time.sleep(0.02)  # it runs its own program by now
    process.kill()
    process.wait()
    process.stdout.close()
    while _exists(orphan) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _exists(orphan)


def _exists(pid: int) -> bool:
    """Whether a process runs; one that is dead and not reaped (its new parent may not care) does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_free_ports_are_different_and_free():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert not any(answers(f"http://127.0.0.1:{port}/") for port in ports)
