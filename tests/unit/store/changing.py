"""A record that is copied into memory and changed there, one octet at a time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from adapter.errors import AdapterError
from adapter.store.engine import Database
from tests.records import RecordHome


class NeverClosed(sqlite3.Connection):
    """Whoever opens the database gets this one connection, and may give it back."""

    def close(self) -> None:
        """Not before the test is over."""


@dataclass(frozen=True)
class InMemory(Database):
    """A database whose only connection is the test's."""

    only: NeverClosed = field(kw_only=True)

    def connect(self) -> sqlite3.Connection:
        return self.only

    @classmethod
    def copy_of(cls, path: Path) -> InMemory:
        only = sqlite3.connect(":memory:", factory=NeverClosed, isolation_level=None, check_same_thread=False)
        source = sqlite3.connect(path)
        source.backup(only)
        source.close()
        engine = create_engine("sqlite://", creator=lambda: only, poolclass=StaticPool)

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN")

        return cls(path, engine, only=only)


class Changing:
    """The copy in memory."""

    def __init__(self, home: RecordHome) -> None:
        self.database = InMemory.copy_of(home.database.path)
        self.home = RecordHome(database=self.database, key=home.key, archive_key=home.archive_key)

    def rows(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        cursor = self.database.only.execute(f"SELECT * FROM {table}")
        return [column[0] for column in cursor.description], cursor.fetchall()

    def put(self, table: str, names: list[str], old: tuple[Any, ...], new: tuple[Any, ...]) -> bool:
        """One row in the place of another one. Text is given as its octets, which may be no UTF-8.

        Whether it is there: no table has two rows of one key.
        """
        execute = self.database.only.execute
        where = " AND ".join(f"{name} IS {_value(value)}" for name, value in zip(names, old, strict=True))
        assert execute(f"DELETE FROM {table} WHERE {where}", list(map(_bound, old))).rowcount == 1
        values = ", ".join(map(_value, new))
        try:
            execute(f"INSERT INTO {table} VALUES ({values})", list(map(_bound, new)))
        except sqlite3.IntegrityError:
            execute(f"INSERT INTO {table} VALUES ({', '.join(map(_value, old))})", list(map(_bound, old)))
            return False
        return True

    def change_every_byte(
        self,
        table: str,
        judge: Callable[[Changing], None],
        named: str,
        *,
        every_bit: Collection[str] = (),
        unread: Callable[[str, dict[str, Any]], bool] = lambda name, said: False,
    ) -> None:
        """Every row and column, but for the `unread`: the judge has to refuse it, in words that `named` is found in.

        every_bit: columns of which each bit is changed, and not one of each octet.
        """
        judge(self)
        names, rows = self.rows(table)
        assert rows
        tried = 0
        for row in rows:
            said = dict(zip(names, row, strict=True))
            for at, name in enumerate(names):
                if unread(name, said):
                    continue
                for changed in flips(row[at], every_bit=name in every_bit):
                    other = (*row[:at], changed, *row[at + 1 :])
                    if not self.put(table, names, row, other):
                        continue
                    with pytest.raises(AdapterError) as caught:
                        judge(self)
                    reason = caught.value.reason
                    assert re.search(named.format(number=said.get("number")), reason), reason
                    self.put(table, names, other, row)
                    tried += 1
        judge(self)
        assert tried >= sum(len(_octets(value)) for row in rows for value in row if isinstance(value, str | bytes))


def _value(value: object) -> str:
    return "CAST(? AS TEXT)" if isinstance(value, str | Text) else "?"


def _bound(value: object) -> object:
    if isinstance(value, str):
        return value.encode()
    return value.octets if isinstance(value, Text) else value


@dataclass(frozen=True)
class Text:
    """Text as octets."""

    octets: bytes


def flips(value: object, *, every_bit: bool) -> Iterator[object]:
    """The value with one bit of one octet changed: of each octet one bit, another one from octet to octet, or each."""
    if value is None:
        return
    octets = value.to_bytes(8, "big", signed=True) if isinstance(value, int) else _octets(value)
    for at in range(len(octets)):
        for bit in range(8) if every_bit else (at % 8,):
            changed = octets[:at] + bytes([octets[at] ^ 1 << bit]) + octets[at + 1 :]
            if isinstance(value, int):
                yield int.from_bytes(changed, "big", signed=True)
            else:
                yield Text(changed) if isinstance(value, str) else changed


def _octets(value: object) -> bytes:
    assert isinstance(value, str | bytes)
    return value.encode() if isinstance(value, str) else value
