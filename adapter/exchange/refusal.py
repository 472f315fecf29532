"""Refusing a peer's message: record first, then a fault; signed when it is known for whom."""

from __future__ import annotations

import structlog

from adapter.envelope.faults import plain_fault_message, public_fault, render_fault
from adapter.errors import (
    AdapterError,
    AnswerNotKept,
    AnswerNotRecorded,
    MessageIdReused,
    MessageInProgress,
    OutcomeUnknown,
    RecordUnavailable,
    Retry,
)
from adapter.exchange.incidents import new_incident
from adapter.exchange.provider import PeerAnswer, Provider, seal_answer
from adapter.exchange.recording import keeping_of
from adapter.exchange.trail import Trail
from adapter.ports import REFUSED, REPLY, REQUEST, Claim, KeptMessage, KnownExchange, RecordWrite
from adapter.stages import SealedMessage, SoapVersion

log = structlog.get_logger(__name__)

# These speak about another attempt with the same id, whose reservation is not theirs to close.
_ABOUT_ANOTHER_ATTEMPT = (MessageIdReused, MessageInProgress, OutcomeUnknown, AnswerNotKept)


async def refuse(error: AdapterError, trail: Trail, site: Provider, *, incident: str | None = None) -> PeerAnswer:
    """Record why a message is refused, then answer with the fault of the catalogue. Never raises.

    When the refusal cannot be recorded, nothing of it is said: the peer is told that the record is unavailable.
    """
    incident = incident or new_incident()
    fault = public_fault(error, incident)
    sealed = _sealed(render_fault(fault, SoapVersion.SOAP12), trail, site)
    try:
        number = await _record(error, incident, sealed, trail, site)
    except AdapterError as unrecorded:
        log.error("refusal not recorded", incident=incident, code=error.code, because=unrecorded.code)
        said = RecordUnavailable() if trail.recorded is None else AnswerNotRecorded()
        octets = plain_fault_message(public_fault(said, incident), SoapVersion.SOAP12)
        return PeerAnswer(octets=octets, status=said.http_status, refused=said)
    log.warning("refused", code=error.code, incident=incident, record=number)
    octets = plain_fault_message(fault, SoapVersion.SOAP12) if sealed is None else sealed.octets
    return PeerAnswer(octets=octets, status=error.http_status, refused=error)


def _sealed(fault: bytes, trail: Trail, site: Provider) -> SealedMessage | None:
    """The fault as a signed reply, when the sender is trusted; a plain fault is all that a stranger gets."""
    if trail.trusted is None:
        return None
    try:
        return seal_answer(trail.trusted, trail.recorded, fault, site, site.directory())
    except AdapterError as unsealed:
        log.error("fault not sealed", because=unsealed.code)
        return None


async def _record(
    error: AdapterError, incident: str, sealed: SealedMessage | None, trail: Trail, site: Provider
) -> int:
    entry = site.recorder.entries.refused(
        trail.received,
        claimed=trail.gated.claimed_header if trail.gated else None,
        verified=trail.verified,
        request=trail.recorded,
        fault=sealed,
        error=error,
        incident=incident,
        now=site.clock(),
    )
    kept = _kept(trail, sealed)
    claim, answers = _reservation(error, sealed, trail, site)
    record = site.recorder.record
    keeping = REFUSED if trail.recorded is None else keeping_of(trail.recorded.authorized)
    written = await record.write(RecordWrite(entry=entry, kept=kept, claim=claim, answers=answers, keeping=keeping))
    if isinstance(written, KnownExchange):  # another attempt took the id in this instant: only the refusal is written
        written = await record.write(RecordWrite(entry=entry, kept=kept, keeping=keeping))
    if isinstance(written, KnownExchange):
        raise RecordUnavailable("the record refused a write that claims no message id")
    return written.number


def _kept(trail: Trail, sealed: SealedMessage | None) -> tuple[KeptMessage, ...]:
    """A member's message, as evidence; not what anybody can sign with a key of their own, to fill the disk."""
    kept = []
    if trail.trusted is not None and trail.recorded is None:  # a recorded request is kept already
        verified = trail.trusted.verified
        kept.append(KeptMessage(direction=REQUEST, octets=verified.received.octets, content_key=verified.content_key))
    if sealed is not None:
        kept.append(KeptMessage(direction=REPLY, octets=sealed.octets, content_key=sealed.content_key))
    return tuple(kept)


def _reservation(
    error: AdapterError, sealed: SealedMessage | None, trail: Trail, site: Provider
) -> tuple[Claim | None, Claim | None]:
    """What the refusal does to the message id: (reserve, close).

    A request that had been recorded is closed with the fault as its answer. A fresh one that is refused for good uses
    its id up, so that a retry gets the same fault. One that may be retried unchanged leaves its id free.
    """
    if trail.fresh is None or sealed is None:
        return None, None
    claim = site.recorder.claim_of(trail.fresh)
    if trail.recorded is not None:
        return None, claim
    if error.retry is Retry.LATER or isinstance(error, _ABOUT_ANOTHER_ATTEMPT):
        return None, None
    return claim, claim
