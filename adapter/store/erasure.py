"""Erasing kept messages: their key is destroyed in every place of the database's files, then they are removed.

The wrapped key is overwritten in place by as many zero octets, so that SQLite moves no row and leaves no copy of it;
`secure_delete` overwrites what is freed (store.engine); the write-ahead log, which has older pages, is emptied. Copies
of the database made before still hold the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, delete, func, select, tuple_, update

from adapter.audit.document import moment
from adapter.audit.retention import (
    ERASED,
    Compartment,
    ErasedPart,
    Retention,
    erased_in,
    erasure_entries,
)
from adapter.errors import CommandRefused, RecordBroken, StoreUnusable
from adapter.identifiers import RecordNumber
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.archive import DESTROYED, Archive, day_of
from adapter.store.engine import Database, connect
from adapter.store.failures import translated
from adapter.store.holds import held_messages
from adapter.store.schema import entries, message_keys, messages
from adapter.store.statements import Cursor

_REMOVED_AT_ONCE: Final = 200
_WAIT_FOR_READERS_S: Final = 3.0
_KEY: Final = message_keys.c
_PLACE: Final = tuple(_KEY[name] for name in Compartment._fields)
_IS_HERE: Final = func.length(messages.c.sealed) > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasable:
    """A compartment as it is. messages: with their octets here. held: of all. out_of_reach: held, but in an archive."""

    compartment: Compartment
    messages: int
    archived: int
    held: int
    out_of_reach: int

    @property
    def is_all_held(self) -> bool:
        """Whether an erasure would change nothing but the key."""
        return self.messages + self.archived == self.held


@dataclass(frozen=True, kw_only=True, slots=True)
class Erasure:
    """What was erased, by which entries. left: not erased, because a held message is in an archive file only."""

    entries: tuple[RecordNumber, ...]
    parts: tuple[ErasedPart, ...]
    left: tuple[Compartment, ...]

    @property
    def messages(self) -> int:
        """Messages that can no longer be read."""
        return sum(one.messages for one in self.parts)

    @property
    def held(self) -> int:
        """Messages that a hold kept."""
        return sum(one.held for one in self.parts)


class Eraser:
    """Erases by compartments. Each call is one transaction, and safe to repeat."""

    def __init__(self, database: Database, archive_key: bytes, log: Log) -> None:
        self._database = database
        self._archive_key = archive_key
        self._log = log

    def of_day(self, day: date) -> list[Erasable]:
        """What there is of one day. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _erasable(connection, [one for one in _living(connection) if one.day == day.isoformat()])

    def due(self, retention: Retention, today: date) -> list[Erasable]:
        """What is over its time, oldest first, without what holds keep whole. Raises StoreUnusable."""
        with self._database.reading() as connection:
            over = [one for one in _living(connection) if retention.is_over(one, today)]
            return [one for one in _erasable(connection, over) if not one.is_all_held]

    def erase(
        self,
        chosen: Iterable[Compartment],
        *,
        why: str,
        officer: str,
        now: datetime,
        details: Mapping[str, Any] | None = None,
    ) -> Erasure:
        """Destroy these keys and enter it. Held messages get a key of their own first. `finish` has to follow.

        Raises CommandRefused for a day that is not over, StoreUnusable, RecordBroken, KeyUnusable.
        """
        parts: list[ErasedPart] = []
        left: list[Compartment] = []
        with self._database.writing() as connection:
            held = held_messages(connection)
            for compartment in chosen:
                if compartment.day >= day_of(now):
                    raise CommandRefused("only the messages of a past day can be erased")
                name = _living_name(connection, compartment)
                if name is None:
                    continue
                if not all(is_here for _, _, is_here in held.get(name, ())):
                    left.append(compartment)
                    continue
                parts.append(self._destroy(connection, name, compartment, held.get(name, [])))
            new = erasure_entries(parts, why=why, officer=officer, at=now, details=details)
            numbers = append(connection, self._log, new)
        return Erasure(entries=numbers, parts=tuple(parts), left=tuple(left))

    def finish(self) -> None:
        """Overwrite what is left of destroyed keys in the files, and remove what they had sealed. Safe to repeat.

        Raises StoreUnusable: somebody reads an older state of the database; try again.
        """
        empty_write_ahead_log(self._database)
        while self._remove_some():
            pass
        empty_write_ahead_log(self._database)

    def _destroy(
        self, connection: Connection, name: str, compartment: Compartment, held: Sequence[tuple[int, str, bool]]
    ) -> ErasedPart:
        count = connection.execute(select(func.count()).where(messages.c.key_name == name)).scalar_one()
        if held:
            self._seal_anew(connection, compartment, held)
        connection.execute(update(message_keys).where(_KEY.name == name).values(wrapped=DESTROYED))
        return ErasedPart(compartment=compartment, messages=count - len(held), held=len(held))

    def _seal_anew(
        self, connection: Connection, compartment: Compartment, held: Sequence[tuple[int, str, bool]]
    ) -> None:
        """Seal held messages under the key of the next generation, so that the others' key can go."""
        archive, cursor = Archive(self._archive_key), cast("Cursor", connection.connection.cursor())
        following = compartment._replace(generation=compartment.generation + 1)
        for number, direction, _ in held:
            kept = archive.read(cursor, number, direction)
            if kept is None:
                raise RecordBroken(f"the held {direction} of entry {number} is not here")
            row = archive.seal(cursor, number, following, kept)
            connection.execute(
                update(messages)
                .where(messages.c.number == number, messages.c.direction == direction)
                .values(key_name=row.key_name, sealed=row.sealed)
            )

    def _remove_some(self) -> int:
        key = (messages.c.number, messages.c.direction)
        gone = select(*key).join(message_keys, messages.c.key_name == _KEY.name).where(_KEY.wrapped == DESTROYED)
        with self._database.writing() as connection:  # a short one each time: exchanges are recorded in between
            some = [tuple(row) for row in connection.execute(gone.limit(_REMOVED_AT_ONCE))]
            if some:
                connection.execute(delete(messages).where(tuple_(*key).in_(some)))
        return len(some)


