"""What the provider's side of one adapter works with, and how it seals what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from cryptography import x509

from adapter.attachments import HeldAttachments
from adapter.crypto.seal import seal
from adapter.directory.model import Directory
from adapter.directory.trust import choose_recipient
from adapter.envelope.description import ServiceDescription
from adapter.envelope.gate import gate, parse_message
from adapter.errors import AdapterError, NotForUs
from adapter.exchange.attachments import ScanRule
from adapter.exchange.consents import Learn, nobody_asks
from adapter.exchange.opening import Opener, no_checkpoint, nothing_stapled
from adapter.exchange.parts import NO_ATTACHMENTS, AttachmentBounds
from adapter.exchange.recording import Recorder
from adapter.exchange.validation import SubjectRule
from adapter.identifiers import MemberId, MessageId, ServiceId
from adapter.large_messages import worked_on
from adapter.policy.freshness import TimeBounds
from adapter.policy.rules import PolicySnapshot
from adapter.policy.stamped import never
from adapter.ports import Backend, Clock, SigningKey
from adapter.stages import (
    ExchangeHeader,
    MessageKind,
    ReceivedMessage,
    RecordedRequest,
    ReleasedAnswer,
    SealedMessage,
    TrustedMessage,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvidedService:
    """One of our services: its contract, the information system behind it, whom a payload is about, what it may bring.

    attachments: of a request. A service that takes none refuses a message that has some.
    """

    description: ServiceDescription
    backend: Backend
    subject_rule: SubjectRule | None = None
    attachments: AttachmentBounds = NO_ATTACHMENTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """What the provider's side of one adapter works with. directory() raises when there is no valid one.

    stamp_deadline: until when our record may wait for its time-stamp. checkpoint: the newest of our record, to send
    along.
    """

    own: MemberId
    clock: Clock
    bounds: TimeBounds
    opener: Opener
    signing_key: Callable[[], SigningKey]
    directory: Callable[[], Directory]
    policy: Callable[[], PolicySnapshot]
    services: Mapping[ServiceId, ProvidedService]
    recorder: Recorder
    scan: ScanRule | None = None
    stamp_deadline: Callable[[], datetime | None] = never
    staple: Callable[[x509.Certificate], bytes | None] = nothing_stapled
    checkpoint: Callable[[], bytes | None] = no_checkpoint
    consents: Learn = nobody_asks

    async def attachment_bounds(self, envelope: ReceivedMessage) -> AttachmentBounds:
        """What the service that an envelope claims to be for takes: asked before anything beside it is kept.

        Raises EnvelopeRefused, LimitExceeded, NotForUs: a message whose structure is refused brings nothing.
        """
        gated = await worked_on(
            len(envelope.octets), lambda: gate(parse_message(envelope, self.opener.limits), MessageKind.REQUEST)
        )
        return self.service(gated.claimed_header.service).attachments

    def service(self, service: ServiceId) -> ProvidedService:
        """One of our services. Raises NotForUs: the directory may list it before this adapter serves it."""
        try:
            return self.services[service]
        except KeyError:
            raise NotForUs(f"{service} is not configured at this adapter") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerAnswer:
    """The octets for the peer, the attachments beside them, and the HTTP status that goes with them.

    refused: why nothing else is said; None when the request was answered.
    """

    octets: bytes
    status: int = HTTPStatus.OK
    attachments: HeldAttachments | None = None
    refused: AdapterError | None = None


def seal_answer(
    request: TrustedMessage,
    recorded: RecordedRequest | None,
    answer: ReleasedAnswer | bytes,
    site: Provider,
    directory: Directory,
) -> SealedMessage:
    """Sign and encrypt an answer (or the octets of a fault) for the consumer whose request was trusted."""
    asked = request.verified.header
    now = site.clock()
    consumer = directory.member(request.sender)
    opener = site.opener
    recipient = choose_recipient(consumer, directory=directory, now=now, chains=opener.chains, statuses=opener.statuses)
    signing_key = site.signing_key()
    header = ExchangeHeader(
        message_id=MessageId.new(now),
        in_reply_to=asked.message_id,
        claimed_consumer=asked.claimed_consumer,
        service=asked.service,
        operation=asked.operation,
        official=asked.official,
        sent=now,
        reply_by=asked.reply_by,
        regulation=asked.regulation,
        record_number=None if recorded is None else recorded.record_number,
        certificate_status=site.staple(signing_key.certificate),
        checkpoint=site.checkpoint(),
    )
    return seal(
        header=header,
        personal_data=None,
        payload=answer if isinstance(answer, bytes) else answer.payload,
        confirmation=request.verified.signature_value,
        signing_key=signing_key,
        recipient=recipient.certificate,
        recipient_suite=recipient.suite,
        now=now,
        lifetime_s=site.bounds.max_lifetime_s,
        names_in_values=isinstance(answer, ReleasedAnswer) and answer.names_in_values,
        attachments=None if isinstance(answer, bytes) else answer.attachments,
    )
