"""A record of any size, made in bulk by the real schema: the same rows that `adapter serve` would have written.

Entries are of the size and shape of real ones (a request received and the reply sent to it, now and then a refusal),
every subject has about ten, one checkpoint is signed for each 32 entries, and the pages of the indexes are as full as
those of a record that grew. Only the way in is short: the index of subjects, whose tags have no order, is made at the
end, and nothing is fsynced, as all of it can be made again.
"""

from __future__ import annotations

import hashlib
import math
import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex

from adapter.audit.canonical import canonical_json
from adapter.audit.document import IndexedValues, milliseconds, moment
from adapter.audit.entry import REFUSED, REPLY_SENT, REQUEST_RECEIVED
from adapter.audit.merkle import HASH_OCTETS, TILE_HEIGHT, CompactRange, leaf_hash, node_hash
from adapter.envelope.instants import write_instant
from adapter.identifiers import MessageId
from adapter.ports import Entry
from adapter.store.appending import Appending, Log
from adapter.store.engine import Database
from adapter.store.schema import entries
from adapter.store.statements import Cursor, sql

BEGAN: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_BEGAN_MS: Final = milliseconds(BEGAN)
_PER_SECOND: Final = 4
_EVERY_MS: Final = 1_000 // _PER_SECOND
_FRACTIONS: Final = tuple(f".{_EVERY_MS * one:03d}Z" for one in range(_PER_SECOND))
INCIDENT_EVERY: Final = 1_000
PER_CHECKPOINT: Final = 32
_BATCH_HEIGHT: Final = PER_CHECKPOINT.bit_length() - 1
_PER_TRANSACTION: Final = 1_600 * PER_CHECKPOINT
_ENTRIES_OF_ONE_SUBJECT: Final = 10
_CONSUMERS: Final = tuple(f"UZ/GOV/{200_000_000 + one}/social" for one in range(60))
_SERVICES: Final = tuple(f"UZ/GOV/{200_000_000 + one}/population/GetPerson/v1" for one in range(20))
_PURPOSES: Final = ("benefits", "pensions", "schooling", "housing", "taxation", "health", "licences", "statistics")
_OFFICIALS: Final = 5_000
_REFUSALS: Final = ("AccessDenied", "LegalBasisMissing", "SchemaInvalid", "MessageExpired", "ConsentMissing")
_BULK: Final = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = FILE")

Progress = Callable[[int], None]


def tag_of(subject: int) -> str:
    """The tag of a made-up person: numbers that no PINFL is."""
    return hashlib.sha256(b"synthetic %d" % subject).hexdigest()


@lru_cache(maxsize=8)
def _second(number: int) -> str:
    return write_instant(moment(_BEGAN_MS + 1_000 * number))[:-5]


