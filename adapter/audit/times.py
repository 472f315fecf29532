"""Whether the times that entries say go forward: what is entered late cannot say that it is old without being noticed.

An entry's place is proved; its time is what the adapter's clock said. Others know of the place at times of their own: a
time-stamp over the first 800 entries, and a checkpoint of 800 entries that another adapter was shown, both say that
entry 800 and all after it came later than that, by a clock that is not the adapter's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

TOLERANCE: Final = timedelta(seconds=60)
"""Entries of several workers cross by as long as one of them waits for the database, and clocks differ a little."""

MAX_NAMED: Final = 20
"""Entries that are named; all are counted. Each entry of an hour that comes twice is one."""


class Seen(NamedTuple):
    """The record had so many entries when somebody looked at it. at: by their clock, or by the record's own."""

    size: int
    at: datetime
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierTime:
    """An entry that says an earlier time than its place allows. seen: what contradicts it."""

    number: int
    at: datetime
    seen: Seen


@dataclass(frozen=True, kw_only=True, slots=True)
class Dating:
    """When an entry was there, which itself says that it was made `at`. after, before: what others saw, if they did."""

    at: datetime
    after: Seen | None
    before: Seen | None

    @property
    def contradicted(self) -> bool:
        """Whether the entry says an earlier time than its place allows, or a later one than it was seen at."""
        is_old = self.after is not None and self.at < self.after.at - TOLERANCE
        return is_old or (self.before is not None and self.at > self.before.at + TOLERANCE)


class TimeOrder:
    """Told of every entry, in order; names those whose time is contradicted by what came before their place."""

    def __init__(self, seen: Iterable[Seen] = ()) -> None:
        """seen: what others know of the record, such as time-stamps."""
        self._by_others = sorted(seen, key=lambda one: one.size, reverse=True)
        self._others: Seen | None = None
        self._own: Seen | None = None
        self._named: list[EarlierTime] = []
        self.count = 0

    @property
    def named(self) -> tuple[EarlierTime, ...]:
        """The first MAX_NAMED of them."""
        return tuple(self._named)

    def take(self, number: int, at: datetime, *, clock_set_back: bool) -> None:
        """The next entry. clock_set_back: it says itself that from here on times are earlier."""
        while self._by_others and self._by_others[-1].size <= number:
            self._others = _later(self._others, self._by_others.pop())
        if clock_set_back:
            self._own = None
        contradicted = max(
            (one for one in (self._own, self._others) if one is not None and at < one.at - TOLERANCE),
            key=lambda one: one.at,
            default=None,
        )
        if contradicted is not None:
            self.count += 1
            if len(self._named) < MAX_NAMED:
                self._named.append(EarlierTime(number=number, at=at, seen=contradicted))
        self._own = _later(self._own, Seen(number + 1, at, f"entry {number}"))


def stamped_by(authority: str, size: int) -> str:
    """How a time-stamp over so many entries is named."""
    return f"{authority} put a time-stamp on {size} entries"


def cosigned_by(witness: str, size: int) -> str:
    """How a witness's cosignature over so many entries is named."""
    return f"the witness {witness} cosigned {size} entries"


def date_entry(number: int, at: datetime, seen: Sequence[Seen]) -> Dating:
    """What those who saw the record say of when this entry came into it. at: what it says itself."""
    return Dating(at=at, after=not_before(number, seen), before=existed_before(number, seen))


def not_before(number: int, seen: Sequence[Seen]) -> Seen | None:
    """The latest that somebody saw the record end before this entry; None when nobody did.

    For whoever is shown an entry with the proof of its place: what says an earlier time than that is backdated.
    """
    fitting = [one for one in seen if one.size <= number]
    return max(fitting, key=lambda one: one.at, default=None)


def existed_before(number: int, seen: Sequence[Seen]) -> Seen | None:
    """The earliest that somebody saw the record with this entry in it; None when nobody did."""
    return min((one for one in seen if one.size > number), key=lambda one: one.at, default=None)


def _later(one: Seen | None, other: Seen) -> Seen:
    return other if one is None or other.at > one.at else one
