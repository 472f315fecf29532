"""What is counted for an inspector, and what the rules call unusual: each at its edge."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from adapter.audit import report
from adapter.audit.report import OTHERS, Asking, Calendar, Counts, Dimension, Official, count
from adapter.audit.report_patterns import MAX_OF_A_KIND, Pattern, PatternKind, unusual
from adapter.audit.reviews import ReviewFinding

TASHKENT = timezone(timedelta(hours=5))
CALENDAR = Calendar(zone=TASHKENT)
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=TASHKENT)
MEMBER = "UZ/GOV/200000003"
BENEFITS = f"{MEMBER}/benefits"


class Pairs:
    """Who asked about whom, in memory."""

    def __init__(self) -> None:
        self._asked: dict[str, Counter[int]] = defaultdict(Counter)

    def add(self, asker: int, tag: str) -> None:
        self._asked[tag][asker] += 1

    def by_subject(self) -> Iterator[tuple[str, Mapping[int, int]]]:
        yield from self._asked.items()


def asked(at: datetime = MONDAY, *subjects: str, reviewed: ReviewFinding | None = None, **said: Any) -> Asking:
    body = {
        "kind": "request-received",
        "consumer": BENEFITS,
        "official": "A-1",
        "service": "UZ/GOV/200000001/population/GetPerson/v1",
        "purpose": "benefit",
        "rule": "rule-1",
        "subjects": list(subjects),
        **said,
    }
    made = Asking.of(at, body, reviewed)
    assert made is not None
    return made


def counted(*askings: Asking | None) -> Counts:
    return count(askings, CALENDAR, Pairs())


def found(kind: PatternKind, *askings: Asking) -> list[Pattern]:
    return [one for one in unusual(counted(*askings)).shown if one.kind is kind]


# --- counting --------------------------------------------------------------------------------------------------------


def test_askings_are_counted_by_consumer_purpose_rule_and_official() -> None:
    evening = MONDAY.replace(hour=23)
    counts = counted(asked(), asked(evening, kind="refused", rule=None), asked(official="A-2", purpose="pension"), None)
    assert (counts.entries, counts.asked, counts.unknown) == (4, 3, 1)
    tally = counts.by[Dimension.CONSUMER][BENEFITS]
    assert (tally.asked, tally.let_in, tally.refused, tally.off_hours) == (3, 2, 1, 1)
    assert (tally.first, tally.last) == (MONDAY, evening)
    assert {name: one.asked for name, one in counts.by[Dimension.PURPOSE].items()} == {"benefit": 2, "pension": 1}
    assert {name: one.asked for name, one in counts.by[Dimension.RULE].items()} == {"rule-1": 2}
    assert {str(one): tally.asked for one, tally in counts.officials.items()} == {
        f"{MEMBER} A-1": 2,
        f"{MEMBER} A-2": 1,
    }
    assert counts.days[date(2026, 3, 2)] == {True: 2, False: 1}
    assert (counts.week[0][10], counts.week[0][23]) == (2, 1)


@pytest.mark.parametrize("missing", ["consumer", "official"])
def test_a_refusal_of_which_nobody_knew_who_asked_is_a_number(missing: str) -> None:
    body = {"kind": "refused", "consumer": BENEFITS, "official": "A-1", "claimed": {"official": "A-1"}}
    assert Asking.of(MONDAY, {**body, missing: None}) is None


def test_the_days_are_those_of_the_agency() -> None:
    late = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)  # half past one on Monday in Tashkent
    counts = counted(asked(late))
    assert list(counts.days) == [date(2026, 3, 2)]
    assert counts.week[0][1] == 1


@pytest.mark.parametrize(
    ("hour", "day", "off"),
    [(22, 2, True), (21, 2, False), (5, 2, True), (6, 2, False), (12, 7, True), (12, 8, True), (12, 6, False)],
)
def test_night_and_weekend(hour: int, day: int, *, off: bool) -> None:
    assert CALENDAR.is_off(datetime(2026, 3, day, hour, tzinfo=TASHKENT)) is off


def test_a_night_may_begin_after_midnight() -> None:
    calendar = Calendar(zone=TASHKENT, night_from=1, night_until=4)
    assert [hour for hour in range(24) if calendar.is_off(MONDAY.replace(hour=hour))] == [1, 2, 3]


def test_names_past_the_bound_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A member can make up any number of purposes and officials."""
    monkeypatch.setattr(report, "MAX_NAMES", 3)
    counts = counted(*(asked(purpose=f"p{one}", official=f"A-{one}", consumer=f"{BENEFITS}{one}") for one in range(9)))
    for names in (counts.by[Dimension.PURPOSE], counts.by[Dimension.CONSUMER]):
        assert len(names) == 4
        assert names[OTHERS].asked == 6
    assert len(counts.officials) == 4
    assert counts.officials[Official(OTHERS, OTHERS)].asked == 6
    assert len(counts.consumer_days) == 4


def test_about_whom_an_official_asked() -> None:
    counts = counted(
        asked(MONDAY, "x", "x", "y"), asked(MONDAY, "x"), asked(MONDAY, "z"), asked(MONDAY, "y", official="A-2")
    )
    about = counts.about[Official(MEMBER, "A-1")]
    assert (about.subjects, about.alone, about.most, about.most_tag) == (3, 1, 2, "x")
    assert counts.about[Official(MEMBER, "A-2")].alone == 0, "somebody else asked about y too"


