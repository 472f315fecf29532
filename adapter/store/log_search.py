"""Which entries a search finds, and by which index: never by reading the record through.

A search goes one way, through one index, and holds what that finds against its other conditions. Which one is seen by
counting, up to a bound, how many entries each would look at. The database's planner has no statistics and is not asked:
a condition that must not choose an index is written so that it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, and_, func, or_, select, tuple_

from adapter.audit.document import milliseconds
from adapter.audit.entry import ADMIN
from adapter.store.schema import entries, subjects

DEFAULT_LIMIT: Final = 50
COUNTED: Final = 10_000
"""How many entries are counted of each way; past that one way is as long as another."""
_MAX_BRANCHES: Final = 500
"""How many subsystems or services of one member, or outcomes of one kind, are looked up one by one."""

_number = entries.c.number
_INDEXED: Final[tuple[Column[Any], ...]] = tuple(
    entries.c[name] for name in ("message_id", "incident", "official", "service", "consumer", "purpose")
)
_COMPARED: Final = (*_INDEXED, entries.c.kind, entries.c.outcome)
_NAMING_MEMBERS: Final = (entries.c.consumer, entries.c.service)
_Conditions = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFilter:
    """Which entries to list; None means any.

    since is inclusive, until exclusive. member: who asked, or whose service was asked for. subject: a tag
    (audit.subjects). official, purpose: of requests and refusals, not of the answers to them.
    before: only what comes after this entry in the list, to go on where the last page ended. with_acts: what officers
    did about an exchange too, which may be any number of entries; else only what the exchange itself left.
    """

    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    member: str | None = None
    consumer: str | None = None
    service: str | None = None
    official: str | None = None
    purpose: str | None = None
    outcome: str | None = None
    incident: str | None = None
    message_id: str | None = None
    subject: str | None = None
    before: int | None = None
    with_acts: bool = True
    limit: int = DEFAULT_LIMIT

    @property
    def by_time(self) -> bool:
        """Whether the list is in the order of the clock. Else it is in the order of the record.

        The two differ only where a clock was set back.
        """
        return self.since is not None or self.until is not None


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to go: branches, each a place in one index; and how many entries are there, COUNTED at most."""

    branches: tuple[_Conditions, ...]
    length: int


_ALL: Final = _Way(((),), COUNTED)
"""From the newest entry downwards."""


def found_numbers(connection: Connection, which: LogFilter) -> list[int]:
    """The numbers of the newest entries that fit, newest first, at most `limit`."""
    way = _shortest(connection, which)
    if which.by_time and way.length >= COUNTED:
        way = _Way((_period(which, entries.c.at_ms),), COUNTED)
    conditions = (*conditions_of(which), *_after(connection, which))
    order = (entries.c.at_ms, _number) if which.by_time else (_number,)
    found: set[tuple[int, ...]] = set()
    for branch in way.branches:
        page = select(*order).where(*branch, *conditions).order_by(*(one.desc() for one in order))
        found.update(tuple(row) for row in connection.execute(page.limit(which.limit)))
    return [row[-1] for row in sorted(found, reverse=True)[: which.limit]]


def conditions_of(which: LogFilter) -> _Conditions:
    """Every condition of a search but `before`, in a form that chooses no index."""
    conditions = [
        unindexed(column) == wanted for column in _COMPARED if (wanted := getattr(which, column.name)) is not None
    ]
    if not which.with_acts:
        conditions.append(unindexed(entries.c.kind) != ADMIN)
    if which.member is not None:
        prefix = f"{which.member}/"
        conditions.append(or_(*(func.substr(column, 1, len(prefix)) == prefix for column in _NAMING_MEMBERS)))
    if which.by_time:
        conditions.append(and_(*_period(which, unindexed(entries.c.at_ms))))
    if which.subject is not None:
        about = (subjects.c.tag == which.subject, subjects.c.number == _number)
        conditions.append(select(subjects.c.number).where(*about).exists())
    return tuple(conditions)


