"""Where an address of the directory leads: to other machines, and never into this one by the back door.

The rule for each kind of address, and the real client with a bait that listens on loopback.
"""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from adapter.errors import PeerUnreachable
from adapter.identifiers import MemberId
from adapter.stages import RecordedCall
from adapter.transport.destinations import DestinationRefused, LoopbackPeers, PeerDestinations, is_on_loopback
from adapter.transport.peer_client import PeerClient
from adapter.transport.tls import TlsKey
from tests.attacks.watch import Canary
from tests.pki import Federation
from tests.two_sides import sealed_request, two_sides

NOWHERE = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%2",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "0.0.0.0",
    "::",
    "::ffff:0.0.0.0",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
]
LOOPBACK = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]


@pytest.mark.parametrize("host", NOWHERE)
@pytest.mark.parametrize("loopback", ["if-own", "always", "never"])
def test_addresses_that_no_peer_can_have(host: str, loopback: LoopbackPeers) -> None:
    rule = PeerDestinations(loopback=loopback, own_address=lambda: "https://127.0.0.1:1")
    with pytest.raises(DestinationRefused):
        rule.check(host, 443)


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_for_a_federation_on_one_machine(host: str) -> None:
    def rule(loopback: LoopbackPeers, own: str) -> PeerDestinations:
        return PeerDestinations(loopback=loopback, own_address=lambda: own)

    for allowed in (
        rule("if-own", "https://127.0.0.1:8443"),
        rule("if-own", "https://[::1]:8443"),
        rule("if-own", "https://localhost:8443"),
        rule("always", "https://adapter.example"),
    ):
        allowed.check(host, 8443)
    for refused in (
        rule("if-own", "https://adapter.example"),
        rule("if-own", ""),
        rule("never", "https://127.0.0.1:8443"),
        PeerDestinations(),
    ):
        with pytest.raises(DestinationRefused, match="loopback_peers"):
            refused.check(host, 8443)


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.0.7", "198.51.100.7", "2001:db8::1", "fd00::1"])
def test_other_networks_are_where_peers_are(host: str) -> None:
    PeerDestinations(own_ports=(8443,)).check(host, 8443)


def test_listeners_of_this_adapter_that_are_not_for_peers() -> None:
    rule = PeerDestinations(own_ports=(8080, 8081), loopback="always")
    rule.check("127.0.0.1", 8443)
    for port in (8080, 8081):
        with pytest.raises(DestinationRefused, match="not for peers"):
            rule.check("127.0.0.1", port)
        rule.check("198.51.100.7", port)


def test_what_is_on_loopback() -> None:
    assert all(map(is_on_loopback, ("https://127.0.0.1", "https://[::1]:1", "https://localhost/x")))
    assert not any(
        map(is_on_loopback, ("", "https://adapter.example", "https://localhost.example", "https://10.0.0.1"))
    )


def peer_client(federation: Federation, address: str, folder: Path, rule: PeerDestinations) -> PeerClient:
    """A client for which the directory says that the population register is at this address."""
    federation.social.write(folder)
    draft = federation.draft()
    member = draft.members[federation.population.id]
    moved = replace(member, adapter=replace(member.adapter, address=address))
    directory = federation.directory(replace(draft, members={**draft.members, member.id: moved}))
    return PeerClient(
        tls=TlsKey(certificate_file=folder / "tls.pem", key_file=folder / "tls.key", passphrase=None),
        directory=lambda: directory,
        clock=lambda: federation.draft().issued,
        timeout_s=5,
        max_message_bytes=1_000_000,
        destinations=rule,
    )


async def reached(federation: Federation, host: str, folder: Path, rule: PeerDestinations, canary: Canary) -> str:
    """What a call says whose provider is, by the directory, where the bait listens."""
    sides_call = cast("Any", _Call(federation))
    port = canary.url.split(":")[2].split("/")[0]
    client = peer_client(federation, f"https://{host}:{port}", folder, rule)
    try:
        with pytest.raises(PeerUnreachable) as caught:
            await asyncio.wait_for(client.send(cast("RecordedCall", sides_call)), 0.5)
    except TimeoutError:
        return "connected"
    finally:
        await client.close()
    return caught.value.reason


class _Call:
    """As much of a recorded call as the client looks at before it connects."""

    def __init__(self, federation: Federation) -> None:
        self.sealed = sealed_request(two_sides(federation))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"])
async def test_the_directory_cannot_send_us_into_ourselves(
    host: str, federation: Federation, canary: Canary, tmp_path: Path
) -> None:
    """However loopback is spelt, and whatever a name resolves to: no connection. The control connects."""
    with canary.watching() as touched:
        said = await reached(federation, host, tmp_path, PeerDestinations(), canary)
    assert re.search("forbidden address|an address that is none", said)
    assert not [one for one in touched if one.startswith(("bait", "socket.connect"))]
    with canary.watching() as touched:
        await reached(federation, "127.0.0.1", tmp_path, PeerDestinations(loopback="always"), canary)
    assert "bait port connected to" in touched


async def test_a_name_is_judged_by_what_it_resolves_to(
    federation: Federation, canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(_host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lambda host, port, *_, **more: resolve(host, port, **more))
    with canary.watching() as touched:
        said = await reached(federation, "adapter.example", tmp_path, PeerDestinations(), canary)
    assert "forbidden address: 127.0.0.1" in said
    assert not [one for one in touched if one.startswith("bait")]


async def test_only_https_is_spoken_to_peers(federation: Federation, canary: Canary, tmp_path: Path) -> None:
    client = peer_client(federation, "https://x.example", tmp_path, PeerDestinations(loopback="always"))
    directory = client._directory()
    member = directory.members[federation.population.id]
    plain: dict[MemberId, Any] = {
        member.id: replace(member, adapter=replace(member.adapter, address=canary.url.removesuffix("/canary.xml")))
    }
    client._directory = lambda: replace(directory, members=plain)
    with canary.watching() as touched, pytest.raises(PeerUnreachable, match="not https"):
        await client.send(cast("RecordedCall", _Call(federation)))
    assert touched == []
