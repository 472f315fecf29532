"""Letting connections in: how many there are, handshakes included, is known before anything is spent on one.

The event loop's own server would make a TLS object for whoever connects and tell nobody until the handshake is over,
and would begin with all that are there at once. Here they wait outside (transport.queue_outside) for their turn.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from socket import socket
from typing import Final

import structlog

from adapter.errors import Overloaded
from adapter.exchange.incidents import new_incident
from adapter.transport.http_protocol import SoapRequestHandler, SoapServer, refusal_octets
from adapter.transport.queue_outside import QueueOutside
from adapter.transport.quotas import Caller, address_block

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 16
_SAID_ALREADY_BYTES: Final = 65_536
_REST_S: Final = 0.5
# How long the other side's goodbye is waited for; what it sends instead is read meanwhile.
_GOODBYE_S: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DoorwayBounds:
    """connections: in all. per_address: of one address. handshake_s: seconds that a TLS handshake may take."""

    connections: int
    per_address: int
    handshake_s: float


class Doorway:
    """Accepts on one socket, which several workers may share.

    In one turn of the event loop at most one connection begins. When all places are taken, the newcomer gets that of a
    connection on which nothing is asked: first one that waits apart, from an address from where others came to nothing,
    then one that never asked anything, then one that waits outside from the address with most there, then one of the
    address that has most. Who asks is never cut off. Nobody waits outside for longer than a handshake may take.
    """

    def __init__(self, bound: socket, tls: ssl.SSLContext | None, server: SoapServer, *, bounds: DoorwayBounds) -> None:
        self._bound = bound
        self._tls = tls
        self._server = server
        self._bounds = bounds
        self._by_address: Counter[str] = Counter()
        self._outside: QueueOutside[socket] = QueueOutside(server.known, time.monotonic(), fruitless=server.fruitless)
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._shaking: dict[asyncio.Task[None], str] = {}
        self._let_in: dict[SoapRequestHandler, str] = {}
        self._resting: asyncio.TimerHandle | None = None
        self._is_open = False

    def open(self) -> None:
        """Accept from now on."""
        self._is_open = True
        asyncio.get_running_loop().add_reader(self._bound.fileno(), self._accept)

    async def close(self) -> None:
        """Accept no more; whoever is in stays in, handshakes end."""
        self._is_open = False
        if self._resting is not None:
            self._resting.cancel()
        asyncio.get_running_loop().remove_reader(self._bound.fileno())
        self._bound.close()
        for turn in filter(None, (self._soon, self._later)):
            turn.cancel()
        while waiting := self._outside.give_up_one():
            waiting[0].close()
            self._leave(waiting[1])
        shaking = list(self._shaking)
        for task in shaking:
            task.cancel()
        await asyncio.gather(*shaking, return_exceptions=True)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, address = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as cause:  # no descriptors or no memory left
                self._rest(cause)
                return
            connection.setblocking(False)  # noqa: FBT003  the name of the method says what is false
            self._greet(connection, address_block(str(address[0])) if isinstance(address, tuple) else "")

    def _rest(self, cause: OSError) -> None:
        """Leave newcomers waiting in the system's queue for a moment, instead of asking for them again and again."""
        log.error("cannot accept", error=type(cause).__name__, because=cause.strerror)
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._bound.fileno())
        self._resting = loop.call_later(_REST_S, self._go_on)

    def _go_on(self) -> None:
        if self._is_open:
            asyncio.get_running_loop().add_reader(self._bound.fileno(), self._accept)

    def _greet(self, connection: socket, address: str) -> None:
        if self._by_address[address] >= self._bounds.per_address:
            self._turn_away(connection, address)
            return
        if self._by_address.total() >= self._bounds.connections and not self._make_room():
            self._turn_away(connection, address)
            return
        self._by_address[address] += 1
        self._outside.join(address, connection, time.monotonic())
        self._await_turn()

    def _await_turn(self) -> None:
        """See to it that the next one's turn comes: when the event loop has gone round, at the earliest."""
        wait_s = self._outside.wait_s(time.monotonic())
        if wait_s is None or self._soon is not None:
            return
        if self._later is not None:
            self._later.cancel()
            self._later = None
        loop = asyncio.get_running_loop()
        if wait_s > 0:
            self._later = loop.call_later(wait_s, self._let_next_in)
        else:
            self._soon = loop.call_soon(self._let_next_in)

    def _let_next_in(self) -> None:
        self._soon = self._later = None
        now = time.monotonic()
        self._turn_overdue_away(now - self._bounds.handshake_s)
        if chosen := self._outside.next(now):
            connection, address = chosen
            task = asyncio.get_running_loop().create_task(self._enter(connection, address))
            self._shaking[task] = address
            task.add_done_callback(lambda done: self._shaking.pop(done, None))
        self._await_turn()

    def _turn_overdue_away(self, joined_before: float) -> None:
        """Whoever came earlier and is still outside; not more of them in one turn than can come in one."""
        for _ in range(_AT_ONCE):
            if late := self._outside.overdue(joined_before):
                self._leave(late[1])
                self._turn_away(*late)

    async def _enter(self, connection: socket, address: str) -> None:
        protocol = self._server()
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=None if self._tls is None else self._bounds.handshake_s,
                ssl_shutdown_timeout=None if self._tls is None else _GOODBYE_S,
            )
        except (OSError, TimeoutError, asyncio.CancelledError):
            self._server.fruitless.add(address, time.monotonic())
            self._leave(address)
            connection.close()
            return
        if protocol.transport is None:  # it left at once
            self._leave(address)
            return
        self._let_in[protocol] = address
        protocol.when_lost = lambda: self._lost(protocol)

    def _lost(self, protocol: SoapRequestHandler) -> None:
        address = self._let_in.pop(protocol, None)
        if address is not None:
            self._leave(address)

    def _leave(self, address: str) -> None:
        self._by_address[address] -= 1
        if self._by_address[address] <= 0:
            del self._by_address[address]

    def _make_room(self) -> bool:
        """End one connection on which nothing is asked. False when there is none."""
        if self._give_up_one_outside(self._outside.give_up_fruitless(time.monotonic())):
            return True
        silent = next((one for one in self._let_in if one.is_idle and not one.has_asked), None)
        if silent is None and self._shaking:
            task = next(iter(self._shaking))
            self._count("ConnectionDropped", self._shaking.pop(task))
            task.cancel()
            return True
        if silent is None and self._give_up_one_outside(self._outside.give_up_one()):
            return True
        if silent is None:
            idle = [one for one in self._let_in if one.is_idle]
            silent = max(idle, key=lambda one: self._by_address[self._let_in[one]], default=None)
        if silent is None:
            return False
        silent.make_room()
        self._lost(silent)
        return True

    def _give_up_one_outside(self, given_up: tuple[socket, str] | None) -> bool:
        """End a connection that waited outside. False when none was given up."""
        if given_up is None:
            return False
        connection, address = given_up
        self._count("ConnectionDropped", address)
        connection.close()
        self._leave(address)
        return True

    def _turn_away(self, connection: socket, address: str) -> None:
        """A fault where it costs nothing; who wants a TLS handshake first gets none."""
        self._count(Overloaded.code, address)
        if self._tls is None:
            with suppress(OSError):
                connection.send(refusal_octets(Overloaded(), new_incident(), self._server.version))
                connection.recv(_SAID_ALREADY_BYTES)  # closed with octets unread, the fault might not arrive
        connection.close()

    def _count(self, reason: str, address: str) -> None:
        self._server.turned_away.count(reason, Caller(kind="address", name=address, identified=False))
