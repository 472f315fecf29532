"""Somebody on the way between two members who has the TLS keys of both, and changes what goes through."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
from aiohttp import web

Change = Callable[[bytes], bytes]
_KEPT = ("Content-Type", "SOAPAction")
_MAX_BODY = 1 << 24
_START_TIMEOUT_S = 30


def as_it_is(octets: bytes) -> bytes:
    return octets


def one_octet_of_the_attachment(octets: bytes) -> bytes:
    """Another octet in the middle of the last part of a multipart body, whose content is longer than what is before."""
    at = len(octets) - 10_000
    return octets[:at] + bytes((octets[at] ^ 1,)) + octets[at + 1 :]


@contextmanager
def relay(
    *, port: int, target: str, server: Path, client: Path, request: Change = as_it_is, reply: Change = as_it_is
) -> Iterator[None]:
    """Listen in a thread until the block ends.

    port: 0 or where the other end is thought to be. target: its address, without a path. server, client: the folders
    with the TLS keys of the one that is called and of the one that calls.
    """
    serving, calling = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    serving.load_cert_chain(server / "tls.pem", server / "tls.key")
    calling.load_cert_chain(client / "tls.pem", client / "tls.key")
    calling.check_hostname, calling.verify_mode = False, ssl.CERT_NONE

    async def handle(came: web.Request) -> web.Response:
        kept = {name: came.headers[name] for name in _KEPT if name in came.headers}
        body = request(await came.read())
        async with (
            aiohttp.ClientSession() as session,
            session.post(target + came.path, data=body, headers=kept, ssl=calling) as answer,
        ):
            octets = reply(await answer.read())
            said = {"Content-Type": answer.headers["Content-Type"]}
            return web.Response(status=answer.status, body=octets, headers=said)

    loop, ready = asyncio.new_event_loop(), threading.Event()

    async def start() -> web.AppRunner:
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_post("/{path:.*}", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=serving).start()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(_START_TIMEOUT_S), "the relay does not listen"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
