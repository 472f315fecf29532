"""Judges the tests: makes small wrong changes to the code that opens, gates, trusts and decides, and sees who notices.

    python -m scripts.mutants                      every module of tests/mutants/rooms.toml
    python -m scripts.mutants crypto/open ...      these only
    python -m scripts.mutants --killed FILE ...    not again those that FILE has as killed (see mutant_ledger)

A change that no test notices is a hole in the tests, or changes nothing that matters: then tests/mutants/survivors.toml
says why. The exit code is 1 when a survivor is not explained there, or an explanation explains no survivor. See
docs/decisions/0042-mutants-of-our-own-making.md.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import time
import tomllib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scripts.mutant_keys import use_keys_again
from scripts.mutant_ledger import Ledger
from scripts.mutant_operators import mutants_of
from scripts.mutant_trials import (
    KILLED,
    SURVIVED,
    TIME,
    Case,
    Outcome,
    Target,
    described,
    import_libraries,
    try_at_import,
    try_in_place,
)

ROOT: Final = Path(__file__).resolve().parent.parent
EXPLAINED: Final = ROOT / "tests" / "mutants" / "survivors.toml"
ROOMS: Final = ROOT / "tests" / "mutants" / "rooms.toml"
_FRESH_LIMIT_S: Final = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """Modules below adapter/, and the quick tests that have to notice a change in them. but_not: files among these."""

    modules: list[str]
    tests: list[str]
    but_not: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> list[str]:
        """The tests, as pytest is given them."""
        return [*self.tests, *(f"--ignore={file}" for file in self.but_not)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Why changes of one function that no test notices do no harm. changes: `was  =>  becomes`."""

    module: str
    function: str
    reason: str
    changes: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class Tally:
    """A row of the table."""

    mutants: int = 0
    killed: int = 0
    time: int = 0
    explained: int = 0
    unexplained: list[str] = field(default_factory=list)


def rooms() -> list[Room]:
    """What tests/mutants/rooms.toml says."""
    return [Room(**room) for room in tomllib.loads(ROOMS.read_text())["room"]]


def explanations() -> list[Explanation]:
    """What tests/mutants/survivors.toml says."""
    rows = tomllib.loads(EXPLAINED.read_text())["explained"]
    return [Explanation(**(row | {"changes": tuple(row["changes"])})) for row in rows]


def key(case: Case) -> tuple[str, str, str]:
    """How survivors.toml names a mutant: module, function, change."""
    return case.target.name, case.mutant.function, f"{case.mutant.was}  =>  {case.mutant.becomes}"


def keys(rows: Sequence[Explanation]) -> list[tuple[str, str, str]]:
    """The mutants that the rows explain."""
    return [(row.module, row.function, change) for row in rows for change in row.changes]


def targets(names: Sequence[str]) -> list[Target]:
    """The modules of these names."""
    paths = {name: ROOT / "adapter" / f"{name}.py" for name in names}
    return [Target(name=name, path=path, source=path.read_bytes()) for name, path in paths.items()]


def cases_of(chosen: Sequence[Target]) -> list[Case]:
    """Every mutant of these modules."""
    return [Case(target=target, mutant=mutant) for target in chosen for mutant in mutants_of(target.path.read_bytes())]


def judge(cases: Sequence[Case], tests: Sequence[str], say: Callable[[str], None], ledger: Ledger) -> dict[int, str]:
    """A verdict for each case. Raises RuntimeError when a test fails without any change."""
    verdicts = {at: KILLED for at, case in enumerate(cases) if ledger.has(case)}
    left = [at for at in range(len(cases)) if at not in verdicts]
    outcome = _first_process([cases[at] for at in left], tests, say, ledger)
    if outcome.failed:
        raise RuntimeError(f"these tests fail as things are: {', '.join(outcome.failed[:8])}")
    import_libraries(outcome.libraries)
    use_keys_again(outcome.rsa_keys)
    verdicts |= {left[at]: verdict for at, verdict in outcome.verdicts.items()}
    for waiting, names in outcome.waiting.items():
        if len(verdicts) % 100 == 0:
            say(f"{len(verdicts)} of {len(cases)}")
        at = left[waiting]
        verdicts[at] = try_at_import(cases[at], names, limit_s=_FRESH_LIMIT_S)
        ledger.note(cases[at], verdicts[at])
        if verdicts[at] == SURVIVED:
            say(described(cases[at]))
    return verdicts


