"""The verdict of the run under attack fails for each figure that is not what is stated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.calm import Calls, Seen
from bench.endurance_verdict import STATED_MIB, Compared, Phase, judge


def phase(name: str, *, p99_s: float = 0.01, mib: float = 100, descriptors: int = 30, failed: int = 0) -> Phase:
    calls = Calls(latencies_s=[p99_s] * 100, failed=failed)
    return Phase(name=name, calls=calls, peak={"provider": Seen(resident_mib=mib, descriptors=descriptors)})


NAMES = ("before", "attack", "settling", "after")
REACHED = {"clients": {"connected": 3}, "peers": {"connected": 3}}


def attack(*, p99_s: float = 0.019, mib: float = 100, failed: int = 0, elsewhere_s: float = 0.01) -> Phase:
    elsewhere = Compared(calls=Calls(latencies_s=[elsewhere_s] * 100), cpu_s={}, answers=REACHED)
    return replace(phase("attack", p99_s=p99_s, mib=mib, failed=failed), answers=REACHED, compared=elsewhere)


GOOD = (phase("before"), attack(), phase("settling"), phase("after"))


def failing(*phases: Phase) -> list[str]:
    verdict = judge(phases, entries={}, planned=NAMES)
    failed = [finding.text for finding in verdict.findings if finding.decides and not finding.holds]
    assert verdict.holds == (not failed)
    return failed


def test_a_good_run_has_nothing_to_find() -> None:
    assert failing(*GOOD) == []


@pytest.mark.parametrize(
    ("at", "changed", "said"),
    [
        (1, attack(mib=STATED_MIB + 1), "memory"),
        (1, attack(p99_s=0.021), "over all attacks: 21.0 ms, with the same attacks on an unrelated listener 10.0 ms"),
        (1, attack(p99_s=0.081, elsewhere_s=0.04), "(x2.02, at most x2)"),
        (1, attack(p99_s=0.031), "during attack"),
        (1, replace(attack(), calls=Calls()), "p99"),
        (1, attack(failed=1), "failed"),
        (1, replace(attack(), answers={}), "did not reach: anybody"),
        (1, replace(attack(), answers=REACHED | {"peers": {}}), "did not reach: peers"),
        (1, replace(attack(), compared=None), "did not reach the unrelated listener"),
        (1, replace(attack(), compared=Compared(calls=Calls(), cpu_s={}, answers={"peers": {}})), "unrelated listener"),
        (3, phase("after", p99_s=0.02), "afterwards"),
        (3, phase("after", descriptors=111), "descriptors"),
        (3, phase("after", mib=STATED_MIB), "afterwards"),
    ],
)
def test_each_figure_that_is_not_as_stated_is_found(at: int, changed: Phase, said: str) -> None:
    phases = [*GOOD[:at], changed, *GOOD[at + 1 :]]
    found = failing(*phases)
    assert found
    assert any(said in text for text in found)


@pytest.mark.parametrize("over", range(4))
def test_a_run_that_was_stopped_never_passes(over: int) -> None:
    assert f"phases that were run: {over} of 4" in failing(*GOOD[:over])


def test_what_the_attackers_do_themselves_is_told_and_does_not_decide() -> None:
    """On one machine they take processor from everybody: the comparison says how much."""
    phases = [GOOD[0], attack(p99_s=0.06, elsewhere_s=0.04), *GOOD[2:]]
    assert failing(*phases) == []
    told = [finding for finding in judge(phases, entries={}, planned=NAMES).findings if not finding.holds]
    assert ["x6.00; the unrelated listener x4.00" in finding.text for finding in told] == [True]
