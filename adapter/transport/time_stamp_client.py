"""Asking a time-stamp authority over HTTP (RFC 3161, 3.4): one POST, bounded, to the directory's address only."""

from __future__ import annotations

from typing import Final

from adapter.crypto.time_stamps import MAX_TOKEN_BYTES
from adapter.errors import PeerAnswerInvalid
from adapter.transport.destinations import PeerDestinations
from adapter.transport.outside_post import OutsidePost

_QUESTION: Final = "application/timestamp-query"
_MAX_ANSWER_BYTES: Final = MAX_TOKEN_BYTES + 4096
_OK: Final = 200


class TimeStampClient:
    """No redirect is followed, and no address is connected to that no peer could have (transport.destinations)."""

    def __init__(self, *, timeout_s: float, destinations: PeerDestinations) -> None:
        self._post = OutsidePost(
            whom="the time-stamp authority",
            content_type=_QUESTION,
            timeout_s=timeout_s,
            max_answer_bytes=_MAX_ANSWER_BYTES,
            destinations=destinations,
        )

    async def ask(self, address: str, question: bytes) -> bytes:
        """The answer's octets, untrusted. Raises PeerUnreachable, PeerTimeout, PeerAnswerInvalid."""
        status, octets = await self._post.ask(address, question)
        if status != _OK:
            raise PeerAnswerInvalid(f"the time-stamp authority answers with status {status}")
        return octets
