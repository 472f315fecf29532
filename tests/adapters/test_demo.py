"""The demonstration is a test: every step comes out as stated, and nothing is left behind."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.demo.legacy_plays import why_no_php
from examples.demo.table import PHP_STEP, STEPS
from examples.federation.federation import ADAPTER, CHECKOUT
from tests.adapters.demonstration import Demonstration, demonstrating, environment
from tests.adapters.dialogues import assert_shown, dialogues, masked, play

pytestmark = [pytest.mark.sockets, pytest.mark.scenario, pytest.mark.timeout(300)]


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
    with demonstrating(tmp_path_factory.mktemp("place") / "var" / "demo") as demonstration:
        yield demonstration


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


@pytest.mark.parametrize(("names", "answer"), [("curl ", "</soap:Envelope>"), ("import zeep", "'NameCyrillic': {")])
def test_the_lines_of_the_invitation_work_as_printed(
    demonstration: Demonstration, tmp_path: Path, names: str, answer: str
):
    (line,) = [line for line in demonstration.printed.splitlines() if names in line]
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


# --- pages -----------------------------------------------------------------------------------------------------------


def test_readme_shows_what_the_demonstration_prints(demonstration: Demonstration):
    (demo,) = [one for one in dialogues("Two commands") if one.command == "make demo"]
    printed = demonstration.printed.split("\nThe federation stays up")[0].replace(str(demonstration.folder), "var/demo")
    if why_no_php() is None:
        assert_shown(demo.shown, printed.splitlines())
    else:  # without that step the numbers after it are others
        assert step_lines(demo.shown) == step_lines(printed.splitlines())


def step_lines(lines: list[str]) -> list[str]:
    return [masked(line) for line in lines if " record: " in line and PHP_STEP.sent not in line]


def test_the_first_steps_of_readme_do_what_it_shows(demonstration: Demonstration):
    chapter = dialogues("Connect a first system in five minutes")
    for dialogue, printed in play(chapter, demonstration.folder.parent.parent):
        assert_shown(dialogue.shown, printed)


def test_the_integrators_page_does_what_it_shows(demonstration: Demonstration):
    place = demonstration.folder.parent.parent
    (place / "examples").symlink_to(CHECKOUT / "examples")
    page = CHECKOUT / "docs" / "integrator.md"
    played = [*dialogues("With a sandbox, in three minutes", page), *dialogues("Through two adapters", page)]
    for dialogue, printed in play(played, place):
        assert_shown(dialogue.shown, printed)


def test_stopping_it_leaves_no_process_behind(demonstration: Demonstration):
    assert len(processes_of(demonstration.folder)) >= 5
    demonstration.process.send_signal(signal.SIGINT)
    assert demonstration.process.wait(120) == 0
    assert processes_of(demonstration.folder) == []
