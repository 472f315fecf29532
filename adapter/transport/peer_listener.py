"""The listener for other adapters: POST /peer over mutual TLS 1.3, one envelope in, one envelope out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import closing

import structlog
from aiohttp import web

from adapter.attachments import HeldAttachments, Holding
from adapter.audit.past import MAX_QUESTION_OCTETS
from adapter.envelope.bodies import Form, StreamedBody, related_body
from adapter.envelope.multipart import read_related_type
from adapter.envelope.wire_limits import ArrivingEnvelope
from adapter.errors import AdapterError, EnvelopeRefused, InternalError, MalformedMessage
from adapter.exchange.incidents import new_incident, where
from adapter.exchange.parts import RelatedMessage
from adapter.exchange.provide import provide
from adapter.exchange.provider import PeerAnswer, Provider
from adapter.exchange.refusal import refuse
from adapter.exchange.trail import Trail
from adapter.stages import Peer, ReceivedMessage, SoapVersion
from adapter.transport.http_protocol import REFUSED, SERVER_HEADER, fault_response, retry_after
from adapter.transport.http_server import (
    HttpBounds,
    hold_octets,
    is_multipart,
    its_turn,
    peer_of,
    read_body,
    read_chunks,
)
from adapter.transport.intake import AttachmentIntake
from adapter.transport.transfer import send_streamed

log = structlog.get_logger(__name__)

PATH = "/peer"
RECORD_PATH = "/peer/record"
CONTENT_TYPE = "application/soap+xml"

RecordAnswers = Callable[[bytes, Peer], Awaitable[bytes]]
"""(a question, whose) to the answer. Raises AdapterError."""


class PeerListener:
    """Turns HTTP requests of peers into received messages and answers of the provider's side into HTTP responses."""

    def __init__(
        self, site: Provider, bounds: HttpBounds, *, intake: AttachmentIntake, record: RecordAnswers | None = None
    ) -> None:
        """record: answers questions about our record (audit.past); None: nobody does."""
        self._record = record
        self._site = site
        self._intake = intake
        self._bounds = bounds
        self._question_bounds = HttpBounds(max_message_bytes=MAX_QUESTION_OCTETS, read_timeout_s=bounds.read_timeout_s)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. The exchange goes on to its recorded end even when the peer hangs up."""
        if request.path == RECORD_PATH and request.method == "POST" and self._record is not None:
            return await self._about_the_record(request, self._record)
        if request.path != PATH or request.method != "POST":
            incident = new_incident()
            log.warning("refused", code=EnvelopeRefused.code, incident=incident)
            return fault_response(EnvelopeRefused("not POST /peer"), incident, SoapVersion.SOAP12)
        with closing(self._intake.holding()) as holding:
            answer = await self._answer(request, holding)
            if answer.attachments is not None:
                body = peer_body(answer.octets, answer.attachments)
                return await send_streamed(
                    request, body, status=answer.status, headers=SERVER_HEADER, bounds=self._bounds.transfer
                )
        response = web.Response(
            body=answer.octets,
            status=answer.status,
            content_type=CONTENT_TYPE,
            charset="utf-8",
            headers={**retry_after(answer.refused), **SERVER_HEADER},
        )
        if answer.refused is not None:
            response[REFUSED] = answer.refused
        return response

    async def _about_the_record(self, request: web.BaseRequest, record: RecordAnswers) -> web.StreamResponse:
        """A question about our record: nothing is signed for it and nothing of it is recorded."""
        try:
            octets = await record(await read_body(request, self._question_bounds), peer_of(request))
        except AdapterError as refused:
            log.warning("question about the record refused", code=refused.code)
            return web.Response(status=refused.http_status, headers=SERVER_HEADER)
        return web.Response(body=octets, content_type="application/json", headers=SERVER_HEADER)

    async def _answer(self, request: web.BaseRequest, holding: Holding) -> PeerAnswer:
        peer = peer_of(request)
        now = self._site.clock
        try:
            return await provide(await self._received(request, peer, holding), self._site)
        except AdapterError as unread:
            await its_turn(request)  # many bodies may end at the same instant
            received = ReceivedMessage(octets=b"", received_at=now(), peer=peer)
            return await refuse(unread, Trail(received=received), self._site)
        # The last door of what cannot be read; `provide` has one of its own.
        except Exception as error:  # noqa: BLE001
            incident = new_incident()
            log.error("unexpected", incident=incident, error=type(error).__name__, where=where(error))
            received = ReceivedMessage(octets=b"", received_at=now(), peer=peer)
            refusal = InternalError(f"unexpected {type(error).__name__}")
            return await refuse(refusal, Trail(received=received), self._site, incident=incident)

    async def _received(self, request: web.BaseRequest, peer: Peer, holding: Holding) -> ReceivedMessage:
        """The message in the request. Raises what `_with_attachments` raises."""
        if is_multipart(request):
            return await self._with_attachments(request, peer, holding)
        if request.content_type != CONTENT_TYPE:
            raise MalformedMessage("the content type is not application/soap+xml")
        octets = await read_body(request, self._bounds, ArrivingEnvelope(self._site.opener.limits).look_at)
        return ReceivedMessage(octets=octets, received_at=self._site.clock(), peer=peer, holding=holding)

    async def _with_attachments(self, request: web.BaseRequest, peer: Peer, holding: Holding) -> ReceivedMessage:
        """Raises MalformedMessage, EnvelopeRefused, NotForUs, LimitExceeded, RequestIncomplete, Overloaded."""
        related = read_related_type(request.headers["Content-Type"], MalformedMessage)
        chunks = read_chunks(request, self._bounds.transfer)
        message = RelatedMessage(chunks, related, self._intake.bounds, MalformedMessage)
        root = await message.root(self._bounds.max_message_bytes)
        hold_octets(request, len(root.octets))
        envelope = ReceivedMessage(octets=root.octets, received_at=self._site.clock(), peer=peer, holding=holding)
        message.narrow(await self._site.attachment_bounds(envelope))
        return ReceivedMessage(
            octets=envelope.octets,
            received_at=envelope.received_at,
            peer=peer,
            parts=await message.keep(holding),
            holding=holding,
        )


def peer_body(envelope: bytes, attachments: HeldAttachments) -> StreamedBody:
    """An envelope and its attachments as they go to another adapter: nothing of them in clear."""
    return related_body(
        envelope,
        attachments,
        root_content_type=f"{CONTENT_TYPE}; charset=utf-8",
        root_type=CONTENT_TYPE,
        form=Form.CIPHERTEXT,
    )
