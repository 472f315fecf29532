"""What one entry of the record says: who, what, about whom, why, when, and with which outcome.

The makers below are pure and are the only place that turns stages into entries. A subject's identifier is never in
an entry in clear: it is a keyed hash (audit.subjects), so that one person's entries can be found and nobody can read
the person out of the record without the key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapter.attachments import Attachment
from adapter.audit.peer_checkpoints import shown_in
from adapter.audit.subjects import subject_tag
from adapter.envelope.instants import write_instant
from adapter.errors import AdapterError
from adapter.identifiers import MemberId, MessageId, RecordNumber, SubsystemId
from adapter.ports import Entry
from adapter.stages import (
    AuthorizedCall,
    AuthorizedRequest,
    ExchangeHeader,
    IdentifiedCall,
    PersonalData,
    ReceivedCall,
    ReceivedMessage,
    RecordedCall,
    RecordedRequest,
    ReleasedAnswer,
    SealedMessage,
    TrustedMessage,
    UsedConsent,
    ValidCall,
    ValidReply,
    ValidRequest,
    VerifiedMessage,
)

REQUEST_SENT = "request-sent"
REPLY_RECEIVED = "reply-received"
REQUEST_RECEIVED = "request-received"
REPLY_SENT = "reply-sent"
RETRY_ANSWERED = "retry-answered"
REFUSED = "refused"
CALL_REFUSED = "call-refused"
INTERRUPTED = "exchange-interrupted"
ADMIN = "admin"
TURNED_AWAY = "turned-away"

_MAX_REASON_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryMaker:
    """Makes the entries of one adapter. subject_key: 32 octets, secret, from the archive key."""

    own: MemberId
    subject_key: bytes = field(repr=False)

    # --- the consumer's side -------------------------------------------------------------------------------------

    def request_sent(self, call: AuthorizedCall, sealed: SealedMessage, now: datetime) -> Entry:
        """A call of a client system, sealed, about to leave."""
        identified = call.valid.parsed.identified
        body = self._header(call.header) | self._why(call.personal_data) | _sealed(sealed)
        body |= {"client": identified.client, "client_message_id": call.valid.parsed.client_message_id}
        body |= _unless_checked(call.valid)
        return self._entry(REQUEST_SENT, now, body, call.header, outcome="sent")

    def reply_received(self, reply: ValidReply, call: RecordedCall, outcome: str, now: datetime) -> Entry:
        """A verified reply, about to be handed to the client system. outcome: `answered`, or the fault's code."""
        verified = reply.correlated.message.verified
        body = self._header(verified.header) | _verified(verified)
        body |= {
            "directory": reply.correlated.message.directory_version,
            "peer_record": verified.header.record_number,
            "request_entry": call.record_number,
        } | _shown(reply.correlated.message)
        return self._entry(REPLY_RECEIVED, now, body, verified.header, outcome=outcome)

    def call_refused(
        self,
        call: ReceivedCall,
        *,
        identified: IdentifiedCall | None,
        authorized: AuthorizedCall | None,
        sent: RecordedCall | None,
        error: AdapterError,
        incident: str,
        now: datetime,
    ) -> Entry:
        """A client system's call that was not answered by the provider, with all that was known."""
        body: dict[str, Any] = {"octets_sha256": _sha256(call.octets), "from": call.peer.address}
        body |= _refusal(error) | {"service": str(call.service)}
        header = None
        if identified is not None:
            body |= {"client": identified.client, "consumer": str(identified.subsystem)}
        if authorized is not None:
            header = authorized.header
            body |= self._header(header) | self._why(authorized.personal_data)
        if sent is not None:
            body |= {"request_entry": sent.record_number}
        entry = self._entry(CALL_REFUSED, now, body, header, outcome=error.code, incident=incident)
        return entry if header else _about(entry, call, identified)

    # --- the provider's side -------------------------------------------------------------------------------------

    def request_received(self, request: AuthorizedRequest, now: datetime) -> Entry:
        """An authorised request, about to be handed to the information system."""
        message = request.valid.fresh.message
        verified = message.verified
        body = self._header(verified.header) | self._why(verified.personal_data) | _verified(verified)
        body |= (
            {
                "directory": message.directory_version,
                "rule": request.rule_id,
                "policy": request.policy_version,
            }
            | _consent(request.consent)
            | _unless_checked(request.valid)
            | _shown(message)
        )
        return self._entry(REQUEST_RECEIVED, now, body, verified.header, outcome="released")

    def reply_sent(
        self, request: RecordedRequest, answer: ReleasedAnswer, sealed: SealedMessage, now: datetime
    ) -> Entry:
        """A sealed answer, about to leave: of a rule that names fields, with those that it holds, never a value."""
        body = self._header(sealed.header) | _sealed(sealed)
        body |= {"request_entry": request.record_number}
        if answer.released is not None:
            body |= {
                "fields": list(answer.released),
                "fields_replaced": [list(pair) for pair in answer.replaced] or None,
            }
        return self._entry(REPLY_SENT, now, body, sealed.header, outcome="answered")

    def retry_answered(self, verified: VerifiedMessage, reply_entry: int | None, now: datetime) -> Entry:
        """The same signed message came again and gets the stored reply."""
        body = self._header(verified.header) | _verified(verified) | {"reply_entry": reply_entry}
        return self._entry(RETRY_ANSWERED, now, body, verified.header, outcome="answered again")

    def refused(
        self,
        received: ReceivedMessage,
        *,
        claimed: ExchangeHeader | None,
        verified: VerifiedMessage | None,
        request: RecordedRequest | None,
        fault: SealedMessage | None,
        error: AdapterError,
        incident: str,
        now: datetime,
    ) -> Entry:
        """A peer's message that was refused, with whatever was known by then; unverified values are named claims."""
        body: dict[str, Any] = {"octets_sha256": _sha256(received.octets), "from": received.peer.address}
        if received.peer.certificate_sha256 is not None:
            body |= {"tls_sha256": received.peer.certificate_sha256.hex()}
        header = verified.header if verified is not None else claimed
        if verified is not None:
            body |= self._header(verified.header) | self._why(verified.personal_data) | _verified(verified)
        elif claimed is not None:
            body |= {"claimed": self._header(claimed)}
        if request is not None:
            body |= {"request_entry": request.record_number}
        if fault is not None:
            body |= {"reply_octets_sha256": _sha256(fault.octets), "reply_signed_sha256": fault.signed_digest.hex()}
        body |= _refusal(error)
        return self._entry(REFUSED, now, body, header, outcome=error.code, incident=incident)

    # --- what entries have in common -----------------------------------------------------------------------------

    def _header(self, header: ExchangeHeader) -> dict[str, Any]:
        return {
            "message_id": str(header.message_id),
            "in_reply_to": None if header.in_reply_to is None else str(header.in_reply_to),
            "consumer": str(header.claimed_consumer),
            "service": str(header.service),
            "operation": header.operation,
            "official": str(header.official),
            "regulation": header.regulation,
            "sent": write_instant(header.sent),
        }

    def _why(self, personal_data: PersonalData | None) -> dict[str, Any]:
        if personal_data is None:
            return {}
        basis = personal_data.legal_basis
        return {
            "purpose": personal_data.purpose,
            "legal_basis": None
            if basis is None
            else {"kind": basis.kind, "reference": basis.reference, **dict(basis.names)},
            "consent": personal_data.consent,
            "issue": personal_data.issue,
            "represented_party": self._represented(personal_data),
            "emergency": self._emergency(personal_data),
            "subjects": [
                subject_tag(self.subject_key, subject.kind, subject.value) for subject in personal_data.subjects
            ],
        }

    def _represented(self, personal_data: PersonalData) -> dict[str, str] | None:
        """Whom the consumer spoke for: the class in clear, the code, which may be a person's, as a keyed hash."""
        party = personal_data.represented_party
        if party is None:
            return None
        said = {} if party.party_class is None else {"class": party.party_class}
        return said | {"code": subject_tag(self.subject_key, f"party:{party.party_class or ''}", party.code)}

    def _emergency(self, personal_data: PersonalData) -> dict[str, str] | None:
        """That it was one. The reason, which may be about a person, as a keyed hash: it is in the kept message."""
        if personal_data.emergency is None:
            return None
        return {"reason": subject_tag(self.subject_key, "emergency:reason", personal_data.emergency)}

    def _entry(
        self,
        kind: str,
        now: datetime,
        body: dict[str, Any],
        header: ExchangeHeader | None,
        *,
        outcome: str,
        incident: str | None = None,
    ) -> Entry:
        said = {key: value for key, value in body.items() if value is not None}
        said |= {"v": 1, "kind": kind, "by": str(self.own), "at": write_instant(now), "outcome": outcome}
        if incident is not None:
            said["incident"] = incident
        return Entry(
            body=said,
            kind=kind,
            at=now,
            message_id=None if header is None else str(_exchange_id(header)),
            consumer=None if header is None else str(header.claimed_consumer),
            service=None if header is None else str(header.service),
            outcome=outcome,
            incident=incident,
        )


