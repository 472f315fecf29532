"""How long a search of a large record takes, for each way to search: from memory, and from the disk.

Each search is one call of `LogReader.search`, with a connection of its own, as `adapter log list` makes it; the time of
the interpreter's start is not in it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from adapter.audit.entry import REPLY_SENT
from adapter.store.log_reader import LogFilter, LogReader
from bench.record_filling import BEGAN, INCIDENT_EVERY, MadeUp, incident_of

_DAY: Final = timedelta(days=1)
_EACH: Final = 5
"""Different searches of a kind, each once from the disk and then once from memory."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """Searches of one kind, the slowest of them, in milliseconds. found: entries of the last one."""

    what: str
    found: int
    cold_ms: float
    cold_cpu_ms: float
    warm_ms: float
    warm_cpu_ms: float


def search_all(reader: LogReader, path: Path, made_up: MadeUp, size: int) -> Iterator[Searched]:
    """Each kind of search of a record that has `size` made-up entries."""
    for what, filters in _kinds(made_up, size):
        cold, warm, found = [], [], 0
        for which in filters:
            _forget(path)
            cold.append(_took(reader, which)[:2])
            *taken, found = _took(reader, which)
            warm.append(tuple(taken))
        (cold_ms, cold_cpu_ms), (warm_ms, warm_cpu_ms) = (
            tuple(max(values) for values in zip(*each, strict=True)) for each in (cold, warm)
        )
        yield Searched(
            what=what,
            found=found,
            cold_ms=cold_ms,
            cold_cpu_ms=cold_cpu_ms,
            warm_ms=warm_ms,
            warm_cpu_ms=warm_cpu_ms,
        )


def _took(reader: LogReader, which: LogFilter) -> tuple[float, float, int]:
    """Milliseconds by the clock, milliseconds of CPU, entries found."""
    began, cpu = time.perf_counter(), time.thread_time()
    found = len(reader.search(which))
    return (time.perf_counter() - began) * 1e3, (time.thread_time() - cpu) * 1e3, found


def _forget(path: Path) -> None:
    """Let the operating system forget the pages of the database; those that are not on disk yet it keeps."""
    for file in path.parent.glob(f"{path.name}*"):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _kinds(made_up: MadeUp, size: int) -> Iterator[tuple[str, list[LogFilter]]]:
    drawn = random.Random(made_up.seed)
    for what, search in _SEARCHES.items():
        yield what, [search(_Wanted.draw(made_up, size, drawn)) for _ in range(_EACH)]


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What can be searched for: what some request says, and some refusal."""

    number: int
    subject: str
    incident: str
    message_id: str | None
    member: str
    consumer: str | None
    service: str | None
    official: str
    purpose: str
    refusal: str | None
    since: datetime

    @classmethod
    def draw(cls, made_up: MadeUp, size: int, drawn: random.Random) -> _Wanted:
        """Of a record that has so many made-up entries."""
        number = drawn.randrange(size) // 2 * 2
        refused = drawn.randrange(-(-size // INCIDENT_EVERY)) * INCIDENT_EVERY
        entry = made_up.entry(number)
        return cls(
            number=number,
            subject=entry.body["subjects"][0],
            incident=incident_of(refused),
            message_id=entry.message_id,
            member=(entry.consumer or "").rpartition("/")[0],
            consumer=entry.consumer,
            service=entry.service,
            official=entry.body["official"],
            purpose=entry.body["purpose"],
            refusal=made_up.entry(refused).outcome,
            since=BEGAN + (entry.at - BEGAN) // _DAY * _DAY,
        )

    @property
    def until(self) -> datetime:
        """A day later."""
        return self.since + _DAY


_SEARCHES: Final[dict[str, Callable[[_Wanted], LogFilter]]] = {
    "everything, the newest": lambda _: LogFilter(),
    "everything, a page far back": lambda one: LogFilter(before=one.number + 1),
    "subject": lambda one: LogFilter(subject=one.subject),
    "incident": lambda one: LogFilter(incident=one.incident),
    "message id": lambda one: LogFilter(message_id=one.message_id),
    "member": lambda one: LogFilter(member=one.member),
    "consumer": lambda one: LogFilter(consumer=one.consumer),
    "service": lambda one: LogFilter(service=one.service),
    "official": lambda one: LogFilter(official=one.official),
    "purpose": lambda one: LogFilter(purpose=one.purpose),
    "outcome, a refusal": lambda one: LogFilter(outcome=one.refusal),
    "outcome, answered": lambda _: LogFilter(outcome="answered"),
    "kind": lambda _: LogFilter(kind=REPLY_SENT),
    "day": lambda one: LogFilter(since=one.since, until=one.until),
    "subject, day": lambda one: LogFilter(subject=one.subject, since=one.since, until=one.until),
    "official, day": lambda one: LogFilter(official=one.official, since=one.since, until=one.until),
    "consumer, day": lambda one: LogFilter(consumer=one.consumer, since=one.since, until=one.until),
    "member, day": lambda one: LogFilter(member=one.member, since=one.since, until=one.until),
    "purpose, a refusal, day": lambda one: LogFilter(
        purpose=one.purpose, outcome=one.refusal, since=one.since, until=one.until
    ),
    "consumer, service, purpose": lambda one: LogFilter(
        consumer=one.consumer, service=one.service, purpose=one.purpose
    ),
    "consumer, a refusal": lambda one: LogFilter(consumer=one.consumer, outcome=one.refusal),
    "official, consumer, service": lambda one: LogFilter(
        official=one.official, consumer=one.consumer, service=one.service
    ),
    "subject, purpose": lambda one: LogFilter(subject=one.subject, purpose=one.purpose),
    "purpose, answered (no entry has both)": lambda one: LogFilter(purpose=one.purpose, outcome="answered"),
}
