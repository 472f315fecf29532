"""Time-stamps beside the checkpoints that they are over. Adding one touches nothing of the record itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select

from adapter.audit.document import milliseconds, moment
from adapter.audit.stamps import StampState, StoredStamp
from adapter.audit.verify import StoredCheckpoint
from adapter.store.engine import Database
from adapter.store.schema import checkpoints, entries, time_stamp_duty, time_stamps, tree_head

_PAGE_ROWS: Final = 1_000
_STAMP: Final[tuple[ColumnElement[Any], ...]] = (
    time_stamps.c.size,
    time_stamps.c.at_ms,
    time_stamps.c.authority,
    time_stamps.c.directory_version,
    time_stamps.c.token,
    checkpoints.c.note,
)
_STAMPS: Final[Select[Any]] = select(*_STAMP).select_from(
    time_stamps.outerjoin(checkpoints, checkpoints.c.size == time_stamps.c.size)
)


class TimeStamps:
    """The stamps of one record. For any thread; every method raises StoreUnusable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self) -> StampState:
        """How far the record is stamped, at one instant. Looks at four rows, however long the record is."""
        with self._database.reading() as connection:
            stamped = _newest_size(connection)
            first = connection.execute(select(entries.c.at_ms).where(entries.c.number == stamped)).scalar()
            since = connection.execute(select(time_stamp_duty.c.since_ms)).scalar()
            return StampState(
                size=connection.execute(select(tree_head.c.size)).scalar() or 0,
                stamped=stamped,
                waiting_since=None if first is None else moment(first),
                wanted_since=None if since is None else moment(since),
            )

    def want(self, now: datetime, *, wanted: bool) -> None:
        """Note since when stamps are wanted, or that they no longer are. Writes only what changes."""
        with self._database.reading() as connection:
            noted = connection.execute(select(time_stamp_duty.c.since_ms)).scalar() is not None
        if noted == wanted:
            return
        with self._database.writing() as connection:
            connection.execute(delete(time_stamp_duty))
            if wanted:
                connection.execute(insert(time_stamp_duty).values(id=1, since_ms=milliseconds(now)))

    def unstamped(self) -> StoredCheckpoint | None:
        """The newest checkpoint, if it covers entries that no stamp covers."""
        with self._database.reading() as connection:
            newest = connection.execute(
                select(checkpoints.c.size, checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
            ).one_or_none()
            if newest is None or newest.size <= _newest_size(connection):
                return None
            return StoredCheckpoint(newest.size, newest.note)

    def add(self, *, size: int, at: datetime, authority: str, directory_version: int, token: bytes) -> None:
        """Keep a token that was verified, durably. A checkpoint that has one keeps the first."""
        with self._database.writing() as connection:
            if connection.execute(select(time_stamps.c.size).where(time_stamps.c.size == size)).scalar() is None:
                connection.execute(
                    insert(time_stamps).values(
                        size=size,
                        at_ms=milliseconds(at),
                        authority=authority,
                        directory_version=directory_version,
                        token=token,
                    )
                )

    def newest(self, limit: int) -> list[StoredStamp]:
        """The stamps over the most entries, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_STAMPS.order_by(time_stamps.c.size.desc()).limit(limit))
            return [StoredStamp(*row) for row in rows]

    def covering(self, number: int) -> StoredStamp | None:
        """The oldest stamp that covers an entry: the one that proves the most about it; None when it has none yet."""
        with self._database.reading() as connection:
            row = connection.execute(
                _STAMPS.where(time_stamps.c.size > number).order_by(time_stamps.c.size).limit(1)
            ).one_or_none()
            return None if row is None else StoredStamp(*row)

    def around(self, number: int) -> list[StoredStamp]:
        """The newest stamp that does not cover an entry and the oldest that does, where there are such."""
        size = time_stamps.c.size
        below = _STAMPS.where(size <= number).order_by(size.desc()).limit(1)
        above = _STAMPS.where(size > number).order_by(size).limit(1)
        with self._database.reading() as connection:
            return [StoredStamp(*row) for one in (below, above) for row in connection.execute(one)]

    def all(self) -> Iterator[StoredStamp]:
        """Every stamp as it is stored, by size, in pages: also of a size that no record has."""
        page = _STAMPS.order_by(time_stamps.c.size).limit(_PAGE_ROWS)
        while True:
            with self._database.reading_as_stored() as connection:
                rows = [StoredStamp(*row) for row in connection.execute(page)]
            yield from rows
            if len(rows) < _PAGE_ROWS:
                return
            page = _STAMPS.where(time_stamps.c.size > rows[-1].size).order_by(time_stamps.c.size).limit(_PAGE_ROWS)


def _newest_size(connection: Connection) -> int:
    return connection.execute(select(func.max(time_stamps.c.size))).scalar() or 0
