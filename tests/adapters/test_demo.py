"""The demonstration is a test: every step comes out as stated, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.demo.legacy_plays import why_no_php
from examples.demo.table import PHP_STEP, STEPS
from examples.federation.federation import ADAPTER, CHECKOUT

pytestmark = [pytest.mark.sockets, pytest.mark.scenario, pytest.mark.timeout(300)]

PEOPLE = 2000


@dataclass(frozen=True, kw_only=True)
class Demonstration:
    """A run of `adapter demo --keep` while it is up. printed: until the invitation."""

    process: subprocess.Popen
    folder: Path
    printed: str


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "DEMO_FOLDER": str(folder), "DEMO_PEOPLE": str(PEOPLE)}


def processes_of(folder: Path) -> list[str]:
    """Every process whose command line names the folder, the demonstration's own apart."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    folder = tmp_path_factory.mktemp("demo") / "federation"
    output = folder.parent / "printed.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [ADAPTER, "demo", "--keep"], cwd=CHECKOUT, env=environment(folder), stdout=file, stderr=subprocess.STDOUT
        )
    deadline = time.monotonic() + 240
    while "adapter log list" not in output.read_text() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    try:
        yield Demonstration(process=process, folder=folder, printed=output.read_text())
    finally:
        process.terminate()
        process.wait(60)


def test_every_step_comes_out_as_stated(demonstration: Demonstration):
    lines = demonstration.printed.splitlines()
    steps = [*STEPS, PHP_STEP] if why_no_php() is None else list(STEPS)
    for step in steps:
        (line,) = [line for line in lines if f" ok  {step.sent} " in line]
        assert re.search(rf" {step.code} +record: [a-z]+ \d", line), line
    assert f"{len(steps)} of {len(steps)} steps came out as stated, 5 of 5 findings are good" in demonstration.printed
    assert " NOT " not in demonstration.printed


def test_a_step_that_cannot_be_played_is_said_to_be_skipped(demonstration: Demonstration):
    reason = why_no_php()
    if reason is None:
        pytest.skip("PHP with its soap extension is here, so nothing is skipped")
    assert re.search(rf"{PHP_STEP.sent} +skipped: {reason}", demonstration.printed)


@pytest.mark.parametrize(
    ("begins", "answer"), [("curl ", "</soap:Envelope>"), (f"{sys.executable} -c ", "'NameCyrillic': {")]
)
def test_the_lines_of_the_invitation_work_as_printed(
    demonstration: Demonstration, tmp_path: Path, begins: str, answer: str
):
    (line,) = [line for line in demonstration.printed.splitlines() if line.startswith(begins)]
    done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert answer in done.stdout


def test_logs_hold_no_personal_data(demonstration: Demonstration):
    """Promise 9, over everything that all processes said during the whole scenario."""
    (pinfl,) = set(re.findall(r"<p:Pinfl>([0-9]{14})</p:Pinfl>", demonstration.printed))
    (surname, *_) = re.findall(r"\((\w+) \w+, born", demonstration.printed)
    logs = list((demonstration.folder / "logs").iterdir())
    assert len(logs) >= 6
    for log in logs:
        said = log.read_text()
        assert pinfl not in said, log.name
        assert surname not in said, log.name
        assert "PRIVATE KEY" not in said, log.name


def test_a_folder_that_it_did_not_make_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years of work")
    done = subprocess.run(
        [ADAPTER, "demo"], cwd=CHECKOUT, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "was not made by the demonstration" in done.stdout
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_stopping_it_leaves_no_process_behind(demonstration: Demonstration):
    assert len(processes_of(demonstration.folder)) >= 5
    demonstration.process.send_signal(signal.SIGINT)
    assert demonstration.process.wait(60) == 0
    assert processes_of(demonstration.folder) == []
