"""The command line: `python -m bench`, which is `make bench`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from bench.generator import LoadFailed
from bench.installation import running_installation
from bench.report import make_console, show
from bench.results import Results
from bench.run import MIXES, Cell, run_cell
from bench.transport import measure_transport
from examples.federation.federation import ADAPTER, CHECKOUT
from examples.federation.processes import NotStarted

RESULTS: Final = Path(__file__).with_name("results")
_PLACE: Final = CHECKOUT / "var" / "bench"


class Suite(StrEnum):
    """The suites (adapter.crypto.suites)."""

    P256 = "p256"
    ED25519 = "ed25519"
    RSA = "rsa"


class Mix(StrEnum):
    """Which sizes are sent: the names of MIXES."""

    SMALL = "2kB"
    MIX = "mix"


_DEFAULT_EXCHANGES: Final = {"2kB": 1_500, "mix": 1_000}
_QUICK_EXCHANGES: Final = {"2kB": 200, "mix": 100}
_QUICK_WARM_UP: Final = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run: every suite with every mix. exchanges: by mix."""

    suites: Sequence[str]
    mixes: Sequence[str]
    exchanges: dict[str, int]
    warm_up: int
    concurrency: int
    workers: int
    seed: int
    client_tls: bool
    profile: bool

    def cell(self, mix: str, profiles: Path | None) -> Cell:
        """One cell of it."""
        return Cell(
            mix=mix,
            exchanges=self.exchanges[mix],
            concurrency=self.concurrency,
            seed=self.seed,
            warm_up=self.warm_up,
            profiles=profiles,
        )


def run_plan(plan: Plan, console: Console) -> Results:
    """Run it all, and say on standard error how far it is. Raises NotStarted, LoadFailed."""
    results = Results(options={**vars(plan), "began": datetime.now(UTC).isoformat(timespec="seconds")})
    with _folder() as folder:
        console.print("transport alone …", highlight=False)
        results.transport = measure_transport(
            folder, exchanges=plan.exchanges[Mix.SMALL], concurrency=plan.concurrency, warm_up=plan.warm_up
        )
    for suite in plan.suites:
        with _folder() as folder:
            profiles = folder / "profiles" if plan.profile else None
            command: list[str] = [ADAPTER]
            if profiles is not None:
                profiles.mkdir()
                command = [sys.executable, "-m", "bench.profiled", str(profiles)]
            with running_installation(
                suite,
                folder / "federation",
                workers=plan.workers,
                with_client_tls=plan.client_tls,
                adapter_command=command,
            ) as installation:
                for mix in plan.mixes:
                    console.print(f"{suite}, {mix}: {plan.exchanges[mix]} exchanges …", highlight=False)
                    cell, floors = run_cell(plan.cell(mix, profiles), installation, folder)
                    results.cells.append(cell)
                    results.floors[suite] = floors | results.floors.get(suite, {})
    return results


@contextmanager
def _folder() -> Iterator[Path]:
    """An empty folder on the checkout's disk: what /tmp is may not know what fsync means."""
    _PLACE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=_PLACE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def bench(
    *,
    suite: Annotated[list[Suite] | None, typer.Option(help="Suites to measure; all when not given.")] = None,
    mix: Annotated[list[Mix] | None, typer.Option(help="Mixes to measure; both when not given.")] = None,
    exchanges: Annotated[int | None, typer.Option(min=1, help="Exchanges to measure, for each mix.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=200, help="Calls at a time.")] = 16,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes of each adapter.")] = 1,
    seed: Annotated[int, typer.Option(help="Of the order in which the sizes come.")] = 2015,
    client_tls: Annotated[bool, typer.Option("--client-tls", help="Mutual TLS on the client side too.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Show where the CPU time goes; slows down.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A few exchanges, to see that it runs.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the results here instead of bench/results/.")
    ] = None,
) -> None:
    """Measure two adapters and an information system on this machine, and the floor beside them.

    Results go to standard output, and as JSON to bench/results/ or --json. The exit code is 1 when any exchange failed.
    """
    plan = Plan(
        suites=[chosen.value for chosen in suite or Suite],
        mixes=[chosen.value for chosen in mix or Mix],
        exchanges={name: exchanges or (_QUICK_EXCHANGES if quick else _DEFAULT_EXCHANGES)[name] for name in MIXES},
        warm_up=_QUICK_WARM_UP if quick else Cell.warm_up,
        concurrency=concurrency,
        workers=workers,
        seed=seed,
        client_tls=client_tls,
        profile=profile,
    )
    try:
        results = run_plan(plan, Console(stderr=True))
    except (NotStarted, LoadFailed) as failure:
        typer.echo(f"bench: {failure}", err=True)
        raise typer.Exit(1) from None
    show(results, make_console())
    _write(results, json_file)
    raise typer.Exit(1 if results.failed else 0)


def _write(results: Results, json_file: Path | None) -> None:
    """To the file that was asked for, or to a new one and `latest.json` in bench/results/."""
    paths = (
        [json_file] if json_file else [RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json", RESULTS / "latest.json"]
    )
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(results.as_json(), encoding="utf-8")


def main() -> None:
    """Run the command line."""
    typer.run(bench)


if __name__ == "__main__":
    main()
