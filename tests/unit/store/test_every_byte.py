"""Flip any single byte of what the record stores: verification notices, and names the thing that it is in.

One small record, copied into memory and changed there: every row and column of each table that `adapter log verify`
answers for.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from adapter.audit.admin import admin_entry
from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.peer_checkpoints import ShownState, shown_checkpoint
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import AdapterError
from adapter.identifiers import MemberId
from adapter.ports import RecordWrite, Shown
from adapter.store.appending import append_entries
from adapter.store.engine import Database
from adapter.store.kept_checkpoints import check_peer_checkpoints
from adapter.store.kept_messages import check_messages
from adapter.store.peer_checkpoints import KeptCheckpoint, PeerCheckpoints
from tests.records import NOW, RecordHome, a_claim, a_request, an_answer, an_entry

PEER = MemberId.parse("UZ/GOV/200000002")
PEER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


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


def shown(size: int) -> Shown:
    signer = NoteSigner(str(PEER), PEER_KEY)
    note = sign_checkpoint(Checkpoint(origin=str(PEER), size=size, root=bytes([size]) * 32), signer)
    return shown_checkpoint(note.encode(), PEER)


def with_checkpoint(write: RecordWrite, size: int) -> RecordWrite:
    """A message that came with a checkpoint of its sender's, as `audit.entry` says so."""
    one = shown(size)
    body = {**write.entry.body, "peer_checkpoint": {"size": one.size, "root": one.root.hex()}}
    return replace(write, entry=replace(write.entry, body=body), shown=one)


@pytest.fixture
async def small(tmp_path: Path) -> RecordHome:
    """A request with a checkpoint of its sender, its answer, an act of an officer, and two persons."""
    home = RecordHome.make(tmp_path)
    writer = home.writer()
    await writer.start()
    claim = a_claim()
    await writer.write(with_checkpoint(a_request(claim), 7))
    await writer.write(an_answer(claim))
    await writer.close()
    append_entries(home.database, home.log, [admin_entry("access-granted", officer="o", at=NOW, details={"n": 1})])
    append_entries(home.database, home.log, [an_entry(subjects=("tag-one", "tag-two"))])
    kept = PeerCheckpoints(home.database)
    proven = KeptCheckpoint(shown=shown(5), seen=NOW, state=ShownState.FITS)
    kept.settle(shown(5), [proven], NOW)
    home.change("PRAGMA wal_checkpoint(TRUNCATE)")
    return home


class Changing:
    """The copy in memory, and what judges it."""

    def __init__(self, home: RecordHome) -> None:
        self.database = InMemory.copy_of(home.database.path)
        self.home = RecordHome(database=self.database, key=home.key, archive_key=home.archive_key)
        self.peer_key = NoteVerifier.parse(NoteSigner(str(PEER), PEER_KEY).vkey)

    def verify(self) -> None:
        self.home.verify()

    def check_messages(self) -> None:
        assert check_messages(self.database, self.home.archive_key) == 2

    def check_peers(self) -> None:
        checked = check_peer_checkpoints(self.database, {PEER: self.peer_key}.get)
        assert (checked.good, checked.unknown) == (2, 0)

    def rows(self, table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        cursor = self.database.only.execute(f"SELECT * FROM {table}")
        return [column[0] for column in cursor.description], cursor.fetchall()

    def put(self, table: str, names: list[str], old: tuple[Any, ...], new: tuple[Any, ...]) -> None:
        """One row in the place of another one. Text is given as its octets, which may be no UTF-8."""
        execute = self.database.only.execute
        where = " AND ".join(f"{name} IS {_value(value)}" for name, value in zip(names, old, strict=True))
        assert execute(f"DELETE FROM {table} WHERE {where}", list(map(_bound, old))).rowcount == 1
        values = ", ".join(map(_value, new))
        execute(f"INSERT INTO {table} VALUES ({values})", list(map(_bound, new)))


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


JUDGED: dict[str, tuple[Callable[[Changing], None], str]] = {
    "entries": (Changing.verify, r"entry {number}\b|entry -?\d+ is (missing|after)|entry numbered"),
    "subjects": (Changing.verify, "the index of subjects was changed"),
    "tree_head": (Changing.verify, "tree head"),
    "checkpoints": (Changing.verify, r"checkpoint|entry \d+ is after the last checkpoint"),
    "messages": (Changing.check_messages, r"the kept (request|reply) of entry|kept with entry {number}"),
    "message_keys": (Changing.check_messages, r"kept (request|reply) of entry|a key of 2026-03-02 does not open"),
    "peer_checkpoints": (Changing.check_peers, "the kept checkpoint of "),
}
EVERY_BIT = {("peer_checkpoints", "note"), ("tree_head", "hashes")}
ONLY_TO_READ = {
    # SQLite itself keeps it at 1.
    ("tree_head", "id", None),
    # Of one that came in an answer to a question of ours: nothing else says when, and nothing is proved by it.
    ("peer_checkpoints", "seen_ms", "fits"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("table", JUDGED)
async def test_every_byte_counts(small: RecordHome, table: str) -> None:
    copy = Changing(small)
    judge, named = JUDGED[table]
    judge(copy)
    names, rows = copy.rows(table)
    assert rows
    tried = 0
    for row in rows:
        said = dict(zip(names, row, strict=True))
        for at, name in enumerate(names):
            if (table, name, said.get("state")) in ONLY_TO_READ:
                continue
            for changed in flips(row[at], every_bit=(table, name) in EVERY_BIT):
                other = (*row[:at], changed, *row[at + 1 :])
                copy.put(table, names, row, other)
                with pytest.raises(AdapterError) as caught:
                    judge(copy)
                assert re.search(named.format(number=said.get("number")), caught.value.reason), caught.value.reason
                copy.put(table, names, other, row)
                tried += 1
    judge(copy)
    assert tried >= sum(len(_octets(value)) for row in rows for value in row if isinstance(value, str | bytes))
