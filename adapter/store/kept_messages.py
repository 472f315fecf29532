"""Verifying the kept messages: each is what its entry says, and none is gone without an entry that says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, exists, func, or_, select, tuple_

from adapter.audit.document import moment, read_document
from adapter.audit.kept import Gone, Moved, digest_of, keeping_said, kinds_with, must_be_kept
from adapter.audit.retention import ERASED, RESTORED, Compartment, ErasedPart, erased_in
from adapter.audit.verify import Progress
from adapter.errors import RecordBroken, StoreUnusable
from adapter.ports import REPLY, REQUEST, STATUS_OF, KeptMessage
from adapter.store.acts import read_acts
from adapter.store.archive import DESTROYED, Archive, compartment_of
from adapter.store.engine import Database, text_as_stored
from adapter.store.failures import translated
from adapter.store.log_search import unindexed
from adapter.store.schema import entries, message_keys, messages
from adapter.store.statements import sql

_MESSAGES: Final = (REQUEST, REPLY)
_DIRECTIONS: Final = frozenset({*_MESSAGES, *STATUS_OF.values()})
_PAGE_ROWS: Final = 1_000
"""Each page is a transaction of its own: one that takes minutes would keep the write-ahead log from being emptied."""
_ENTRIES_AT_ONCE: Final = 10_000

_COUNT: Final = sql(select(func.count()).select_from(messages))
_PAGE: Final = sql(
    select(messages.c.number, messages.c.direction, messages.c.archived_in, message_keys.c.wrapped, entries.c.document)
    .select_from(messages.outerjoin(message_keys, message_keys.c.name == messages.c.key_name))
    .outerjoin(entries, entries.c.number == messages.c.number)
    .where(tuple_(messages.c.number, messages.c.direction) > tuple_(bindparam("after"), bindparam("direction_after")))
    .order_by(messages.c.number, messages.c.direction),
    "after",
    "direction_after",
)
_IS_HERE: Final = {
    direction: exists()
    .where(messages.c.number == entries.c.number, messages.c.direction == direction)
    .where(message_keys.c.name == messages.c.key_name, message_keys.c.wrapped != DESTROYED)
    for direction in _MESSAGES
}
_LACKING: Final = (
    select(entries.c.number, entries.c.at_ms, entries.c.document, *(_IS_HERE[one].label(one) for one in _MESSAGES))
    .where(entries.c.number >= bindparam("first"), entries.c.number < bindparam("end"))
    .where(or_(*(and_(unindexed(entries.c.kind).in_(kinds_with(one)), ~_IS_HERE[one]) for one in _MESSAGES)))
    .order_by(entries.c.number)
)
_DOCUMENT: Final = select(entries.c.document).where(entries.c.number == bindparam("wanted"))


def check_messages(
    database: Database, archive_key: bytes, progress: Progress | None = None, gone_progress: Progress | None = None
) -> int:
    """Open every message that is here, and see that no other one is gone in silence; gives how many were opened.

    progress: of the places that messages have; gone_progress: of the entries that are asked for theirs.
    The record's entries are to be verified before (audit.verify): what they say is believed. Raises RecordBroken at the
    first thing that is wrong, StoreUnusable, KeyUnusable (another archive key).
    """
    began_at = _size(database)
    opened, moved = _open_all(database, archive_key, progress)
    gone = _gone(database, gone_progress)
    with database.reading() as connection:  # last, so that whatever is gone by now was said before
        put_back = _put_back(connection, began_at)
        for number, some in moved.items():
            some.check(number, _body(connection, number), put_back)
        gone.check(_erased(connection))
    return opened


def check_said(number: int, kept: KeptMessage, body: Mapping[str, Any]) -> None:
    """A message is the one of whose octets its entry has the digest. A status has none: how it is sealed binds it.

    Raises RecordBroken.
    """
    if kept.direction in _MESSAGES and sha256(kept.octets).hexdigest() != digest_of(body, kept.direction):
        raise RecordBroken(f"the kept {kept.direction} of entry {number} is not the message that the entry is about")


def _open_all(database: Database, archive_key: bytes, progress: Progress | None) -> tuple[int, dict[int, Moved]]:
    """How many messages could be opened, and those that are in archive files, by the entry that is to say so."""
    archive, opened = Archive(archive_key), 0
    moved: dict[int, Moved] = {}
    with translated(StoreUnusable), closing(database.connect()) as connection:
        connection.text_factory = text_as_stored
        (total,) = connection.execute(_COUNT).fetchone()
        for seen, (number, direction, archived_in, wrapped, document) in enumerate(_pages(connection), start=1):
            if direction not in _DIRECTIONS:
                raise RecordBroken(f"a message is kept with entry {number} as {direction!a}, which is no direction")
            kept = archive.read(connection.cursor(), number, direction)
            if document is None:
                raise RecordBroken(f"the kept {direction} of entry {number} is of an entry that does not exist")
            if archived_in is not None and wrapped != DESTROYED:
                moved.setdefault(archived_in, Moved(number, number)).add(number)
            if kept is not None:
                check_said(number, kept, read_document(document)[0])
                opened += 1
            if progress is not None:
                progress(seen, total)
    return opened, moved


def _pages(connection: sqlite3.Connection) -> Iterator[tuple[int, str, int | None, bytes | None, str | None]]:
    """Every row: number, direction, the entry that moved it to a file, its wrapped key, the document of its entry."""
    after: tuple[int, str | bytes] = (-(1 << 63), "")
    while True:
        found = connection.execute(_PAGE, after)
        page = found.fetchmany(_PAGE_ROWS)
        found.close()
        yield from page
        if len(page) < _PAGE_ROWS:
            return
        after = page[-1][:2]


def _gone(database: Database, progress: Progress | None) -> Gone:
    """The messages that entries speak of and that nobody can read here or in an archive file."""
    gone = Gone()
    size = _size(database)
    for first in range(0, size, _ENTRIES_AT_ONCE):
        window = {"first": first, "end": min(first + _ENTRIES_AT_ONCE, size)}
        with database.reading() as connection:
            for number, at_ms, document, *is_here in connection.execute(_LACKING, window).all():
                body, _ = read_document(document)
                lacking = {direction for direction, here in zip(_MESSAGES, is_here, strict=True) if not here}
                for direction in lacking.intersection(must_be_kept(body)):
                    asked = body.get("request_entry")
                    keeping = keeping_said(body, None if asked is None else _body(connection, asked))
                    gone.add(compartment_of(moment(at_ms), keeping), number, direction)
        if progress is not None:
            progress(window["end"], size)
    return gone


def _put_back(connection: Connection, size: int) -> dict[str, int]:
    """By the SHA-256 of each archive file that was put back, the newest of the first `size` entries that says so."""
    acts = read_acts(connection, (RESTORED,))
    return {act.body["details"].get("sha256", ""): act.number for act in acts if act.number < size}


def _erased(connection: Connection) -> list[ErasedPart]:
    """What entries say was erased. Raises RecordBroken: the keys that are here and the destroyed ones are others."""
    parts = [part for act in read_acts(connection, (ERASED,)) for part in erased_in(act.body["details"])]
    erased = {part.compartment for part in parts}
    keys = message_keys.c
    destroyed: set[Compartment] = set()
    for wrapped, *place in connection.execute(select(keys.wrapped, *(keys[name] for name in Compartment._fields))):
        compartment = Compartment(*place)
        if wrapped == DESTROYED and compartment not in erased:
            raise RecordBroken(f"the key of {compartment.label}, was destroyed, and no entry says so")
        if wrapped != DESTROYED and compartment in erased:
            raise RecordBroken(f"an entry says that the key of {compartment.label}, was destroyed, and it is here")
        if wrapped == DESTROYED:
            destroyed.add(compartment)
    for compartment in sorted(erased - destroyed):
        raise RecordBroken(
            f"nothing is left where the key of {compartment.label}, was destroyed: it could be made anew"
        )
    return parts


def _size(database: Database) -> int:
    """How many entries there are."""
    with database.reading() as connection:
        newest = connection.execute(select(func.max(entries.c.number))).scalar()
    return 0 if newest is None else int(newest) + 1


def _body(connection: Connection, number: int) -> Mapping[str, Any] | None:
    document = connection.execute(_DOCUMENT, {"wanted": number}).scalar()
    return None if document is None else read_document(document)[0]
