"""What one caller may take of one listener: requests and octets at a time, requests and refusals in a time.

A value without a clock and without a socket: times are arguments (seconds of a monotonic clock). Every worker keeps
accounts of its own.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Final

from adapter.errors import AdapterError, LimitExceeded, Overloaded

_MEBIBYTE: Final = 1024 * 1024
_BURST_S: Final = 2.0
_MINUTE_S: Final = 60.0
_OCTETS_AS_A_REFUSAL: Final = 65_536
_REMEMBERED: Final = 4096
_IPV6_SITE_BITS: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Quota:
    """Of one caller. Counts and octets at a time; requests a second; refusals a minute that are read and recorded."""

    in_flight: int = 64
    bytes_in_flight: int = 64 * _MEBIBYTE
    requests_per_second: int = 500
    refusals_per_minute: int = 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who a request is put down to. name: what an entry of the record says: never a secret, never a person.

    identified: as a member of the directory, or as one client of the settings; else only an address is known, or a
    certificate that nobody registered.
    """

    kind: str
    name: str
    identified: bool


class Bucket:
    """Tokens that come back with time (a token bucket)."""

    __slots__ = ("_at", "_filled_at", "_per_s", "_size")

    def __init__(self, size: float, per_s: float, now: float) -> None:
        self._size = size
        self._per_s = per_s
        self._at = size
        self._filled_at = now

    def _fill(self, now: float) -> None:
        self._at = min(self._size, self._at + max(0.0, now - self._filled_at) * self._per_s)
        self._filled_at = now

    def wait_s(self, now: float) -> float:
        """Seconds until there is a token; 0 when there is one."""
        self._fill(now)
        return 0.0 if self._at >= 1 else (1 - self._at) / self._per_s

    def take(self, now: float, tokens: float = 1.0) -> None:
        """So many tokens; more than there are become a debt of at most one bucket."""
        self._fill(now)
        self._at = max(self._at - tokens, -self._size)


class Account:
    """What one caller has at hand, and what it may still have."""

    __slots__ = ("_quota", "_refusals", "_requests", "caller", "in_flight", "octets", "shared")

    def __init__(self, caller: Caller, quota: Quota, now: float, shared: Account | None = None) -> None:
        """shared: an account that whatever this one takes is taken of as well."""
        self.caller = caller
        self.shared = shared
        self._quota = quota
        self._requests = Bucket(quota.requests_per_second * _BURST_S, quota.requests_per_second, now)
        self._refusals = Bucket(quota.refusals_per_minute, quota.refusals_per_minute / _MINUTE_S, now)
        self.in_flight = 0
        self.octets = 0

    def hindrance(self, now: float, limit: type[AdapterError]) -> AdapterError | None:
        """Why this caller has to wait, and for how long. limit: what a rate that is used up is called."""
        if wait_s := max(self._refusals.wait_s(now), self._requests.wait_s(now)):
            return limit("the caller's rate is used up", retry_after_s=math.ceil(wait_s))
        if self.in_flight >= self._quota.in_flight:
            return Overloaded(f"{self.in_flight} requests of one caller in flight")
        return None if self.shared is None else self.shared.hindrance(now, limit)

    def enter(self, now: float) -> None:
        """One request more at hand."""
        self.in_flight += 1
        self._requests.take(now)
        if self.shared is not None:
            self.shared.enter(now)

    def leave(self) -> None:
        """One request less."""
        self.in_flight -= 1
        if self.shared is not None:
            self.shared.leave()

    def refused(self, now: float, *, octets: int) -> None:
        """The caller sent something that had to be refused. octets: of it that were read, which cost time."""
        self._refusals.take(now, 1 + octets // _OCTETS_AS_A_REFUSAL)
        if self.shared is not None:
            self.shared.refused(now, octets=octets)

    def room_for(self, octets: int) -> None:
        """Raise Overloaded when so many octets more are too many for now; LimitExceeded when they always will be."""
        if octets > self._quota.bytes_in_flight:
            raise LimitExceeded(f"{octets} octets, {self._quota.bytes_in_flight} allowed for one caller")
        if self.octets + octets > self._quota.bytes_in_flight:
            raise Overloaded(f"{self.octets} octets of one caller in flight")
        if self.shared is not None:
            self.shared.room_for(octets)

    def hold(self, octets: int) -> None:
        """So many octets more (or, below zero, less) are held."""
        self.octets += octets
        if self.shared is not None:
            self.shared.hold(octets)


@dataclass(kw_only=True, slots=True)
class Share:
    """What one request holds. It gives everything back, whatever happened."""

    account: Account
    octets: int = 0

    def hold(self, octets: int) -> None:
        """Hold so many octets more. Raises Overloaded, LimitExceeded."""
        self.account.room_for(octets)
        self.account.hold(octets)
        self.octets += octets

    def give_back(self) -> None:
        """The request is answered."""
        self.account.hold(-self.octets)
        self.octets = 0
        self.account.leave()


@dataclass(kw_only=True, slots=True)
class Ledger:
    """The accounts of one listener.

    everyone: what all callers may take together. strangers: what all unidentified callers may take together, so that
    many addresses are no more than one. limit: what the fault about a used up rate is.
    """

    quota: Quota
    everyone: Quota
    strangers: Quota
    limit: type[AdapterError]
    _accounts: OrderedDict[Caller, Account] = field(default_factory=OrderedDict)
    _everyone: Account | None = None
    _strangers: Account | None = None

    def account(self, caller: Caller, now: float) -> Account:
        """The caller's account. One that nobody used for long and that holds nothing is forgotten."""
        account = self._accounts.get(caller)
        if account is not None:
            self._accounts.move_to_end(caller)
            return account
        if len(self._accounts) >= _REMEMBERED:
            self._forget()
        shared = self._of_everyone(now) if caller.identified else self._of_strangers(now)
        account = self._accounts[caller] = Account(caller, self.quota, now, shared)
        return account

    def enter(self, account: Account, now: float) -> Share:
        """A place for one request. Raises Overloaded, and `limit` with the seconds to wait."""
        if hindrance := account.hindrance(now, self.limit):
            raise hindrance
        account.enter(now)
        return Share(account=account)

    def _forget(self) -> None:
        for caller, account in self._accounts.items():
            if not account.in_flight:
                del self._accounts[caller]
                return

    def _of_everyone(self, now: float) -> Account:
        if self._everyone is None:
            self._everyone = Account(Caller(kind="all", name="", identified=True), self.everyone, now)
        return self._everyone

    def _of_strangers(self, now: float) -> Account:
        if self._strangers is None:
            nobody = Caller(kind="strangers", name="", identified=False)
            self._strangers = Account(nobody, self.strangers, now, self._of_everyone(now))
        return self._strangers


def address_block(address: str) -> str:
    """What counts as one address: an IPv4 address, or the IPv6 network of 64 bits that one site has (RFC 6177)."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    network = int(parsed) >> _IPV6_SITE_BITS << _IPV6_SITE_BITS
    return f"{IPv6Address(network)}/{_IPV6_SITE_BITS}"
