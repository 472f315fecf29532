"""The demonstration from beginning to end: build, start, play every step, verify, stop.

adapter demo [--keep]      or      python -m examples.demo [--keep] [--people N] [--folder DIR]
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from examples.demo.closing import Finding, prove_an_exchange, verify_record
from examples.demo.information_systems import CadastreSystem, launch_generator, wait_generated
from examples.demo.invitation import invite
from examples.demo.legacy_plays import why_no_php
from examples.demo.members import demo_plan
from examples.demo.report import Report
from examples.demo.stage import Stage
from examples.demo.steps import CameBack, Judged, Step, judge
from examples.demo.table import PHP_STEP, STEPS
from examples.federation.federation import CHECKOUT, build_federation, start_certificate_authority
from examples.federation.free_ports import free_ports
from examples.federation.processes import NotStarted, Processes
from examples.population.generate import sample

_FOLDER: Final = CHECKOUT / "var" / "demo"
_PEOPLE: Final = 100_000
_MARK: Final = "DEMONSTRATION"
_AFTER_PROPER_CALLS: Final = 2


def run(*, keep: bool) -> int:
    """Play the demonstration. Returns the exit code: 0 only when every step came out as the table states.

    keep: leave the federation up until Ctrl-C.
    """
    folder = Path(os.environ.get("DEMO_FOLDER") or _FOLDER).absolute()
    people = int(os.environ.get("DEMO_PEOPLE") or _PEOPLE)
    report = Report()
    begun = time.monotonic()
    try:
        _empty(folder)
        with _ended_by_sigterm(), Processes(folder / "logs") as processes:
            report.heading(f"Building a federation in {_shown(folder)} ...")
            stage = _build(folder, processes, people=people)
            report.line(f"{len(processes.pids)} processes are up after {time.monotonic() - begun:.1f} s.")
            report.heading("What is sent, what comes back, and the record numbers on both sides")
            judged = _play(stage, report)
            findings = _close(stage, report)
            good = _sum_up(judged, findings, report, seconds=time.monotonic() - begun)
            if keep:
                invite(stage, report)
                _wait_for_the_end()
    except (NotStarted, FileExistsError) as failure:
        report.bad(str(failure))
        return 1
    except KeyboardInterrupt:
        report.line("Stopped.")
        return 130
    finally:
        # All processes have ended by now. Looking for cycles among 150,000 objects, several times over, is what the
        # interpreter's own end takes longest for (0.9 s of CPU, 14 s on a busy machine); nothing is left that needs it.
        gc.freeze()
    return 0 if good else 1


def _empty(folder: Path) -> None:
    """Make the folder anew. Raises FileExistsError for one that no demonstration made: nothing of others is removed."""
    if folder.exists() and not (folder / _MARK).exists():
        raise FileExistsError(f"{folder} was not made by the demonstration; name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("Made by `adapter demo`, which makes it anew at each run.\n", encoding="utf-8")


def _build(folder: Path, processes: Processes, *, people: int) -> Stage:
    """Everything that the steps need, running. What takes long is begun first."""
    database = folder / "population-system" / "population.sqlite"
    cadastre = CadastreSystem(processes=processes, port=free_ports(1)[0], folder=folder / "cadastre-system")
    launch_generator(processes, database, people=people)
    cadastre.launch()
    certificates = start_certificate_authority(folder, processes)
    cadastre.wait_ready()
    cadastre.save_wsdl()
    plan = demo_plan(people_database=database, cadastre_wsdl=cadastre.wsdl_folder, cadastre_port=cadastre.port)
    federation = build_federation(plan, folder, processes, certificates=certificates)
    wait_generated(processes)
    federation.start()
    pinfl, other_pinfl = sample(database, 2)
    return Stage(federation=federation, cadastre_system=cadastre, pinfl=pinfl, other_pinfl=other_pinfl)


def _play(stage: Stage, report: Report) -> tuple[Judged, ...]:
    stage.new_entries()  # the access rules are the first entries of the record
    without_php = why_no_php()
    judged: list[Judged] = []
    for at, step in enumerate(STEPS):
        if at == _AFTER_PROPER_CALLS and without_php is None:
            judged.append(_play_one(PHP_STEP, len(judged) + 1, stage, report))
        elif at == _AFTER_PROPER_CALLS:
            report.skipped(PHP_STEP.sent, without_php or "")
        judged.append(_play_one(step, len(judged) + 1, stage, report))
    return tuple(judged)


def _play_one(step: Step[Stage], number: int, stage: Stage, report: Report) -> Judged:
    try:
        came_back = step.play(stage)
    except Exception as error:  # noqa: BLE001  a step that breaks is a step that did not come out as stated
        came_back = CameBack(code=type(error).__name__, contradiction=str(error))
    judged = judge(step, number, came_back, stage.new_entries())
    report.step(judged)
    return judged


def _close(stage: Stage, report: Report) -> tuple[Finding, ...]:
    report.heading("What an auditor finds")
    homes = (stage.social, stage.population, stage.cadastre)
    findings = (*map(verify_record, homes), *prove_an_exchange(stage))
    for finding in findings:
        (report.good if finding.is_good else report.bad)(finding.text)
    return findings


def _sum_up(judged: tuple[Judged, ...], findings: tuple[Finding, ...], report: Report, *, seconds: float) -> bool:
    as_stated = sum(one.is_as_stated for one in judged)
    verified = sum(one.is_good for one in findings)
    report.heading(
        f"{as_stated} of {len(judged)} steps came out as stated, {verified} of {len(findings)} findings are good; "
        f"{seconds:.1f} s"
    )
    return as_stated == len(judged) and verified == len(findings)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the demonstration as Ctrl-C does, so that nothing is left behind then either."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _wait_for_the_end() -> None:
    """Until Ctrl-C or SIGTERM, which then are no failure."""
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _shown(folder: Path) -> Path:
    return folder.relative_to(CHECKOUT) if folder.is_relative_to(CHECKOUT) else folder
