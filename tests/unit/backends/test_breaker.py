import itertools

import pytest

from adapter.backends.breaker import TRANSITIONS, Breaker, BreakerEvent, BreakerState

CLOSED = Breaker(max_failures=3, reset_s=10)


def failed(breaker: Breaker, times: int, now: float = 0) -> Breaker:
    for _ in range(times):
        breaker = breaker.failed(now)
    return breaker


def test_opens_after_failures_in_a_row():
    assert failed(CLOSED, 2).state is BreakerState.CLOSED
    assert failed(CLOSED, 3).state is BreakerState.OPEN


def test_success_between_failures_counts():
    assert failed(failed(CLOSED, 2).succeeded(), 2).state is BreakerState.CLOSED


def test_open_admits_nobody_until_it_has_rested():
    breaker = failed(CLOSED, 3, now=100)
    assert [breaker.admit(now)[1] for now in (100, 109.9, 110)] == [False, False, True]


def test_half_open_admits_one():
    breaker, admitted = failed(CLOSED, 3, now=100).admit(110)
    assert admitted
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.admit(111)[1]


def test_half_open_closes_with_success_and_opens_with_failure():
    breaker, _ = failed(CLOSED, 3, now=100).admit(110)
    assert (breaker.succeeded().state, breaker.succeeded().failures) == (BreakerState.CLOSED, 0)
    again = breaker.failed(115)
    assert again.state is BreakerState.OPEN
    assert [again.admit(now)[1] for now in (124, 125)] == [False, True]


def test_trial_that_never_came_back_is_followed_by_another():
    breaker, _ = failed(CLOSED, 3, now=100).admit(110)
    breaker, admitted = breaker.admit(120)
    assert admitted
    assert breaker.state is BreakerState.HALF_OPEN


def test_late_answers_do_not_close_it():
    breaker = failed(CLOSED, 3, now=100)
    assert breaker.succeeded().state is BreakerState.OPEN
    assert breaker.failed(105).admit(110)[1]


@pytest.mark.parametrize(("state", "event"), list(itertools.product(BreakerState, BreakerEvent)))
def test_table_is_what_the_methods_do(state: BreakerState, event: BreakerEvent):
    """Every transition of the table can be reached, and what is not in the table never happens."""
    start = {
        BreakerState.CLOSED: CLOSED,
        BreakerState.OPEN: failed(CLOSED, 3),
        BreakerState.HALF_OPEN: failed(CLOSED, 3).admit(10)[0],
    }[state]
    does = {
        BreakerEvent.SUCCEEDED: lambda: start.succeeded().state,
        BreakerEvent.FAILED: lambda: start.failed(11).state,
        BreakerEvent.TRIPPED: lambda: failed(start, 3).state,
        BreakerEvent.COOLED: lambda: start.admit(1000)[0].state,
    }[event]
    if (state, event) in TRANSITIONS:
        assert does() is TRANSITIONS[(state, event)]
    else:
        assert (state, event) in {
            (BreakerState.OPEN, BreakerEvent.TRIPPED),
            (BreakerState.HALF_OPEN, BreakerEvent.TRIPPED),
            (BreakerState.CLOSED, BreakerEvent.COOLED),
        }
