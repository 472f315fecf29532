"""Where the directory may send this adapter's connections: to other machines, never into this one by the back door.

Who may write an address into the directory (a member, through the authority) decides where every other adapter
connects. What such an address leads to is judged at the socket, after names were resolved, so that no DNS answer gets
between the check and the connection. The handshake with a pinned certificate comes after this and stands on its own.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

LoopbackPeers = Literal["if-own", "always", "never"]
_BROADCAST: Final = IPv4Address("255.255.255.255")
_NAT64: Final = IPv6Network("64:ff9b::/96")


class DestinationRefused(OSError):
    """An address that no peer can have. An OSError, so that the HTTP library reports it as a failed connection."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerDestinations:
    """The rule for one adapter.

    own_ports: of its client and operators' listeners, to which no peer's address may lead on this machine. loopback:
    whether a peer may be on this machine at all; `if-own`: when own_address, where the directory says that this adapter
    is, is on loopback too (a federation on one machine). own_address is asked anew for each connection.
    """

    own_ports: Collection[int] = ()
    loopback: LoopbackPeers = "if-own"
    own_address: Callable[[], str] = str

    def check(self, host: str, port: int) -> None:
        """Raises DestinationRefused. host: a numeric address, as resolved."""
        address = _plain(host)
        if address.is_unspecified or address.is_multicast or address.is_link_local or address == _BROADCAST:
            raise DestinationRefused(f"{address} is no address of a peer")
        if address.is_loopback and not self._is_loopback_allowed():
            raise DestinationRefused(f"{address} is this machine; see [directory] loopback_peers")
        if port in self.own_ports and _is_of_this_machine(address):
            raise DestinationRefused(f"port {port} of this machine is a listener of this adapter that is not for peers")

    def open_socket(self, resolved: tuple[object, ...]) -> socket.socket:
        """A socket for one resolved address (as of getaddrinfo), not connected. Raises DestinationRefused."""
        family, kind, protocol, _, place = resolved
        if not isinstance(place, tuple):
            raise DestinationRefused("not an address of the internet")
        self.check(str(place[0]), int(place[1]))
        return socket.socket(family, kind, protocol)  # type: ignore[arg-type]  # as getaddrinfo gave them

    def _is_loopback_allowed(self) -> bool:
        return self.loopback == "always" or (self.loopback == "if-own" and is_on_loopback(self.own_address()))


def is_on_loopback(url: str) -> bool:
    """Whether an address names loopback in so many words; a name is not resolved."""
    host = urlsplit(url).hostname or ""
    try:
        return _plain(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plain(host: str) -> IPv4Address | IPv6Address:
    """The address that is meant: of IPv6 that wraps an IPv4 address, the latter (RFC 4291, 2.5.5.2; RFC 6052)."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_of_this_machine(address: IPv4Address | IPv6Address) -> bool:
    """Only an address of this machine can be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as tried:
            tried.bind((str(address), 0))
    except OSError:
        return False
    return True
