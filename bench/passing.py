"""What stands for an adapter in the transport baseline, a process of its own: passes octets on, and nothing else.

    python -m bench.passing --port 8080 --target https://127.0.0.1:8443/ --tls FOLDER --side consumer

The same library, event loop and TLS as the adapter: a consumer's one takes plain HTTP and calls over mutual TLS 1.3, a
provider's one the other way round.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

from bench.client_tls import ClientTls

_CONNECTIONS = 200


def _server_context(files: ClientTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(files.certificate_file("listener"), files.key_file("listener"))
    context.load_verify_locations(files.ca_file)
    return context


def _client_context(files: ClientTls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as the adapter's; the default one is stricter from 3.13 on
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(files.ca_file)
    context.load_cert_chain(files.certificate_file("system"), files.key_file("system"))
    return context


async def serve(port: int, target: str, files: ClientTls, *, is_consumer: bool) -> None:
    """Pass on until the process is told to stop."""
    connector = aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=_client_context(files) if is_consumer else True)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    ) as session:

        async def pass_on(request: web.BaseRequest) -> web.Response:
            if request.method != "POST":
                return web.Response(text="ready\n")
            octets = await request.content.read()
            async with session.post(target, data=octets, headers={"Content-Type": "text/xml"}) as response:
                return web.Response(body=await response.read(), content_type="text/xml", charset="utf-8")

        runner = web.ServerRunner(web.Server(pass_on))
        await runner.setup()
        await web.TCPSite(
            runner, "127.0.0.1", port, ssl_context=None if is_consumer else _server_context(files)
        ).start()
        print("ready", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Pass HTTP requests on.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--tls", type=Path, required=True)
    parser.add_argument("--side", choices=("consumer", "provider"), required=True)
    arguments = parser.parse_args()
    files = ClientTls(folder=arguments.tls)
    uvloop.run(serve(arguments.port, arguments.target, files, is_consumer=arguments.side == "consumer"))


if __name__ == "__main__":
    main()
