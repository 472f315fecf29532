"""A flood takes its turns like everybody: it cannot take the event loop, nor the doors, from others."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import uvloop

from adapter.transport import doorway, queue_outside
from adapter.transport.http_protocol import SoapServer
from adapter.transport.quotas import Bucket
from adapter.transport.turned_away import TurnedAway
from adapter.transport.turns import Turns
from tests.adapters.test_listeners import Answer, ask, client_path, post, read_answer
from tests.attacks.test_quotas import QUOTA, WIDE, call, go_on_sending, guarded
from tests.attacks.test_quotas_over_tls import Ground, ground, today
from tests.two_sides import TwoSides

__all__ = ["ground", "today"]

FLOOD = "127.0.1.9"
MEBIBYTE = 1024 * 1024
PEER_HEAD = b"POST /peer HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n"


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The connections that were begun with (for whom a TLS object was made), by address, in their order."""
    begun: list[str] = []
    real = doorway.Doorway._enter

    async def enter(self: Any, connection: Any, address: str) -> None:
        begun.append(address)
        await real(self, connection, address)

    monkeypatch.setattr(doorway.Doorway, "_enter", enter)
    return begun


@pytest.fixture
def two_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strangers: two at once and then one in 1000 seconds; of addresses whose connections came to nothing one."""
    real = queue_outside.QueueOutside.__init__

    def few(self: Any, known: Any, now: float, **more: Any) -> None:
        real(self, known, now, **more)
        self._strangers = Bucket(2, 0.001, now)
        self._apart = Bucket(1, 0.001, now)

    monkeypatch.setattr(queue_outside.QueueOutside, "__init__", few)


async def flood(port: int, count: int, address: str = FLOOD) -> list[asyncio.StreamWriter]:
    """So many connections at the same instant."""
    made = await asyncio.gather(
        *(asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)) for _ in range(count))
    )
    return [writer for _, writer in made]


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not so():  # noqa: ASYNC110  what is waited for tells no event
            await asyncio.sleep(0.01)


async def test_one_connection_begins_in_a_turn_of_the_loop(
    sides: TwoSides, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = 0
    at: list[int] = []
    real = SoapServer.__call__

    def counted(self: SoapServer) -> Any:
        at.append(turns)
        return real(self)

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(SoapServer, "__call__", counted)
    bounds = replace(WIDE, max_connections=100, max_connections_per_address=100)
    async with guarded(sides, TurnedAway(), bounds) as port:
        counting = asyncio.create_task(count())
        writers = await flood(port, 25)
        await until(lambda: len(begun) == 25)
        counting.cancel()
        for writer in writers:
            writer.close()
    assert len(set(at)) == len(at), at


async def test_strangers_wait_outside_while_who_is_known_is_answered(
    sides: TwoSides, begun: list[str], two_a_second: None
) -> None:
    turned_away = TurnedAway()
    async with guarded(sides, turned_away) as port:
        assert (await ask(port, call(sides, "known"))).status == 200
        writers = await flood(port, 8)
        for _ in range(3):
            assert (await ask(port, call(sides, "known"))).status == 200
        for writer in writers:
            writer.close()
    assert begun.count("127.0.0.1") == 4
    assert begun.count(FLOOD) == 1, "one turn was left for strangers"


async def test_whose_rate_is_used_up_comes_in_with_the_strangers(
    sides: TwoSides, begun: list[str], two_a_second: None
) -> None:
    async with guarded(sides, TurnedAway()) as port:
        assert (await ask(port, call(sides, "known"))).status == 200
        refused = [await ask(port, call(sides, "known", b"<garbage")) for _ in range(7)]
        assert refused[-1].code == "TooManyRequests"
        with suppress(TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(1):
                for _ in range(3):
                    await ask(port, call(sides, "known"))
                raise AssertionError("let in as if it were known")
    assert len(begun) == 8, "no turn is left for strangers"


async def test_nobody_waits_outside_for_longer_than_a_handshake_may_take(
    sides: TwoSides, begun: list[str], two_a_second: None
) -> None:
    turned_away = TurnedAway()
    async with guarded(sides, turned_away, replace(WIDE, read_timeout_s=0.5)) as port:
        assert (await ask(port, call(sides, "known"))).status == 200
        made = await asyncio.gather(
            *(asyncio.open_connection("127.0.0.1", port, local_addr=(FLOOD, 0)) for _ in range(8))
        )
        for _, writer in made:
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n<half")
        await until(lambda: begun.count(FLOOD) == 1)
        await asyncio.sleep(0.6)
        assert (await ask(port, call(sides, "known"))).status == 200  # whoever comes sees to it
        said = [await asyncio.wait_for(reader.read(), 10) for reader, _ in made]
        for _, writer in made:
            writer.close()
    assert sum(b">Overloaded<" in one for one in said) == 7, "told so, where it costs nothing"
    assert turned_away.total["Overloaded"] == 7


async def test_no_place_outside_is_kept_from_others(sides: TwoSides, begun: list[str], two_a_second: None) -> None:
    """When those who wait outside have all places, whoever has most there gives one up."""
    turned_away = TurnedAway()
    bounds = replace(WIDE, max_connections=10, max_connections_per_address=10)
    async with guarded(sides, turned_away, bounds) as port:
        assert (await ask(port, call(sides, "known"))).status == 200
        writers = await flood(port, 10)
        assert (await ask(port, call(sides, "known"))).status == 200
        for writer in writers:
            writer.close()
    assert turned_away.total["ConnectionDropped"] >= 1


async def tls_to(port: int, context: ssl.SSLContext, address: str) -> str:
    """Whether a handshake succeeds from an address."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, local_addr=(address, 0))
    except (ssl.SSLError, OSError) as refused:
        return type(refused).__name__
    writer.close()
    return "let in"


