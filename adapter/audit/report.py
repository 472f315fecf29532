"""The record as an inspector reads it: who asked how often, for what, by which rule, and what is unusual about it.

Counted is every asking: a request that was let in or sent, and every refusal of which it was known who asked. Entries
are taken one by one; what is kept of them grows with the consumers, officials and days, never with the entries. Who
asked about whom is given to a `PairCounter`, which may keep it on disk.

An official is known by the member and the number that the member gave them. Names that anybody can make up (an
official, a purpose in a refused request) are counted apart up to a bound, and together past it.

What was called an emergency is counted like everything else, and once more apart, with what its reviews found.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from enum import Enum
from typing import Any, Final, Protocol

from adapter.audit.entry import CALL_REFUSED, REFUSED, REQUEST_RECEIVED, REQUEST_SENT
from adapter.audit.reviews import ReviewFinding

ASKING_KINDS: Final = (REQUEST_RECEIVED, REFUSED, REQUEST_SENT, CALL_REFUSED)
_LET_IN: Final = frozenset((REQUEST_RECEIVED, REQUEST_SENT))
MAX_NAMES: Final = 100_000
"""Of one dimension; further ones are counted as OTHERS."""
OTHERS: Final = "…"
_SATURDAY: Final = 5
HOURS: Final = 24
DAYS_OF_WEEK: Final = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """One asking, as an entry says it. subjects: tags (audit.subjects). rule: None on the consumer's side.

    emergency: whether it said that it was one. reviewed: what its review found; None while that is open, and for what
    opened none (audit.reviews).
    """

    at: datetime
    let_in: bool
    consumer: str
    official: str
    service: str
    purpose: str | None
    rule: str | None
    subjects: tuple[str, ...]
    emergency: bool = False
    reviewed: ReviewFinding | None = None

    @classmethod
    def of(cls, at: datetime, body: Mapping[str, Any], reviewed: ReviewFinding | None = None) -> Asking | None:
        """What an entry says; None when nobody knew who asked. body: of one of ASKING_KINDS, proven by nobody here."""
        consumer, official = body.get("consumer"), body.get("official")
        if not isinstance(consumer, str) or not isinstance(official, str):
            return None
        return cls(
            at=at,
            let_in=body.get("kind") in _LET_IN,
            consumer=consumer,
            official=official,
            service=str(body.get("service", "")),
            purpose=_text(body.get("purpose")),
            rule=_text(body.get("rule")),
            subjects=tuple(str(tag) for tag in body.get("subjects") or ()),
            emergency=body.get("emergency") is not None,
            reviewed=reviewed,
        )

    @property
    def member(self) -> str:
        """Whose consumer asked: what an official's number belongs to."""
        return self.consumer.rpartition("/")[0]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class PairCounter(Protocol):
    """Who asked about whom, how often."""

    def add(self, asker: int, tag: str) -> None:
        """Asker number `asker` asked about this subject once more."""

    def by_subject(self) -> Iterator[tuple[str, Mapping[int, int]]]:
        """Each subject once, in any order: its tag, and how often each asker asked about it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """When an agency works. zone: of its clocks. night: the hours from `night_from` to before `night_until`."""

    zone: tzinfo
    night_from: int = 22
    night_until: int = 6

    def local(self, at: datetime) -> datetime:
        """What the agency's clocks showed."""
        return at.astimezone(self.zone)

    def is_off(self, local: datetime) -> bool:
        """Whether it is night, Saturday or Sunday. Holidays are not known."""
        if local.weekday() >= _SATURDAY:
            return True
        start, end = self.night_from, self.night_until
        return start <= local.hour or local.hour < end if start > end else start <= local.hour < end


class Dimension(Enum):
    """By what askings are counted, besides by official."""

    CONSUMER = "consumer"
    PURPOSE = "purpose"
    RULE = "rule"


@dataclass(kw_only=True, slots=True)
class Tally:
    """Of one consumer, purpose, rule or official. off_hours: at night or on a weekend, of all. first, last: local."""

    let_in: int = 0
    refused: int = 0
    off_hours: int = 0
    first: datetime | None = None
    last: datetime | None = None

    @property
    def asked(self) -> int:
        """All of them."""
        return self.let_in + self.refused

    def add(self, asking: Asking, local: datetime, *, off: bool) -> None:
        """Count one more."""
        if asking.let_in:
            self.let_in += 1
        else:
            self.refused += 1
        self.off_hours += off
        self.first = local if self.first is None else min(self.first, local)
        self.last = local if self.last is None else max(self.last, local)


