"""Fetching statuses of certificates: OCSP by POST (RFC 6960, A.1), lists by GET; at addresses of the directory only."""

from __future__ import annotations

from typing import Final

import aiohttp

from adapter.crypto.status import MAX_OCSP_OCTETS
from adapter.errors import StatusUnavailable
from adapter.transport.destinations import PeerDestinations

_QUESTION: Final = "application/ocsp-request"


class StatusClient:
    """Asks responders and fetches lists. No redirects, bounded sizes, bounded time; never an address of a certificate.

    The octets that come are untrusted: crypto.status judges them.
    """

    def __init__(self, *, timeout_s: float, max_list_bytes: int, destinations: PeerDestinations) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._max_list_bytes = max_list_bytes
        self._destinations = destinations

    async def ask(self, address: str, question: bytes) -> bytes:
        """The answer to an OCSPRequest. Raises StatusUnavailable."""
        return await self._fetch("POST", address, MAX_OCSP_OCTETS, question)

    async def list(self, address: str) -> bytes:
        """A revocation list. Raises StatusUnavailable."""
        return await self._fetch("GET", address, self._max_list_bytes, None)

    async def _fetch(self, method: str, address: str, max_bytes: int, data: bytes | None) -> bytes:
        if not address.startswith(("http://", "https://")):
            raise StatusUnavailable(f"{address} is no address of a responder")
        headers = {} if data is None else {"Content-Type": _QUESTION}
        connector = aiohttp.TCPConnector(limit=4, socket_factory=self._destinations.open_socket, force_close=True)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=self._timeout,
                    auto_decompress=False,
                    cookie_jar=aiohttp.DummyCookieJar(),
                ) as session,
                session.request(method, address, data=data, headers=headers, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise StatusUnavailable(f"{address} answered with status {response.status}")
                return await _bounded(response, address, max_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as cause:
            raise StatusUnavailable(f"{address} cannot be asked: {type(cause).__name__}") from None


async def _bounded(response: aiohttp.ClientResponse, address: str, max_bytes: int) -> bytes:
    octets = bytearray()
    async for chunk in response.content.iter_any():
        octets += chunk
        if len(octets) > max_bytes:
            raise StatusUnavailable(f"{address} answered with more than {max_bytes} octets")
    return bytes(octets)
