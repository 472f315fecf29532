"""Messages kept sealed: AES-256-GCM under a key for each day, the day keys wrapped under the archive key (AES-KW).

Destroying a day's key erases the day's messages. The log holds their digests only and stays provable.
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import bindparam, func, insert, select, update

from adapter.audit.subjects import ARCHIVE_KEY_OCTETS
from adapter.audit.verify import Progress
from adapter.errors import CommandRefused, KeyUnusable, RecordBroken, RecordUnavailable, StoreUnusable
from adapter.ports import KeptMessage
from adapter.store.engine import Database
from adapter.store.failures import translated
from adapter.store.schema import day_keys, messages
from adapter.store.statements import Cursor, sql

CONTENT_KEY_OCTETS: Final = 16
_DAY_KEY_OCTETS: Final = 32
_NONCE_OCTETS: Final = 12

_READ_KEY: Final = sql(select(day_keys.c.wrapped).where(day_keys.c.day == bindparam("day")), "day")
_ADD_KEY: Final = sql(insert(day_keys), "day", "wrapped")
_DESTROY_KEY: Final = sql(
    update(day_keys).where(day_keys.c.day == bindparam("of_day")).values(wrapped=None), "wrapped", "of_day"
)
_ADD_MESSAGE: Final = sql(insert(messages), "number", "direction", "day", "sealed")
_COUNT_MESSAGES: Final = sql(select(func.count()).select_from(messages))
_LIST_MESSAGES: Final = sql(select(messages.c.number, messages.c.direction).order_by(messages.c.number))
_READ_MESSAGE: Final = sql(
    select(messages.c.day, messages.c.sealed).where(
        messages.c.number == bindparam("number"), messages.c.direction == bindparam("direction")
    ),
    "number",
    "direction",
)


REPLY: Final = "reply"
"""The direction of the message that answers a retry."""


class SealedRow(NamedTuple):
    """One message as it is stored."""

    number: int
    direction: str
    day: str
    sealed: bytes


class Archive:
    """Seals and opens the messages of one adapter. Not for use by two threads at once."""

    def __init__(self, archive_key: bytes) -> None:
        if len(archive_key) != ARCHIVE_KEY_OCTETS:
            raise KeyUnusable(f"the archive key must have {ARCHIVE_KEY_OCTETS} octets")
        self._archive_key = archive_key
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, cursor: Cursor, number: int, at: datetime, kept: KeptMessage) -> SealedRow:
        """Seal a message of entry `number`. A new day's key is added in the transaction of the cursor.

        Raises RecordUnavailable when the key of that day was destroyed, KeyUnusable when it is not ours.
        """
        if len(kept.content_key) != CONTENT_KEY_OCTETS:
            raise RecordUnavailable(f"a content key must have {CONTENT_KEY_OCTETS} octets")
        day = day_of(at)
        nonce = os.urandom(_NONCE_OCTETS)
        bound_to = _bound_to(day, number, kept.direction)
        sealed = nonce + self._cipher(cursor, day).encrypt(nonce, kept.content_key + kept.octets, bound_to)
        return SealedRow(number, kept.direction, day, sealed)

    def add(self, cursor: Cursor, rows: list[SealedRow]) -> None:
        """Write sealed messages, in the transaction of the cursor."""
        if rows:
            cursor.executemany(_ADD_MESSAGE, rows)

    def forget_keys(self) -> None:
        """After a rollback: a key that was made in that transaction is gone, and nothing may be sealed under it."""
        self._ciphers.clear()

    def read(self, cursor: Cursor, number: int, direction: str) -> KeptMessage | None:
        """Open a message; None when none was kept or its day was erased.

        Raises RecordBroken when it was changed or moved, KeyUnusable when the archive key is another one.
        """
        cursor.execute(_READ_MESSAGE, (number, direction))
        row = cursor.fetchone()
        if row is None:
            return None
        day, sealed = row
        cursor.execute(_READ_KEY, (day,))
        wrapped = cursor.fetchone()
        if wrapped is None or wrapped[0] is None:
            return None
        try:
            plain = AESGCM(self._unwrap(day, wrapped[0])).decrypt(
                sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], _bound_to(day, number, direction)
            )
        except (InvalidTag, ValueError, TypeError):
            raise RecordBroken(f"the kept {direction} of entry {number} was changed or is of another entry") from None
        return KeptMessage(
            direction=direction, octets=plain[CONTENT_KEY_OCTETS:], content_key=plain[:CONTENT_KEY_OCTETS]
        )

    def _cipher(self, cursor: Cursor, day: str) -> AESGCM:
        cipher = self._ciphers.get(day)
        if cipher is None:
            cipher = AESGCM(self._day_key(cursor, day))
            self._ciphers = {day: cipher}
        return cipher

    def _day_key(self, cursor: Cursor, day: str) -> bytes:
        cursor.execute(_READ_KEY, (day,))
        row = cursor.fetchone()
        if row is None:
            key = os.urandom(_DAY_KEY_OCTETS)
            cursor.execute(_ADD_KEY, (day, aes_key_wrap(self._archive_key, key)))
            return key
        if row[0] is None:
            raise RecordUnavailable(f"the messages of {day} were erased; the clock may have been set back")
        return self._unwrap(day, row[0])

    def _unwrap(self, day: str, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._archive_key, wrapped)
        except (InvalidUnwrap, ValueError, TypeError):
            raise KeyUnusable(f"the key of {day} does not open with this archive key") from None


def read_message(database: Database, archive_key: bytes, number: int, direction: str) -> KeptMessage | None:
    """A kept message, for evidence; None when none was kept or its day was erased.

    Raises StoreUnusable, RecordBroken (changed or moved), KeyUnusable (another archive key).
    """
    with translated(StoreUnusable), closing(database.connect()) as connection:
        return Archive(archive_key).read(connection.cursor(), number, direction)


def check_messages(database: Database, archive_key: bytes, progress: Progress | None = None) -> int:
    """Open every kept message whose day was not erased; gives how many. Raises RecordBroken at the first bad one.

    Raises StoreUnusable, KeyUnusable (another archive key).
    """
    archive, opened = Archive(archive_key), 0
    with translated(StoreUnusable), closing(database.connect()) as connection:
        (total,) = connection.execute(_COUNT_MESSAGES).fetchone()
        for number, direction in connection.cursor().execute(_LIST_MESSAGES):
            opened += archive.read(connection.cursor(), number, direction) is not None
            if progress is not None:
                progress(opened, total)
    return opened


def erase_day(database: Database, day: date, *, today: date) -> bool:
    """Destroy the key of a past day, in the database and its write-ahead log: its messages can never be read again.

    Gives False when the day had no key. Copies of the database made before still hold the wrapped key.
    Raises CommandRefused for a day that is not over, StoreUnusable.
    """
    if day >= today:
        raise CommandRefused("only the messages of a past day can be erased")
    with translated(StoreUnusable), closing(database.connect()) as connection:
        connection.execute("PRAGMA secure_delete = ON").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        changed = connection.execute(_DESTROY_KEY, (None, day.isoformat())).rowcount
        connection.execute("COMMIT")
        (held_up, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if held_up:
        raise StoreUnusable("the database was too busy to overwrite the old copy of the key; erase the day again")
    return changed == 1


def day_of(at: datetime) -> str:
    """The day, in UTC, whose key seals the messages of an entry."""
    return at.astimezone(UTC).date().isoformat()


def _bound_to(day: str, number: int, direction: str) -> bytes:
    return f"interagency-adapter/archive/1\n{day}\n{number}\n{direction}".encode()
