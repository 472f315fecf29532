"""What never comes back is ended by its own CPU time, what waits for ever by the clock; neither counts as killed."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from scripts.mutant_trials import KILLED, SURVIVED, TIME, _in_a_fork


def _spin() -> bool:
    while True:
        pass


def _wait() -> bool:
    time.sleep(60)
    return False


@pytest.mark.parametrize("work", [_spin, _wait])
def test_what_does_not_end_is_ended(work: Callable[[], bool]) -> None:
    began = time.process_time()
    assert _in_a_fork(work, limit_s=0.1) == TIME
    assert time.process_time() - began < 1


@pytest.mark.parametrize(("noticed", "verdict"), [(True, KILLED), (False, SURVIVED)])
def test_what_ends_says_whether_it_was_noticed(noticed: bool, verdict: str) -> None:  # noqa: FBT001
    assert _in_a_fork(lambda: noticed, limit_s=5) == verdict


def test_a_busy_machine_ends_nothing() -> None:
    """Half a second by the clock, and next to nothing of its own."""

    def slow() -> bool:
        time.sleep(0.5)
        return False

    assert _in_a_fork(slow, limit_s=0.2) == SURVIVED
