"""aiohttp's server with bounds on connections and on the time to a first request, and with SOAP faults throughout.

What aiohttp refuses by itself (a malformed request line, headers past their bound) never becomes a message, so there is
nothing to record; it gets a fault with an incident id, and the log has the id.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from adapter.envelope.faults import plain_fault_message, public_fault
from adapter.errors import (
    AdapterError,
    InternalError,
    LimitExceeded,
    MalformedMessage,
    Overloaded,
    RequestIncomplete,
)
from adapter.exchange.incidents import new_incident
from adapter.stages import Peer, SoapVersion

log = structlog.get_logger(__name__)

# What every answer says of the software; aiohttp would name itself and Python with their versions.
SERVER_HEADER = {"Server": "interagency-adapter"}

_CONTENT_TYPE = {SoapVersion.SOAP11: "text/xml", SoapVersion.SOAP12: "application/soap+xml"}


def fault_response(error: AdapterError, incident: str, version: SoapVersion) -> web.Response:
    """A fault as a whole HTTP response."""
    return web.Response(
        body=plain_fault_message(public_fault(error, incident), version),
        status=error.http_status,
        content_type=_CONTENT_TYPE[version],
        charset="utf-8",
        headers={"Adapter-Incident": incident, **SERVER_HEADER},
    )


class SoapServer(web.Server):
    """Makes the protocol of each connection. version: in which SOAP faults speak when the caller's is not known."""

    def __init__(
        self,
        handler: Any,  # noqa: ANN401
        *,
        version: SoapVersion,
        max_connections: int,
        first_request_s: float,
        **more: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(handler, **more)
        self.version = version
        self.max_connections = max_connections
        self.first_request_s = first_request_s

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return SoapRequestHandler(self, loop=self._loop, **self._kwargs)


class SoapRequestHandler(RequestHandler):
    """One connection. peer: who is at the other end, once a request asked (http_server.peer_of)."""

    __slots__ = ("_first_request_timer", "_server", "peer")

    def __init__(self, server: SoapServer, **more: Any) -> None:  # noqa: ANN401
        super().__init__(server, **more)
        self._server = server
        self.peer: Peer | None = None
        self._first_request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse one connection too many; give a new one a bounded time to say something."""
        super().connection_made(transport)
        if len(self._server.connections) > self._server.max_connections:
            log.warning("too many connections", address=str(transport.get_extra_info("peername")))
            self._refuse_at_once(transport, Overloaded())
            return
        loop = asyncio.get_running_loop()
        self._first_request_timer = loop.call_later(self._server.first_request_s, self._close_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the timer."""
        if self._first_request_timer is not None:
            self._first_request_timer.cancel()
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        if self._request_count == 0 and self.transport is not None:
            self._refuse_at_once(self.transport, RequestIncomplete())

    def _refuse_at_once(self, transport: asyncio.BaseTransport, error: AdapterError) -> None:
        """A fault without a request, and the connection ends."""
        incident = new_incident()
        log.warning("refused", code=error.code, incident=incident)
        body = plain_fault_message(public_fault(error, incident), self._server.version)
        head = (
            f"HTTP/1.1 {error.http_status} {HTTPStatus(error.http_status).phrase}\r\n"
            f"Content-Type: {_CONTENT_TYPE[self._server.version]}; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(head.encode() + body)
        self.close()
        transport.close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  may repeat what was sent
    ) -> web.StreamResponse:
        """What is not HTTP, and what went wrong outside of every handler: a fault, and the connection ends."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already")
        incident = new_incident()
        error: AdapterError = InternalError()
        if status < 500:
            error = LimitExceeded() if isinstance(exc, LineTooLong) else MalformedMessage()
        log.warning("refused", code=error.code, incident=incident, error=type(exc).__name__)
        response = fault_response(error, incident, self._server.version)
        response.force_close()
        return response
