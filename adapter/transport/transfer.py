"""Bodies that take their time: judged by whether they get on, not by how long they take in all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import structlog
from aiohttp import web

from adapter.envelope.bodies import StreamedBody
from adapter.errors import AdapterError, InternalError
from adapter.exchange.incidents import where

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferBounds:
    """How slow a body with attachments may be.

    stall_s: seconds without an octet. min_rate_bytes_s: octets a second, on average, that have to come while they are
    waited for, once stall_s is over. max_s: seconds in all.
    """

    stall_s: float = 30
    min_rate_bytes_s: int = 64 * 1024
    max_s: float = 3600


class TooSlow(Exception):
    """The other end does not get on. Translated where it is known what that means."""


async def steadily(chunks: AsyncIterator[bytes], bounds: TransferBounds) -> AsyncIterator[bytes]:
    """The same chunks, as long as they keep coming. Only the time in which one is waited for counts.

    Raises TooSlow, and what the chunks raise.
    """
    loop = asyncio.get_running_loop()
    octets = 0
    waited_s = 0.0
    while True:
        began = loop.time()
        try:
            async with asyncio.timeout(bounds.stall_s):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise TooSlow(f"{octets} octets, then none for {bounds.stall_s} s") from None
        if chunk is None:
            return
        octets += len(chunk)
        waited_s += loop.time() - began
        allowed_s = min(bounds.stall_s + octets / bounds.min_rate_bytes_s, bounds.max_s)
        if waited_s > allowed_s:
            raise TooSlow(f"{octets} octets in {waited_s:.0f} s")
        yield chunk


async def send_streamed(
    request: web.BaseRequest, body: StreamedBody, *, status: int, headers: Mapping[str, str], bounds: TransferBounds
) -> web.StreamResponse:
    """Answer with a streamed body. Its length is announced, so that one that breaks off cannot look whole."""
    response = web.StreamResponse(status=status, headers={**headers, "Content-Type": body.content_type})
    response.content_length = body.size
    await response.prepare(request)
    try:
        async for octets in body.stream():
            async with asyncio.timeout(bounds.stall_s):
                await response.write(octets)
        await response.write_eof()
    except (AdapterError, ConnectionError, TimeoutError) as broken:
        error = broken if isinstance(broken, AdapterError) else InternalError()
        log.warning("answer broke off", code=error.code, error=type(broken).__name__, where=where(broken))
        if request.transport is not None:
            request.transport.abort()
    return response
