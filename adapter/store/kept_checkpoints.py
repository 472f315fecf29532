"""Verifying the checkpoints of others that are kept here: each is what its member signed, filed as what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from adapter.audit.checkpoint import open_checkpoint, record_origin
from adapter.audit.document import read_document
from adapter.audit.peer_checkpoints import ShownState, shown_checkpoint
from adapter.crypto.note import NoteVerifier
from adapter.errors import AdapterError, RecordBroken
from adapter.identifiers import MemberId
from adapter.store.engine import Database
from adapter.store.schema import entries, peer_checkpoints

_table = peer_checkpoints.c
_ALL: Final = select(_table.member, _table.size, _table.root, _table.note, _table.seen_ms, _table.state).order_by(
    _table.member, _table.size
)
_FROM_MESSAGES: Final = frozenset({ShownState.PENDING, ShownState.FORGED})
"""What stands in these came in a message, whose entry says so. What was proven since may have come in an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedCheckpoints:
    """good: as they were signed. unknown: of members whose key nobody knows here; only their form was judged."""

    good: int
    unknown: int


def check_peer_checkpoints(database: Database, key_of: Callable[[MemberId], NoteVerifier | None]) -> CheckedCheckpoints:
    """Look at every kept checkpoint of another member. key_of: of its record, None when the directory has none.

    Raises RecordBroken at the first that is not what it was, naming it; StoreUnusable.
    """
    good = unknown = 0
    with database.reading_as_stored() as connection:
        for row in connection.execute(_ALL).all():
            what = f"the kept checkpoint of {row.member!a}, of {row.size} entries"
            try:
                known = _check(connection, row, key_of)
            except AdapterError as wrong:
                raise RecordBroken(f"{what}, was changed: {wrong.reason}") from None
            good, unknown = good + known, unknown + (not known)
    return CheckedCheckpoints(good=good, unknown=unknown)


def _check(
    connection: Connection, row: Row[*tuple[Any, ...]], key_of: Callable[[MemberId], NoteVerifier | None]
) -> bool:
    """Whether the signature was verified. Raises an AdapterError that says what is wrong."""
    member = MemberId.parse(row.member)
    if row.state not in {state.value for state in ShownState}:
        raise RecordBroken(f"there is no state {row.state!a}")
    state = ShownState(row.state)
    shown = shown_checkpoint(row.note.encode(errors="surrogateescape"), member)
    if (shown.size, shown.root) != (row.size, row.root):
        raise RecordBroken("it is filed under another size or root than was signed")
    if state in _FROM_MESSAGES and not any(said == (row.size, row.root.hex()) for said in _said(connection, row)):
        raise RecordBroken("no entry of that time says that it was shown")
    key = key_of(member)
    if key is None:
        return False
    if state is not ShownState.FORGED:  # that one's signature was never good
        open_checkpoint(row.note, [key], origin=record_origin(member))
    return True


def _said(connection: Connection, row: Row[*tuple[Any, ...]]) -> Iterator[tuple[object, object]]:
    """What the entries of that moment say that they were shown: size, and root in hexadecimal."""
    at_that_time = select(entries.c.document).where(entries.c.at_ms == row.seen_ms)
    for document in connection.execute(at_that_time).scalars():
        body, _ = read_document(document)
        shown = body.get("peer_checkpoint", {})
        yield shown.get("size"), shown.get("root")
