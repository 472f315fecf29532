"""Who is refused and comes again at once waits apart: it takes neither the strangers' turns nor anybody's place."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from adapter.errors import PeerUnreachable
from adapter.transport import queue_outside
from adapter.transport.quotas import Bucket
from adapter.transport.turned_away import TurnedAway
from tests.adapters.test_listeners import ask, read_answer
from tests.attacks.test_fair_turns import FLOOD, begun, flood, until
from tests.attacks.test_quotas import QUOTA, WIDE, call, guarded
from tests.attacks.test_quotas_over_tls import Ground, ground, today
from tests.two_sides import TwoSides, Wire

__all__ = ["begun", "ground", "today"]


@pytest.fixture
def two_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of addresses whose connections came to nothing: two at once and then one in 1000 seconds."""
    real = queue_outside.QueueOutside.__init__

    def few(self: Any, known: Any, now: float, **more: Any) -> None:
        real(self, known, now, **more)
        self._apart = Bucket(2, 0.001, now)

    monkeypatch.setattr(queue_outside.QueueOutside, "__init__", few)


@pytest.mark.parametrize(
    "nothing",
    [
        b"",
        b"no HTTP\r\n\r\n",
        b"POST /service/none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"GET /service/none HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /service/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["silent", "no HTTP", "refused", "no such page", "no page of ours"],
)
async def test_from_where_nothing_comes_that_can_be_answered_one_waits_apart(
    sides: TwoSides, begun: list[str], two_apart: None, nothing: bytes
) -> None:
    async with guarded(sides, TurnedAway()) as port:
        for _ in range(12):
            for writer in await flood(port, 1):
                writer.write(nothing)
                await asyncio.sleep(0.02)
                writer.close()
        await until(lambda: begun.count(FLOOD) == 6)
        assert (await ask(port, call(sides, "stranger"))).status == 200, "strangers wait for none of them"
        await asyncio.sleep(0.2)
    assert begun.count(FLOOD) == 6, "four that are forgiven, and two of those who wait apart"


async def test_where_somebody_is_answered_all_come_in(sides: TwoSides, begun: list[str], two_apart: None) -> None:
    async with guarded(sides, TurnedAway(), quota=replace(QUOTA, refusals_per_minute=600)) as port:
        for _ in range(5):
            assert (await ask(port, call(sides, "known", b"<garbage"))).code == "MalformedMessage"
        assert (await ask(port, call(sides, "known"))).status == 200
        for _ in range(10):
            assert (await ask(port, call(sides, "known"))).status == 200
    assert len(begun) == 16


async def test_where_somebody_goes_on_being_answered_nobody_waits_apart(
    sides: TwoSides, begun: list[str], two_apart: None
) -> None:
    """Behind a load balancer all come from one address: one bad system there does not shut the others out."""
    good, quota = call(sides, "known"), replace(QUOTA, refusals_per_minute=1)
    async with guarded(sides, TurnedAway(), quota=quota) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(6):
            writer.write(good)
            assert (await read_answer(reader)).status == 200
            for _ in range(3):
                assert (await ask(port, call(sides, "bad", b"<garbage"))).status >= 400
        writer.close()
    assert len(begun) == 1 + 6 * 3


async def test_who_is_refused_for_what_others_have_to_mend_does_not_wait_apart(
    sides: TwoSides, begun: list[str], two_apart: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise PeerUnreachable("nobody there")

    monkeypatch.setattr(Wire, "send", gone)
    async with guarded(sides, TurnedAway()) as port:
        for _ in range(10):
            assert (await ask(port, call(sides, "blameless"))).code == "PeerUnreachable"
    assert len(begun) == 10


async def test_handshakes_that_come_to_nothing_make_an_address_wait_apart(
    ground: Ground, begun: list[str], two_apart: None
) -> None:
    async with ground.peers() as port:
        for _ in range(8):
            for writer in await flood(port, 1):
                writer.write(b"no TLS")
                await asyncio.sleep(0.02)
                writer.close()
        await until(lambda: begun.count(FLOOD) == 6)
        await asyncio.sleep(0.2)
    assert begun.count(FLOOD) == 6, "four that are forgiven, and two of those who wait apart"


async def test_who_waits_apart_gives_up_a_place_before_anybody_inside(
    sides: TwoSides, begun: list[str], two_apart: None
) -> None:
    bounds = replace(WIDE, max_connections=5, max_connections_per_address=5, read_timeout_s=20)
    async with guarded(sides, TurnedAway(), bounds) as port:
        reader, silent = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.1", 0))
        await until(lambda: len(begun) == 1)
        for _ in range(6):
            for writer in await flood(port, 1):
                writer.close()
            await asyncio.sleep(0.02)
        await until(lambda: begun.count(FLOOD) == 6)
        outside = await flood(port, 4)
        assert (await ask(port, call(sides, "stranger"))).status == 200
        silent.write(call(sides, "stranger"))
        assert (await read_answer(reader)).status == 200, "it was not cut off for them"
        for writer in (silent, *outside):
            writer.close()
    assert begun.count(FLOOD) == 6
