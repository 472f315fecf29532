"""How fast a body has to come: judged by whether it gets on, not by how long it takes in all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferBounds:
    """How slow a body with attachments may be.

    stall_s: seconds without an octet. min_rate_bytes_s: octets a second, on average, that have to come while they are
    waited for, once stall_s is over. max_s: seconds in all.
    """

    stall_s: float = 30
    min_rate_bytes_s: int = 64 * 1024
    max_s: float = 3600

    def allowed_s(self, octets: int) -> float:
        """Seconds in which so many octets have to be through."""
        return min(self.stall_s + octets / self.min_rate_bytes_s, self.max_s)


class TooSlow(Exception):
    """The other end does not get on. Translated where it is known what that means."""


class Pace:
    """How one transfer gets on."""

    def __init__(self, bounds: TransferBounds) -> None:
        self._bounds = bounds
        self._octets = 0
        self._waited_s = 0.0

    def went(self, octets: int, waited_s: float) -> None:
        """So many octets more, for which the other end was waited for so long. Raises TooSlow."""
        self._octets += octets
        self._waited_s += waited_s
        if self._waited_s > self._bounds.allowed_s(self._octets):
            raise TooSlow(f"{self._octets} octets in {self._waited_s:.0f} s")

    def stalled(self) -> TooSlow:
        """What there is to say when no more octets come."""
        return TooSlow(f"{self._octets} octets, then none for {self._bounds.stall_s} s")


async def steadily(chunks: AsyncIterator[bytes], bounds: TransferBounds) -> AsyncIterator[bytes]:
    """The same chunks, as long as they keep coming. Only the time in which one is waited for counts.

    Raises TooSlow, and what the chunks raise.
    """
    loop = asyncio.get_running_loop()
    pace = Pace(bounds)
    while True:
        began = loop.time()
        try:
            async with asyncio.timeout(bounds.stall_s):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise pace.stalled() from None
        if chunk is None:
            return
        pace.went(len(chunk), loop.time() - began)
        yield chunk
