"""Which of our own information systems is calling? Default deny: no match, no call."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address, ip_network

from lxml import etree

from adapter.errors import ClientNotAllowed, ClientNotIdentified
from adapter.identifiers import ServiceId, SubsystemId
from adapter.stages import IdentifiedCall, Packaging, ReceivedCall


class IdentifyBy(Enum):
    """How a client system proves who it is."""

    CERTIFICATE = "certificate"
    TOKEN = "token"  # noqa: S105  the name of a way, not a token
    BASIC = "basic"
    ADDRESS = "address"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextRule:
    """What the settings say for a system that cannot send the RequestContext header.

    Fixed values, or XPaths into the payload (compiled when the settings are read).
    """

    purpose: str | None = None
    legal_basis_kind: str | None = None
    legal_basis_reference: str | None = None
    legal_basis_names: tuple[tuple[str, str], ...] = ()
    official: str | None = None
    official_xpath: etree.XPath | None = None
    regulation: str | None = None
    subject_kind: str | None = None
    subject_xpath: etree.XPath | None = None
    consent_xpath: etree.XPath | None = None
    issue_xpath: etree.XPath | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """One client system of the settings. Secrets are held as SHA-256 digests only.

    xroad_ids_repeat: it gives several X-Road messages one id, so that an id does not say that a message came again.
    """

    name: str
    subsystem: SubsystemId
    identify_by: IdentifyBy
    certificate_sha256: bytes = b""
    secret_sha256: bytes = field(default=b"", repr=False)
    user: str = ""
    addresses: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    context: ContextRule = field(default_factory=ContextRule)
    xroad_ids_repeat: bool = False
    packaging: Packaging | None = None
    """How it gets attachments; None: as it called."""


def find_client(call: ReceivedCall, clients: Sequence[Client]) -> Client:
    """The one client that this call comes from. Raises ClientNotIdentified when none or several match."""
    matching = [client for client in clients if _matches(client, call)]
    if len(matching) != 1:
        raise ClientNotIdentified(f"{len(matching)} clients of the settings match the call")
    return matching[0]


def identified_as(call: ReceivedCall, clients: Sequence[Client]) -> str | None:
    """The name of the one client that a call comes from, as far as its connection and headers say; None: of nobody."""
    try:
        return find_client(call, clients).name
    except ClientNotIdentified:
        return None


def identify(call: ReceivedCall, clients: Sequence[Client]) -> IdentifiedCall:
    """Find the client that this call comes from and check that it may use the service.

    Raises ClientNotIdentified, and ClientNotAllowed when the service is not in the client's list.
    """
    client = find_client(call, clients)
    if not any(allows(pattern, call.service) for pattern in client.services):
        raise ClientNotAllowed(f"client {client.name} may not use {call.service}")
    return IdentifiedCall(received=call, client=client.name, subsystem=client.subsystem)


def _matches(client: Client, call: ReceivedCall) -> bool:
    return _MATCHERS[client.identify_by](client, call)


def _by_certificate(client: Client, call: ReceivedCall) -> bool:
    shown = call.peer.certificate_sha256
    return shown is not None and hmac.compare_digest(shown, client.certificate_sha256)


def _by_token(client: Client, call: ReceivedCall) -> bool:
    return call.bearer_token is not None and _is_secret(call.bearer_token, client)


def _by_basic(client: Client, call: ReceivedCall) -> bool:
    return (
        call.basic_user == client.user and call.basic_password is not None and _is_secret(call.basic_password, client)
    )


def _by_address(client: Client, call: ReceivedCall) -> bool:
    if call.bearer_token is not None or call.basic_user is not None:
        return False  # who sends a credential is judged by it, not by where they sit
    try:
        return any(_is_within(call.peer.address, allowed) for allowed in client.addresses)
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def _is_within(address: str, allowed: str) -> bool:
    """Asked for every connection, those of a flood too. Raises ValueError when one of the two is none."""
    return ip_address(address) in ip_network(allowed)


_MATCHERS = {
    IdentifyBy.CERTIFICATE: _by_certificate,
    IdentifyBy.TOKEN: _by_token,
    IdentifyBy.BASIC: _by_basic,
    IdentifyBy.ADDRESS: _by_address,
}


def _is_secret(shown: str, client: Client) -> bool:
    """shown: from a header, whose octets beyond ASCII the HTTP server hands on as surrogates."""
    octets = shown.encode("utf-8", "surrogateescape")
    return hmac.compare_digest(hashlib.sha256(octets).digest(), client.secret_sha256)


def allows(pattern: str, service: ServiceId) -> bool:
    """Whether an entry of a client's list means this service: its whole id, or a beginning and then `*`."""
    name = str(service)
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name == pattern
