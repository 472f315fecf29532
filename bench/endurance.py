"""`make endurance`: two adapters under attack for ten minutes, while a client system goes on as if nothing were.

    python -m bench.endurance [--seconds 600] [--only NAME] [--json FILE]

A consumer's and a provider's adapter on loopback; a calm client calls at an even pace; every attack of bench.hostile
goes on for an equal part of the time, against the consumer's listener for clients and the provider's for peers. It
fails (exit code 1) when an adapter takes more memory than is stated, when the calm client's p99 more than doubles
during the attacks, when calls of it fail, or when afterwards memory, descriptors, connections or latency are not what
they were.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.calm import Calm, Watch, quantile_ms
from bench.endurance_verdict import Phase, Verdict, judge
from bench.hostile import ATTACKS, HostilePlan
from bench.installation import CONSUMER, PROVIDER, SERVICE, Installation, running_installation
from examples.federation.plan import MemberPlan

_INTRUDER: Final = "intruder"
_CALM_PART: Final = 0.08
_SETTLING_S: Final = 45.0

console = Console(stderr=True)


def _intruder() -> MemberPlan:
    """A member like any other, whose key somebody stole."""
    return MemberPlan(
        id="UZ/GOV/200000003", folder=_INTRUDER, names={"en": "Intruder"}, subsystems=("stolen",), suite="p256"
    )


def _plan(installation: Installation, folder: Path) -> Path:
    homes = installation.federation.homes
    keys = homes[_INTRUDER].keyring.tls
    plan = HostilePlan(
        client_port=homes[CONSUMER].ports.clients,
        client_path=f"/service/{SERVICE}",
        peer_port=homes[PROVIDER].ports.peers,
        certificate_file=str(keys.certificate_file),
        key_file=str(keys.key_file),
    )
    path = folder / "hostile.json"
    plan.write(path)
    return path


async def _attack(plan: Path, name: str, seconds: float) -> dict[str, dict[str, int]]:
    """One attack in a process of its own; what was answered."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.hostile", str(plan), name, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds + 120):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {}
    found: dict[str, dict[str, int]] = json.loads(said) if said else {}
    return found


@asynccontextmanager
async def _watching(calm: Calm, watch: Watch) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(calm.go_on()), asyncio.create_task(watch.go_on())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(installation: Installation, folder: Path, seconds: float, names: list[str]) -> Verdict:
    plan = _plan(installation, folder)
    calm, watch = Calm(installation.url), Watch(installation.groups)
    await calm.warm_up()
    calm_s, attack_s = seconds * _CALM_PART, seconds * (1 - 2 * _CALM_PART) / len(names)
    phases: list[Phase] = []
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    async with _watching(calm, watch):
        with Progress(*columns, console=console) as progress:
            shown = progress.add_task("before", total=None)
            await asyncio.sleep(calm_s)
            phases.append(Phase(name="before", calls=calm.take(), peak=watch.take()))
            for name in names:
                progress.update(shown, description=name)
                console.print(name, highlight=False)
                answers = await _attack(plan, name, attack_s)
                phases.append(Phase(name=name, calls=calm.take(), peak=watch.take(), answers=answers))
            progress.update(shown, description="settling")
            await asyncio.sleep(_SETTLING_S)
            phases.append(Phase(name="settling", calls=calm.take(), peak=watch.take()))
            progress.update(shown, description="after")
            await asyncio.sleep(calm_s)
            phases.append(Phase(name="after", calls=calm.take(), peak=watch.take()))
    return judge(phases, entries={name: size.entries for name, size in installation.records().items()})


def _table(verdict: Verdict) -> Table:
    table = Table(title="Calm client's calls, and the adapters, phase by phase")
    for column in ("Phase", "Calls", "Failed", "p50 ms", "p99 ms", "MiB", "Descriptors", "Answers to the attackers"):
        table.add_column(column)
    for phase in verdict.phases:
        times = phase.calls.latencies_s
        said = sum((Counter(by) for by in phase.answers.values()), Counter[str]())
        table.add_row(
            phase.name,
            str(len(times)),
            str(phase.calls.failed),
            f"{quantile_ms(times, 0.5):.1f}",
            f"{quantile_ms(times, 0.99):.1f}",
            " ".join(f"{name[:4]} {peak.resident_mib:.0f}" for name, peak in phase.peak.items()),
            " ".join(str(peak.descriptors) for peak in phase.peak.values()),
            ", ".join(f"{code} {count}" for code, count in said.most_common(4)),
        )
    return table


def _document(verdict: Verdict) -> dict[str, Any]:
    document = asdict(verdict)
    for phase in document["phases"]:
        times = phase["calls"].pop("latencies_s")
        phase["calls"] |= {
            "answered": len(times),
            "p50_ms": quantile_ms(times, 0.5),
            "p99_ms": quantile_ms(times, 0.99),
        }
    return document


def main(
    seconds: Annotated[float, typer.Option(help="Seconds of the whole run, without its start.")] = 600,
    only: Annotated[list[str] | None, typer.Option(help="One attack, by its name; may be given again.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there too.")] = None,
) -> None:
    """Attack two adapters and see whether others notice."""
    names = only or list(ATTACKS)
    if unknown := set(names) - set(ATTACKS):
        console.print(f"No such attack: {', '.join(sorted(unknown))}. There are: {', '.join(ATTACKS)}")
        raise typer.Exit(2)
    with tempfile.TemporaryDirectory(prefix="endurance-") as made:
        folder = Path(made)
        console.print("Starting a federation ...")
        with running_installation("p256", folder / "federation", others=(_intruder(),)) as installation:
            verdict = asyncio.run(_run(installation, folder, seconds, names))
    Console(width=200).print(_table(verdict))
    for finding in verdict.findings:
        print(("    ok  " if finding.holds else "FAILED  ") + finding.text)
    if json_file is not None:
        json_file.write_text(json.dumps(_document(verdict), indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(0 if all(finding.holds for finding in verdict.findings) else 1)


if __name__ == "__main__":
    typer.run(main)