def empty_write_ahead_log(database: Database) -> None:
    """Copy the write-ahead log into the database and cut it off. Raises StoreUnusable when a reader is in the way."""
    wait_s = min(database.lock_timeout_s, _WAIT_FOR_READERS_S)  # nothing is recorded meanwhile
    with translated(StoreUnusable), closing(connect(database.path, lock_timeout_s=wait_s)) as connection:
        (held_up, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if held_up:
        raise StoreUnusable("the database was too busy to overwrite the old copy of a key; erase again")


def what_became_of(database: Database, number: int) -> str:
    """Why a message of this entry cannot be read, as far as the record says, for a sentence. Raises StoreUnusable."""
    with database.reading() as connection:
        row = connection.execute(
            select(entries.c.at_ms, entries.c.service).where(entries.c.number == number)
        ).one_or_none()
        if row is None:
            return "was not kept"
        archived = connection.execute(
            select(messages.c.archived_in).where(messages.c.number == number, ~_IS_HERE)
        ).scalar()
        if archived is not None:
            return f"was moved to an archive file, as entry {archived} says: `adapter archive restore` puts it back"
        said = _erasure_of(connection, day_of(moment(row.at_ms)), row.service)
    return "was not kept: it was refused" if said is None else f"was erased: entry {said} says so"


def _erasure_of(connection: Connection, day: str, service: str | None) -> int | None:
    """The newest entry that erased messages of this day and service, or of no service."""
    for act in read_acts(connection, (ERASED,), newest_first=True):
        details = act.body["details"]
        if details["day"] == day and any(one.compartment.service in ("", service) for one in erased_in(details)):
            return act.number
    return None


def _living(connection: Connection) -> list[Compartment]:
    wanted = select(*_PLACE).where(_KEY.wrapped != DESTROYED).order_by(*_PLACE)
    return [Compartment(*row) for row in connection.execute(wanted)]


def _living_name(connection: Connection, compartment: Compartment) -> str | None:
    where = [column == value for column, value in zip(_PLACE, compartment, strict=True)]
    return connection.execute(select(_KEY.name).where(*where, _KEY.wrapped != DESTROYED)).scalar()


def _erasable(connection: Connection, some: Sequence[Compartment]) -> list[Erasable]:
    held = held_messages(connection)
    found = []
    for compartment in some:
        name = _living_name(connection, compartment)
        here, all_ = connection.execute(
            select(func.count().filter(_IS_HERE), func.count()).where(messages.c.key_name == name)
        ).one()
        under = held.get(name or "", [])
        found.append(
            Erasable(
                compartment=compartment,
                messages=here,
                archived=all_ - here,
                held=len(under),
                out_of_reach=sum(not is_here for _, _, is_here in under),
            )
        )
    return found
