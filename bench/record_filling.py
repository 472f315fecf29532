"""A record of any size, made in bulk by the real schema: the same rows that `adapter serve` would have written.

Entries are of the size and shape of real ones (a request received, its reply sent), every subject has about ten, one
checkpoint is signed for each 32 entries. Only the way in is short: indexes and the index of subjects are made at the
end, and nothing is fsynced, as all of it can be made again.
"""

from __future__ import annotations

import hashlib
import math
import random
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from adapter.audit.canonical import canonical_json
from adapter.audit.document import EntryDocument, IndexedValues, instant_text, milliseconds, moment
from adapter.audit.merkle import leaf_hash
from adapter.identifiers import MessageId
from adapter.ports import Entry
from adapter.store.appending import Appending, Log
from adapter.store.engine import Database

BEGAN: Final = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_BEGAN_MS: Final = milliseconds(BEGAN)
_EVERY_MS: Final = 250
INCIDENT_EVERY: Final = 1_000
PER_CHECKPOINT: Final = 32
_PER_TRANSACTION: Final = 20_000
_ENTRIES_OF_ONE_SUBJECT: Final = 10
_CONSUMERS: Final = tuple(f"UZ/GOV/{200_000_000 + one}/social" for one in range(60))
_SERVICES: Final = tuple(f"UZ/GOV/{200_000_000 + one}/population/GetPerson/v1" for one in range(20))
_PURPOSE: Final = "benefits"
_BULK: Final = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144", "temp_store = FILE")

Progress = Callable[[int], None]


def tag_of(subject: int) -> str:
    """The tag of a made-up person: numbers that no PINFL is."""
    return hashlib.sha256(b"synthetic %d" % subject).hexdigest()


@lru_cache(maxsize=8)
def _second(number: int) -> str:
    return instant_text(moment(_BEGAN_MS + 1_000 * number))[:-5]


def _at(number: int) -> str:
    """When an entry was made, as `instant_text` writes it."""
    second, milliseconds_ = divmod(_EVERY_MS * number, 1_000)
    return f"{_second(second)}.{milliseconds_:03d}Z"


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

    def documents(self, start: int, stop: int) -> Iterator[EntryDocument]:
        """The entries of these numbers, ready to be appended: what `document_of` makes of `entry`, written faster."""
        source = random.Random(self.seed + start)
        for number in range(start, stop):
            values = self._values(number, source)
            text = _TEMPLATES[values["kind"]] % values
            indexed = IndexedValues(
                values["kind"],
                _BEGAN_MS + _EVERY_MS * number,
                values["message_id"],
                values["consumer"],
                values["service"],
                values["outcome"],
                values.get("incident"),
                None if values["kind"] == "reply-sent" else values["official"],
                None if values["kind"] == "reply-sent" else _PURPOSE,
            )
            yield EntryDocument(text, leaf_hash(text.encode()), indexed, (values["subject"],))

    def entry(self, number: int, **other: str) -> Entry:
        """One entry as the adapter would hand it to its record. other: values instead of the made-up ones."""
        values = self._values(number, random.Random(self.seed + number)) | other
        return _entry(values, BEGAN + timedelta(milliseconds=_EVERY_MS * number))

    def _values(self, number: int, source: random.Random) -> dict[str, str]:
        is_refused = number % INCIDENT_EVERY == 0
        kind, outcome = ("refused", "AccessDenied") if is_refused else ("request-received", "released")
        if number % 2:
            kind, outcome = "reply-sent", "answered"
        digest = hashlib.sha256(b"%d:%d" % (self.seed, number // 2)).hexdigest()
        drawn = source.getrandbits(64)
        values = {
            "kind": kind,
            "outcome": outcome,
            "at": _at(number),
            "message_id": self._message_id(number, digest),
            "digest": digest,
            "consumer": _CONSUMERS[drawn % len(_CONSUMERS)],
            "service": _SERVICES[(drawn >> 8) % len(_SERVICES)],
            "official": f"A-{(drawn >> 16) % 5_000:05d}",
            "subject": tag_of((drawn >> 32) % self.subjects),
        }
        return values | {"incident": incident_of(number)} if is_refused else values

    def _message_id(self, number: int, digest: str) -> str:
        """The same for a request and its reply. In the form of `new_message_id`, written faster."""
        if not self.random_ids:
            digest = f"{_BEGAN_MS + _EVERY_MS * (number - number % 2):012x}7{digest[13:16]}a{digest[17:]}"
        return f"urn:uuid:{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


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
        "purpose": _PURPOSE,
        "legal_basis": {"kind": "law", "reference": "Law No. 395 of 2015, article 9"},
        "regulation": "REG-2026-0001",
        "rule": "rule-0001",
        "policy": 17,
        "directory": 42,
        "subjects": [values["subject"]],
    }
    if values["kind"] == "reply-sent":
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


_NAMES: Final = ("outcome", "at", "message_id", "digest", "consumer", "service", "official", "subject")


def _template(kind: str, *names: str) -> str:
    """The canonical text of an entry of this kind, with a place for each value."""
    values = {name: f"%({name})s" for name in (*_NAMES, *names)}
    return canonical_json(_entry({"kind": kind, **values}, BEGAN).body)


_TEMPLATES: Final = {
    "refused": _template("refused", "incident"),
    "request-received": _template("request-received"),
    "reply-sent": _template("reply-sent"),
}


def fill(database: Database, log: Log, made_up: MadeUp, progress: Progress, *, minutes: float = math.inf) -> int:
    """Fill an empty record; gives how many entries there are. progress: told the same after each transaction.

    minutes: after which it has to do with what there is by then.
    """
    until = time.monotonic() + 60 * minutes
    stop = 0
    connection = database.connect()
    try:
        for pragma in _BULK:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        indexes = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'entries' AND sql IS NOT NULL"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("CREATE TEMPORARY TABLE waiting (tag TEXT NOT NULL, number INTEGER NOT NULL)")
        for start in range(0, made_up.size, _PER_TRANSACTION):
            stop = min(start + _PER_TRANSACTION, made_up.size)
            connection.execute("BEGIN")
            _append(connection.cursor(), log, made_up.documents(start, stop))
            connection.execute("COMMIT")
            progress(stop)
            if time.monotonic() > until:
                break
        connection.execute("INSERT INTO subjects (tag, number) SELECT tag, number FROM waiting ORDER BY tag, number")
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        return stop
    finally:
        connection.close()


def _append(cursor: sqlite3.Cursor, log: Log, documents: Iterator[EntryDocument]) -> None:
    """With a checkpoint for each batch, as the record's writer does it; the index of subjects waits for its order."""
    waiting = _WithoutSubjects(cursor)
    while batch := list(islice(documents, PER_CHECKPOINT)):
        appending: Appending = log.begin(waiting)
        for document in batch:
            appending.add(document)
        appending.write(log)


class _WithoutSubjects:
    """A cursor that keeps the rows of the index of subjects back: in random order they would take hours."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    def execute(self, sql: str, parameters: tuple[Any, ...] = (), /) -> object:
        return self._cursor.execute(sql, parameters)

    def executemany(self, sql: str, rows: Any, /) -> object:  # noqa: ANN401 - rows as the driver takes them
        if sql.startswith("INSERT INTO subjects"):
            sql = "INSERT INTO waiting (tag, number) VALUES (?, ?)"
        return self._cursor.executemany(sql, rows)

    def fetchone(self) -> Any:  # noqa: ANN401 - a row
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()
