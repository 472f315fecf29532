"""Starts, stops and the clock of `adapter serve`, entered in the record; the newest of them, read from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from adapter.audit.document import moment, read_document
from adapter.audit.entry import ADMIN
from adapter.audit.runs import (
    CLOCK_SET_BACK,
    STARTED,
    STOPPED,
    LastRun,
    NewestEntry,
    RunFacts,
    clock_entry,
    read_start,
    start_entries,
    stop_entry,
)
from adapter.identifiers import RecordNumber
from adapter.ports import Clock, Entry
from adapter.store.appending import Log, append
from adapter.store.engine import Database
from adapter.store.schema import entries

_NEWEST: Final = select(entries.c.number, entries.c.at_ms).order_by(entries.c.number.desc()).limit(1)


class Runs:
    """The runs of one adapter, as its record has them. For any thread; methods raise StoreUnusable, RecordBroken."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    def begin(self, facts: RunFacts, clock: Clock) -> tuple[Entry, ...]:
        """Enter a start, and before it what has to be said of the time since the last one. Gives what was entered."""
        with self._database.writing() as connection:
            last, newest = _last_run(connection), _newest(connection)
            new = start_entries(facts, last=last, newest=newest, now=clock())
            append(connection, self._log, new)
            return new

    def end(self, run: str, *, exit_code: int, clock: Clock) -> None:
        """Enter the stop of a run."""
        with self._database.writing() as connection:
            append(connection, self._log, (stop_entry(run, exit_code=exit_code, now=clock()),))

    def newest(self) -> NewestEntry | None:
        """The end of the record; None when it is empty."""
        return newest_entry(self._database)

    def note_set_back(self, behind: timedelta, newest: NewestEntry | None, now: datetime) -> None:
        """Enter that the clock was set back."""
        with self._database.writing() as connection:
            append(connection, self._log, (clock_entry(behind, newest=newest, now=now),))


def newest_entry(database: Database) -> NewestEntry | None:
    """The end of the record; None when it is empty. Raises StoreUnusable."""
    with database.reading() as connection:
        return _newest(connection)


def last_run(database: Database) -> LastRun | None:
    """The newest start. Raises StoreUnusable, RecordBroken."""
    with database.reading() as connection:
        return _last_run(connection)


def last_set_back(database: Database) -> NewestEntry | None:
    """The newest entry that says that the clock was set back. Raises StoreUnusable."""
    with database.reading() as connection:
        number = _last_of(connection, CLOCK_SET_BACK)
        if number is None:
            return None
        at_ms = connection.execute(select(entries.c.at_ms).where(entries.c.number == number)).scalar_one()
        return NewestEntry(number=number, at=moment(at_ms))


def _newest(connection: Connection) -> NewestEntry | None:
    row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else NewestEntry(number=row.number, at=moment(row.at_ms))


def _last_run(connection: Connection) -> LastRun | None:
    started, stopped = _last_of(connection, STARTED), _last_of(connection, STOPPED)
    if started is None:
        return None
    document = connection.execute(select(entries.c.document).where(entries.c.number == started)).scalar_one()
    body, _ = read_document(document)
    return read_start(started, body, stopped=stopped is not None and stopped > started)


def _last_of(connection: Connection, outcome: str) -> RecordNumber | None:
    newest = select(func.max(entries.c.number)).where(entries.c.kind == ADMIN, entries.c.outcome == outcome)
    number = connection.execute(newest).scalar()
    return None if number is None else RecordNumber(number)
