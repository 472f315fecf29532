"""The reviews of emergency access, read from the record, and closed in it (audit.reviews)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, cast, exists, func, literal, select

from adapter.audit.admin import admin_entry
from adapter.audit.canonical import canonical_json
from adapter.audit.document import moment, read_document
from adapter.audit.reviews import (
    CLOSED,
    CLOSING_TAG,
    OPENED_TAG,
    Closing,
    Review,
    ReviewFinding,
    Reviews,
    closing_details,
    closing_tag,
)
from adapter.errors import CommandRefused, RecordBroken
from adapter.identifiers import RecordNumber
from adapter.store.appending import Log, append
from adapter.store.engine import Database
from adapter.store.schema import entries, subjects

_LINE: Final[tuple[ColumnElement[Any], ...]] = (entries.c.number, entries.c.at_ms, entries.c.document)
_opened = subjects.alias("opened")
_closing = subjects.alias("closing")
_IS_OPENED: Final = _opened.c.tag == OPENED_TAG
_IS_CLOSED: Final = exists().where(_closing.c.tag == literal(CLOSING_TAG).concat(cast(_opened.c.number, Text)))
_REVIEWS: Final = select(*_LINE).join(_opened, _opened.c.number == entries.c.number).where(_IS_OPENED)
OPEN_REVIEWS: Final = _REVIEWS.where(~_IS_CLOSED).order_by(_opened.c.number)
"""Two looks into the index for each emergency that there ever was; none of them reads an entry that is closed."""
_COUNTED: Final = select(func.count(), func.min(_opened.c.number)).select_from(_opened).where(_IS_OPENED)


class EmergencyReviews:
    """For any thread; every method raises StoreUnusable, and RecordBroken for an entry that is unreadable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self) -> Reviews:
        """How many there are, how many are open, and since when."""
        with self._database.reading() as connection:
            total = connection.execute(_COUNTED).one()[0]
            count, oldest = connection.execute(_COUNTED.where(~_IS_CLOSED)).one()
            since = None
            if oldest is not None:
                since = moment(
                    connection.execute(select(entries.c.at_ms).where(entries.c.number == oldest)).scalar_one()
                )
        return Reviews(total=total, open=count, oldest=since)

    def open(self, *, limit: int) -> list[Review]:
        """Those that nobody closed, oldest first."""
        with self._database.reading() as connection:
            return _found(connection, OPEN_REVIEWS.limit(limit))

    def all(self, *, limit: int) -> list[Review]:
        """The newest ones, newest first, open or closed."""
        with self._database.reading() as connection:
            return _found(connection, _REVIEWS.order_by(_opened.c.number.desc()).limit(limit))

    def find(self, number: int) -> Review:
        """The review that an entry opened. Raises CommandRefused: it opened none."""
        with self._database.reading() as connection:
            return _one(connection, number)

    def close(
        self, number: int, finding: ReviewFinding, note: str, *, officer: str, log: Log, now: datetime
    ) -> RecordNumber:
        """Enter what an officer found, once; gives the number of that entry. Raises CommandRefused."""
        details = closing_details(number, finding, note)
        if json.loads(canonical_json(details)) != details:
            raise CommandRefused("the note is too long")
        with self._database.writing() as connection:
            review = _one(connection, number)
            if review.closing is not None:
                raise CommandRefused(
                    f"the review of entry {number} is closed already, in entry {review.closing.number}"
                )
            return append(connection, log, (admin_entry(CLOSED, officer=officer, at=now, details=details),))[0]


def _one(connection: Connection, number: int) -> Review:
    found = _found(connection, _REVIEWS.where(_opened.c.number == number))
    if not found:
        raise CommandRefused(f"entry {number} is about no emergency access, so there is no review of it")
    return found[0]


def _found(connection: Connection, wanted: Select[Any]) -> list[Review]:
    rows = connection.execute(wanted).all()
    closings = closings_of(connection, [row.number for row in rows])
    return [
        Review(
            number=RecordNumber(row.number),
            at=moment(row.at_ms),
            body=read_document(row.document)[0],
            closing=closings.get(row.number),
        )
        for row in rows
    ]


def closings_of(connection: Connection, numbers: Iterable[int]) -> dict[int, Closing]:
    """Which of these reviews are closed, by the number of the entry that opened them. Raises RecordBroken."""
    tags = [closing_tag(number) for number in numbers]
    wanted = select(*_LINE).join(subjects, subjects.c.number == entries.c.number).where(subjects.c.tag.in_(tags))
    return dict(_closing_of(row) for row in connection.execute(wanted)) if tags else {}


def _closing_of(row: Row[Any]) -> tuple[int, Closing]:
    body, _ = read_document(row.document)
    try:
        details = body["details"]
        return details["review_of"], Closing(
            number=RecordNumber(row.number),
            at=moment(row.at_ms),
            officer=body["officer"],
            finding=ReviewFinding(details["finding"]),
            note=details["note"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordBroken(f"entry {row.number}, which closes a review, is unreadable") from error
