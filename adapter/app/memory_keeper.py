"""Memory that large messages needed goes back to the machine when they are done.

The allocator keeps what was freed for whoever asks next. After an hour of large messages, or a minute of attacks, a
worker would hold for good what it needed once: a unit with MemoryMax has no use for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from adapter.app.rounds import look_every
from adapter.hardening import give_back_memory, resident_bytes

_LOOK_EVERY_S: Final = 2.0
_GROWN_BYTES: Final = 64 * 1024 * 1024
_LOOKS_AT_REST: Final = 15


class MemoryKeeper:
    """Gives freed memory back whenever the worker has grown by 64 MiB since it last did.

    What was in use at that time may be free since, and nothing grows any more: so also once in half a minute, for as
    long as there are 64 MiB more than at the start.

    resident, give_back: as in adapter.hardening.
    """

    def __init__(
        self, resident: Callable[[], int] = resident_bytes, give_back: Callable[[], None] = give_back_memory
    ) -> None:
        self._resident = resident
        self._give_back = give_back
        self._at_start = self._settled = resident()
        self._looks = 0

    async def keep_small(self) -> None:
        """Look every two seconds, until cancelled."""
        await look_every(_LOOK_EVERY_S, self.look, failed="memory not given back")

    async def look(self) -> None:
        """One look. What is in use stays; it is the new measure of what has grown."""
        now = self._resident()
        self._looks += 1
        at_rest = self._looks >= _LOOKS_AT_REST and now - self._at_start >= _GROWN_BYTES
        if now - self._settled >= _GROWN_BYTES or at_rest:
            self._looks = 0
            await asyncio.to_thread(self._give_back)
            now = self._resident()
            self._settled = now
        self._settled = min(self._settled, now)
