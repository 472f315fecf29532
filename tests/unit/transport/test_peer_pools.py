"""Connections to an address that is no more are closed, but not under a call that is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.directory.authoring import remove_certificate
from adapter.errors import PeerUnreachable
from adapter.stages import RecordedCall
from adapter.transport.destinations import PeerDestinations
from adapter.transport.peer_client import PeerClient
from adapter.transport.tls import TlsKey, peer_server_context
from tests.pki import TLS_USAGE, Federation, issue, registered
from tests.two_sides import sealed_request, two_sides


@pytest.fixture(scope="module")
def today() -> Federation:
    """Certificates that TLS takes: it judges them by the machine's clock."""
    return Federation.build(now=datetime.now(UTC).replace(microsecond=0))


@dataclass
class Provider:
    """An adapter as far as HTTP goes: answers when `may_answer` is set, and knows which connections are open."""

    port: int = 0
    asked: int = 0
    open_connections: int = 0
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open_connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length.split(b":")[1]))
                self.asked += 1
                await self.may_answer.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 2\r\n\r\nhi")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_connections -= 1
            writer.close()

    async def until(self, *, open_connections: int) -> bool:
        for _ in range(100):
            if self.open_connections == open_connections:
                return True
            await asyncio.sleep(0.02)
        return False


@asynccontextmanager
async def provider(today: Federation, folder: Path) -> AsyncIterator[Provider]:
    today.population.write(folder)
    own = TlsKey(certificate_file=folder / "tls.pem", key_file=folder / "tls.key")
    serving = Provider()
    context = peer_server_context(own, [today.tls_ca.certificate])
    server = await asyncio.start_server(serving.serve, "127.0.0.1", 0, ssl=context)
    async with server:
        serving.port = server.sockets[0].getsockname()[1]
        yield serving


class Moving:
    """A directory in which the provider has the address that the test says."""

    def __init__(self, today: Federation, folder: Path) -> None:
        self._today = today
        today.social.write(folder)
        self.client = PeerClient(
            tls=TlsKey(certificate_file=folder / "tls.pem", key_file=folder / "tls.key"),
            directory=lambda: self.directory,
            clock=lambda: datetime.now(UTC),
            timeout_s=20,
            max_message_bytes=1000,
            destinations=PeerDestinations(loopback="always"),
        )

    def move_to(self, port: int) -> None:
        draft = self._today.draft()
        member = draft.members[self._today.population.id]
        moved = replace(member, adapter=replace(member.adapter, address=f"https://127.0.0.1:{port}"))
        self.directory = self._today.directory(replace(draft, members={**draft.members, member.id: moved}))


def a_call(today: Federation) -> RecordedCall:
    """As much of a recorded call as the client looks at."""
    return cast("RecordedCall", SimpleNamespace(sealed=sealed_request(two_sides(today))))


async def test_connections_to_an_address_that_is_no_more_are_closed(today: Federation, tmp_path: Path) -> None:
    call = a_call(today)
    async with provider(today, tmp_path / "1") as old, provider(today, tmp_path / "2") as new:
        old.may_answer.set()
        new.may_answer.set()
        moving = Moving(today, tmp_path / "own")
        moving.move_to(old.port)
        await moving.client.send(call)
        moving.move_to(new.port)
        await moving.client.send(call)
        assert (old.open_connections, new.open_connections) == (1, 1)
        await moving.client.close_retired()
        assert await old.until(open_connections=0)
        await moving.client.send(call)
        assert (new.open_connections, new.asked) == (1, 2), "the connection to where it is now goes on"
        await moving.client.close()


async def test_a_call_that_is_on_its_way_is_answered_first(today: Federation, tmp_path: Path) -> None:
    call = a_call(today)
    async with provider(today, tmp_path / "1") as old, provider(today, tmp_path / "2") as new:
        new.may_answer.set()
        moving = Moving(today, tmp_path / "own")
        moving.move_to(old.port)
        on_its_way = asyncio.create_task(moving.client.send(call))
        assert await old.until(open_connections=1)
        moving.move_to(new.port)
        await moving.client.send(call)
        await moving.client.close_retired()
        old.may_answer.set()
        assert (await on_its_way).octets == b"hi"
        await moving.client.close_retired()
        assert await old.until(open_connections=0)
        await moving.client.close()


async def test_a_certificate_that_is_named_beside_the_one_in_use_is_not_taken_for_it(
    today: Federation, tmp_path: Path
) -> None:
    """An exchange that began under the directory before would not know it, and refuse the answer."""
    async with provider(today, tmp_path / "1") as there:
        there.may_answer.set()
        moving = Moving(today, tmp_path / "own")
        moving.move_to(there.port)
        before = (await moving.client.send(a_call(today))).peer
        member = moving.directory.members[today.population.id]
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        new = registered(issue(today.tls_ca, public_key=key, subject="new", usage=TLS_USAGE), "tls")
        adapter = replace(member.adapter, tls_certificates=(new, *member.adapter.tls_certificates))
        draft = today.draft()
        members = {**draft.members, member.id: replace(member, adapter=adapter)}
        moving.directory = today.directory(replace(draft, members=members))
        after = (await moving.client.send(a_call(today))).peer
        assert after.certificate_sha256 == before.certificate_sha256 != new.sha256
        await moving.client.close()


async def test_nobody_connects_to_a_member_whose_only_certificate_was_struck_off(
    today: Federation, tmp_path: Path
) -> None:
    async with provider(today, tmp_path / "1") as there:
        moving = Moving(today, tmp_path / "own")
        moving.move_to(there.port)
        (only,) = moving.directory.members[today.population.id].adapter.tls_certificates
        moving.directory = today.directory(remove_certificate(today.draft(), only.sha256))
        with pytest.raises(PeerUnreachable, match="names no TLS certificate of UZ/GOV/200000001 any more"):
            await moving.client.send(a_call(today))
        assert there.open_connections == 0
        await moving.client.close()
