"""A listener that has nothing to do with the adapters: what the attackers attack for comparison.

    python -m bench.unrelated PLAN.json

It listens on the two ports of the plan, one with TLS, takes what comes and answers every head with 503 and the end of
the connection. What the calm client notices of an attack on it is the attackers' doing: they, the adapters and the calm
client have the same processors. Like the attackers it gives way to everybody (nice 19).
"""

from __future__ import annotations

import asyncio
import os
import resource
import ssl
import sys
from pathlib import Path
from typing import Final, cast

import uvloop

from bench.hostile import HostilePlan

_ANSWER: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_END_OF_HEAD: Final = b"\r\n\r\n"
_LINGERING_S: Final = 2.0
_BACKLOG: Final = 1024


class _Answering(asyncio.Protocol):
    """Answers the first head; what comes after it is taken for a moment and dropped."""

    _transport: asyncio.Transport
    _is_answered = False
    _end = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none of asyncio's classes

    def data_received(self, data: bytes) -> None:
        if self._is_answered:
            return
        if _END_OF_HEAD in self._end + data:
            self._is_answered = True
            self._transport.write(_ANSWER)
            asyncio.get_running_loop().call_later(_LINGERING_S, self._transport.close)
        self._end = data[-len(_END_OF_HEAD) :]


def _context(plan: HostilePlan) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plan.certificate_file, plan.key_file)
    return context


async def main(plan: HostilePlan) -> None:
    """Listen until ended."""
    loop = asyncio.get_running_loop()
    for port, tls in ((plan.client_port, None), (plan.peer_port, _context(plan))):
        await loop.create_server(_Answering, "127.0.0.1", port, ssl=tls, backlog=_BACKLOG)
    await asyncio.Event().wait()


if __name__ == "__main__":
    _, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
    os.nice(19)
    uvloop.run(main(HostilePlan.read(Path(sys.argv[1]))))
