"""How long others wait while an adapter reads one large message: `python -m bench.waiting`.

For each document of the attackers: the time until it is judged, and the longest time in which the event loop did
nothing else. Of five tries the one in the middle. Absolute times: the second is to be compared with the first.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.table import Table

from adapter.envelope.gate import gate, parse_message
from adapter.errors import AdapterError
from adapter.large_messages import worked_on
from adapter.stages import MessageKind, Peer, ReceivedMessage
from adapter.xmlsafe import DEFAULT_LIMITS
from bench.hostile_documents import DOCUMENTS

_TRIES: Final = 5
_LOOK_EVERY_S: Final = 0.001
_PEER: Final = Peer(certificate_sha256=bytes(32), address="192.0.2.1")


def _judged(octets: bytes) -> str:
    received = ReceivedMessage(octets=octets, received_at=datetime.now(UTC), peer=_PEER)
    try:
        gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REQUEST)
    except AdapterError as refused:
        return refused.code
    return "taken"


class Watch:
    """Looks every millisecond; what lies between two looks is what others waited."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def go_on(self) -> None:
        """Until cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = time.perf_counter()
            self.longest_s, last = max(self.longest_s, now - last), now


async def _measure(octets: bytes, judge: Callable[[bytes], str]) -> tuple[float, float, str]:
    """Seconds for the message, the longest wait of others meanwhile, and the answer."""
    gc.collect()
    watch = Watch()
    looking = asyncio.create_task(watch.go_on())
    await asyncio.sleep(5 * _LOOK_EVERY_S)
    begin = time.perf_counter()
    answer = await worked_on(len(octets), lambda: judge(octets))
    took_s = time.perf_counter() - begin
    await asyncio.sleep(5 * _LOOK_EVERY_S)
    looking.cancel()
    return took_s, watch.longest_s, answer


async def _all() -> Table:
    table = Table("message", "MB", "ms", "others wait at most, ms", "answer")
    for name, made in DOCUMENTS.items():
        octets = made(True)  # noqa: FBT003  for peers
        tries = [await _measure(octets, _judged) for _ in range(_TRIES)]
        took_s, waited_s, answer = sorted(tries, key=lambda one: one[1])[_TRIES // 2]
        table.add_row(name, f"{len(octets) / 1e6:.1f}", f"{1000 * took_s:.0f}", f"{1000 * waited_s:.0f}", answer)
    return table


def main() -> None:
    """Print the table."""
    Console().print(asyncio.run(_all()))


if __name__ == "__main__":
    main()
