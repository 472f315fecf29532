"""Messages kept sealed: AES-256-GCM under a key for each day, service and purpose, wrapped by the archive key (AES-KW).

Destroying a key erases its messages, in archive files too, which hold no key (store.erasure). The log holds their
digests only and stays provable.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import bindparam, func, insert, select

from adapter.audit.retention import Compartment
from adapter.audit.subjects import ARCHIVE_KEY_OCTETS
from adapter.errors import KeyUnusable, RecordBroken, RecordUnavailable, StoreUnusable
from adapter.ports import Keeping, KeptMessage
from adapter.store.engine import Database
from adapter.store.failures import translated
from adapter.store.schema import message_keys, messages
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


class SealedRow(NamedTuple):
    """One message as it is stored."""

    number: int
    direction: str
    key_name: str
    sealed: bytes
    archived_in: int | None = None


class MessageKey(NamedTuple):
    """The key of a compartment: its name, and what the archive key made of it."""

    name: str
    wrapped: bytes


class Archive:
    """Seals and opens the messages of one adapter. Not for use by two threads at once."""

    def __init__(self, archive_key: bytes) -> None:
        if len(archive_key) != ARCHIVE_KEY_OCTETS:
            raise KeyUnusable(f"the archive key must have {ARCHIVE_KEY_OCTETS} octets")
        self._archive_key = archive_key
        self._day = ""
        self._ciphers: dict[bytes, AESGCM] = {}
        """Of one day, by the wrapped key as it stands in the database: one that is not there any more seals nothing."""

    def seal(self, cursor: Cursor, number: int, compartment: Compartment, kept: KeptMessage) -> SealedRow:
        """Seal a message of entry `number`. A new key is added in the transaction of the cursor.

        Raises RecordUnavailable when the key of that compartment was destroyed, KeyUnusable when it is not ours.
        """
        return self.seal_under(self.key_of(cursor, compartment), number, compartment, kept)

    def seal_under(self, key: MessageKey, number: int, compartment: Compartment, kept: KeptMessage) -> SealedRow:
        """The same under a key that `key_of` gave in this transaction. Raises RecordUnavailable, KeyUnusable."""
        if len(kept.content_key) != CONTENT_KEY_OCTETS:
            raise RecordUnavailable(f"a content key must have {CONTENT_KEY_OCTETS} octets")
        nonce = os.urandom(_NONCE_OCTETS)
        bound_to = _bound_to(compartment, number, kept.direction)
        cipher = self._cipher(compartment.day, key.wrapped)
        sealed = nonce + cipher.encrypt(nonce, kept.content_key + kept.octets, bound_to)
        return SealedRow(number, kept.direction, key.name, sealed)

    def add(self, cursor: Cursor, rows: list[SealedRow]) -> None:
        """Write sealed messages, in the transaction of the cursor."""
        if rows:
            cursor.executemany(_ADD_MESSAGE, rows)

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
        cipher = self._cipher(compartment.day, wrapped)
        try:
            plain = cipher.decrypt(
                sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], _bound_to(compartment, number, direction)
            )
        except (InvalidTag, ValueError, TypeError):
            raise RecordBroken(f"the kept {direction} of entry {number} was changed or is of another entry") from None
        return KeptMessage(
            direction=direction, octets=plain[CONTENT_KEY_OCTETS:], content_key=plain[:CONTENT_KEY_OCTETS]
        )

    def key_of(self, cursor: Cursor, compartment: Compartment) -> MessageKey:
        """The key as it is in this transaction: since the last one somebody may have destroyed it.

        A new one is added in the transaction. Raises RecordUnavailable when it was destroyed.
        """
        cursor.execute(_FIND_KEY, compartment)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_COUNT_KEYS, (compartment.day,))
            name = f"{compartment.day}/{cursor.fetchone()[0]}"
            wrapped = aes_key_wrap(self._archive_key, os.urandom(_KEY_OCTETS))
            cursor.execute(_ADD_KEY, (name, *compartment, wrapped))
            return MessageKey(name, wrapped)
        key = MessageKey(*row)
        if key.wrapped == DESTROYED:
            raise RecordUnavailable(f"the messages of {compartment.day} were erased; the clock may have been set back")
        return key

    def _cipher(self, day: str, wrapped: bytes) -> AESGCM:
        if self._day != day or len(self._ciphers) >= _MAX_KEYS_AT_HAND:
            self._day = day
            self._ciphers.clear()
        cipher = self._ciphers.get(wrapped)
        if cipher is None:
            cipher = self._ciphers[wrapped] = AESGCM(self._unwrapped(day, wrapped))
        return cipher

    def _unwrapped(self, day: str, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._archive_key, wrapped)
        except (InvalidUnwrap, ValueError, TypeError):
            raise KeyUnusable(f"a key of {day} does not open with this archive key") from None


class Sealing:
    """The messages of one transaction that holds the write lock: no key can change in it, so each is looked up once."""

    def __init__(self, archive: Archive, cursor: Cursor) -> None:
        self._archive = archive
        self._cursor = cursor
        self._keys: dict[Compartment, MessageKey] = {}

    def seal(self, number: int, compartment: Compartment, kept: KeptMessage) -> SealedRow:
        """As `Archive.seal`, with what that raises."""
        key = self._keys.get(compartment)
        if key is None:
            key = self._keys[compartment] = self._archive.key_of(self._cursor, compartment)
        return self._archive.seal_under(key, number, compartment, kept)


def read_message(database: Database, archive_key: bytes, number: int, direction: str) -> KeptMessage | None:
    """A kept message, for evidence; None when none was kept, or it was erased, or moved to an archive file.

    Raises StoreUnusable, RecordBroken (changed or moved), KeyUnusable (another archive key).
    """
    with translated(StoreUnusable), closing(database.connect()) as connection:
        return Archive(archive_key).read(connection.cursor(), number, direction)


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
