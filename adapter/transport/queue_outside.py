"""Who of the newcomers that wait outside is let to the door next. A value without a socket: times are arguments.

Whoever makes a connection costs a TLS handshake before it can be known who that is; only its address is known. So:

- one address after the other, however many connections each of them makes;
- addresses from which an identified caller was answered before come first, and as fast as the event loop goes round;
- all others together get a bounded number of beginnings in a second, so that a flood of them leaves time for the rest.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final, Generic, TypeVar

from adapter.transport.quotas import Bucket

STRANGERS_PER_S: Final = 30
"""Connections of addresses that are not known, for each worker and listener; as many at once."""

_REMEMBERED: Final = 4096

Newcomer = TypeVar("Newcomer")


class KnownAddresses:
    """From where an identified caller was answered lately. Bounded: the one that was seen last stays longest."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, address: str) -> bool:
        return address in self._addresses

    def add(self, address: str) -> None:
        """An identified caller was answered there, not refused."""
        self._addresses[address] = None
        self._addresses.move_to_end(address)
        if len(self._addresses) > _REMEMBERED:
            self._addresses.popitem(last=False)

    def forget(self, address: str) -> None:
        """A caller there used up what it may have."""
        self._addresses.pop(address, None)


class QueueOutside(Generic[Newcomer]):
    """Newcomers by address, in the order in which the addresses have their turns."""

    def __init__(self, known: KnownAddresses, now: float, *, strangers_per_s: float = STRANGERS_PER_S) -> None:
        """now: seconds of a clock that is never set back."""
        self._known = known
        self._waiting: OrderedDict[str, deque[Newcomer]] = OrderedDict()
        self._strangers = Bucket(strangers_per_s, strangers_per_s, now)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def join(self, address: str, newcomer: Newcomer) -> None:
        """Wait behind those of the same address."""
        self._waiting.setdefault(address, deque()).append(newcomer)

    def next(self, now: float) -> tuple[Newcomer, str] | None:
        """Whose turn it is, and from where; None when that is nobody's yet: see wait_s."""
        address = next((one for one in self._waiting if one in self._known), None)
        if address is None:
            address = next(iter(self._waiting), None)
            if address is None or self._strangers.wait_s(now) > 0:
                return None
            self._strangers.take(now)
        return self._take(address), address

    def wait_s(self, now: float) -> float | None:
        """Seconds until it is somebody's turn; 0 for now, None when nobody waits."""
        if not self._waiting:
            return None
        if any(address in self._known for address in self._waiting):
            return 0.0
        return self._strangers.wait_s(now)

    def give_up_one(self) -> tuple[Newcomer, str] | None:
        """One of the address that has most outside, which loses its place; None when nobody waits."""
        if not self._waiting:
            return None
        address = max(self._waiting, key=lambda one: len(self._waiting[one]))
        return self._take(address), address

    def _take(self, address: str) -> Newcomer:
        """The first of an address, which then goes to the end of the line of addresses."""
        line = self._waiting[address]
        newcomer = line.popleft()
        if line:
            self._waiting.move_to_end(address)
        else:
            del self._waiting[address]
        return newcomer