def turned_away_entry(own: MemberId, *, said: dict[str, Any], now: datetime) -> Entry:
    """What a listener did not read since the last such entry. said: how much, why, of whom; of no message's content."""
    outcome = "turned away"
    body = {"v": 1, "kind": TURNED_AWAY, "by": str(own), "at": write_instant(now), "outcome": outcome, **said}
    return Entry(body=body, kind=TURNED_AWAY, at=now, outcome=outcome)


def interrupted_entry(
    own: MemberId, *, consumer: SubsystemId, message_id: MessageId, request_number: RecordNumber, now: datetime
) -> Entry:
    """An exchange that was handed to the information system when the process died: its outcome is not known."""
    body = {
        "v": 1,
        "kind": INTERRUPTED,
        "by": str(own),
        "at": write_instant(now),
        "outcome": "unknown",
        "message_id": str(message_id),
        "consumer": str(consumer),
        "request_entry": request_number,
    }
    return Entry(
        body=body, kind=INTERRUPTED, at=now, message_id=str(message_id), consumer=str(consumer), outcome="unknown"
    )


def _exchange_id(header: ExchangeHeader) -> MessageId:
    """Both messages of an exchange are found by the id of its request."""
    return header.in_reply_to or header.message_id


def _about(entry: Entry, call: ReceivedCall, identified: IdentifiedCall | None) -> Entry:
    """The same entry, to be found by what is known without a header."""
    return Entry(
        body=entry.body,
        kind=entry.kind,
        at=entry.at,
        service=str(call.service),
        consumer=None if identified is None else str(identified.subsystem),
        outcome=entry.outcome,
        incident=entry.incident,
    )


