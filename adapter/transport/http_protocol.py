"""aiohttp's server with bounds on heads and on the time to a first request, and with SOAP faults throughout.

What is refused here (a malformed request line, headers past their bound) never becomes a message: it gets a fault with
an incident id, the log has the id, and it is counted (transport.turned_away).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import StreamReader, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.web_protocol import RequestHandler

from adapter.envelope.faults import plain_fault_message, public_fault
from adapter.errors import (
    AdapterError,
    InternalError,
    LimitExceeded,
    MalformedMessage,
    RequestIncomplete,
)
from adapter.exchange.incidents import new_incident
from adapter.stages import Peer, SoapVersion
from adapter.transport.queue_outside import FruitlessAddresses, KnownAddresses
from adapter.transport.quotas import Caller, Share, address_block
from adapter.transport.turned_away import TurnedAway
from adapter.transport.turns import Lingering, Turns

log = structlog.get_logger(__name__)

# What every answer says of the software; aiohttp would name itself and Python with their versions.
SERVER_HEADER = {"Server": "interagency-adapter"}

# Under this key a response says which error it is.
REFUSED = web.ResponseKey("refused", AdapterError)

_ASKED_WRONG = 4  # the first figure of a status (RFC 9110, 15.5)
_CONTENT_TYPE = {SoapVersion.SOAP11: "text/xml", SoapVersion.SOAP12: "application/soap+xml"}


def fault_response(error: AdapterError, incident: str, version: SoapVersion) -> web.Response:
    """A fault as a whole HTTP response."""
    response = web.Response(
        body=plain_fault_message(public_fault(error, incident), version),
        status=error.http_status,
        content_type=_CONTENT_TYPE[version],
        charset="utf-8",
        headers={"Adapter-Incident": incident, **retry_after(error), **SERVER_HEADER},
    )
    response[REFUSED] = error
    return response


def retry_after(error: AdapterError | None) -> dict[str, str]:
    """The header that says when to ask again (RFC 9110, 10.2.3), where that is known."""
    if error is None or error.retry_after_s is None:
        return {}
    return {"Retry-After": str(error.retry_after_s)}


def refusal_octets(error: AdapterError, incident: str, version: SoapVersion) -> bytes:
    """A whole HTTP response with a fault, for a connection that ends with it."""
    body = plain_fault_message(public_fault(error, incident), version)
    more = "".join(f"{name}: {value}\r\n" for name, value in retry_after(error).items())
    head = (
        f"HTTP/1.1 {error.http_status} {HTTPStatus(error.http_status).phrase}\r\n"
        f"Content-Type: {_CONTENT_TYPE[version]}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode() + body


class SoapServer(web.Server):
    """Makes the protocol of each connection, and holds what all connections of one listener share.

    version: in which SOAP faults speak when the caller's is not known. known: from where callers were answered before.
    fruitless: from where connections came that came to nothing.
    turns: in which large bodies are read and refusals of the unread are made.
    """

    def __init__(
        self,
        handler: Any,  # noqa: ANN401
        *,
        version: SoapVersion,
        first_request_s: float,
        max_head_bytes: int,
        turned_away: TurnedAway,
        **more: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(handler, lingering_time=0, **more)  # `lingering` does that, fairly
        self.known = KnownAddresses()
        self.fruitless = FruitlessAddresses()
        self.turns = Turns()
        self.lingering = Lingering()
        self.version = version
        self.first_request_s = first_request_s
        self.max_head_bytes = max_head_bytes
        self.turned_away = turned_away

    def __call__(self) -> SoapRequestHandler:
        """The protocol of a new connection."""
        return SoapRequestHandler(self, loop=self._loop, **self._kwargs)


class SoapRequestHandler(RequestHandler):
    """One connection.

    peer: who is at the other end; caller: whom its requests are put down to, with the credentials that said so; both
    once a request asked. share: what the request at hand holds of the caller's account. when_lost: told at the end.
    """

    __slots__ = (
        "_body",
        "_came_from",
        "_first_request_timer",
        "_head_octets",
        "_is_fruitless",
        "_is_known",
        "_server",
        "caller",
        "peer",
        "share",
        "when_lost",
    )

    def __init__(self, server: SoapServer, **more: Any) -> None:  # noqa: ANN401
        super().__init__(server, **more)
        self._server = server
        self.peer: Peer | None = None
        self.caller: tuple[str, Caller] | None = None
        self.share: Share | None = None
        self.when_lost: Callable[[], None] | None = None
        self._head_octets = 0
        self._is_known = False
        self._is_fruitless = True
        self._came_from = ""
        self._body: StreamReader | None = None
        self._first_request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give a new connection a bounded time to say something."""
        super().connection_made(transport)
        self._came_from = self._address(transport)
        loop = asyncio.get_running_loop()
        self._first_request_timer = loop.call_later(self._server.first_request_s, self._close_if_silent)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the timer, and the body: it knows its connection, and neither would go before a search for cycles."""
        self._body = None
        if self._first_request_timer is not None:
            self._first_request_timer.cancel()
        if self._is_fruitless:
            self._server.fruitless.add(self._came_from, time.monotonic())
        super().connection_lost(exc)
        if self.when_lost is not None:
            self.when_lost()
            self.when_lost = None

    def data_received(self, data: bytes) -> None:
        """Hand on what came, as long as the head of a request stays small: aiohttp bounds each header, not all."""
        in_a_body = self._body is not None and not self._body.is_eof()
        super().data_received(data)
        if self._messages:
            self._body = self._messages[-1][1]
            self._head_octets = 0
        elif not in_a_body:
            self._head_octets += len(data)
            if self._head_octets > self._server.max_head_bytes and self.transport is not None:
                self._refuse_at_once(self.transport, LimitExceeded())

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Answer, then read what is left of a body that was not read.

        Who still sends after that is cut off: while TLS ends with a goodbye, uvloop decrypts all that is sent then,
        as fast as it comes.
        """
        if REFUSED not in resp and resp.status // 100 != _ASKED_WRONG:
            self.came_to_something()
        response, is_gone = await super().finish_response(request, resp, start_time)
        if not is_gone and self.transport is not None and not request.content.is_eof():
            await self._server.lingering.read_rest(request.content)
            if not request.content.is_eof() and self.transport is not None:
                self.transport.abort()
        return response, is_gone

    @property
    def turns(self) -> Turns:
        """The turns of this listener."""
        return self._server.turns

    def came_to_something(self) -> None:
        """Something was answered on this connection, or refused for a reason that is not the caller's."""
        self._is_fruitless = False

    def answered(self, caller: Caller) -> None:
        """The caller of this connection was answered, not refused: from its address others come in first."""
        if not caller.identified:
            return
        self.came_to_something()
        self._server.fruitless.forget(self._came_from)  # each time: others may come from there, through one balancer
        if not self._is_known:
            self._is_known = True
            self._server.known.add(self._came_from)

    def turned_away(self) -> None:
        """The caller of this connection has used up what it may have."""
        self._is_known = False
        self._server.known.forget(self._came_from)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked at the moment."""
        return self._current_request is None and not self._messages

    @property
    def has_asked(self) -> bool:
        """Whether a whole head of a request ever came."""
        return self._request_count > 0

    def make_room(self) -> None:
        """End a connection on which nothing is asked, so that another caller finds a place."""
        if self.transport is not None:
            self._count("ConnectionDropped", self.transport)
            self.force_close()

    def _close_if_silent(self) -> None:
        if self._request_count == 0 and self.transport is not None:
            self._refuse_at_once(self.transport, RequestIncomplete())

    def _count(self, reason: str, transport: asyncio.BaseTransport | None) -> None:
        address = self._address(transport)
        self._server.turned_away.count(reason, Caller(kind="address", name=address, identified=False))

    def _address(self, transport: asyncio.BaseTransport | None = None) -> str:
        transport = transport or self.transport
        name = None if transport is None else transport.get_extra_info("peername")
        return address_block(str(name[0])) if isinstance(name, tuple) else ""

    def _refuse_at_once(self, transport: asyncio.Transport, error: AdapterError) -> None:
        """A fault without a request, and the connection ends."""
        incident = new_incident()
        log.info("turned away", code=error.code, incident=incident)
        self._count(error.code, transport)
        if not transport.is_closing():
            transport.write(refusal_octets(error, incident, self._server.version))
        self.force_close()
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
        log.info("turned away", code=error.code, incident=incident, error=type(exc).__name__)
        self._count(error.code, self.transport)
        response = fault_response(error, incident, self._server.version)
        response.force_close()
        return response
