"""`make endurance`: two adapters under attack for ten minutes, while a client system goes on as if nothing were.

    python -m bench.endurance [--minutes 10] [--only NAME] [--json FILE]

A consumer's and a provider's adapter on loopback; a calm client calls at an even pace; every attack of bench.hostile
goes on for an equal part of the time, against the consumer's listener for clients and the provider's for peers. It
fails (exit code 1) when an adapter takes more memory than is stated, when the calm client's p99 more than doubles
during the attacks, when calls of it fail, or when afterwards memory, descriptors or latency are not what they were.

Every phase is printed and written as it ends. A run that is stopped (SIGINT, SIGTERM) leaves no process behind, and its
verdict says that it is not whole.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from bench.calm import Calm, Watch
from bench.endurance_report import print_findings, print_heading, print_phase, write_json
from bench.endurance_verdict import Phase, Verdict, judge
from bench.hostile import ATTACKS, HostilePlan
from bench.installation import CONSUMER, PROVIDER, SERVICE, Installation, running_installation
from examples.federation.federation import CHECKOUT
from examples.federation.plan import MemberPlan
from examples.federation.processes import NotStarted, Processes

_RESULTS: Final = Path(__file__).with_name("results")
_INTRUDER: Final = "intruder"
_ATTACKERS: Final = "attackers"
_CALM_PART: Final = 0.08
_SETTLING_S: Final = 45.0
_PREPARING_S: Final = 90.0
_GRACE_S: Final = 5.0
_LOOK_EVERY_S: Final = 0.1

console = Console(stderr=True)


def _intruder() -> MemberPlan:
    """A member like any other, whose key somebody stole."""
    return MemberPlan(
        id="UZ/GOV/200000003", folder=_INTRUDER, names={"en": "Intruder"}, subsystems=("stolen",), suite="p256"
    )


def plan_against(installation: Installation) -> HostilePlan:
    """Whom to attack, and with whose certificate."""
    homes = installation.federation.homes
    keys = homes[_INTRUDER].keyring.tls
    return HostilePlan(
        client_port=homes[CONSUMER].ports.clients,
        client_path=f"/service/{SERVICE}",
        peer_port=homes[PROVIDER].ports.peers,
        certificate_file=str(keys.certificate_file),
        key_file=str(keys.key_file),
    )


async def attack(
    plan: HostilePlan, name: str, seconds: float, folder: Path, *, begun: Callable[[], object] = lambda: None
) -> dict[str, dict[str, int]]:
    """One attack in a process of its own, which ends at its time whatever it is doing; what was answered.

    What is sent is prepared before the time begins; begun: called then. Whatever ends this ends the process too.
    """
    plan_file, told = folder / "plan.json", folder / "answers.json"
    plan.write(plan_file)
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.hostile", str(plan_file), name, str(seconds), str(told)]
    with Processes(folder / "logs", grace_s=0) as processes:
        attackers = processes.start(_ATTACKERS, command, cwd=CHECKOUT)
        await _wait_until(lambda: told.exists() or not attackers.is_running, _PREPARING_S)
        if told.exists():
            begun()
            await _wait_until(lambda: not attackers.is_running, seconds + _GRACE_S)
    answers: dict[str, dict[str, int]] = json.loads(told.read_text(encoding="utf-8")) if told.exists() else {}
    return answers


async def _wait_until(ended: Callable[[], bool], limit_s: float) -> None:
    until = time.monotonic() + limit_s
    while not ended() and time.monotonic() < until:  # noqa: ASYNC110  neither a process nor a file tells an event
        await asyncio.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def _watching(calm: Calm, watch: Watch) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(calm.go_on()), asyncio.create_task(watch.go_on())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(kw_only=True)
class Run:
    """One run. phases: those that are over; each is told to standard output and to the file at once."""

    names: Sequence[str]
    seconds: float
    json_file: Path
    load_before: tuple[float, float, float] = field(default_factory=os.getloadavg)
    phases: list[Phase] = field(default_factory=list)

    @property
    def planned(self) -> list[str]:
        """The names of all phases."""
        return ["before", *self.names, "settling", "after"]

    async def against(self, installation: Installation, folder: Path) -> None:
        """All phases, one after the other. Cancelled by SIGINT and SIGTERM."""
        task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel if task else sys.exit)
        plan = plan_against(installation)
        calm, watch = Calm(installation.url), Watch(installation.groups)
        await calm.warm_up()
        calm_s, attack_s = self.seconds * _CALM_PART, self.seconds * (1 - 2 * _CALM_PART) / len(self.names)

        def over(name: str, answers: dict[str, dict[str, int]] | None = None) -> None:
            self.phases.append(Phase(name=name, calls=calm.take(), peak=watch.take(), answers=answers or {}))
            print_phase(self.phases[-1])
            self.write(self.verdict({}))

        def begun() -> None:
            """What was seen while the attackers prepared themselves is not the attack's doing."""
            calm.take()
            watch.take()

        async with _watching(calm, watch):
            await asyncio.sleep(calm_s)
            over("before")
            for name in self.names:
                over(name, await attack(plan, name, attack_s, folder, begun=begun))
            await asyncio.sleep(_SETTLING_S)
            over("settling")
            await asyncio.sleep(calm_s)
            over("after")

    def verdict(self, entries: dict[str, int]) -> Verdict:
        """Of the phases that are over."""
        return judge(self.phases, entries=entries, planned=self.planned)

    def write(self, verdict: Verdict) -> None:
        """The figures so far."""
        write_json(self.json_file, verdict, load=(self.load_before, os.getloadavg()))


def _carry_out(run: Run) -> dict[str, int]:
    """Start everything, run, stop everything. The entries of the records at the end; none when it was stopped."""
    with tempfile.TemporaryDirectory(prefix="endurance-") as made:
        folder = Path(made)
        console.print("Starting a federation ...")
        with running_installation("p256", folder / "federation", others=(_intruder(),)) as installation:
            print_heading(installation.groups, run.load_before)
            asyncio.run(run.against(installation, folder))
            return {name: size.entries for name, size in installation.records().items()}


def main(
    minutes: Annotated[float, typer.Option(help="Of the whole run, without its start and 45 s of settling.")] = 10,
    only: Annotated[list[str] | None, typer.Option(help="One attack, by its name; may be given again.")] = None,
    json_file: Annotated[Path, typer.Option("--json", help="Write the figures there.")] = _RESULTS / "endurance.json",
) -> None:
    """Attack two adapters and see whether others notice."""
    names = only or list(ATTACKS)
    if unknown := set(names) - set(ATTACKS):
        console.print(f"No such attack: {', '.join(sorted(unknown))}. There are: {', '.join(ATTACKS)}")
        raise typer.Exit(2)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is started is stopped, as after SIGINT
    run = Run(names=names, seconds=60 * minutes, json_file=json_file)
    entries: dict[str, int] = {}
    try:
        entries = _carry_out(run)
    except NotStarted as failure:
        console.print(f"endurance: {failure}", highlight=False)
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped")
    verdict = run.verdict(entries)
    run.write(verdict)
    print_findings(verdict, os.getloadavg())
    raise typer.Exit(0 if all(finding.holds for finding in verdict.findings) else 1)


if __name__ == "__main__":
    typer.run(main)
