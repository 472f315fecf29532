"""Administrative entries, by their outcomes: what rules, approvals, holds, orders, alarms and erasures are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from adapter.audit.document import moment, read_document
from adapter.audit.entry import ADMIN
from adapter.store.schema import entries


class Act(NamedTuple):
    """An administrative entry. body: all that it says, `details` among it."""

    number: int
    at: datetime
    outcome: str
    body: Mapping[str, Any]


def read_acts(connection: Connection, outcomes: Collection[str], *, newest_first: bool = False) -> Iterator[Act]:
    """Every act with one of these outcomes, as of this transaction, in the order of the record.

    They are found by the index of kind and outcome. Raises RecordBroken, when it gets there: an entry is unreadable.
    """
    columns = (entries.c.number, entries.c.at_ms, entries.c.outcome, entries.c.document)
    wanted = select(*columns).where(entries.c.kind == ADMIN, entries.c.outcome.in_(outcomes))
    ordered = wanted.order_by(entries.c.number.desc() if newest_first else entries.c.number)
    for number, at_ms, outcome, document in connection.execute(ordered):
        yield Act(number, moment(at_ms), outcome, read_document(document)[0])
