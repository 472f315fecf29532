"""Whether a message is for us and within its time, and whether a reply answers the call that was sent."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapter.directory.model import Directory
from adapter.errors import MessageExpired, NotForUs, PeerAnswerInvalid
from adapter.identifiers import MemberId
from adapter.stages import CorrelatedReply, ExchangeHeader, FreshRequest, RecordedCall, TrustedMessage, VerifiedMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeBounds:
    """How far a peer's clock may be off, and how long a message may live; both in seconds."""

    clock_skew_s: int = 60
    max_lifetime_s: int = 300

    @property
    def skew(self) -> timedelta:
        """clock_skew_s as a duration."""
        return timedelta(seconds=self.clock_skew_s)

    @property
    def max_lifetime(self) -> timedelta:
        """max_lifetime_s as a duration."""
        return timedelta(seconds=self.max_lifetime_s)


def check_fresh(
    message: TrustedMessage, *, own: MemberId, directory: Directory, now: datetime, bounds: TimeBounds
) -> FreshRequest:
    """Accept a trusted request that is within its time, addressed to us and sent for a registered subsystem.

    Times come from the verified Timestamp (WSS 1.1 SOAP Message Security, 10) and the verified Exchange header.
    Raises MessageExpired, NotForUs, UnknownMember, UnknownService. Whether the id is new is decided by the record.
    """
    header = message.verified.header
    _check_times(message.verified, now, bounds)
    if header.service.subsystem.member != own:
        raise NotForUs(f"addressed to {header.service.subsystem.member}")
    directory.check_subsystem(header.claimed_consumer)
    directory.service(header.service)
    return FreshRequest(message=message, consumer=header.claimed_consumer)


def check_awaited(fresh: FreshRequest, *, now: datetime) -> None:
    """Whether anybody still waits for the answer: asked before something new is begun, not for a stored reply.

    Raises MessageExpired.
    """
    if fresh.message.verified.header.reply_by <= now:
        raise MessageExpired("the time by which the consumer wanted the reply is over")


def correlate(message: TrustedMessage, call: RecordedCall, *, now: datetime, bounds: TimeBounds) -> CorrelatedReply:
    """Accept a trusted reply that answers exactly this call.

    The reply names the request's id and repeats its parties, and its SignatureConfirmation is the value of the
    request's signature (WSS 1.1 SOAP Message Security, 8.5). Raises PeerAnswerInvalid, MessageExpired.
    """
    reply = message.verified
    sent = call.sealed.header
    if reply.header.in_reply_to != sent.message_id:
        raise PeerAnswerInvalid("the reply answers another message")
    if _parties(reply.header) != _parties(sent):
        raise PeerAnswerInvalid("the reply names another consumer, service or operation")
    if reply.confirmation is None or not hmac.compare_digest(reply.confirmation, call.sealed.signature_value):
        raise PeerAnswerInvalid("the reply does not confirm the signature of the request")
    _check_times(reply, now, bounds)
    return CorrelatedReply(message=message)


def _parties(header: ExchangeHeader) -> tuple[object, ...]:
    return (header.claimed_consumer, header.service, header.operation)


def _check_times(verified: VerifiedMessage, now: datetime, bounds: TimeBounds) -> None:
    """Check each claim about time on its own: a far future Created must not hide behind a good Expires."""
    created, expires = verified.created, verified.expires
    if expires <= created:
        raise MessageExpired("Expires is not after Created")
    if expires - created > bounds.max_lifetime:
        raise MessageExpired("the lifetime is longer than allowed")
    if created > now + bounds.skew:
        raise MessageExpired("Created lies in the future")
    if expires + bounds.skew <= now:
        raise MessageExpired("Expires is over")
    if abs(verified.header.sent - created) > bounds.skew:
        raise MessageExpired("Sent in the Exchange header and Created in the Timestamp differ")
