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


class MemoryKeeper:
    """Gives freed memory back whenever the worker has grown by 64 MiB since it last did.

    resident, give_back: as in adapter.hardening.
    """

    def __init__(
        self, resident: Callable[[], int] = resident_bytes, give_back: Callable[[], None] = give_back_memory
    ) -> None:
        self._resident = resident
        self._give_back = give_back
        self._settled = resident()

    async def keep_small(self) -> None:
        """Look every two seconds, until cancelled."""
        await look_every(_LOOK_EVERY_S, self.look, failed="memory not given back")

    async def look(self) -> None:
        """One look. What is in use stays; it is the new measure of what has grown."""
        now = self._resident()
        if now - self._settled >= _GROWN_BYTES:
            await asyncio.to_thread(self._give_back)
            now = self._resident()
            self._settled = now
        self._settled = min(self._settled, now)
