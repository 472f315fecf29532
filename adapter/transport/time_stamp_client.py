"""Asking a time-stamp authority over HTTP (RFC 3161, 3.4): one POST, bounded, to the directory's address only."""

from __future__ import annotations

from typing import Final

import aiohttp

from adapter.crypto.time_stamps import MAX_TOKEN_BYTES
from adapter.errors import PeerAnswerInvalid, PeerTimeout, PeerUnreachable
from adapter.transport.destinations import DestinationRefused, PeerDestinations

_QUESTION: Final = "application/timestamp-query"
_MAX_ANSWER_BYTES: Final = MAX_TOKEN_BYTES + 4096


class TimeStampClient:
    """No redirect is followed, and no address is connected to that no peer could have (transport.destinations)."""

    def __init__(self, *, timeout_s: float, destinations: PeerDestinations) -> None:
        self._timeout_s = timeout_s
        self._destinations = destinations

    async def ask(self, address: str, question: bytes) -> bytes:
        """The answer's octets, untrusted. Raises PeerUnreachable, PeerTimeout, PeerAnswerInvalid."""
        connector = aiohttp.TCPConnector(socket_factory=self._destinations.open_socket)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                    auto_decompress=False,
                    trust_env=False,
                ) as session,
                session.post(
                    address, data=question, headers={"Content-Type": _QUESTION}, allow_redirects=False
                ) as response,
            ):
                if response.status != 200:
                    raise PeerAnswerInvalid(f"the time-stamp authority answers with status {response.status}")
                return await _bounded(response)
        except TimeoutError:
            raise PeerTimeout(f"the time-stamp authority does not answer within {self._timeout_s:g} s") from None
        except aiohttp.ClientConnectorError as cause:
            why = cause.os_error if isinstance(cause.os_error, DestinationRefused) else type(cause).__name__
            raise PeerUnreachable(f"the time-stamp authority cannot be reached: {why}") from None
        except (aiohttp.ClientError, OSError, ValueError) as cause:
            raise PeerUnreachable(f"{type(cause).__name__} while the time-stamp authority was asked") from None


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    octets = bytearray()
    async for chunk in response.content.iter_any():
        octets += chunk
        if len(octets) > _MAX_ANSWER_BYTES:
            raise PeerAnswerInvalid(f"the time-stamp authority's answer has more than {_MAX_ANSWER_BYTES} octets")
    return bytes(octets)
