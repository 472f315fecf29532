"""Holds: orders to keep the messages of an exchange whatever their time: entries, and nothing beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from adapter.audit.retention import HELD, RELEASED, Hold, hold_entry, open_holds, release_entry
from adapter.errors import CommandRefused
from adapter.identifiers import RecordNumber
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.engine import Database
from adapter.store.log_search import unindexed
from adapter.store.schema import entries, messages

_AT_ONCE: Final = 500


class Holds:
    """The holds of one adapter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> list[Hold]:
        """Those that nobody has lifted, oldest first. Raises StoreUnusable, RecordBroken."""
        with self._database.reading() as connection:
            return list(read_holds(connection).values())

    def messages(self, hold: Hold) -> int:
        """How many messages it keeps from being erased. Raises StoreUnusable, RecordBroken."""
        with self._database.reading() as connection:
            numbers = _numbers_of(connection, hold)
            return sum(
                int(connection.execute(select(func.count()).where(messages.c.number.in_(some))).scalar_one())
                for some in _parts(sorted(numbers))
            )

    def place(
        self, log: Log, *, message_id: str | None, incident: str | None, reason: str, officer: str, now: datetime
    ) -> Hold:
        """Hold an exchange, by its message id or by an incident id. Raises CommandRefused: the record knows neither."""
        entry = hold_entry(message_id=message_id, incident=incident, reason=reason, officer=officer, at=now)
        with self._database.writing() as connection:
            (number,) = append(connection, log, (entry,))
            hold = read_holds(connection)[number]
            if not _numbers_of(connection, hold):
                raise CommandRefused(f"the record has no entry about {hold.about}")
            return hold

    def lift(
        self, log: Log, number: int, *, reason: str, officer: str, now: datetime, details: Mapping[str, Any]
    ) -> tuple[Hold, RecordNumber]:
        """End the hold that entry `number` placed; also the number of the new entry. Raises CommandRefused."""
        with self._database.writing() as connection:
            hold = find_hold(read_holds(connection), number)
            entry = release_entry(hold, reason=reason, officer=officer, at=now, details=details)
            return hold, append(connection, log, (entry,))[0]


def find_hold(holds: Mapping[int, Hold], number: int) -> Hold:
    """The open hold of this entry. Raises CommandRefused."""
    if number not in holds:
        raise CommandRefused(f"there is no open hold {number}: `adapter log hold list` names them")
    return holds[number]


def read_holds(connection: Connection) -> dict[int, Hold]:
    """The open holds by the number of their entry, as of this transaction. Raises RecordBroken."""
    return open_holds(read_acts(connection, (HELD, RELEASED)))


def held_messages(connection: Connection) -> dict[str, list[tuple[int, str, bool]]]:
    """Of each key the messages under a hold: entry, direction, and whether its octets are here, not in an archive."""
    numbers: set[int] = set()
    for hold in read_holds(connection).values():
        numbers |= _numbers_of(connection, hold)
    found: dict[str, list[tuple[int, str, bool]]] = {}
    columns = (messages.c.key_name, messages.c.number, messages.c.direction, func.length(messages.c.sealed) > 0)
    for some in _parts(sorted(numbers)):
        for name, number, direction, is_here in connection.execute(select(*columns).where(messages.c.number.in_(some))):
            found.setdefault(name, []).append((number, direction, bool(is_here)))
    return found


def _numbers_of(connection: Connection, hold: Hold) -> set[int]:
    """The entries of the exchange that a hold is about, whatever was entered of it since."""
    if hold.message_id is not None:
        return _numbers(connection, entries.c.message_id == hold.message_id)
    by_incident = entries.c.incident == hold.incident
    exchanges = {
        (consumer, message_id)
        for consumer, message_id in connection.execute(
            select(entries.c.consumer, entries.c.message_id).where(by_incident, entries.c.message_id.is_not(None))
        )
    }
    numbers = _numbers(connection, by_incident)
    for consumer, message_id in exchanges:  # a message id alone is unique to its consumer only
        numbers |= _numbers(connection, entries.c.message_id == message_id, unindexed(entries.c.consumer) == consumer)
    return numbers


def _numbers(connection: Connection, *which: ColumnElement[bool]) -> set[int]:
    return set(connection.execute(select(entries.c.number).where(*which)).scalars())


def _parts(numbers: Sequence[int]) -> list[Sequence[int]]:
    return [numbers[at : at + _AT_ONCE] for at in range(0, len(numbers), _AT_ONCE)]
