"""adapter.transport.http_protocol: what a connection held goes with it, not with a later search for cycles."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import StreamReader, web

from adapter.stages import SoapVersion
from adapter.transport.http_server import HttpBounds, Listener

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


def held() -> int:
    """Of what was made since gc.freeze."""
    return sum(type(one) is StreamReader for one in gc.get_objects())


@asynccontextmanager
async def listening(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a listener with this handler."""
    bounds = HttpBounds(max_message_bytes=2_000_000, read_timeout_s=60)
    listener = Listener(handler, bounds, version=SoapVersion.SOAP11, grace_s=1)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        bound.setblocking(False)  # noqa: FBT003
        await listener.start(bound, None)
        try:
            yield await asyncio.open_connection(*bound.getsockname())
        finally:
            await listener.stop()


async def test_of_a_body_that_nobody_asked_for_little_is_taken() -> None:
    """What is refused unread is to cost little: what was taken of it was decrypted, and copied several times."""
    taken: list[int] = []

    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        taken.append(request.content.total_bytes)
        return web.Response(status=400)

    async with listening(refuse) as (reader, writer):
        writer.write(HEAD + bytes(999_999))
        await asyncio.wait_for(reader.read(1), 60)
        writer.close()
    a_read_of_the_loop = 256 * 1024
    assert taken[0] <= 64 * 1024 + a_read_of_the_loop


async def test_a_body_that_nobody_read_goes_with_its_connection() -> None:
    async def refuse(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=400)

    async with listening(refuse) as (reader, writer):
        gc.freeze()
        gc.disable()
        try:
            writer.write(HEAD + bytes(300_000))
            await asyncio.wait_for(reader.read(1), 60)
            assert held()
            writer.transport.abort()
            async with asyncio.timeout(60):
                while held():  # noqa: ASYNC110  nothing tells an event of it
                    await asyncio.sleep(0.02)
        finally:
            gc.enable()
            gc.unfreeze()
