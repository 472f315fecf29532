"""What the listeners share: reading a bounded body in bounded time, and who is at the other end."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from socket import socket
from typing import Final

from aiohttp import web

from adapter.envelope.multipart import MULTIPART, media_type_of
from adapter.errors import LimitExceeded, MalformedMessage, RequestIncomplete
from adapter.pace import TooSlow, TransferBounds, steadily
from adapter.stages import Peer, SoapVersion
from adapter.transport.doorway import Doorway, DoorwayBounds
from adapter.transport.http_protocol import SoapRequestHandler, SoapServer
from adapter.transport.quotas import Share
from adapter.transport.turned_away import TurnedAway

# What of a body is read without waiting for a turn: most messages are smaller.
_AT_ONCE_BYTES: Final = 65_536
# Of a body nobody has asked for yet, twice this is taken from the connection and no more.
_READ_AHEAD_BYTES: Final = 32_768

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpBounds:
    """Bounds of one listener. Octets, seconds, counts."""

    max_message_bytes: int
    read_timeout_s: float
    max_connections: int = 512
    max_connections_per_address: int = 512
    keepalive_s: float = 75.0
    max_header_bytes: int = 16_384
    max_head_bytes: int = 65_536
    transfer: TransferBounds = field(default_factory=TransferBounds)


def is_multipart(request: web.BaseRequest) -> bool:
    """Whether the body announces itself as multipart/related."""
    return media_type_of(request.headers.get("Content-Type", "")) == MULTIPART


async def read_chunks(request: web.BaseRequest, transfer: TransferBounds) -> AsyncIterator[bytes]:
    """The body in pieces, for as long as it gets on, in fair turns.

    Raises RequestIncomplete, MalformedMessage (encoded).
    """
    await _begin_body(request)
    total = 0
    try:
        async for chunk in steadily(aiter(request.content.iter_any()), transfer):
            yield chunk
            total += len(chunk)
            if total > _AT_ONCE_BYTES:
                await its_turn(request)
    except TooSlow as slow:
        raise RequestIncomplete(str(slow)) from None
    except (web.RequestPayloadError, ConnectionError) as broken:
        raise RequestIncomplete(f"broken off: {type(broken).__name__}") from None


async def _begin_body(request: web.BaseRequest) -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MalformedMessage("a Content-Encoding is not accepted")
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun (RFC 9110, 10.1.1)


def _takes_all(octets: bytes) -> None:
    """Where nothing is said of a body before all of it is there."""


async def read_body(
    request: web.BaseRequest, bounds: HttpBounds, look_at: Callable[[bytes], None] = _takes_all
) -> bytes:
    """The whole body, which the caller's account holds until it is answered.

    look_at: is shown each piece of a body that comes in several, and raises an AdapterError when the rest need not be
    read. Raises that, and LimitExceeded, RequestIncomplete (too slow or broken off), MalformedMessage (encoded),
    Overloaded.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise MalformedMessage("a Content-Encoding is not accepted")
    _judge_announced(request, bounds)
    if "Expect" in request.headers:
        await _begin_body(request)
    if request.content.is_eof() and request.content.exception() is None:
        octets = _bounded(request.content.read_nowait(), bounds)  # it came in one go with its head, as most do
        hold_octets(request, len(octets))
        return octets
    chunks: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout(bounds.read_timeout_s):
            async for chunk in request.content.iter_any():
                total += len(chunk)
                if total > bounds.max_message_bytes:
                    raise LimitExceeded(f"more than {bounds.max_message_bytes} octets")
                hold_octets(request, len(chunk))
                look_at(chunk)
                chunks.append(chunk)
                if total > _AT_ONCE_BYTES:
                    await its_turn(request)
    except TimeoutError:
        raise RequestIncomplete(f"{total} octets after {bounds.read_timeout_s} s") from None
    except (web.RequestPayloadError, ConnectionError) as broken:
        raise RequestIncomplete(f"broken off after {total} octets: {type(broken).__name__}") from None
    return b"".join(chunks)


