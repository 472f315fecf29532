"""The record's entries about one exchange: what they have to say so that they fix exactly these messages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from adapter.audit.document import IndexedValues, moment, read_document
from adapter.audit.entry import (
    CALL_REFUSED,
    REFUSED,
    REPLY_RECEIVED,
    REPLY_SENT,
    REQUEST_RECEIVED,
    REQUEST_SENT,
    RETRY_ANSWERED,
)
from adapter.errors import EvidenceInvalid, RecordBroken
from adapter.evidence.contents import REPLY, REQUEST, entry_path
from adapter.evidence.messages import SignedMessage
from adapter.identifiers import MemberId

_OUTCOME: Final = re.compile(r"[A-Za-z ]{1,64}")
_OF_CONSUMER: Final = frozenset((REQUEST_SENT, REPLY_RECEIVED, CALL_REFUSED))
_OF_PROVIDER: Final = frozenset((REQUEST_RECEIVED, REPLY_SENT, RETRY_ANSWERED, REFUSED))
_FIX_REQUEST: Final = frozenset((REQUEST_SENT, REQUEST_RECEIVED))
_FIX_REPLY: Final = frozenset((REPLY_RECEIVED, REPLY_SENT))


@dataclass(frozen=True, kw_only=True, slots=True)
class ExchangeEntry:
    """An entry as it was read from its canonical text."""

    number: int
    body: Mapping[str, Any]
    indexed: IndexedValues

    @property
    def at(self) -> datetime:
        """When the adapter made the entry, by its own clock."""
        return moment(self.indexed.at_ms)

    @property
    def path(self) -> str:
        """Its file in the container."""
        return entry_path(self.number)


def read_entry(number: int, text: bytes) -> ExchangeEntry:
    """Read an entry whose place in the record is proved. Raises RecordBroken."""
    try:
        body, indexed = read_document(text.decode())
    except UnicodeDecodeError:
        raise RecordBroken("an entry is not UTF-8") from None
    kind: object = indexed.kind  # read from JSON, so of any type
    if not isinstance(kind, str) or not _OUTCOME.fullmatch(str(indexed.outcome)):
        raise RecordBroken("an entry has no kind, or an outcome that is no word of the catalogue")
    return ExchangeEntry(number=number, body=body, indexed=indexed)


def check_entries(
    entries: Sequence[ExchangeEntry], *, exporter: MemberId, request: SignedMessage, reply: SignedMessage | None
) -> None:
    """Every entry is the exporter's and about this exchange; each message is fixed by an entry, octet for octet.

    Raises EvidenceInvalid, naming the file.
    """
    for entry in entries:
        _check_about(entry, exporter, request)
        _check_digests(entry, request, reply)
    if not any(_fixes_request(entry, request) for entry in entries):
        raise EvidenceInvalid(f"{REQUEST}.xml: no entry of the record fixes these octets")
    if reply is not None and not any(_fixes_reply(entry, reply) for entry in entries):
        raise EvidenceInvalid(f"{REPLY}.xml: no entry of the record fixes these octets")


def _check_about(entry: ExchangeEntry, exporter: MemberId, request: SignedMessage) -> None:
    header = request.verified.header
    if entry.body.get("by") != str(exporter):
        raise EvidenceInvalid(f"{entry.path}: not an entry of {exporter}")
    kinds: set[str] = set()
    if exporter == header.claimed_consumer.member:
        kinds |= _OF_CONSUMER
    if exporter == header.service.subsystem.member:
        kinds |= _OF_PROVIDER
    if entry.indexed.kind not in kinds:
        raise EvidenceInvalid(f"{entry.path}: not an entry that {exporter} makes of this exchange")
    about = (entry.indexed.message_id, entry.indexed.consumer, entry.indexed.service)
    if about != (str(header.message_id), str(header.claimed_consumer), str(header.service)):
        raise EvidenceInvalid(f"{entry.path}: about another exchange")


def _check_digests(entry: ExchangeEntry, request: SignedMessage, reply: SignedMessage | None) -> None:
    """An entry that fixes a message has to fix this one."""
    if entry.indexed.kind in _FIX_REQUEST and not _fixes_request(entry, request):
        raise EvidenceInvalid(f"{entry.path}: fixes another request")
    if entry.indexed.kind in _FIX_REPLY and reply is not None and not _fixes_reply(entry, reply):
        raise EvidenceInvalid(f"{entry.path}: fixes another reply")


def _fixes_request(entry: ExchangeEntry, request: SignedMessage) -> bool:
    if entry.indexed.kind not in _FIX_REQUEST | {REFUSED}:
        return False
    return _digests(entry) == (request.octets_sha256, request.signed_sha256)


def _fixes_reply(entry: ExchangeEntry, reply: SignedMessage) -> bool:
    if entry.indexed.kind == REFUSED:  # the fault that the refusal was answered with
        return entry.body.get("reply_octets_sha256") == reply.octets_sha256
    return entry.indexed.kind in _FIX_REPLY and _digests(entry) == (reply.octets_sha256, reply.signed_sha256)


def _digests(entry: ExchangeEntry) -> tuple[object, object]:
    return entry.body.get("octets_sha256"), entry.body.get("signed_sha256")