async def test_an_address_beyond_its_share_is_closed_before_tls_and_others_are_let_in(
    ground: Ground, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tests.attacks.test_quotas_over_tls.WIDE", replace(WIDE, max_connections=50, max_connections_per_address=5)
    )
    context = ground.shown_by(ground.today.social)
    async with ground.peers() as port:
        silent = await flood(port, 5)
        beyond = [await tls_to(port, context, FLOOD) for _ in range(10)]
        other = await tls_to(port, context, "127.0.1.10")
        for writer in silent:
            writer.close()
    assert "let in" not in beyond
    assert other == "let in"
    assert begun.count(FLOOD) == 5, "nothing was spent on those beyond the share"
    assert ground.gates.peers.total["Overloaded"] == 10


async def test_peers_listener_resumes_no_session(ground: Ground) -> None:
    context = ground.shown_by(ground.today.social)
    async with ground.peers() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(PEER_HEAD + b"Content-Length: 0\r\n\r\n")
        await reader.read(10)  # a ticket would have come before the answer
        assert not writer.get_extra_info("ssl_object").session.has_ticket
        writer.close()


async def test_who_goes_on_sending_a_refused_body_is_cut_off(ground: Ground) -> None:
    context = ground.shown_by(ground.today.social)
    async with ground.peers() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(PEER_HEAD + b"Content-Length: 100000000000\r\n\r\n")
        answer: Answer = await read_answer(reader)
        with pytest.raises(ConnectionError):
            await go_on_sending(writer, bytes(65536))
        writer.close()
    assert answer.status >= 400


def test_what_is_sent_after_the_refusal_is_not_decrypted_as_fast_as_it_comes(ground: Ground) -> None:
    """On the loop that the adapter runs on, ending TLS with a goodbye reads all that comes: a refused message would
    cost what one that is taken costs."""
    context = ground.shown_by(ground.today.social)

    def go_on(port: int) -> int:
        """How many octets are taken from a sender that does not care for the other's goodbye."""
        taken = 0
        with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw) as tls:
            tls.sendall(PEER_HEAD + b"Content-Length: 100000000000\r\n\r\n")
            assert tls.recv(10)
            with suppress(OSError):
                while taken < 100 * MEBIBYTE:
                    taken += tls.send(bytes(65536))
        return taken

    async def taken() -> int:
        async with ground.peers() as port:
            return await asyncio.to_thread(go_on, port)

    assert uvloop.run(taken()) < 2 * 8 * MEBIBYTE + 16 * MEBIBYTE, "two seconds of slow reading, and some in buffers"


async def test_large_bodies_are_read_in_turns(sides: TwoSides, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    real = Turns.take

    async def counted(self: Turns, *, pause_s: float = 0) -> None:
        nonlocal taken
        taken += 1
        await real(self, pause_s=pause_s)

    monkeypatch.setattr(Turns, "take", counted)
    wide = replace(WIDE, max_message_bytes=2_000_000, read_timeout_s=20)
    quota = replace(QUOTA, bytes_in_flight=10_000_000)
    async with guarded(sides, TurnedAway(), wide, quota=quota, everyone=quota) as port:
        small = await ask(port, call(sides, "small"))
        assert (small.status, taken) == (200, 0), "what comes at once waits for nobody"
        whole = post(client_path(sides), b" " * 1_000_000 + b"<garbage", "text/xml", "User-Agent: large")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for begin in range(0, len(whole), 100_000):
            writer.write(whole[begin : begin + 100_000])
            await writer.drain()
            await asyncio.sleep(0.01)
        assert (await read_answer(reader)).code == "MalformedMessage"
        writer.close()
    assert taken >= 2


def test_a_head_that_never_ends_is_told_so_on_the_loop_that_the_adapter_runs_on(sides: TwoSides) -> None:
    """Whose transports are not those of asyncio."""

    async def long_head() -> bytes:
        async with guarded(sides, TurnedAway()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n" + (b"X: " + b"y" * 10_000 + b"\r\n") * 10)
            said = b""
            with suppress(ConnectionError):
                while piece := await asyncio.wait_for(reader.read(65536), 30):
                    said += piece
            writer.close()
            return said

    assert b">LimitExceeded<" in uvloop.run(long_head())
