"""The provider's side of an exchange: from a peer's octets to the octets of the signed answer."""

from __future__ import annotations

import structlog

from adapter.directory.model import Directory
from adapter.errors import AdapterError, InternalError, StatusUnavailable
from adapter.exchange.attachments import prove
from adapter.exchange.consents import verified_consent
from adapter.exchange.emergencies import tell_of_request
from adapter.exchange.incidents import new_incident, where
from adapter.exchange.minimising import minimise, of_a_system
from adapter.exchange.provider import PeerAnswer, ProvidedService, Provider, seal_answer
from adapter.exchange.recording import stored_reply
from adapter.exchange.refusal import refuse
from adapter.exchange.trail import Trail
from adapter.exchange.validation import validate_answer, validate_request
from adapter.large_messages import worked_on
from adapter.policy.decision import authorize
from adapter.policy.freshness import check_awaited, check_fresh
from adapter.policy.stamped import check_stamped_request
from adapter.stages import (
    BackendAnswer,
    FreshRequest,
    MessageKind,
    ReceivedMessage,
    RecordedRequest,
    ReleasedAnswer,
    SealedMessage,
    TrustedMessage,
)

log = structlog.get_logger(__name__)


async def provide(received: ReceivedMessage, site: Provider) -> PeerAnswer:
    """Answer a peer's message. Never raises: every failure becomes a recorded refusal and a fault."""
    trail = Trail(received=received)
    try:
        directory = site.directory()
        trusted = await _open(trail, site, directory)
        # Attachments take their time to come in: a message is as fresh as its envelope was when that had come.
        arrived = received.received_at if received.parts else site.clock()
        fresh = trail.reached(check_fresh(trusted, own=site.own, directory=directory, now=arrived, bounds=site.bounds))
        if (earlier := await _answered_before(fresh, site)) is not None:
            return PeerAnswer(octets=earlier)
        check_awaited(fresh, now=site.clock())
        service = site.service(trusted.verified.header.service)
        valid = await worked_on(
            len(received.octets), lambda: validate_request(fresh, service.description, service.subject_rule)
        )
        consent = await verified_consent(
            valid, site.consents, policy=site.policy(), directory=directory, clock=site.clock
        )
        authorized = authorize(valid, policy=site.policy(), directory=directory, now=site.clock(), consent=consent)
        asked = directory.service(trusted.verified.header.service)
        check_stamped_request(asked, site.stamp_deadline(), site.clock())
        proven = await prove(trusted.verified, service.attachments, site.scan)
        recorded = await site.recorder.record_request(authorized, proven, site.clock())
        if isinstance(recorded, bytes):
            return PeerAnswer(octets=recorded)
        trail.reached(recorded)
        tell_of_request(recorded)
        answer = await service.backend.answer(recorded)
        released, sealed = await worked_on(
            answer.size, lambda: _released_and_sealed(answer, service, recorded, site, directory)
        )
        reply = await site.recorder.record_reply(recorded, released, sealed, site.clock())
        log.info("answered", record=reply.record_number, request_record=recorded.record_number)
        return PeerAnswer(octets=reply.sealed.octets, attachments=reply.sealed.attachments)
    except AdapterError as error:
        return await refuse(of_a_system(error, trail.recorded), trail, site)
    # The last door: whatever went wrong, the peer gets a fault and the record an entry.
    except Exception as error:  # noqa: BLE001
        incident = new_incident()
        log.error("unexpected", incident=incident, error=type(error).__name__, where=where(error))
        return await refuse(InternalError(f"unexpected {type(error).__name__}"), trail, site, incident=incident)


async def _open(trail: Trail, site: Provider, directory: Directory) -> TrustedMessage:
    try:
        return await worked_on(
            len(trail.received.octets),
            lambda: site.opener.open(trail, MessageKind.REQUEST, directory=directory, now=site.clock()),
        )
    except StatusUnavailable:
        return await site.opener.trust_after_asking(trail, directory=directory, now=site.clock())


def _released_and_sealed(
    answer: BackendAnswer,
    service: ProvidedService,
    recorded: RecordedRequest,
    site: Provider,
    directory: Directory,
) -> tuple[ReleasedAnswer, SealedMessage]:
    """The answer judged, cut down to what the rule lets out, signed and encrypted."""
    authorized = recorded.authorized
    valid = validate_answer(answer, service.description, authorized.valid)
    released = minimise(valid, service.description, authorized)
    return released, seal_answer(authorized.valid.fresh.message, recorded, released, site, directory)


async def _answered_before(fresh: FreshRequest, site: Provider) -> bytes | None:
    """The stored reply when this very message was answered before (promise 3). Raises MessageIdReused and the like."""
    claim = site.recorder.claim_of(fresh)
    known = await site.recorder.record.find(claim.consumer, claim.message_id)
    if known is None:
        return None
    reply = stored_reply(known, claim)
    await site.recorder.record_retry(fresh, known, site.clock())
    return reply
