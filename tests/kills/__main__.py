"""`make kills`: SIGKILL a thousand times under load, and look at what is left.

    python -m tests.kills [--kills 1000] [--seed NUMBER] [--json FILE]

Two adapters of two workers each on loopback, a consumer's and a provider's; systems of the consumer ask all the time.
Again and again one process, a parent or a whole adapter is killed, at an instant that the seed chooses, and is back.
In the end every call that was acknowledged has to be in both records, both records have to verify against every
checkpoint that was remembered on the way or is held by the other side, and the information system was asked nothing
twice. Exit code 1 when something is not so. A run that is stopped (SIGINT) judges what it has done.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from examples.federation.plan import MemberPlan
from tests.adapters.small_federation import member_plan, running
from tests.adapters.stub_system import StubSystem
from tests.kills.campaign import Aftermath
from tests.kills.judgement import findings
from tests.kills.load import Load
from tests.kills.victims import Kill, random_kills

DEFAULT_KILLS = 1_000
DEFAULT_SEED = 20260302
_MEMBERS = ("consumer", "provider")
_PAUSE_S = 0.2
_SAY_EVERY = 25
"""Kills, where there is nobody to see a bar."""
_OUT = Console(stderr=True)


def plans(system: StubSystem) -> tuple[MemberPlan, ...]:
    """A provider and a consumer, of two workers each."""
    return (
        member_plan(1, "provider", suite="p256", system=system, workers=2),
        member_plan(3, "consumer", suite="p256", system=system, workers=2),
    )


def main() -> int:
    """0 when nothing was found."""
    asked = _arguments()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="kills-") as folder,
        StubSystem() as system,
        running(Path(folder) / "federation", *plans(system)) as federation,
    ):
        load = Load(
            consumer=federation.homes["consumer"], provider=federation.homes["provider"], pause_s=_PAUSE_S, clients=2
        )
        after = Aftermath.before(federation, system, load)
        _carry_out(after, islice(random_kills(asked.seed, _MEMBERS), asked.kills), asked.kills)
        _OUT.print("Judging what is left ...")
        found = list(findings(after))
        said = figures(after, seconds=time.monotonic() - began) | {"seed": asked.seed, "findings": found}
    _OUT.print(_table(said))
    if asked.json is not None:
        asked.json.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    for one in found:
        _OUT.print(f"wrong: {one}", style="bold red", markup=False)
    return 1 if found else 0


def figures(after: Aftermath, *, seconds: float) -> dict[str, object]:
    """What was done, in numbers."""
    load = after.load
    return {
        "kills": sum(after.killed.values()),
        **{f"kills of the {member}: {victim}": count for (member, victim), count in sorted(after.killed.items())},
        "adapters that gave up and were started": after.gave_up,
        "calls answered": len(load.answered),
        "calls refused": len(load.refused),
        "calls without an answer": len(load.unanswered),
        **{f"entries of the {home.plan.folder}": home.record.size() for home in after.members},
        **{f"checkpoints of the {folder} remembered": len(notes) for folder, notes in after.remembered.items()},
        "seconds": round(seconds),
    }


def _carry_out(after: Aftermath, kills: Iterable[Kill], total: int) -> None:
    columns = (TextColumn("Killing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    campaign = after.run(kills)
    with Progress(*columns, console=_OUT) as bar:
        task = bar.add_task("kills", total=total)
        try:
            for done, _ in enumerate(campaign, start=1):
                bar.advance(task)
                if not _OUT.is_terminal and done % _SAY_EVERY == 0:
                    _OUT.print(f"{done} of {total} kills, {len(after.load.answered)} calls answered")
        except KeyboardInterrupt:
            campaign.close()


def _table(said: dict[str, object]) -> Table:
    table = Table(box=None, show_header=False)
    for name, value in said.items():
        if name != "findings":
            table.add_row(name, str(value))
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=DEFAULT_KILLS, help="how often")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the choice of victims and instants")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
