"""The askings of a period, one by one, and who asked about whom: kept on disk where it is too much for memory."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import Any, Final, Self, cast

from sqlalchemy import ColumnElement, case, func, select, tuple_

from adapter.audit.document import milliseconds, moment, read_document
from adapter.audit.report import ASKING_KINDS, Asking
from adapter.errors import RecordBroken
from adapter.store.engine import Database
from adapter.store.reviews import closings_of
from adapter.store.schema import entries

Progress = Callable[[int, int], None]
"""Told how many entries of the period of how many were read."""

_PAGE_ROWS: Final = 2_000
_PARTS: Final = 64
_IN_MEMORY_OCTETS: Final = 1 << 20
_PAIR: Final = struct.Struct(">I32s")
_PAIRS_AT_ONCE: Final = 4_096


def read_askings(
    database: Database, since: datetime | None, until: datetime | None, progress: Progress
) -> Iterator[Asking | None]:
    """The askings of a period, by time; None for a refusal of which nobody knew who asked.

    What a review found is what the record says now, also after the period.
    since is inclusive, until exclusive. Raises StoreUnusable, RecordBroken.
    """
    at_ms, number = entries.c.at_ms, entries.c.number
    period: list[ColumnElement[bool]] = []
    if since is not None:
        period.append(at_ms >= milliseconds(since))
    if until is not None:
        period.append(at_ms < milliseconds(until))
    with database.reading() as connection:
        total = connection.execute(select(func.count(at_ms)).where(*period)).scalar_one()
    asking = case((entries.c.kind.in_(ASKING_KINDS), entries.c.document)).label("asking")
    page = select(at_ms, number, asking).where(*period).order_by(at_ms, number).limit(_PAGE_ROWS)
    done = 0
    wanted = page
    while True:
        with database.reading() as connection:
            rows = connection.execute(wanted).all()
            bodies = {row.number: _body(row.number, row.asking) for row in rows if row.asking is not None}
            emergencies = [number for number, body in bodies.items() if body.get("emergency") is not None]
            closings = closings_of(connection, emergencies)
        for row in rows:
            if row.number in bodies:
                closing = closings.get(row.number)
                found = None if closing is None else closing.finding
                yield Asking.of(moment(row.at_ms), bodies[row.number], found)
        done += len(rows)
        progress(done, total)
        if len(rows) < _PAGE_ROWS:
            return
        wanted = page.where(tuple_(at_ms, number) > tuple_(*rows[-1][:2]), at_ms >= rows[-1].at_ms)


def _body(number: int, document: str) -> Mapping[str, Any]:
    try:
        return read_document(document)[0]
    except RecordBroken as error:
        raise RecordBroken(f"entry {number}: {error.reason}") from error


class SpooledPairs:
    """Counts who asked about whom (audit.report.PairCounter), ten million times in the memory of a few.

    All of one subject are in one of 64 parts, by its tag, a keyed hash; each part is a file without a name, in memory
    as long as it is small, of 36 octets for each asking. So a sixty-fourth is counted at once. Use it as a context.
    """

    def __init__(self) -> None:
        self._files = ExitStack()
        self._parts = [self._files.enter_context(_spooled()) for _ in range(_PARTS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def add(self, asker: int, tag: str) -> None:
        """Asker number `asker` asked about this subject once more. A tag that is none is not counted."""
        try:
            octets = bytes.fromhex(tag)
        except ValueError:
            return
        if len(octets) == 32:
            self._parts[octets[0] % _PARTS].write(_PAIR.pack(asker, octets))

    def by_subject(self) -> Iterator[tuple[str, Mapping[int, int]]]:
        """Each subject once, in any order: its tag, and how often each asker asked about it."""
        for part in self._parts:
            part.seek(0)
            counted: dict[bytes, dict[int, int]] = defaultdict(dict)
            while octets := part.read(_PAIR.size * _PAIRS_AT_ONCE):
                for asker, tag in cast("Iterator[tuple[int, bytes]]", _PAIR.iter_unpack(octets)):
                    counted[tag][asker] = counted[tag].get(asker, 0) + 1
            for tag, asked in counted.items():
                yield tag.hex(), asked


def _spooled() -> SpooledTemporaryFile[bytes]:
    return SpooledTemporaryFile(max_size=_IN_MEMORY_OCTETS)
