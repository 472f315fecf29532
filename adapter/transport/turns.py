"""Fair turns on one event loop: what many can ask for at the same instant is done one after the other.

Between two turns the event loop goes round once, so that whoever else is ready is answered first, however many wait.
Whoever is alone has no one to wait for.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from aiohttp import StreamReader, web

_LINGERING_S: Final = 2.0
_OCTETS_PER_S: Final = 8 * 1024 * 1024


class Turns:
    """First come, first served."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def take(self, *, pause_s: float = 0) -> None:
        """Wait for those who came before, and for the loop to go round. pause_s: how long this turn lasts at least."""
        async with self._one:
            await asyncio.sleep(pause_s)


class Lingering:
    """Reads the rest of refused bodies, so that a peer that is still sending finds the fault (RFC 9112, 9.6).

    Nobody needs these octets: of all connections together so many are read in a second, and of no connection for longer
    than two seconds. What is not read stays in the sender's hands.
    """

    def __init__(self, *, longest_s: float = _LINGERING_S, octets_per_s: float = _OCTETS_PER_S) -> None:
        self._longest_s = longest_s
        self._octets_per_s = octets_per_s
        self._pieces = Turns()

    async def read_rest(self, body: StreamReader) -> None:
        """Until the end of the body, of the connection or of the time."""
        # aiohttp says RuntimeError of a connection that was lost while nobody read from it.
        with suppress(TimeoutError, web.RequestPayloadError, ConnectionError, RuntimeError):
            async with asyncio.timeout(self._longest_s):
                while not body.is_eof():
                    piece = await body.readany()
                    await self._pieces.take(pause_s=len(piece) / self._octets_per_s)
