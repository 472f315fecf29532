"""One POST to an address of the directory: bounded in time and octets, no redirect, nothing decompressed.

For what an adapter asks of others than adapters (time-stamp authorities, witnesses). No address is connected to that
no peer could have (transport.destinations). The answers are untrusted; what they are is for the caller to judge.
"""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp

from adapter.errors import PeerAnswerInvalid, PeerTimeout, PeerUnreachable
from adapter.transport.destinations import DestinationRefused, PeerDestinations


@dataclass(frozen=True, kw_only=True, slots=True)
class OutsidePost:
    """How such a question is put. whom: in the words of errors, as `the time-stamp authority`."""

    whom: str
    content_type: str
    timeout_s: float
    max_answer_bytes: int
    destinations: PeerDestinations

    async def ask(self, address: str, question: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises PeerUnreachable, PeerTimeout, PeerAnswerInvalid (too long)."""
        connector = aiohttp.TCPConnector(socket_factory=self.destinations.open_socket)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=aiohttp.ClientTimeout(total=self.timeout_s),
                    auto_decompress=False,
                    trust_env=False,
                ) as session,
                session.post(
                    address, data=question, headers={"Content-Type": self.content_type}, allow_redirects=False
                ) as response,
            ):
                return response.status, await self._bounded(response)
        except TimeoutError:
            raise PeerTimeout(f"{self.whom} does not answer within {self.timeout_s:g} s") from None
        except aiohttp.ClientConnectorError as cause:
            why = cause.os_error if isinstance(cause.os_error, DestinationRefused) else type(cause).__name__
            raise PeerUnreachable(f"{self.whom} cannot be reached: {why}") from None
        except (aiohttp.ClientError, OSError, ValueError) as cause:
            raise PeerUnreachable(f"{type(cause).__name__} while {self.whom} was asked") from None

    async def _bounded(self, response: aiohttp.ClientResponse) -> bytes:
        octets = bytearray()
        async for chunk in response.content.iter_any():
            octets += chunk
            if len(octets) > self.max_answer_bytes:
                raise PeerAnswerInvalid(f"{self.whom}'s answer has more than {self.max_answer_bytes} octets")
        return bytes(octets)
