"""Which TLS certificate an address shows, whoever is behind it. For an operator's look; nothing is exchanged."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

from cryptography import x509

from adapter.errors import PeerUnreachable
from adapter.transport.destinations import PeerDestinations
from adapter.transport.tls import TlsKey

_HTTPS = 443


async def presented_certificate(
    address: str, own: TlsKey, destinations: PeerDestinations, *, timeout_s: float
) -> x509.Certificate:
    """What the other end shows in a TLS 1.3 handshake. Untrusted: the caller compares it. Raises PeerUnreachable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the certificate itself is what is wanted, the wrong one above all
    own.load_into(context)
    try:
        async with asyncio.timeout(timeout_s):
            return await _shown(address, context, destinations)
    except (OSError, TimeoutError, ValueError) as cause:
        raise PeerUnreachable(f"{address} cannot be reached ({type(cause).__name__})") from None


async def _shown(address: str, context: ssl.SSLContext, destinations: PeerDestinations) -> x509.Certificate:
    """Raises OSError (ssl.SSLError), ValueError."""
    parts, loop = urlsplit(address), asyncio.get_running_loop()
    found = (await loop.getaddrinfo(parts.hostname, parts.port or _HTTPS, type=1))[0]
    connection = destinations.open_socket(found)
    connection.settimeout(0)
    try:
        await loop.sock_connect(connection, found[4])
        _, writer = await asyncio.open_connection(sock=connection, ssl=context, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise
    try:
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return x509.load_der_x509_certificate(session.getpeercert(binary_form=True) or b"")
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
