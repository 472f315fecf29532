"""What was killed is remembered for exactly that text of the module, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from scripts.mutant_ledger import Ledger
from scripts.mutant_trials import KILLED, SURVIVED, TIME, Case
from tests.unit.scripts.test_mutants import some_cases


def test_the_killed_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "killed"
    cases = some_cases()
    first = Ledger(file)
    for case, verdict in zip(cases, (KILLED, SURVIVED, TIME, KILLED), strict=True):
        first.note(case, verdict)
    second = Ledger(file)
    assert [second.has(case) for case in cases] == [True, False, False, True]
    target = cases[0].target
    other_text = Case(target=replace(target, source=target.source + b"\n"), mutant=cases[0].mutant)
    assert not second.has(other_text)


def test_without_a_file_nothing_is_remembered() -> None:
    ledger = Ledger(None)
    ledger.note(some_cases()[0], KILLED)
    assert not ledger.has(some_cases()[0])
