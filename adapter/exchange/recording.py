"""Nothing is released before its record is durable: the only place that makes the Recorded… stages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from adapter.audit.entry import EntryMaker
from adapter.audit.peer_checkpoints import shown_in
from adapter.envelope.gate_attachments import names_attachments
from adapter.errors import (
    AnswerNotKept,
    AnswerNotRecorded,
    DeliveryNotRecorded,
    InternalError,
    MessageIdReused,
    MessageInProgress,
    OutcomeUnknown,
    Overloaded,
    RecordUnavailable,
)
from adapter.identifiers import RecordNumber
from adapter.ports import (
    REPLY,
    REQUEST,
    STATUS_OF,
    Claim,
    ExchangeState,
    Keeping,
    KeptMessage,
    KnownExchange,
    Record,
    RecordWrite,
    Written,
)
from adapter.stages import (
    AuthorizedCall,
    AuthorizedRequest,
    DeliverableReply,
    ExchangeHeader,
    FreshRequest,
    PersonalData,
    ProvenAttachments,
    RecordedCall,
    RecordedReply,
    RecordedRequest,
    ReleasedAnswer,
    SealedMessage,
    TrustedMessage,
    ValidReply,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorder:
    """Writes the entries of an exchange through the Record port.

    keep_known_s: seconds for which a message id stays known after the message expired (at least the clock skew).
    transfer_s: seconds that a message with attachments may take to come in: a copy of it may come so much later.
    """

    record: Record
    entries: EntryMaker
    keep_known_s: int = 120
    transfer_s: int = 3600

    def claim_of(self, fresh: FreshRequest) -> Claim:
        """The reservation that stands for this request: same signed content, same claim."""
        verified = fresh.message.verified
        keep_known_s = self.keep_known_s + (self.transfer_s if verified.attachments else 0)
        return Claim(
            consumer=fresh.consumer,
            message_id=verified.header.message_id,
            content_digest=verified.signed_digest,
            expires=verified.expires + timedelta(seconds=keep_known_s),
        )

    async def record_request(
        self, authorized: AuthorizedRequest, proven: ProvenAttachments, now: datetime
    ) -> RecordedRequest | bytes:
        """Reserve the id and record, in one durable write; or give back the stored reply of an earlier attempt.

        Raises MessageIdReused, MessageInProgress, OutcomeUnknown, RecordUnavailable.
        """
        fresh = authorized.valid.fresh
        verified = fresh.message.verified
        if proven.message is not verified:
            raise InternalError("attachments of another message")
        kept = KeptMessage(direction=REQUEST, octets=verified.received.octets, content_key=verified.content_key)
        claim = self.claim_of(fresh)
        entry = self.entries.request_received(authorized, now)
        kept_all = (*_kept_status(REQUEST, fresh.message), kept)
        shown = shown_in(fresh.message)
        write = RecordWrite(entry=entry, kept=kept_all, claim=claim, shown=shown, keeping=keeping_of(authorized))
        written = await self.record.write(write)
        if isinstance(written, KnownExchange):
            return stored_reply(written, claim)
        return RecordedRequest(authorized=authorized, proven=proven, record_number=written.number)

    async def record_reply(
        self, request: RecordedRequest, answer: ReleasedAnswer, sealed: SealedMessage, now: datetime
    ) -> RecordedReply:
        """Record the answer and store it for a retry; then it may leave. Raises AnswerNotRecorded."""
        kept = KeptMessage(direction=REPLY, octets=sealed.octets, content_key=sealed.content_key)
        entry = self.entries.reply_sent(request, answer, sealed, now)
        claim, keeping = self.claim_of(request.authorized.valid.fresh), keeping_of(request.authorized)
        try:
            written = await self.record.write(RecordWrite(entry=entry, kept=(kept,), answers=claim, keeping=keeping))
        except (RecordUnavailable, Overloaded) as unrecorded:
            raise AnswerNotRecorded(unrecorded.reason) from None
        return RecordedReply(sealed=sealed, record_number=_number(written))

    async def record_retry(self, fresh: FreshRequest, known: KnownExchange, now: datetime) -> None:
        """Record that a stored reply is given out once more. Raises RecordUnavailable."""
        entry = self.entries.retry_answered(fresh.message.verified, known.reply_number, now)
        _number(await self.record.write(RecordWrite(entry=entry)))

    async def record_call(self, call: AuthorizedCall, sealed: SealedMessage, now: datetime) -> RecordedCall:
        """Record a sealed call; then it may leave. Raises RecordUnavailable."""
        kept = KeptMessage(direction=REQUEST, octets=sealed.octets, content_key=sealed.content_key)
        entry = self.entries.request_sent(call, sealed, now)
        keeping = _keeping(call.header, call.personal_data)
        written = await self.record.write(RecordWrite(entry=entry, kept=(kept,), keeping=keeping))
        return RecordedCall(authorized=call, sealed=sealed, record_number=_number(written))

    async def record_delivery(
        self, reply: ValidReply, proven: ProvenAttachments, call: RecordedCall, outcome: str, now: datetime
    ) -> DeliverableReply:
        """Record a verified reply; then the client system may have it. Raises DeliveryNotRecorded."""
        verified = reply.correlated.message.verified
        if proven.message is not verified:
            raise InternalError("attachments of another message")
        kept = KeptMessage(direction=REPLY, octets=verified.received.octets, content_key=verified.content_key)
        entry = self.entries.reply_received(reply, call, outcome, now)
        kept_all = (*_kept_status(REPLY, reply.correlated.message), kept)
        try:
            shown = shown_in(reply.correlated.message)
            keeping = _keeping(call.authorized.header, call.authorized.personal_data)
            written = await self.record.write(RecordWrite(entry=entry, kept=kept_all, shown=shown, keeping=keeping))
        except (RecordUnavailable, Overloaded) as unrecorded:
            raise DeliveryNotRecorded(unrecorded.reason) from None
        return DeliverableReply(valid=reply, proven=proven, record_number=_number(written))


def keeping_of(request: AuthorizedRequest) -> Keeping:
    """What decides how long the messages of an allowed request are kept."""
    verified = request.valid.fresh.message.verified
    return _keeping(verified.header, verified.personal_data)


def _keeping(header: ExchangeHeader, personal_data: PersonalData | None) -> Keeping:
    return Keeping(str(header.service), "" if personal_data is None else personal_data.purpose)


def stored_reply(known: KnownExchange, claim: Claim) -> bytes:
    """What an earlier attempt with this id allows: its stored reply, or a refusal.

    Raises MessageIdReused (other content), MessageInProgress, OutcomeUnknown, AnswerNotKept.
    """
    if known.content_digest != claim.content_digest:
        raise MessageIdReused("the message id was used before with another content")
    match known.state:
        case ExchangeState.ANSWERED:
            if known.reply is None:
                raise AnswerNotKept("the stored reply was erased, or moved to an archive file")
            if names_attachments(known.reply):
                raise AnswerNotKept("the stored reply had attachments, which are not kept")
            return known.reply
        case ExchangeState.RELEASED:
            raise MessageInProgress("an earlier attempt is being answered")
        case _:
            raise OutcomeUnknown("an earlier attempt was interrupted after it was handed to the information system")


def _kept_status(direction: str, message: TrustedMessage) -> tuple[KeptMessage, ...]:
    """The OCSP response that was fetched for a message, kept beside it; one that was stapled is in the message."""
    if message.fetched_status is None:
        return ()
    return (KeptMessage(direction=STATUS_OF[direction], octets=message.fetched_status, content_key=_NO_CONTENT_KEY),)


_NO_CONTENT_KEY: Final = bytes(16)


def _number(written: Written | KnownExchange) -> RecordNumber:
    if isinstance(written, KnownExchange):
        raise InternalError("the record refused a write that claims no message id")
    return written.number