def test_emergencies_are_counted_with_all_and_once_more_apart_with_what_their_reviews_found() -> None:
    """A refused one opened no review; an ordinary asking of the same official is none of them."""
    night, called = MONDAY.replace(hour=23), {"reason": "0" * 64}
    counts = counted(
        asked(night, emergency=called),
        asked(night, reviewed=ReviewFinding.JUSTIFIED, emergency=called),
        asked(MONDAY, reviewed=ReviewFinding.UNJUSTIFIED, emergency=called),
        asked(MONDAY, kind="refused", rule=None, emergency=called),
        asked(),
        asked(official="A-2"),
    )
    assert list(counts.emergencies) == [Official(MEMBER, "A-1")]
    apart = counts.emergencies[Official(MEMBER, "A-1")]
    assert (apart.tally.asked, apart.tally.let_in, apart.tally.refused, apart.tally.off_hours) == (4, 3, 1, 2)
    assert apart.reviews == {None: 1, ReviewFinding.JUSTIFIED: 1, ReviewFinding.UNJUSTIFIED: 1}
    assert counts.officials[Official(MEMBER, "A-1")].asked == 5


# --- what is unusual -------------------------------------------------------------------------------------------------


def busy(day: int, times: int) -> list[Asking]:
    return [asked(MONDAY + timedelta(days=day), "x") for _ in range(times)]


@pytest.mark.parametrize(("times", "unusual_then"), [(29, False), (30, True)])
def test_a_day_is_compared_with_the_other_days_of_the_consumer(times: int, *, unusual_then: bool) -> None:
    usual = [one for day in range(5) for one in busy(day, 10)]
    patterns = found(PatternKind.VOLUME, *usual, *busy(7, times))
    assert bool(patterns) is unusual_then
    for one in patterns:
        assert (one.who, one.day, one.count, one.usual) == (BENEFITS, date(2026, 3, 9), 30, 10)


def test_few_askings_and_few_days_are_no_measure() -> None:
    assert found(PatternKind.VOLUME, *(one for day in range(5) for one in busy(day, 1)), *busy(7, 19)) == []
    assert found(PatternKind.VOLUME, *(one for day in range(4) for one in busy(day, 1)), *busy(7, 500)) == []


def at_night(times: int, official: str) -> list[Asking]:
    return [asked(MONDAY.replace(hour=2), official=official) for _ in range(times)]


@pytest.mark.parametrize(("night", "day", "unusual_then"), [(3, 0, True), (2, 0, False), (4, 6, True), (3, 6, False)])
def test_the_hours_of_an_official_are_compared_with_those_of_the_colleagues(
    night: int, day: int, *, unusual_then: bool
) -> None:
    colleague = [*at_night(2, "A-2"), *(asked(official="A-2") for _ in range(8))]
    mine = [*at_night(night, "A-1"), *(asked() for _ in range(day))]
    patterns = found(PatternKind.OFF_HOURS, *colleague, *mine)
    assert [one.who for one in patterns] == ([f"{MEMBER} A-1"] if unusual_then else [])
    for one in patterns:
        assert (one.count, one.of, one.usual) == (night, night + day, 0.2)


@pytest.mark.parametrize(("times", "unusual_then"), [(4, False), (5, True)])
def test_asking_about_one_subject_again_and_again(times: int, *, unusual_then: bool) -> None:
    patterns = found(PatternKind.REPEATED, *(asked(MONDAY, "x") for _ in range(times)), asked(MONDAY, "y"))
    assert [(one.count, one.tag) for one in patterns] == ([(times, "x")] if unusual_then else [])


@pytest.mark.parametrize(("subjects", "colleagues", "unusual_then"), [(20, 2, True), (19, 2, False), (20, 1, False)])
def test_asking_once_each_about_many_of_whom_nobody_else_asks(
    subjects: int, colleagues: int, *, unusual_then: bool
) -> None:
    mine = [asked(MONDAY, f"s{one}") for one in range(subjects)]
    others = [asked(MONDAY, f"o{one}-{at}", official=f"B-{one}") for one in range(colleagues) for at in range(6)]
    patterns = found(PatternKind.ALONE, *mine, *others)
    assert [(one.who, one.count, one.usual) for one in patterns] == (
        [(f"{MEMBER} A-1", subjects, 6)] if unusual_then else []
    )


def test_who_asks_about_as_many_as_the_colleagues_is_not_unusual() -> None:
    askings = [asked(MONDAY, f"{one}-{at}", official=f"B-{one}") for one in range(4) for at in range(30)]
    assert found(PatternKind.ALONE, *askings) == []


def test_the_most_unusual_come_first_and_the_rest_is_a_number() -> None:
    askings = [
        asked(MONDAY, f"of {one}", official=f"A-{one}") for one in range(MAX_OF_A_KIND + 4) for _ in range(5 + one)
    ]
    patterns = unusual(counted(*askings))
    repeated = [one.count for one in patterns.shown if one.kind is PatternKind.REPEATED]
    assert repeated == list(range(MAX_OF_A_KIND + 8, 8, -1))
    assert list(patterns.left_out()) == [(PatternKind.REPEATED, MAX_OF_A_KIND, MAX_OF_A_KIND + 4)]
