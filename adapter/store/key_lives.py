"""The lives of keys, kept as administrative entries of the record and nowhere else (audit.key_life).

A step is checked and entered in one transaction that holds the write lock: of two officers, commands or workers that
want the same step, one takes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from adapter.audit.admin import admin_entry
from adapter.audit.entry import ADMIN
from adapter.audit.key_life import (
    ACTIONS,
    LEFT_DIRECTORY,
    KeyFacts,
    KeyLife,
    LifeState,
    action,
    check_step,
    details_of,
    read_lives,
)
from adapter.errors import RecordBroken, StoreUnusable
from adapter.identifiers import RecordNumber
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.engine import Database
from adapter.store.schema import entries

_VERSION: Final = select(func.max(entries.c.number)).where(entries.c.kind == ADMIN, entries.c.outcome.in_(ACTIONS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step in the life of a key. inferred: its state, should the record not know it (audit.key_life.inferred)."""

    facts: KeyFacts
    to: LifeState
    inferred: LifeState | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class KeyLives:
    """What the record says of this adapter's keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int:
        """The number of the last entry about a key, -1 without any; cheap. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _version(connection)

    def all(self) -> dict[str, KeyLife]:
        """Every life, by key_id. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _read(connection)

    def enter(
        self, steps: Sequence[Step], *, officer: str, log: Log, now: datetime, expected: int | None = None
    ) -> RecordNumber:
        """Take these steps, all or none; gives the number of the first entry.

        expected: the version at which the caller looked; when another change came between, nothing is done.
        Raises CommandRefused (a step that the table does not have), StoreUnusable.
        """
        with self._database.writing() as connection:
            if expected is not None and _version(connection) != expected:
                raise StoreUnusable("the keys were changed by somebody else at this moment: look again")
            lives = _read(connection)
            states = {key: life.state for key, life in lives.items()}
            new = []
            for step in steps:  # several of one key follow one another
                before = states.get(step.facts.key_id, step.inferred)
                states[step.facts.key_id] = step.to
                check_step(step.facts, before, step.to)
                details = details_of(step.facts, before, step.details)
                new.append(admin_entry(action(step.to), officer=officer, at=now, details=details))
            return append(connection, log, new)[0]

    def note_directory(
        self, named: Iterable[str], *, version: int, officer: str, log: Log, now: datetime
    ) -> tuple[KeyLife, ...]:
        """Enter what a directory says of our keys: which it names now, and which no longer. Gives those that changed.

        named: key_ids of all our certificates in it. version: its number. Without a change nothing is written.
        """
        present = frozenset(named)
        if not _changes(self.all(), present):
            return ()
        with self._database.writing() as connection:
            changed = _changes(_read(connection), present)
            new = [
                admin_entry(
                    action(word),
                    officer=officer,
                    at=now,
                    details=details_of(life.facts, life.state, {"directory": version}),
                )
                for life, word in changed
            ]
            append(connection, log, new)
            return tuple(life for life, _ in changed)


def _changes(lives: Mapping[str, KeyLife], present: frozenset[str]) -> list[tuple[KeyLife, LifeState | str]]:
    changed: list[tuple[KeyLife, LifeState | str]] = []
    for key_id, life in lives.items():
        if key_id in present and life.state is LifeState.CERTIFIED:
            changed.append((life, LifeState.REGISTERED))
        elif key_id not in present and life.state is LifeState.RETIRING and life.left_directory is None:
            changed.append((life, LEFT_DIRECTORY))
    return changed


def _version(connection: Connection) -> int:
    number = connection.execute(_VERSION).scalar()
    return -1 if number is None else int(number)


def _read(connection: Connection) -> dict[str, KeyLife]:
    try:
        rows = [(number, at, outcome, body["details"]) for number, at, outcome, body in read_acts(connection, ACTIONS)]
        return read_lives(rows)
    except (KeyError, TypeError, RecordBroken) as error:
        raise StoreUnusable("the record's entries about keys are unreadable; run `adapter log verify`") from error
