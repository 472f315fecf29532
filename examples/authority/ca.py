"""The authority as a process of its own: `python -m examples.authority.ca --dir DIR --port N`.

    POST /sign?profile=signing|agreement|tls    body: a request of adapter.crypto.requests, that is PKCS #10 (PEM), or
                                                for an X25519 key a signed note. Answer: the certificate (PEM).
                                                Header `Enrolment-Token`: the content of DIR/enrolment.token.
    GET  /ca.pem?profile=signing|tls            the CA certificates for the directory (PEM), signing by default

Listens on loopback only. Port 0 takes a free one; the address is the first line on standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import secrets
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import web

from adapter.errors import AdapterError
from examples.authority.issuing import PROFILES, SIGNING, TLS, Authorities, write_secret

MAX_REQUEST_BYTES: Final = 32 * 1024
TOKEN_HEADER: Final = "Enrolment-Token"  # noqa: S105  the name of the header
TOKEN_FILE: Final = "enrolment.token"  # noqa: S105  the name of the file


def make_application(authorities: Authorities, token: str, *, valid_for: timedelta) -> web.Application:
    """The HTTP application. token: what a request for a certificate has to show."""

    async def sign(request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), token.encode()):
            return web.Response(status=403, text="The enrolment token is missing or wrong.\n")
        profile = request.query.get("profile", "")
        if profile not in PROFILES:
            return web.Response(status=400, text=f"profile has to be one of {', '.join(PROFILES)}.\n")
        octets = await request.read()
        try:
            certificate = authorities.issue(profile, octets, now=datetime.now(UTC), valid_for=valid_for)
        except AdapterError as refused:
            return web.Response(status=400, text=f"{refused.reason}\n")
        return web.Response(body=certificate, content_type="application/x-pem-file")

    async def chain(request: web.Request) -> web.Response:
        profile = request.query.get("profile", SIGNING)
        if profile not in (SIGNING, TLS):
            return web.Response(status=400, text="profile has to be signing or tls.\n")
        return web.Response(body=authorities.chain_pem(profile), content_type="application/x-pem-file")

    application = web.Application(client_max_size=MAX_REQUEST_BYTES)
    application.add_routes([web.post("/sign", sign), web.get("/ca.pem", chain)])
    return application


def load_or_make_token(folder: Path) -> str:
    """The enrolment token of this folder; made at the first start."""
    path = folder / TOKEN_FILE
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(24).encode() + b"\n")
    return path.read_text().strip()


async def serve(folder: Path, port: int, *, valid_for: timedelta) -> None:
    """Serve until SIGTERM or SIGINT."""
    authorities = Authorities.load_or_make(folder, datetime.now(UTC))
    application = make_application(authorities, load_or_make_token(folder), valid_for=valid_for)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, bound_port = runner.addresses[0][:2]
        print(f"http://{host}:{bound_port}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A certificate authority for demonstrations and tests.")
    parser.add_argument("--dir", type=Path, required=True, help="folder for its keys; made if it is not there")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--valid-days", type=int, default=90, help="how long its certificates are valid, in days")
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.dir, arguments.port, valid_for=timedelta(days=arguments.valid_days)))


if __name__ == "__main__":
    main()