def _at(number: int) -> str:
    """When an entry was made, as `write_instant` writes it."""
    return _second(number // _PER_SECOND) + _FRACTIONS[number % _PER_SECOND]


def incident_of(number: int) -> str:
    """The incident id of an entry that was refused."""
    return f"INC-{number:012d}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeUp:
    """Entries from a seed: the same for the same numbers."""

    size: int
    seed: int = 2015
    random_ids: bool = False
    """Message ids in no order (RFC 9562, version 4) in place of those that adapters make (version 7)."""

    @property
    def file_name(self) -> str:
        """Of the database that is filled with these."""
        return f"{self.size}-random.sqlite" if self.random_ids else f"{self.size}.sqlite"

    def new_message_id(self, number: int) -> MessageId:
        """An id that no other entry has, as the adapter would make it when it makes this entry."""
        if self.random_ids:
            return MessageId(f"urn:uuid:{uuid.uuid4()}")
        return MessageId.new(BEGAN + timedelta(milliseconds=_EVERY_MS * number))

    @property
    def subjects(self) -> int:
        """How many persons there are."""
        return max(self.size // _ENTRIES_OF_ONE_SUBJECT, 1)

    def rows(self, start: int, stop: int) -> Iterator[tuple[Any, ...]]:
        """The rows of `entries` with these numbers: what `document_of` makes of `entry`, written faster."""
        exchange, values = -1, {}
        for number in range(start, stop):
            if number // 2 != exchange:
                exchange = number // 2
                values = self._exchange(exchange)
            values["at"] = _at(number)
            kind, values["outcome"], incident = _said_by(number)
            official = purpose = None
            if kind != REPLY_SENT:
                official, purpose = values["official"], values["purpose"]
                values["incident"] = incident or ""
            text, names = _TEMPLATES[kind]
            document = text % names(values)
            yield (
                number,
                leaf_hash(document.encode()),
                kind,
                _BEGAN_MS + _EVERY_MS * number,
                values["message_id"],
                values["consumer"],
                values["service"],
                values["outcome"],
                incident,
                official,
                purpose,
                document,
            )

    def tags(self, size: int) -> Iterator[tuple[str, int]]:
        """The rows of `subjects` of so many entries."""
        for number in range(0, size, 2):
            tag = self._subject(int(self._digest(number // 2)[:30], 16))
            yield tag, number
            if number + 1 < size:
                yield tag, number + 1

    def entry(self, number: int, **other: str) -> Entry:
        """One entry as the adapter would hand it to its record. other: values instead of the made-up ones."""
        kind, outcome, incident = _said_by(number)
        values = self._exchange(number // 2) | {"kind": kind, "at": _at(number), "outcome": outcome}
        if incident is not None:
            values["incident"] = incident
        return _entry(values | other, BEGAN + timedelta(milliseconds=_EVERY_MS * number))

    def _exchange(self, number: int) -> dict[str, str]:
        """What a request and its reply have in common: drawn by the number of the exchange alone."""
        digest = self._digest(number)
        drawn = int(digest[:30], 16)
        return {
            "message_id": self._message_id(2 * number, digest[32:]),
            "digest": digest,
            "consumer": _CONSUMERS[drawn % len(_CONSUMERS)],
            "service": _SERVICES[(drawn >> 8) % len(_SERVICES)],
            "official": f"A-{(drawn >> 16) % _OFFICIALS:05d}",
            "purpose": _PURPOSES[(drawn >> 32) % len(_PURPOSES)],
            "subject": self._subject(drawn),
        }

    def _digest(self, exchange: int) -> str:
        return hashlib.sha256(b"%d:%d" % (self.seed, exchange)).hexdigest()

    def _subject(self, drawn: int) -> str:
        return tag_of((drawn >> 40) % self.subjects)

    def _message_id(self, number: int, digits: str) -> str:
        """In the form of `new_message_id`, written faster."""
        if not self.random_ids:
            digits = f"{_BEGAN_MS + _EVERY_MS * number:012x}7{digits[13:16]}a{digits[17:]}"
        return f"urn:uuid:{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def _said_by(number: int) -> tuple[str, str, str | None]:
    """Kind, outcome and incident of an entry."""
    if number % 2:
        return REPLY_SENT, "answered", None
    if number % INCIDENT_EVERY:
        return REQUEST_RECEIVED, "released", None
    return REFUSED, _REFUSALS[number // INCIDENT_EVERY % len(_REFUSALS)], incident_of(number)


def _entry(values: Mapping[str, str], at: datetime) -> Entry:
    body: dict[str, Any] = {
        "v": 1,
        "by": "UZ/GOV/200000001",
        "kind": values["kind"],
        "at": values["at"],
        "sent": values["at"],
        "received": values["at"],
        "outcome": values["outcome"],
        "message_id": values["message_id"],
        "consumer": values["consumer"],
        "service": values["service"],
        "operation": "GetPerson",
        "official": values["official"],
        "octets_sha256": values["digest"],
        "signed_sha256": values["digest"],
        "purpose": values["purpose"],
        "legal_basis": {"kind": "law", "reference": "Law No. 395 of 2015, article 9"},
        "regulation": "REG-2026-0001",
        "rule": "rule-0001",
        "policy": 17,
        "directory": 42,
        "subjects": [values["subject"]],
    }
    if values["kind"] == REPLY_SENT:
        del body["purpose"]
        body["in_reply_to"] = values["message_id"]
    if "incident" in values:
        body["incident"] = values["incident"]
    return Entry(
        body=body,
        kind=values["kind"],
        at=at,
        message_id=values["message_id"],
        consumer=values["consumer"],
        service=values["service"],
        outcome=values["outcome"],
        incident=values.get("incident"),
    )


_NAMES: Final = ("outcome", "at", "message_id", "digest", "consumer", "service", "official", "purpose", "subject")


def _template(kind: str, *names: str) -> tuple[str, Callable[[Mapping[str, str]], tuple[str, ...]]]:
    """The canonical text of an entry of this kind with a place for each value, and what takes these by name."""
    values = {name: f"%({name})s" for name in (*_NAMES, *names)}
    text = canonical_json(_entry({"kind": kind, **values}, BEGAN).body)
    return re.sub(r"%\(\w+\)s", "%s", text), itemgetter(*re.findall(r"%\((\w+)\)s", text))


_TEMPLATES: Final = {
    REFUSED: _template(REFUSED, "incident"),
    REQUEST_RECEIVED: _template(REQUEST_RECEIVED),
    REPLY_SENT: _template(REPLY_SENT),
}


# --- into the record -------------------------------------------------------------------------------------------------

_COLUMNS: Final = ("number", "leaf_hash", *IndexedValues._fields, "document")
_ADD_ENTRY: Final = sql(insert(entries), *_COLUMNS)
_ADD_WAITING: Final = "INSERT INTO waiting (tag, number) VALUES (?, ?)"
_ADD_SUBJECTS: Final = (
    "INSERT INTO subjects (tag, number) SELECT tag, number FROM waiting WHERE number % 3 <> 0 ORDER BY tag, number",
    "INSERT INTO subjects (tag, number) SELECT tag, number FROM waiting WHERE number % 3 = 0 ORDER BY tag, number",
)
"""Rows in order fill the pages of an index to the last octet; a third of them, put in between, splits those pages, and
then they are as full as where rows come in no order."""
_DIALECT: Final = sqlite.dialect()


def fill(database: Database, log: Log, made_up: MadeUp, progress: Progress, *, minutes: float = math.inf) -> int:
    """Fill a record, or go on where filling it stopped; gives how many entries there are.

    progress: told the same after each transaction. minutes: after which it has to do with what there is by then; the
    indexes are made of that all the same. There is no journal: what a process leaves that was killed may be damaged.
    """
    until = time.monotonic() + 60 * minutes
    connection = database.connect()
    try:
        for pragma in _BULK:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        grown = _Grown(*connection.execute("SELECT size, hashes FROM tree_head").fetchone())
        if grown.size < made_up.size:
            for index in entries.indexes:
                connection.execute(f"DROP INDEX IF EXISTS {index.name}")
        while grown.size < made_up.size and time.monotonic() < until:
            stop = min(grown.size + _PER_TRANSACTION, made_up.size)
            connection.execute("BEGIN")
            cursor = connection.cursor()
            cursor.executemany(_ADD_ENTRY, grown.growing(cursor, log, made_up.rows(grown.size, stop)))
            grown.write(cursor)
            connection.execute("COMMIT")
            progress(stop)
        _index(connection, made_up, grown.size)
        return grown.size
    finally:
        connection.close()


def is_filled(database: Database, made_up: MadeUp) -> bool:
    """Whether `fill` has nothing left to do: the index of subjects is what it makes last."""
    with closing(database.connect()) as connection:
        (size,) = connection.execute("SELECT size FROM tree_head").fetchone()
        (is_indexed,) = connection.execute("SELECT EXISTS (SELECT 1 FROM subjects)").fetchone()
    return size >= made_up.size and bool(is_indexed)


def _index(connection: sqlite3.Connection, made_up: MadeUp, size: int) -> None:
    """Make the indexes of the entries, and the index of subjects, of a record of this size."""
    for index in sorted(entries.indexes, key=lambda one: str(one.name)):
        connection.execute(str(CreateIndex(index, if_not_exists=True).compile(dialect=_DIALECT)))
    connection.execute("CREATE TEMPORARY TABLE waiting (tag TEXT NOT NULL, number INTEGER NOT NULL)")
    connection.execute("BEGIN")
    connection.executemany(_ADD_WAITING, made_up.tags(size))
    connection.execute("DELETE FROM subjects")
    for statement in _ADD_SUBJECTS:
        connection.execute(statement)
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()


class _Grown:
    """The tree, grown by whole batches: a complete batch is one subtree, hashed level by level."""

    def __init__(self, size: int, hashes: bytes) -> None:
        self._tree = CompactRange.from_bytes(size, hashes)
        self._tiles: list[tuple[int, int, bytes]] = []
        self._checkpoints: list[tuple[int, str]] = []

    @property
    def size(self) -> int:
        """How many entries there are with those that were added."""
        return self._tree.size

    def growing(self, cursor: Cursor, log: Log, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """The same rows; what they complete, and a checkpoint for each batch, is to be written by `write`."""
        while batch := list(islice(rows, PER_CHECKPOINT)):
            self._add([row[1] for row in batch])
            self._checkpoints.append((self._tree.size, log.sign(Appending(cursor, self._tree))))
            yield from batch

    def write(self, cursor: Cursor) -> None:
        """Stored hashes, checkpoints and the head, as of the rows so far."""
        cursor.executemany("INSERT INTO tile_hashes (level, position, hash) VALUES (?, ?, ?)", self._tiles)
        cursor.executemany("INSERT INTO checkpoints (size, note) VALUES (?, ?)", self._checkpoints)
        cursor.execute("UPDATE tree_head SET size = ?, hashes = ?", (self._tree.size, self._tree.to_bytes()))
        self._tiles.clear()
        self._checkpoints.clear()

    def _add(self, leaves: list[bytes]) -> None:
        tree = self._tree
        if len(leaves) < PER_CHECKPOINT or tree.size % PER_CHECKPOINT:
            self._tiles += [(one.level, one.position, one.hash) for leaf in leaves for one in tree.append(leaf)]
            return
        level = leaves
        while len(level) > 1:
            level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
        hashes, node, height, at = _split(tree.to_bytes()), level[0], _BATCH_HEIGHT, tree.size >> _BATCH_HEIGHT
        while at & 1:
            node, height, at = node_hash(hashes.pop(), node), height + 1, at >> 1
            if height % TILE_HEIGHT == 0:
                self._tiles.append((height // TILE_HEIGHT, at, node))
        self._tree = CompactRange.from_bytes(tree.size + PER_CHECKPOINT, b"".join([*hashes, node]))


def _split(octets: bytes) -> list[bytes]:
    return [octets[at : at + HASH_OCTETS] for at in range(0, len(octets), HASH_OCTETS)]
