"""What one person is told of the record, with proofs: entries about them and the answers to these. Never writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, select

from adapter.audit.document import moment, read_document
from adapter.audit.entry import REFUSED, REPLY_SENT, REQUEST_RECEIVED
from adapter.audit.usage import Asked, LineProof, RecordLine, UsageAnswer, UsageQuestion, usage_view
from adapter.directory.model import Directory
from adapter.errors import LimitExceeded
from adapter.identifiers import RecordNumber
from adapter.store.engine import Database
from adapter.store.log_reader import LogReader
from adapter.store.log_search import unindexed
from adapter.store.schema import entries, subjects
from adapter.store.secrecy_orders import SecrecyOrders

MAX_ENTRIES: Final = 100_000
_PAGE_ROWS: Final = 500
_LINE: Final[tuple[ColumnElement[Any], ...]] = (
    entries.c.number,
    entries.c.leaf_hash,
    entries.c.at_ms,
    entries.c.message_id,
    entries.c.document,
)


class UsageReader:
    """The record of one adapter, as a person asks it. For any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = LogReader(database)
        self._orders = SecrecyOrders(database)

    def answer(self, tag: str, question: UsageQuestion, directory: Directory, *, now: datetime) -> UsageAnswer:
        """The page that is asked for, and what proves it. tag: of the person (audit.subjects).

        Raises CommandRefused: no checkpoint was signed at question.size; LimitExceeded, RecordBroken, StoreUnusable.
        """
        checkpoint = self._log.latest_checkpoint() if question.size is None else self._log.checkpoint_at(question.size)
        size = 0 if checkpoint is None else checkpoint.size
        orders = tuple(self._orders.all().values())
        bounded = replace(question, size=size)
        view = usage_view(self.asked(tag), bounded, directory, now=now, orders=orders)
        proofs = tuple(
            LineProof(
                request=self._log.prove_entry(line.request.number, size).path,
                answer=self._log.prove_entry(line.answer.number, size).path,
            )
            for line in view.lines
        )
        note = None if checkpoint is None else checkpoint.note
        return UsageAnswer(view=view, first=question.first, size=size, checkpoint=note, proofs=proofs)

    def asked(self, tag: str) -> Iterator[Asked]:
        """Requests let in and refusals about a person (a tag of audit.subjects), newest first.

        Raises LimitExceeded past MAX_ENTRIES, RecordBroken, StoreUnusable.
        """
        before, left = None, MAX_ENTRIES
        while True:
            with self._database.reading() as connection:
                page = _page(connection, tag, before)
                answers = _answers(connection, page)
            left -= len(page)
            if left < 0:
                raise LimitExceeded(f"more than {MAX_ENTRIES} entries are about this subject")
            for row in page:
                yield Asked(entry=_line(row), answer=answers.get(row.number))
            if len(page) < _PAGE_ROWS:
                return
            before = page[-1].number


def _page(connection: Connection, tag: str, before: int | None) -> Sequence[Row[Any]]:
    about = (
        select(*_LINE)
        .join(subjects, subjects.c.number == entries.c.number)
        .where(subjects.c.tag == tag, unindexed(entries.c.kind).in_((REQUEST_RECEIVED, REFUSED)))
    )
    if before is not None:
        about = about.where(subjects.c.number < before)
    return connection.execute(about.order_by(subjects.c.number.desc()).limit(_PAGE_ROWS)).all()


def _answers(connection: Connection, page: Sequence[Row[Any]]) -> dict[int, RecordLine]:
    """The number of a request's entry to the entry of its answer. A message id alone is unique to its consumer only."""
    ids = {row.message_id for row in page if row.message_id is not None}
    of_these = (entries.c.message_id.in_(ids), unindexed(entries.c.kind) == REPLY_SENT)
    found = select(*_LINE).where(*of_these)
    lines = [_line(row) for row in connection.execute(found)] if ids else []
    return {line.body["request_entry"]: line for line in lines if isinstance(line.body.get("request_entry"), int)}


def _line(row: Row[Any]) -> RecordLine:
    body, _ = read_document(row.document)
    return RecordLine(number=RecordNumber(row.number), leaf_hash=row.leaf_hash, at=moment(row.at_ms), body=body)
