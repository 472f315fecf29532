"""What is already known of a message id: the first question about every message, and nearly always "nothing"."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import suppress

from adapter.errors import KeyUnusable, RecordBroken, RecordUnavailable
from adapter.identifiers import MessageId, RecordNumber, SubsystemId
from adapter.ports import REPLY, KeptMessage, KnownExchange
from adapter.store import exchanges
from adapter.store.archive import Archive
from adapter.store.engine import Database
from adapter.store.failures import translated


class ExchangeLookup:
    """Reads the reserved ids on connections of its own, and so sees only what is committed."""

    def __init__(self, database: Database, archive_key: bytes) -> None:
        self._database = database
        self._archive = Archive(archive_key)
        self._index: sqlite3.Connection | None = None
        self._replies: sqlite3.Connection | None = None
        self._one_reply_at_a_time = threading.Lock()

    async def find(self, consumer: SubsystemId, message_id: MessageId) -> KnownExchange | None:
        """What is known of a message id. Raises RecordUnavailable.

        The event loop asks the index itself: that is a page in memory, 8 microseconds, which a thread would multiply.
        Readers of a write-ahead log wait for nobody. A stored reply, which may be large, is fetched in a thread.
        """
        with translated(RecordUnavailable):
            if self._index is None:
                self._index = self._database.connect()
            row = exchanges.find(self._index.cursor(), str(consumer), str(message_id))
        if row is None:
            return None
        if row.reply_number is None:
            return known_exchange(row, None)
        return await asyncio.to_thread(self._with_reply, row)

    def close(self) -> None:
        """Give back the connections."""
        for connection in (self._index, self._replies):
            if connection is not None:
                with suppress(sqlite3.Error):
                    connection.close()
        self._index = self._replies = None

    def _with_reply(self, row: exchanges.ExchangeRow) -> KnownExchange:
        with translated(RecordUnavailable), self._one_reply_at_a_time:
            if self._replies is None:
                self._replies = self._database.connect()
            return read_known_exchange(self._replies, self._archive, row)


def read_known_exchange(connection: sqlite3.Connection, archive: Archive, row: exchanges.ExchangeRow) -> KnownExchange:
    """What is stored of an exchange, with the reply for a retry when it is answered and not erased.

    Raises RecordUnavailable, also when the kept reply was changed or the archive key is another one.
    """
    if row.reply_number is None:
        return known_exchange(row, None)
    try:
        with translated(RecordUnavailable):
            return known_exchange(row, archive.read(connection.cursor(), row.reply_number, REPLY))
    except (RecordBroken, KeyUnusable) as error:
        raise RecordUnavailable(error.reason) from error


def known_exchange(row: exchanges.ExchangeRow, reply: KeptMessage | None) -> KnownExchange:
    """The stored row in the words of the port."""
    return KnownExchange(
        state=row.state,
        content_digest=row.content_digest,
        reply=None if reply is None else reply.octets,
        reply_number=None if row.reply_number is None else RecordNumber(row.reply_number),
    )