@dataclass(frozen=True, slots=True)
class Official:
    """An official, by the member and the number that it gave them."""

    member: str
    number: str

    def __str__(self) -> str:
        return f"{self.member} {self.number}"


@dataclass(kw_only=True, slots=True)
class About:
    """About whom one official asked. alone: subjects about whom nobody else asked, and this official once.

    most: how often about the subject that was asked about most, and the tag of that subject.
    """

    subjects: int = 0
    alone: int = 0
    most: int = 0
    most_tag: str = ""


@dataclass(kw_only=True, slots=True)
class Emergencies:
    """Of one official. reviews: of those that were let in, by what was found; None: open."""

    tally: Tally = field(default_factory=Tally)
    reviews: Counter[ReviewFinding | None] = field(default_factory=Counter)

    def add(self, asking: Asking, local: datetime, *, off: bool) -> None:
        """Count one more."""
        self.tally.add(asking, local, off=off)
        if asking.let_in:
            self.reviews[asking.reviewed] += 1


@dataclass(kw_only=True)
class Counts:
    """All that is counted.

    unknown: refusals of which nobody knew who asked. days: how often something was let in (True) and refused (False),
    by the agency's calendar. week: askings by weekday, from Monday, and hour.
    """

    entries: int = 0
    unknown: int = 0
    by: Mapping[Dimension, dict[str, Tally]] = field(default_factory=lambda: {one: {} for one in Dimension})
    officials: dict[Official, Tally] = field(default_factory=dict)
    about: dict[Official, About] = field(default_factory=dict)
    emergencies: dict[Official, Emergencies] = field(default_factory=dict)
    days: dict[date, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))
    consumer_days: dict[str, Counter[date]] = field(default_factory=lambda: defaultdict(Counter))
    week: list[list[int]] = field(default_factory=lambda: [[0] * HOURS for _ in range(DAYS_OF_WEEK)])

    @property
    def asked(self) -> int:
        """All askings of which it is known who asked."""
        return self.entries - self.unknown


def count(askings: Iterable[Asking | None], calendar: Calendar, pairs: PairCounter) -> Counts:
    """Count all of them, and who asked about whom."""
    counts = Counts()
    askers: dict[Official, int] = {}
    for asking in askings:
        counts.entries += 1
        if asking is None:
            counts.unknown += 1
            continue
        official = _official(counts, asking)
        _add(counts, asking, official, calendar)
        asker = askers.setdefault(official, len(askers))
        for tag in dict.fromkeys(asking.subjects):
            pairs.add(asker, tag)
    _add_pairs(counts, list(askers), pairs)
    return counts


def _official(counts: Counts, asking: Asking) -> Official:
    official = Official(asking.member, asking.official)
    return official if official in counts.officials or len(counts.officials) < MAX_NAMES else Official(OTHERS, OTHERS)


def _add(counts: Counts, asking: Asking, official: Official, calendar: Calendar) -> None:
    local = calendar.local(asking.at)
    off = calendar.is_off(local)
    named = {
        Dimension.CONSUMER: asking.consumer,
        Dimension.PURPOSE: asking.purpose,
        Dimension.RULE: asking.rule,
    }
    for dimension, name in named.items():
        if name is not None:
            tallies = counts.by[dimension]
            tallies.setdefault(_known(tallies, name), Tally()).add(asking, local, off=off)
    counts.officials.setdefault(official, Tally()).add(asking, local, off=off)
    if asking.emergency:
        counts.emergencies.setdefault(official, Emergencies()).add(asking, local, off=off)
    counts.days[local.date()][asking.let_in] += 1
    counts.consumer_days[_known(counts.consumer_days, asking.consumer)][local.date()] += 1
    counts.week[local.weekday()][local.hour] += 1


def _known(names: Mapping[str, object], name: str) -> str:
    return name if name in names or len(names) < MAX_NAMES else OTHERS


def _add_pairs(counts: Counts, askers: list[Official], pairs: PairCounter) -> None:
    for tag, asked in pairs.by_subject():
        for asker, times in asked.items():
            about = counts.about.setdefault(askers[asker], About())
            about.subjects += 1
            about.alone += len(asked) == 1 and times == 1
            if times > about.most or (times == about.most and tag < about.most_tag):
                about.most, about.most_tag = times, tag
