"""Messages kept sealed: AES-256-GCM under a key for each day, service and purpose, wrapped by the archive key (AES-KW).

Destroying a key erases its messages, in archive files too, which hold no key (store.erasure). The log holds their
digests only and stays provable.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import bindparam, func, insert, select, tuple_

from adapter.audit.document import read_document
from adapter.audit.retention import Compartment
from adapter.audit.subjects import ARCHIVE_KEY_OCTETS
from adapter.audit.verify import Progress
from adapter.errors import KeyUnusable, RecordBroken, RecordUnavailable, StoreUnusable
from adapter.ports import Keeping, KeptMessage
from adapter.store.engine import Database, text_as_stored
from adapter.store.failures import translated
from adapter.store.schema import entries, message_keys, messages
from adapter.store.statements import Cursor, sql

CONTENT_KEY_OCTETS: Final = 16
_KEY_OCTETS: Final = 32
DESTROYED: Final = bytes(_KEY_OCTETS + 8)
"""What stands in the place of a wrapped key (RFC 3394: eight octets longer) that was destroyed. No key wraps to it."""
_NONCE_OCTETS: Final = 12
_MAX_KEYS_AT_HAND: Final = 1_024

_PLACE: Final = tuple(message_keys.c[name] == bindparam(name) for name in Compartment._fields)
_FIND_KEY: Final = sql(select(message_keys.c.name, message_keys.c.wrapped).where(*_PLACE), *Compartment._fields)
_COUNT_KEYS: Final = sql(
    select(func.count()).select_from(message_keys).where(message_keys.c.day == bindparam("day")), "day"
)
_ADD_KEY: Final = sql(insert(message_keys), "name", *Compartment._fields, "wrapped")
_ADD_MESSAGE: Final = sql(insert(messages), "number", "direction", "key_name", "sealed", "archived_in")
_COUNT_MESSAGES: Final = sql(select(func.count()).select_from(messages))
_LIST_MESSAGES: Final = sql(
    select(messages.c.number, messages.c.direction, entries.c.document)
    .outerjoin(entries, entries.c.number == messages.c.number)
    .where(tuple_(messages.c.number, messages.c.direction) > tuple_(bindparam("after"), bindparam("direction_after")))
    .order_by(messages.c.number, messages.c.direction),
    "after",
    "direction_after",
)
_PAGE_ROWS: Final = 1_000
"""Each page is a transaction of its own: one that takes minutes would keep the write-ahead log from being emptied."""
_READ_MESSAGE: Final = sql(
    select(
        messages.c.sealed,
        messages.c.archived_in,
        *(message_keys.c[name] for name in ("wrapped", *Compartment._fields)),
    )
    .select_from(messages.outerjoin(message_keys, messages.c.key_name == message_keys.c.name))
    .where(messages.c.number == bindparam("number"), messages.c.direction == bindparam("direction")),
    "number",
    "direction",
)


REQUEST: Final = "request"
REPLY: Final = "reply"
"""The direction of the message that answers a retry."""
_MESSAGES: Final = frozenset({REQUEST, REPLY})
_DIRECTIONS: Final = frozenset({*_MESSAGES, *(f"{direction}-status" for direction in _MESSAGES)})


class SealedRow(NamedTuple):
    """One message as it is stored."""

    number: int
    direction: str
    key_name: str
    sealed: bytes
    archived_in: int | None = None


class _KeyAtHand(NamedTuple):
    name: str
    cipher: AESGCM


class Archive:
    """Seals and opens the messages of one adapter. Not for use by two threads at once."""

    def __init__(self, archive_key: bytes) -> None:
        if len(archive_key) != ARCHIVE_KEY_OCTETS:
            raise KeyUnusable(f"the archive key must have {ARCHIVE_KEY_OCTETS} octets")
        self._archive_key = archive_key
        self._keys: dict[Compartment, _KeyAtHand] = {}

    def seal(self, cursor: Cursor, number: int, compartment: Compartment, kept: KeptMessage) -> SealedRow:
        """Seal a message of entry `number`. A new key is added in the transaction of the cursor.

        Raises RecordUnavailable when the key of that compartment was destroyed, KeyUnusable when it is not ours.
        """
        if len(kept.content_key) != CONTENT_KEY_OCTETS:
            raise RecordUnavailable(f"a content key must have {CONTENT_KEY_OCTETS} octets")
        key = self._key(cursor, compartment)
        nonce = os.urandom(_NONCE_OCTETS)
        bound_to = _bound_to(compartment, number, kept.direction)
        sealed = nonce + key.cipher.encrypt(nonce, kept.content_key + kept.octets, bound_to)
        return SealedRow(number, kept.direction, key.name, sealed)

    def add(self, cursor: Cursor, rows: list[SealedRow]) -> None:
        """Write sealed messages, in the transaction of the cursor."""
        if rows:
            cursor.executemany(_ADD_MESSAGE, rows)

    def forget_keys(self) -> None:
        """After a rollback: a key that was made in that transaction is gone, and nothing may be sealed under it."""
        self._keys.clear()

    def read(self, cursor: Cursor, number: int, direction: str) -> KeptMessage | None:
        """Open a message; None when none was kept, or it was erased, or moved to an archive file.

        Raises RecordBroken when it was changed or moved, KeyUnusable when the archive key is another one.
        """
        cursor.execute(_READ_MESSAGE, (number, direction))
        row = cursor.fetchone()
        if row is None:
            return None
        sealed, archived_in, wrapped, *place = row
        if wrapped is None:
            raise RecordBroken(f"the key of the kept {direction} of entry {number} is missing")
        if wrapped == DESTROYED or (not sealed and archived_in is not None):
            return None
        return self.open(wrapped, Compartment(*place), number, direction, sealed)

    def open(self, wrapped: bytes, compartment: Compartment, number: int, direction: str, sealed: bytes) -> KeptMessage:
        """Open octets that `seal` gave, from wherever they come. Raises RecordBroken, KeyUnusable."""
        cipher = AESGCM(self._unwrap(compartment.day, wrapped))
        try:
            plain = cipher.decrypt(
                sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], _bound_to(compartment, number, direction)
            )
        except (InvalidTag, ValueError, TypeError):
            raise RecordBroken(f"the kept {direction} of entry {number} was changed or is of another entry") from None
        return KeptMessage(
            direction=direction, octets=plain[CONTENT_KEY_OCTETS:], content_key=plain[:CONTENT_KEY_OCTETS]
        )

    def _key(self, cursor: Cursor, compartment: Compartment) -> _KeyAtHand:
        key = self._keys.get(compartment)
        if key is None:
            name, octets = self._found_or_made(cursor, compartment)
            if len(self._keys) >= _MAX_KEYS_AT_HAND or any(one.day != compartment.day for one in self._keys):
                self._keys.clear()
            key = self._keys[compartment] = _KeyAtHand(name, AESGCM(octets))
        return key

    def _found_or_made(self, cursor: Cursor, compartment: Compartment) -> tuple[str, bytes]:
        cursor.execute(_FIND_KEY, compartment)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_COUNT_KEYS, (compartment.day,))
            name, key = f"{compartment.day}/{cursor.fetchone()[0]}", os.urandom(_KEY_OCTETS)
            cursor.execute(_ADD_KEY, (name, *compartment, aes_key_wrap(self._archive_key, key)))
            return name, key
        name, wrapped = row
        if wrapped == DESTROYED:
            raise RecordUnavailable(f"the messages of {compartment.day} were erased; the clock may have been set back")
        return name, self._unwrap(compartment.day, wrapped)

    def _unwrap(self, day: str, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._archive_key, wrapped)
        except (InvalidUnwrap, ValueError, TypeError):
            raise KeyUnusable(f"a key of {day} does not open with this archive key") from None


def read_message(database: Database, archive_key: bytes, number: int, direction: str) -> KeptMessage | None:
    """A kept message, for evidence; None when none was kept, or it was erased, or moved to an archive file.

    Raises StoreUnusable, RecordBroken (changed or moved), KeyUnusable (another archive key).
    """
    with translated(StoreUnusable), closing(database.connect()) as connection:
        return Archive(archive_key).read(connection.cursor(), number, direction)


def check_messages(database: Database, archive_key: bytes, progress: Progress | None = None) -> int:
    """Open every kept message that was not erased or archived; gives how many. RecordBroken at the first bad one.

    What is opened has to be what its entry says: the record's entries are to be verified before (audit.verify).
    Raises StoreUnusable, KeyUnusable (another archive key).
    """
    archive, opened = Archive(archive_key), 0
    with translated(StoreUnusable), closing(database.connect()) as connection:
        connection.text_factory = text_as_stored
        (total,) = connection.execute(_COUNT_MESSAGES).fetchone()
        for number, direction, document in _pages(connection):
            if direction not in _DIRECTIONS:
                raise RecordBroken(f"a message is kept with entry {number} as {direction!a}, which is no direction")
            kept = archive.read(connection.cursor(), number, direction)
            if kept is not None:
                _check_said(f"the kept {direction} of entry {number}", kept, document)
                opened += 1
            if progress is not None:
                progress(opened, total)
    return opened


def _pages(connection: sqlite3.Connection) -> Iterator[tuple[int, str, str | None]]:
    """Number and direction of every kept message, with the document of its entry."""
    after: tuple[int, str | bytes] = (-(1 << 63), "")
    while True:
        found = connection.execute(_LIST_MESSAGES, after)
        page = found.fetchmany(_PAGE_ROWS)
        found.close()
        yield from page
        if len(page) < _PAGE_ROWS:
            return
        after = page[-1][:2]


def _check_said(what: str, kept: KeptMessage, document: str | None) -> None:
    """A message is the one of whose octets its entry has the digest. A status has none: it is in no message."""
    if document is None:
        raise RecordBroken(f"{what} is of an entry that does not exist")
    body, _ = read_document(document)
    said = (body.get("octets_sha256"), body.get("reply_octets_sha256"))
    if kept.direction in _MESSAGES and sha256(kept.octets).hexdigest() not in said:
        raise RecordBroken(f"{what} is not the message that the entry is about")


def compartment_of(at: datetime, keeping: Keeping) -> Compartment:
    """Whose key seals the messages of an entry of this time."""
    return Compartment(day_of(at), keeping.service, keeping.purpose)


def day_of(at: datetime) -> str:
    """The day, in UTC, of an entry."""
    return at.astimezone(UTC).date().isoformat()


def _bound_to(compartment: Compartment, number: int, direction: str) -> bytes:
    day, service, purpose, generation = compartment
    if not (service or purpose or generation):
        return f"interagency-adapter/archive/1\n{day}\n{number}\n{direction}".encode()
    return f"interagency-adapter/archive/2\n{day}\n{service}\n{purpose}\n{generation}\n{number}\n{direction}".encode()
