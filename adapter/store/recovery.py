"""After a crash: which reserved exchanges nobody will answer any more; and forgetting those that are long over.

Whether a run of `serve` is alive is asked of the kernel, not of a process id: the run holds a lock on a file beside the
database for as long as any of its processes lives.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, tuple_, update

from adapter.audit.document import milliseconds
from adapter.audit.exchange_states import states_before
from adapter.errors import StoreUnusable
from adapter.identifiers import MessageId, RecordNumber, SubsystemId
from adapter.ports import ExchangeState
from adapter.store.engine import Database
from adapter.store.failures import translated
from adapter.store.schema import exchanges, forgotten

WAIT_FOR_OTHER_RUN_S: Final = 10.0
ABANDONED_AFTER: Final = timedelta(days=1)
"""An exchange that is still open this long after it expired has no process that could answer it."""

_PURGED_AT_ONCE: Final = 500
_OPEN: Final = tuple(state.value for state in states_before(ExchangeState.INTERRUPTED))


@dataclass(frozen=True, slots=True)
class InterruptedExchange:
    """An exchange that was handed to the information system and not answered. request_number: its entry."""

    consumer: SubsystemId
    message_id: MessageId
    request_number: RecordNumber


def recover_run(database: Database, run_token: str) -> tuple[InterruptedExchange, ...]:
    """Begin a run of `serve`: make sure that no other is alive, then mark what earlier runs left open as interrupted.

    run_token: new for each run, the first part of the `owner` of its writers. To be called once, by the parent, before
    workers are forked; the lock then lives as long as the last of them. Raises StoreUnusable.
    """
    _hold_run_lock(database.path)
    mine = f"{run_token}/"
    return _interrupt(database, ~exchanges.c.owner.startswith(mine, autoescape=True))


def recover_worker(database: Database, owner: str) -> tuple[InterruptedExchange, ...]:
    """Mark what a dead worker left open as interrupted. owner: as its RecordWriter had it. Raises StoreUnusable."""
    return _interrupt(database, exchanges.c.owner == owner)


def purge(database: Database, now: datetime, *, clock_skew_s: float) -> int:
    """Forget exchanges that expired more than the clock skew ago; gives how many. Raises StoreUnusable.

    An unexpired one is never forgotten, however many there are: its message could be played again (W125). How far was
    forgotten is remembered, in case that `now` was wrong and is set back.
    """
    latest = now - timedelta(seconds=clock_skew_s)
    over = or_(
        and_(exchanges.c.expires_ms < milliseconds(latest), exchanges.c.state.not_in(_OPEN)),
        exchanges.c.expires_ms < milliseconds(latest - ABANDONED_AFTER),
    )
    key = (exchanges.c.consumer, exchanges.c.message_id)
    with database.reading() as connection:  # finding them does not hold up whoever writes
        found = [tuple(row) for row in connection.execute(select(*key, exchanges.c.expires_ms).where(over))]
    for at in range(0, len(found), _PURGED_AT_ONCE):
        some = found[at : at + _PURGED_AT_ONCE]
        with database.writing() as connection:
            _remember_forgotten(connection, max(expires_ms for _, _, expires_ms in some))
            connection.execute(delete(exchanges).where(tuple_(*key).in_([row[:2] for row in some]), over))
    return len(found)


def _remember_forgotten(connection: Connection, expires_ms: int) -> None:
    latest = connection.execute(select(func.max(forgotten.c.expires_ms))).scalar()
    if latest is None or latest < expires_ms:
        connection.execute(delete(forgotten))
        connection.execute(insert(forgotten).values(expires_ms=expires_ms))


def _interrupt(database: Database, whose: ColumnElement[bool]) -> tuple[InterruptedExchange, ...]:
    left_open = and_(exchanges.c.state.in_(_OPEN), whose)
    with database.writing() as connection:
        rows = connection.execute(
            select(exchanges.c.consumer, exchanges.c.message_id, exchanges.c.request_number).where(left_open)
        ).all()
        if rows:
            connection.execute(update(exchanges).where(left_open).values(state=ExchangeState.INTERRUPTED.value))
    return tuple(
        InterruptedExchange(SubsystemId.parse(consumer), MessageId(message_id), RecordNumber(number))
        for consumer, message_id, number in rows
    )


def _hold_run_lock(database: Path) -> None:
    """Lock the run's file until the last process of the run ends. The descriptor is meant never to be closed."""
    with translated(StoreUnusable):
        descriptor = os.open(database.with_name(f"{database.name}.run"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + WAIT_FOR_OTHER_RUN_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < deadline:  # it may be about to end
                    time.sleep(0.1)
                    continue
                os.close(descriptor)
                raise StoreUnusable("another adapter runs on this database; stop it first") from None
            return