def _judge_announced(request: web.BaseRequest, bounds: HttpBounds) -> None:
    """Refuse what is too much before any of it is read. Raises LimitExceeded, Overloaded."""
    announced = request.content_length
    if announced is None:
        return
    if announced > bounds.max_message_bytes:
        raise LimitExceeded(f"{announced} octets announced, allowed {bounds.max_message_bytes}")
    share = _share_of(request)
    if share is not None:
        share.account.room_for(announced)


def hold_octets(request: web.BaseRequest, octets: int) -> None:
    """So many octets more of this request are in memory until it is answered. Raises Overloaded, LimitExceeded."""
    share = _share_of(request)
    if share is not None:
        share.hold(octets)


async def its_turn(request: web.BaseRequest) -> None:
    """Wait until the other requests of this listener that want a turn had theirs."""
    if isinstance(request.protocol, SoapRequestHandler):
        await request.protocol.turns.take()


def _share_of(request: web.BaseRequest) -> Share | None:
    return request.protocol.share if isinstance(request.protocol, SoapRequestHandler) else None


def _bounded(octets: bytes, bounds: HttpBounds) -> bytes:
    if len(octets) > bounds.max_message_bytes:
        raise LimitExceeded(f"more than {bounds.max_message_bytes} octets")
    return octets


def peer_of(request: web.BaseRequest) -> Peer:
    """Who the connection says is there, found out once for each connection.

    The address is that of the TCP connection, never a header's.
    """
    connection = request.protocol
    if not isinstance(connection, SoapRequestHandler):
        return _peer_at(request.transport)
    if connection.peer is None:
        connection.peer = _peer_at(request.transport)
    return connection.peer


def _peer_at(transport: asyncio.BaseTransport | None) -> Peer:
    if transport is None:
        return Peer(certificate_sha256=None, address="")
    peername = transport.get_extra_info("peername")
    tls = transport.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if isinstance(tls, ssl.SSLObject | ssl.SSLSocket) else None
    return Peer(
        certificate_sha256=None if der is None else hashlib.sha256(der).digest(),
        address=str(peername[0]) if isinstance(peername, tuple) else "",
    )


class Listener:
    """One HTTP listener on a socket that is already bound (so that several workers can share it)."""

    def __init__(
        self,
        handler: Handler,
        bounds: HttpBounds,
        *,
        version: SoapVersion,
        grace_s: float,
        turned_away: TurnedAway | None = None,
    ) -> None:
        """version: in which SOAP faults speak before a message was read. turned_away: where that is counted."""
        self.turned_away = turned_away or TurnedAway()
        server = SoapServer(
            handler,
            version=version,
            max_head_bytes=bounds.max_head_bytes,
            turned_away=self.turned_away,
            first_request_s=bounds.read_timeout_s,
            access_log=None,
            keepalive_timeout=bounds.keepalive_s,
            max_line_size=bounds.max_header_bytes,
            max_field_size=bounds.max_header_bytes,
            auto_decompress=False,
            read_bufsize=_READ_AHEAD_BYTES,
        )
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=grace_s)
        self._protocols = server
        self._bounds = bounds
        self._doorway: Doorway | None = None

    async def start(self, bound: socket, tls: ssl.SSLContext | None) -> None:
        """Accept connections from now on."""
        await self._runner.setup()
        self._doorway = Doorway(
            bound,
            tls,
            self._protocols,
            bounds=DoorwayBounds(
                connections=self._bounds.max_connections,
                per_address=min(self._bounds.max_connections_per_address, self._bounds.max_connections),
                handshake_s=self._bounds.read_timeout_s,
            ),
        )
        self._doorway.open()

    async def stop(self) -> None:
        """Accept no more, finish what is in flight (at most grace_s), close."""
        if self._doorway is not None:
            await self._doorway.close()
        await self._runner.cleanup()
