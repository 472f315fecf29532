"""What is hashed and stored for an entry: its body, and the values that it is searched by, in one canonical text.

The search columns of the store are copies. They are bound to the leaf hash by being members of the hashed object, so
that whoever changes a copy is found out when the record is verified.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from adapter.audit.canonical import canonical_json
from adapter.audit.merkle import leaf_hash
from adapter.audit.reviews import tags_of
from adapter.envelope.instants import write_instant
from adapter.errors import InternalError, RecordBroken
from adapter.ports import Entry

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

INDEX: Final = "index"
"""The member that holds those search values that differ from the body's member of the same name."""


class IndexedValues(NamedTuple):
    """The search columns. at_ms: milliseconds since 1970, UTC. official, purpose: who asked and what for.

    The official stands in the body of an answer too, and is not searched there: an exchange is found once.
    """

    kind: str
    at_ms: int
    message_id: str | None
    consumer: str | None
    service: str | None
    outcome: str | None
    incident: str | None
    official: str | None
    purpose: str | None


@dataclass(frozen=True, slots=True)
class EntryDocument:
    """An entry ready to be appended. subjects: the tags (audit.subjects, audit.reviews) that it is found by."""

    text: str
    leaf_hash: bytes
    indexed: IndexedValues
    subjects: tuple[str, ...]


def document_of(entry: Entry) -> EntryDocument:
    """The canonical text of an entry, its leaf hash and its search values. Raises InternalError (audit.canonical)."""
    body = entry.body
    if INDEX in body:
        raise InternalError(f"an entry's body may not have a member named {INDEX!r}")
    named = {
        "kind": entry.kind,
        "at": write_instant(entry.at),
        "message_id": entry.message_id,
        "consumer": entry.consumer,
        "service": entry.service,
        "outcome": entry.outcome,
        "incident": entry.incident,
    }
    differing = {name: value for name, value in named.items() if body.get(name) != value}
    text = canonical_json({**body, INDEX: differing} if differing else body)
    return EntryDocument(
        text=text,
        leaf_hash=leaf_hash(text.encode()),
        indexed=IndexedValues(
            entry.kind,
            milliseconds(entry.at),
            entry.message_id,
            entry.consumer,
            entry.service,
            entry.outcome,
            entry.incident,
            _asked(body, "official"),
            _asked(body, "purpose"),
        ),
        subjects=tags_of(body),
    )


def read_document(text: str) -> tuple[dict[str, Any], IndexedValues]:
    """The stored body (without the `index` member) and its search values. text: untrusted. Raises RecordBroken."""
    try:
        body = json.loads(text)
        said = {**body, **body.pop(INDEX, {})}
        at_ms = milliseconds(datetime.fromisoformat(said["at"]))
        moment(at_ms)  # an offset from UTC can lead out of the years that there are
        indexed = IndexedValues(
            said["kind"],
            at_ms,
            said.get("message_id"),
            said.get("consumer"),
            said.get("service"),
            said.get("outcome"),
            said.get("incident"),
            _asked(body, "official"),
            _asked(body, "purpose"),
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise RecordBroken("an entry is not the JSON object that an entry is") from error
    return body, indexed


def _asked(body: Mapping[str, Any], name: str) -> str | None:
    """A member of the body, where it is not of an answer."""
    return None if body.get("in_reply_to") is not None else body.get(name)


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970, UTC, rounded down."""
    return (at - _EPOCH) // _MILLISECOND


def moment(at_ms: int) -> datetime:
    """The instant that `milliseconds` gave."""
    return _EPOCH + at_ms * _MILLISECOND
