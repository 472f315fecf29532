"""The verdict of the run under attack fails for each figure that is not what is stated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.calm import Calls, Seen
from bench.endurance_verdict import STATED_MIB, Phase, judge


def phase(name: str, *, p99_s: float = 0.01, mib: float = 100, descriptors: int = 30, failed: int = 0) -> Phase:
    calls = Calls(latencies_s=[p99_s] * 100, failed=failed)
    return Phase(name=name, calls=calls, peak={"provider": Seen(resident_mib=mib, descriptors=descriptors)})


NAMES = ("before", "attack", "settling", "after")
REACHED = {"clients": {"connected": 3}, "peers": {"connected": 3}}
GOOD = (phase("before"), replace(phase("attack", p99_s=0.019), answers=REACHED), phase("settling"), phase("after"))


def failing(*phases: Phase) -> list[str]:
    return [finding.text for finding in judge(phases, entries={}, planned=NAMES).findings if not finding.holds]


def test_a_good_run_has_nothing_to_find() -> None:
    assert failing(*GOOD) == []


@pytest.mark.parametrize(
    ("at", "changed", "said"),
    [
        (1, phase("attack", mib=STATED_MIB + 1), "memory"),
        (1, phase("attack", p99_s=0.021), "p99"),
        (1, replace(phase("attack"), calls=Calls()), "p99"),
        (1, phase("attack", failed=1), "failed"),
        (1, phase("attack"), "did not reach: anybody"),
        (1, replace(phase("attack"), answers=REACHED | {"peers": {}}), "did not reach: peers"),
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
