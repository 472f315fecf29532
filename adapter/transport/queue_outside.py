"""Who of the newcomers that wait outside is let to the door next. A value without a socket: times are arguments.

Whoever makes a connection costs a TLS handshake before it can be known who that is; only its address is known. So:

- one address after the other, however many connections each of them makes;
- addresses from which an identified caller was answered before come first, and as fast as the event loop goes round;
- all others together get a bounded number of beginnings in a second, so that a flood of them leaves time for the rest;
- those from which several connections lately came to nothing wait apart, for far fewer beginnings: whoever is refused
  and comes again at once makes neither the strangers wait nor those who are inside.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from typing import Final, Generic, TypeVar

from adapter.transport.quotas import Bucket

STRANGERS_PER_S: Final = 30
"""Connections of addresses that are not known, for each worker and listener; as many at once."""

FRUITLESS_PER_S: Final = 2
"""Connections of addresses from which several came to nothing, for each worker and listener; as many at once."""

_FRUITLESS: Final = 4
_FORGIVEN_PER_S: Final = 1 / 30
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


class FruitlessAddresses:
    """From where connections came lately that came to nothing: four at once and one in half a minute are forgiven.

    Bounded, like KnownAddresses. Times: seconds of a clock that is never set back.
    """

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, Bucket] = OrderedDict()

    def has(self, address: str, now: float) -> bool:
        """Whether more came to nothing there than is forgiven."""
        forgiven = self._addresses.get(address)
        return forgiven is not None and forgiven.wait_s(now) > 0

    def add(self, address: str, now: float) -> None:
        """A connection ended on which nothing was asked that could be answered."""
        forgiven = self._addresses.setdefault(address, Bucket(_FRUITLESS, _FORGIVEN_PER_S, now))
        forgiven.take(now)
        self._addresses.move_to_end(address)
        if len(self._addresses) > _REMEMBERED:
            self._addresses.popitem(last=False)

    def forget(self, address: str) -> None:
        """Somebody there was answered."""
        self._addresses.pop(address, None)


class QueueOutside(Generic[Newcomer]):
    """Newcomers by address, in the order in which the addresses have their turns."""

    def __init__(
        self,
        known: KnownAddresses,
        now: float,
        *,
        strangers_per_s: float = STRANGERS_PER_S,
        fruitless: FruitlessAddresses | None = None,
    ) -> None:
        """now: seconds of a clock that is never set back. fruitless: None when nobody says who is."""
        self._known = known
        self._fruitless = fruitless or FruitlessAddresses()
        self._waiting: OrderedDict[str, deque[tuple[float, Newcomer]]] = OrderedDict()
        self._strangers = Bucket(strangers_per_s, strangers_per_s, now)
        self._apart = Bucket(FRUITLESS_PER_S, FRUITLESS_PER_S, now)

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def join(self, address: str, newcomer: Newcomer, now: float) -> None:
        """Wait behind those of the same address."""
        self._waiting.setdefault(address, deque()).append((now, newcomer))

    def next(self, now: float) -> tuple[Newcomer, str] | None:
        """Whose turn it is, and from where; None when that is nobody's yet: see wait_s."""
        for address, turns in self._first_of_each(now):
            if turns is not None:
                if turns.wait_s(now):
                    continue
                turns.take(now)
            return self._take(address), address
        return None

    def wait_s(self, now: float) -> float | None:
        """Seconds until it is somebody's turn; 0 for now, None when nobody waits."""
        waits = [0.0 if turns is None else turns.wait_s(now) for _, turns in self._first_of_each(now)]
        return min(waits, default=None)

    def _first_of_each(self, now: float) -> Iterator[tuple[str, Bucket | None]]:
        """The address whose turn is next among the known, the strangers and those apart; what bounds their turns."""
        firsts: dict[Bucket | None, str] = {}
        for address in self._waiting:
            turns = None if address in self._known else self._turns_of_unknown(address, now)
            firsts.setdefault(turns, address)
            if turns is None:
                break
        for turns in (None, self._strangers, self._apart):
            if turns in firsts:
                yield firsts[turns], turns

    def _turns_of_unknown(self, address: str, now: float) -> Bucket:
        return self._apart if self._fruitless.has(address, now) else self._strangers

    def overdue(self, joined_before: float) -> tuple[Newcomer, str] | None:
        """One that has waited since before then, which loses its place; None when nobody has."""
        for address, line in self._waiting.items():
            if line[0][0] < joined_before:
                return self._take(address), address
        return None

    def give_up_one(self) -> tuple[Newcomer, str] | None:
        """One of the address that has most outside, which loses its place; None when nobody waits."""
        return self._of_the_longest_line(self._waiting)

    def give_up_fruitless(self, now: float) -> tuple[Newcomer, str] | None:
        """The same of those who wait apart."""
        return self._of_the_longest_line(
            address for address in self._waiting if address not in self._known and self._fruitless.has(address, now)
        )

    def _of_the_longest_line(self, addresses: Iterable[str]) -> tuple[Newcomer, str] | None:
        address = max(addresses, key=lambda one: len(self._waiting[one]), default=None)
        return None if address is None else (self._take(address), address)

    def _take(self, address: str) -> Newcomer:
        """The first of an address, which then goes to the end of the line of addresses."""
        line = self._waiting[address]
        _, newcomer = line.popleft()
        if line:
            self._waiting.move_to_end(address)
        else:
            del self._waiting[address]
        return newcomer
