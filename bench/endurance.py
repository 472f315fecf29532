"""`make endurance`: two adapters under attack for ten minutes, while a client system goes on as if nothing were.

    python -m bench.endurance [--minutes 10] [--only NAME] [--json FILE]

A consumer's and a provider's adapter on loopback; a calm client calls at an even pace; every attack of bench.hostile
goes on for an equal part of the time, against the consumer's listener for clients and the provider's for peers. Before
that, for half as long, the same attackers attack a listener that has nothing to do with the adapters (bench.unrelated):
what the calm client notices then is that the attackers have the same processors, not what the adapters do.

It fails (exit code 1) when an adapter takes more memory than is stated, when the calm client's p99 under attack is more
than twice that of the comparison, when calls of it fail, or when afterwards memory, descriptors or latency are not what
they were. The p99 against that before all attacks is printed beside it.

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
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from bench.calm import Calm, Watch
from bench.endurance_report import print_findings, print_heading, print_phase, write_json
from bench.endurance_verdict import Compared, Phase, Verdict, judge
from bench.hostile import ATTACKS, HostilePlan
from bench.installation import CONSUMER, PROVIDER, SERVICE, Installation, running_installation
from examples.federation.federation import CHECKOUT
from examples.federation.free_ports import free_ports
from examples.federation.plan import MemberPlan
from examples.federation.processes import NotStarted, Processes
from examples.federation.processes import answers as answers_http

_RESULTS: Final = Path(__file__).with_name("results")
_INTRUDER: Final = "intruder"
_ATTACKERS: Final = "attackers"
_UNRELATED: Final = "unrelated"
_COMPARED_PART: Final = 0.5
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
    plan: HostilePlan, name: str, seconds: float, folder: Path, *, begun: Callable[[int], object] = lambda _: None
) -> dict[str, dict[str, int]]:
    """One attack in a process of its own, which ends at its time whatever it is doing; what was answered.

    What is sent is prepared before the time begins; begun: called then, with the process group of the attackers.
    Whatever ends this ends the process too.
    """
    plan_file, told = folder / "plan.json", folder / "answers.json"
    plan.write(plan_file)
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.hostile", str(plan_file), name, str(seconds), str(told)]
    with Processes(folder / "logs", grace_s=0) as processes:
        attackers = processes.start(_ATTACKERS, command, cwd=CHECKOUT)
        await _wait_until(lambda: told.exists() or not attackers.is_running, _PREPARING_S)
        if told.exists():
            begun(attackers.pid)
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


@contextmanager
def unrelated_listener(plan: HostilePlan, folder: Path) -> Iterator[HostilePlan]:
    """A listener of which nobody wants anything, in a process of its own; the plan to attack it instead."""
    client_port, peer_port = free_ports(2)
    elsewhere = replace(plan, client_port=client_port, peer_port=peer_port)
    elsewhere.write(folder / "unrelated.json")
    command = [sys.executable, "-m", "bench.unrelated", str(folder / "unrelated.json")]
    with Processes(folder / "logs", grace_s=_GRACE_S) as processes:
        processes.start(_UNRELATED, command, cwd=CHECKOUT)
        processes.wait_until(_UNRELATED, lambda: answers_http(f"http://127.0.0.1:{client_port}/", status=503))
        yield elsewhere


@dataclass(kw_only=True)
class Run:
    """One run. seconds: of all attacks together. phases: those that are over; each is printed and written at once."""

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
        calm_s, attack_s = self.seconds * _CALM_PART, self.seconds / len(self.names)

        def over(name: str, answers: dict[str, dict[str, int]] | None = None, compared: Compared | None = None) -> None:
            phase = Phase(
                name=name,
                calls=calm.take(),
                peak=watch.take(),
                answers=answers or {},
                cpu_s=watch.take_cpu_s(),
                compared=compared,
            )
            self.phases.append(phase)
            print_phase(phase)
            self.write(self.verdict({}))

        def begun(attackers: int) -> None:
            """What was seen while the attackers prepared themselves is not the attack's doing."""
            watch.time_also(_ATTACKERS, attackers)
            calm.take()
            watch.take()
            watch.take_cpu_s()

        async with _watching(calm, watch):
            await asyncio.sleep(calm_s)
            over("before")
            for name in self.names:
                with unrelated_listener(plan, folder) as elsewhere:
                    said = await attack(elsewhere, name, attack_s * _COMPARED_PART, folder, begun=begun)
                    compared = Compared(calls=calm.take(), cpu_s=watch.take_cpu_s(), answers=said)
                over(name, await attack(plan, name, attack_s, folder, begun=begun), compared)
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
    minutes: Annotated[float, typer.Option(help="Of all attacks together; a whole run takes two thirds more.")] = 10,
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
    raise typer.Exit(0 if verdict.holds else 1)


if __name__ == "__main__":
    typer.run(main)
