"""What is unusual about the askings of a period, by rules that a person can check by hand.

Each rule compares somebody with themselves at other times or with their colleagues, never with a number for everybody.
A finding is a reason to look at the entries, not a reproach: what is unusual may have a reason that no record knows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from adapter.audit.report import OTHERS, About, Counts, Official

MIN_ASKINGS_A_DAY: Final = 20
"""Fewer on one day are never unusual."""
MIN_OTHER_DAYS: Final = 5
"""Days with askings to compare one day with."""
TIMES_USUAL: Final = 3
"""How many times the usual is unusual: of a day's askings, and of subjects that were asked about once."""
MIN_OFF_HOURS: Final = 3
"""Fewer askings at night or on weekends are never unusual."""
TIMES_SHARE: Final = 2
"""How many times the share of the colleagues is unusual."""
MIN_REPEATED: Final = 5
"""How often one official has to ask about one subject."""
MIN_ALONE: Final = 20
"""About how many subjects that nobody else asked about one official has to ask, each once."""
MIN_COLLEAGUES: Final = 2
"""Officials of the same member to compare with."""
MAX_OF_A_KIND: Final = 20
"""The most unusual of each kind are named; how many there were is said."""


class PatternKind(Enum):
    """The rules, in the order in which their findings are shown."""

    VOLUME = "volume"
    OFF_HOURS = "hours"
    REPEATED = "repeated"
    ALONE = "once"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A finding. count: how often it was; usual: what it is compared with (REPEATED: None).

    VOLUME: askings of a consumer on a day; usual is the median of its other days. OFF_HOURS: of an official at night or
    on weekends, out of `of`; usual is the share of the colleagues. REPEATED: about one subject, by its tag. ALONE:
    subjects about whom nobody else asked; usual is the median of the colleagues.
    """

    kind: PatternKind
    who: str
    count: int
    usual: float | None = None
    of: int = 0
    day: date | None = None
    tag: str | None = None
    official: Official | None = None

    @property
    def weight(self) -> float:
        """How unusual, among findings of its kind."""
        return self.count / max(self.usual, 1.0) if self.kind is PatternKind.VOLUME and self.usual else self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class Patterns:
    """The findings, most unusual first within each kind. found: how many there were of each, shown or not."""

    shown: tuple[Pattern, ...]
    found: Mapping[PatternKind, int]

    def left_out(self) -> Iterator[tuple[PatternKind, int, int]]:
        """The kinds of which not all are shown, with how many are, and how many there were."""
        for kind, found in self.found.items():
            if found > MAX_OF_A_KIND:
                yield kind, MAX_OF_A_KIND, found


def unusual(counts: Counts) -> Patterns:
    """All that the rules find."""
    shown: list[Pattern] = []
    found: dict[PatternKind, int] = {}
    for kind, rule in _RULES.items():
        patterns = sorted(rule(counts), key=lambda one: (-one.weight, one.who, one.day or date.min))
        found[kind] = len(patterns)
        shown += patterns[:MAX_OF_A_KIND]
    return Patterns(shown=tuple(shown), found=found)


def _volume(counts: Counts) -> Iterator[Pattern]:
    """A day on which a consumer asked far more often than on its other days."""
    for consumer, days in counts.consumer_days.items():
        if len(days) <= MIN_OTHER_DAYS or consumer == OTHERS:
            continue
        ordered = sorted(days.values())
        for day, count in days.items():
            usual = _median_of_others(ordered, count)
            if count >= MIN_ASKINGS_A_DAY and count >= TIMES_USUAL * usual:
                yield Pattern(kind=PatternKind.VOLUME, who=consumer, count=count, usual=usual, day=day)


def _off_hours(counts: Counts) -> Iterator[Pattern]:
    """An official who asks at night or on weekends far more often than the colleagues do."""
    asked: Counter[str] = Counter()
    off_hours: Counter[str] = Counter()
    for official, tally in counts.officials.items():
        asked[official.member] += tally.asked
        off_hours[official.member] += tally.off_hours
    for official, tally in counts.officials.items():
        others = asked[official.member] - tally.asked
        usual = (off_hours[official.member] - tally.off_hours) / others if others else 0.0
        if tally.off_hours >= MIN_OFF_HOURS and tally.off_hours / tally.asked >= TIMES_SHARE * usual:
            yield Pattern(
                kind=PatternKind.OFF_HOURS,
                who=str(official),
                official=official,
                count=tally.off_hours,
                of=tally.asked,
                usual=usual,
            )


def _repeated(counts: Counts) -> Iterator[Pattern]:
    """An official who asks about one subject again and again."""
    for official, about in counts.about.items():
        if about.most >= MIN_REPEATED:
            yield Pattern(
                kind=PatternKind.REPEATED, who=str(official), official=official, count=about.most, tag=about.most_tag
            )


def _alone(counts: Counts) -> Iterator[Pattern]:
    """An official who asks about many subjects once each, about whom nobody else asks."""
    by_member: dict[str, dict[Official, int]] = defaultdict(dict)
    for official in counts.officials:
        by_member[official.member][official] = counts.about.get(official, About()).alone
    for alone in by_member.values():
        if len(alone) <= MIN_COLLEAGUES:
            continue
        ordered = sorted(alone.values())
        for official, count in alone.items():
            usual = _median_of_others(ordered, count)
            if count >= MIN_ALONE and count >= TIMES_USUAL * usual:
                yield Pattern(kind=PatternKind.ALONE, who=str(official), official=official, count=count, usual=usual)


def _median_of_others(ordered: Sequence[int], one: int) -> float:
    """The median of sorted numbers without one of them."""
    left_out, count = bisect_left(ordered, one), len(ordered) - 1

    def at(position: int) -> int:
        return ordered[position + (position >= left_out)]

    return (at((count - 1) // 2) + at(count // 2)) / 2


_RULES: Final = {
    PatternKind.VOLUME: _volume,
    PatternKind.OFF_HOURS: _off_hours,
    PatternKind.REPEATED: _repeated,
    PatternKind.ALONE: _alone,
}
