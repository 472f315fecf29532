"""Free TCP ports on loopback, chosen by binding."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
# Below the range that Linux takes the ports of outgoing connections from (32768 to 60999): a port that is free now is
# not taken by somebody's connection before our program binds it.
_FIRST: Final = 20_000
_LAST: Final = 32_000
_TRIES: Final = 2_000


def free_ports(count: int) -> list[int]:
    """Different ports that were free a moment ago. All are held until the last is found, so that none comes twice."""
    draw = random.SystemRandom()
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        for _ in range(_TRIES):
            if len(ports) == count:
                break
            listening = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            with contextlib.suppress(OSError):
                port = draw.randint(_FIRST, _LAST)
                listening.bind((_LOOPBACK, port))
                ports.append(port)
    if len(ports) < count:
        raise OSError(f"only {len(ports)} of {count} free ports found")
    return ports
