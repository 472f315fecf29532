"""Bodies that take their time on the way out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from aiohttp import web

from adapter.envelope.bodies import StreamedBody
from adapter.errors import AdapterError, InternalError
from adapter.exchange.incidents import where
from adapter.pace import Pace, TooSlow, TransferBounds

log = structlog.get_logger(__name__)


async def send_streamed(
    request: web.BaseRequest, body: StreamedBody, *, status: int, headers: Mapping[str, str], bounds: TransferBounds
) -> web.StreamResponse:
    """Answer with a streamed body. Its length is announced, so that one that breaks off cannot look whole.

    Who takes it too slowly is left: as long as it is sent, its attachments take room that others need.
    """
    response = web.StreamResponse(status=status, headers={**headers, "Content-Type": body.content_type})
    response.content_length = body.size
    await response.prepare(request)
    loop = asyncio.get_running_loop()
    pace = Pace(bounds)
    try:
        async for octets in body.stream():
            began = loop.time()
            async with asyncio.timeout(bounds.stall_s):
                await response.write(octets)
            pace.went(len(octets), loop.time() - began)
        await response.write_eof()
    except (AdapterError, ConnectionError, TimeoutError, TooSlow) as broken:
        error = broken if isinstance(broken, AdapterError) else InternalError()
        log.warning("answer broke off", code=error.code, error=type(broken).__name__, where=where(broken))
        if request.transport is not None:
            request.transport.abort()
    return response
