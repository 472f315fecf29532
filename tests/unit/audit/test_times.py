"""Times that go back are named, with what contradicts them; a clock that says so is believed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from adapter.audit.times import MAX_NAMED, TOLERANCE, Seen, TimeOrder, existed_before, not_before
from tests.records import NOW

MINUTE = timedelta(minutes=1)
STAMP = Seen(3, NOW + 30 * MINUTE, "a time-stamp")


def told(*minutes: int, set_back: int | None = None, seen: tuple[Seen, ...] = ()) -> TimeOrder:
    order = TimeOrder(seen)
    for number, at in enumerate(minutes):
        order.take(number, NOW + at * MINUTE, clock_set_back=number == set_back)
    return order


def found(order: TimeOrder) -> list[tuple[int, str]]:
    assert order.count == len(order.named)
    return [(one.number, one.seen.by) for one in order.named]


def test_times_that_go_forward_are_nothing() -> None:
    assert found(told(0, 0, 1, 5, 5)) == []


@pytest.mark.parametrize(("back", "named"), [(TOLERANCE, 0), (TOLERANCE + timedelta(milliseconds=1), 1)])
def test_workers_cross_by_a_minute(back: timedelta, named: int) -> None:
    order = TimeOrder()
    order.take(0, NOW, clock_set_back=False)
    order.take(1, NOW - back, clock_set_back=False)
    assert order.count == named


def test_an_entry_of_an_earlier_time_is_named_and_those_after_it_are_not() -> None:
    assert found(told(0, 10, 2, 11)) == [(2, "entry 1")]


def test_all_of_an_hour_that_came_twice_are_named() -> None:
    assert found(told(0, 60, 1, 2, 61)) == [(2, "entry 1"), (3, "entry 1")]


def test_a_clock_that_was_set_back_and_says_so_explains_what_follows() -> None:
    assert found(told(0, 60, 1, 2, 61, set_back=2)) == []
    assert found(told(0, 60, 10, 11, 5, set_back=2)) == [(4, "entry 3")]


def test_a_time_stamp_contradicts_what_came_later_and_says_earlier() -> None:
    assert found(told(0, 1, 2, 3, 31, seen=(STAMP,))) == [(3, "a time-stamp")]


def test_a_clock_that_says_that_it_was_set_back_does_not_explain_away_a_time_stamp() -> None:
    assert found(told(0, 1, 2, 3, 31, set_back=3, seen=(STAMP,))) == [(3, "a time-stamp")]


def test_the_latest_that_contradicts_is_named() -> None:
    others = (STAMP, Seen(4, NOW + 40 * MINUTE, "a later one"), Seen(4, NOW + 20 * MINUTE, "an older one"))
    assert found(told(0, 1, 2, 35, 3, seen=others)) == [(4, "a later one")]


def test_so_many_are_named_and_all_are_counted() -> None:
    order = told(100, *range(MAX_NAMED + 5))
    assert (len(order.named), order.count) == (MAX_NAMED, MAX_NAMED + 5)


@pytest.mark.parametrize(
    ("number", "at"), [(2, None), (3, NOW + 30 * MINUTE), (9, NOW + 30 * MINUTE), (10, NOW + 45 * MINUTE)]
)
def test_whoever_saw_the_record_end_before_an_entry_knows_when_it_was_not_there(
    number: int, at: datetime | None
) -> None:
    latest = not_before(number, [STAMP, Seen(10, NOW + 45 * MINUTE, "b")])
    assert (None if latest is None else latest.at) == at


@pytest.mark.parametrize(("number", "by"), [(2, "a"), (3, "b"), (9, "b"), (10, None)])
def test_whoever_saw_the_record_with_an_entry_knows_that_it_was_there(number: int, by: str | None) -> None:
    earliest = existed_before(number, [Seen(10, NOW + 45 * MINUTE, "b"), Seen(3, NOW, "a"), Seen(3, NOW + MINUTE, "c")])
    assert (None if earliest is None else earliest.by) == by