def _first_process(cases: Sequence[Case], tests: Sequence[str], say: Callable[[str], None], ledger: Ledger) -> Outcome:
    """This process stays without any module of ours, so that each fork of it can import them changed."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(try_in_place(cases, tests, say, ledger.note), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        octets = pipe.read()
    os.waitpid(child, 0)
    outcome: Outcome = pickle.loads(octets)  # noqa: S301  written by the process above
    return outcome


def tallies(cases: Sequence[Case], verdicts: dict[int, str], explained: set[tuple[str, str, str]]) -> dict[str, Tally]:
    """A row for each module."""
    rows = {case.target.name: Tally() for case in cases}
    for at, case in enumerate(cases):
        row = rows[case.target.name]
        row.mutants += 1
        row.killed += verdicts[at] == KILLED
        row.time += verdicts[at] == TIME
        if verdicts[at] == SURVIVED:
            if key(case) in explained:
                row.explained += 1
            else:
                row.unexplained.append(described(case))
    return rows


def stale(cases: Sequence[Case], verdicts: dict[int, str], rows: Sequence[Explanation]) -> list[str]:
    """Explanations, for the modules that were judged, of what is no survivor."""
    judged = {case.target.name for case in cases}
    survivors = {key(case) for at, case in enumerate(cases) if verdicts[at] == SURVIVED}
    return ["  ".join(one) for one in keys(rows) if one[0] in judged and one not in survivors]


def judge_rooms(
    chosen: Collection[str], say: Callable[[str], None], ledger: Ledger
) -> tuple[list[Case], dict[int, str]]:
    """Every mutant of the chosen modules, with its verdict."""
    cases: list[Case] = []
    verdicts: dict[int, str] = {}
    for room in rooms():
        of_room = cases_of(targets([name for name in room.modules if name in chosen]))
        found = judge(of_room, room.arguments, say, ledger) if of_room else {}
        verdicts |= {len(cases) + at: verdict for at, verdict in found.items()}
        cases += of_room
    return cases, verdicts


def print_table(table: dict[str, Tally]) -> None:
    """A line for each module, then one for each survivor that nobody has explained."""
    print(f"{'module':28}{'mutants':>9}{'killed':>9}{'by time':>9}{'survived':>9}{'explained':>10}")
    for name, row in table.items():
        survived = row.explained + len(row.unexplained)
        print(f"{name:28}{row.mutants:9}{row.killed:9}{row.time:9}{survived:9}{row.explained:10}")
    for row in table.values():
        for text in row.unexplained:
            print(f"NOT EXPLAINED  {text}")


def main() -> int:
    """Judge, print, and say by the exit code whether every survivor is explained."""
    modules = [name for room in rooms() for name in room.modules]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"one of: {', '.join(modules)}")
    parser.add_argument("--killed", metavar="FILE", type=Path, help="skip what it has, and add to it")
    given = parser.parse_args()
    chosen = given.modules or modules
    ledger = Ledger(given.killed)
    if unknown := set(chosen) - set(modules):
        parser.error(f"no such module here: {', '.join(sorted(unknown))}")
    os.chdir(ROOT)
    began = time.monotonic()
    with os.fdopen(os.dup(2), "w", buffering=1) as terminal:
        cases, verdicts = judge_rooms(chosen, lambda text: print(text, file=terminal), ledger)
    rows = explanations()
    table = tallies(cases, verdicts, set(keys(rows)))
    print_table(table)
    gone = stale(cases, verdicts, rows)
    for text in gone:
        print(f"EXPLAINS NOTHING  {text}")
    print(f"{len(cases)} mutants in {time.monotonic() - began:.0f} s")
    return 1 if gone or any(row.unexplained for row in table.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