def _verified(verified: VerifiedMessage) -> dict[str, Any]:
    return {
        "octets_sha256": _sha256(verified.received.octets),
        "signed_sha256": verified.signed_digest.hex(),
        "received": write_instant(verified.received.received_at),
    } | _attachments(verified.attachments)


def _shown(message: TrustedMessage) -> dict[str, Any]:
    """The checkpoint that the sender showed of its own record: when, is said by this entry's place in ours."""
    shown = shown_in(message)
    return {} if shown is None else {"peer_checkpoint": {"size": shown.size, "root": shown.root.hex()}}


def _sealed(sealed: SealedMessage) -> dict[str, Any]:
    said = {"octets_sha256": _sha256(sealed.octets), "signed_sha256": sealed.signed_digest.hex()}
    return said if sealed.attachments is None else said | _attachments(sealed.attachments.said)


def _attachments(attachments: tuple[Attachment, ...]) -> dict[str, Any]:
    """What each one was, without its name, which may say whom it is about."""
    if not attachments:
        return {}
    return {
        "attachments": [
            {"id": one.content_id, "media_type": one.media_type, "size": one.size, "sha256": one.sha256.hex()}
            for one in attachments
        ]
    }


def _consent(used: UsedConsent | None) -> dict[str, Any]:
    """The consent that was verified, by its id and the digest of the statement: nothing of what is in it."""
    if used is None:
        return {}
    said = {"id": used.reference, "statement_sha256": used.statement_sha256.hex()}
    return {"consent_verified": said | {"status_at": write_instant(used.status_at)}}


def _unless_checked(valid: ValidCall | ValidRequest) -> dict[str, Any]:
    """Says so when a SOAP-encoded Body was passed through by its name alone."""
    return {} if valid.type_checked else {"type_checked": False}


def _refusal(error: AdapterError) -> dict[str, Any]:
    said: dict[str, Any] = {"reason": error.reason[:_MAX_REASON_CHARS], "blame": error.blame.value}
    if error.problems:
        said["problems"] = [
            {"line": problem.line, "column": problem.column, "element": problem.element, "rule": problem.rule}
            for problem in error.problems[:20]
        ]
    return said


def _sha256(octets: bytes) -> str:
    return hashlib.sha256(octets).hexdigest()