def _after(connection: Connection, which: LogFilter) -> _Conditions:
    """What comes after the entry where the last page ended."""
    if which.before is None:
        return ()
    if which.by_time:
        at_ms = connection.execute(select(entries.c.at_ms).where(_number == which.before)).scalar()
        if at_ms is not None:
            return (tuple_(unindexed(entries.c.at_ms), _number) < tuple_(at_ms, which.before),)
    return (_number < which.before,)


# --- the ways --------------------------------------------------------------------------------------------------------


def _shortest(connection: Connection, which: LogFilter) -> _Way:
    """The way that looks at the fewest entries; of equal ones the first."""
    best: _Way | None = None
    for branches in _ways(connection, which):
        length = _length(connection, branches)
        if best is None or length < best.length:
            best = _Way(branches, length)
        if length == 0:
            break
    return best or _ALL


def _ways(connection: Connection, which: LogFilter) -> Iterator[tuple[_Conditions, ...]]:
    for column in _INDEXED:
        wanted = getattr(which, column.name)
        if wanted is not None:
            yield ((column == wanted,),)
    if which.subject is not None:
        yield ((_number.in_(select(subjects.c.number).where(subjects.c.tag == which.subject)),),)
    if which.by_time:
        yield (_period(which, entries.c.at_ms),)
    if which.member is not None:
        yield _branches(
            *(
                (column == one,)
                for column in _NAMING_MEMBERS
                for one in _distinct(connection, column, below=f"{which.member}/")
            )
        )
    if which.kind is not None and which.outcome is not None:
        yield ((entries.c.kind == which.kind, entries.c.outcome == which.outcome),)
    elif which.kind is not None:
        of_kind = entries.c.kind == which.kind
        outcomes = _distinct(connection, entries.c.outcome, of_kind)
        yield _branches(
            (of_kind, entries.c.outcome.is_(None)), *((of_kind, entries.c.outcome == one) for one in outcomes)
        )
    elif which.outcome is not None:
        kinds = _distinct(connection, entries.c.kind)
        yield _branches(*((entries.c.kind == one, entries.c.outcome == which.outcome) for one in kinds))


def _branches(*branches: _Conditions) -> tuple[_Conditions, ...]:
    """These; all entries when they are so many that going through them one by one is no shorter."""
    return branches if len(branches) <= _MAX_BRANCHES else _ALL.branches


def _length(connection: Connection, branches: tuple[_Conditions, ...]) -> int:
    length = 0
    for branch in branches:
        if not branch:
            return COUNTED
        counted = select(_number).where(*branch).limit(COUNTED - length).subquery()
        length += int(connection.execute(select(func.count()).select_from(counted)).scalar_one())
        if length >= COUNTED:
            break
    return length


def _distinct(
    connection: Connection, column: Column[Any], *fixed: ColumnElement[bool], below: str = ""
) -> Iterator[str]:
    """The values of an indexed column, from one to the next: as many look-ups as there are values.

    fixed: what the index has before this column. below: with which the values begin.
    """
    last = below
    end = below[:-1] + chr(ord(below[-1]) + 1) if below else None
    for _ in range(_MAX_BRANCHES + 1):
        larger = select(func.min(column)).where(*fixed, column > last)
        value = connection.execute(larger if end is None else larger.where(column < end)).scalar()
        if value is None:
            return
        yield value
        last = value


def _period(which: LogFilter, at_ms: ColumnElement[int]) -> _Conditions:
    bounds: list[ColumnElement[bool]] = []
    if which.since is not None:
        bounds.append(at_ms >= milliseconds(which.since))
    if which.until is not None:
        bounds.append(at_ms < milliseconds(which.until))
    return tuple(bounds)


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value of a column, as an expression that no index is of."""
    return column + 0 if column is entries.c.at_ms else column.concat("")
