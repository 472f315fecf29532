"""The listener for other adapters: POST /peer over mutual TLS 1.3, one envelope in, one envelope out."""

from __future__ import annotations

import structlog
from aiohttp import web

from adapter.errors import AdapterError, EnvelopeRefused, MalformedMessage
from adapter.exchange.incidents import new_incident
from adapter.exchange.provide import provide
from adapter.exchange.provider import PeerAnswer, Provider
from adapter.exchange.refusal import refuse
from adapter.exchange.trail import Trail
from adapter.stages import ReceivedMessage, SoapVersion
from adapter.transport.http_protocol import SERVER_HEADER, fault_response
from adapter.transport.http_server import HttpBounds, InFlight, peer_of, read_body

log = structlog.get_logger(__name__)

PATH = "/peer"
CONTENT_TYPE = "application/soap+xml"


class PeerListener:
    """Turns HTTP requests of peers into received messages and answers of the provider's side into HTTP responses."""

    def __init__(self, site: Provider, bounds: HttpBounds, in_flight: InFlight) -> None:
        self._site = site
        self._bounds = bounds
        self._in_flight = in_flight

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request. The exchange goes on to its recorded end even when the peer hangs up."""
        if request.path != PATH or request.method != "POST":
            incident = new_incident()
            log.warning("refused", code=EnvelopeRefused.code, incident=incident)
            return fault_response(EnvelopeRefused("not POST /peer"), incident, SoapVersion.SOAP12)
        answer = await self._answer(request)
        return web.Response(
            body=answer.octets,
            status=answer.status,
            content_type=CONTENT_TYPE,
            charset="utf-8",
            headers=SERVER_HEADER,
        )

    async def _answer(self, request: web.BaseRequest) -> PeerAnswer:
        peer = peer_of(request)
        now = self._site.clock
        try:
            async with self._in_flight.slot():
                if request.content_type != CONTENT_TYPE:
                    raise MalformedMessage("the content type is not application/soap+xml")
                octets = await read_body(request, self._bounds)
                return await provide(ReceivedMessage(octets=octets, received_at=now(), peer=peer), self._site)
        except AdapterError as unread:
            received = ReceivedMessage(octets=b"", received_at=now(), peer=peer)
            return await refuse(unread, Trail(received=received), self._site)
