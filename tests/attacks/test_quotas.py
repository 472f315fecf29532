"""One caller that takes all it can: it is told when to come again, others are answered, the record does not fill."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from adapter.errors import TooManyRequests
from adapter.stages import SoapVersion
from adapter.transport import queue_outside
from adapter.transport.admission import Admission
from adapter.transport.client_listener import fault_in_form
from adapter.transport.http_server import HttpBounds, Listener
from adapter.transport.quotas import Caller, Ledger, Quota
from adapter.transport.turned_away import TurnedAway
from tests.adapters.test_listeners import BOUNDS, Answer, ask, client_listener, client_path, post, read_answer
from tests.get_person import good_call
from tests.two_sides import TwoSides

QUOTA = Quota(in_flight=1, bytes_in_flight=30_000, requests_per_second=1000, refusals_per_minute=5)
EVERYONE = Quota(in_flight=50, bytes_in_flight=100_000, requests_per_second=10**9, refusals_per_minute=10**9)
WIDE = replace(BOUNDS, max_connections=20, max_connections_per_address=10)


@asynccontextmanager
async def guarded(
    sides: TwoSides,
    turned_away: TurnedAway,
    bounds: HttpBounds = WIDE,
    *,
    quota: Quota = QUOTA,
    everyone: Quota = EVERYONE,
) -> AsyncIterator[int]:
    """The client listener behind quotas; the header User-Agent says which caller somebody is, without one nobody."""

    def caller_of(request: object) -> Caller:
        name = request.headers.get("User-Agent", "")  # type: ignore[attr-defined]
        return Caller(kind="client", name=name, identified=bool(name))

    ledger = Ledger(quota=quota, everyone=everyone, strangers=everyone, limit=TooManyRequests)
    handler = Admission(
        client_listener(sides, bounds), ledger, turned_away, caller_of=caller_of, turning_away=fault_in_form
    )
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setblocking(False)  # noqa: FBT003
    listener = Listener(handler, bounds, version=SoapVersion.SOAP11, grace_s=1, turned_away=turned_away)
    await listener.start(bound, None)
    try:
        yield bound.getsockname()[1]
    finally:
        await listener.stop()


async def go_on_sending(writer: asyncio.StreamWriter, piece: bytes, *, pause_s: float = 0) -> None:
    """Until the other side has had enough. Raises ConnectionError then, TimeoutError when it never has."""
    async with asyncio.timeout(60):
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)


def call(sides: TwoSides, name: str, body: bytes = b"") -> bytes:
    return post(client_path(sides), body or good_call().encode(), "text/xml", f"User-Agent: {name}")


async def test_a_flood_of_refusals_is_told_when_to_come_again_and_recorded_five_times(
    sides: TwoSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_outside, "FRUITLESS_PER_S", 1000)  # else most of them would still be outside
    turned_away = TurnedAway()
    async with guarded(sides, turned_away) as port:
        answers = [await ask(port, call(sides, "flood", b"<garbage")) for _ in range(100)]
        good = await ask(port, call(sides, "other"))
    assert good.status == 200
    codes = [answer.code for answer in answers]
    assert set(codes[6:]) == {"TooManyRequests"}
    last = answers[-1]
    assert last.status == 429
    assert "Retry-After: " in last.head
    assert b"<ia-fault:Retry>later</ia-fault:Retry><ia-fault:RetryAfter>" in last.body
    refused = sides.consumer_record.outcomes.count("MalformedMessage")
    assert refused <= 6
    assert turned_away.total["TooManyRequests"] == 100 - refused


async def test_one_caller_that_holds_its_place_does_not_hold_anothers(sides: TwoSides) -> None:
    whole = call(sides, "slow")
    async with guarded(sides, TurnedAway()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(whole[:-10])
        await asyncio.sleep(0.05)
        second = await ask(port, call(sides, "slow"))
        other = await ask(port, call(sides, "other"))
        writer.write(whole[-10:])
        first = await read_answer(reader)
        writer.close()
        again = await ask(port, call(sides, "slow"))
    assert (second.status, second.code) == (503, "Overloaded")
    assert "Retry-After: 1" in second.head
    assert (first.status, other.status, again.status) == (200, 200, 200)


async def test_all_callers_together_have_no_more_places_than_there_are(sides: TwoSides) -> None:
    async with guarded(sides, TurnedAway(), everyone=replace(EVERYONE, in_flight=2)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        for at, (_, writer) in enumerate(held):
            writer.write(call(sides, f"slow {at}")[:-10])
        await asyncio.sleep(0.05)
        third = await ask(port, call(sides, "third"))
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        again = await ask(port, call(sides, "third"))
    assert (third.status, third.code) == (503, "Overloaded")
    assert "Retry-After: 1" in third.head
    assert again.status == 200


async def test_octets_of_one_caller_are_bounded_before_they_are_read(sides: TwoSides) -> None:
    quota = replace(QUOTA, in_flight=10, bytes_in_flight=5000)
    head = post(client_path(sides), b"", "text/xml", "User-Agent: a").replace(
        b"Content-Length: 0", b"Content-Length: 4000"
    )
    async with guarded(sides, TurnedAway(), quota=quota) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head + b" " * 3999)
        await asyncio.sleep(0.05)
        held = await ask(port, head + b" " * 100)
        writer.write(b" ")
        await read_answer(reader)
        writer.close()
        free = await ask(port, call(sides, "a"))
    assert held.code == "Overloaded"
    assert free.status == 200


async def test_silent_connections_make_room_for_who_asks(sides: TwoSides) -> None:
    """All places are taken by connections that never asked: the newcomer gets one of theirs."""
    bounds = replace(WIDE, max_connections=10, max_connections_per_address=10**6, read_timeout_s=5)
    turned_away = TurnedAway()
    async with guarded(sides, turned_away, bounds) as port:
        silent = [
            await asyncio.open_connection("127.0.0.1", port, local_addr=(f"127.0.1.{at % 5}", 0)) for at in range(40)
        ]
        answer = await ask(port, call(sides, "good"))
        for _, writer in silent:
            writer.close()
    assert answer.status == 200
    assert turned_away.total["ConnectionDropped"] >= 30


async def test_connections_of_one_address_are_bounded(sides: TwoSides) -> None:
    turned_away = TurnedAway()
    async with guarded(sides, turned_away) as port:
        held = [await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.1.9", 0)) for _ in range(15)]
        await asyncio.sleep(0.05)
        said = await asyncio.wait_for(held[-1][0].read(), 2)
        good = await ask(port, call(sides, "good"))
        for _, writer in held:
            writer.close()
    assert b"Overloaded" in said
    assert good.status == 200
    assert turned_away.total["Overloaded"] == 5


async def test_a_head_of_many_headers_ends_at_its_bound(sides: TwoSides) -> None:
    turned_away = TurnedAway()
    async with guarded(sides, turned_away) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\n")
        sent = 0
        try:
            while sent < 100_000_000:
                writer.write(b"X-%d: " % sent + b"x" * 1000 + b"\r\n")
                sent += 1010
                await writer.drain()
            said = b""
        except ConnectionError:
            said = b"closed"
        writer.close()
    assert said == b"closed"
    assert sent < 10_000_000
    assert turned_away.total["LimitExceeded"] == 1


async def test_what_is_not_http_is_counted(sides: TwoSides) -> None:
    turned_away = TurnedAway()
    async with guarded(sides, turned_away) as port:
        answer: Answer = await ask(port, b"\x16\x03\x01 no HTTP at all\r\n\r\n")
    assert answer.code == "MalformedMessage"
    assert turned_away.total["MalformedMessage"] == 1


async def test_large_garbage_is_turned_away_sooner_than_small(sides: TwoSides) -> None:
    wide = replace(WIDE, max_message_bytes=1_000_000)
    quota = replace(QUOTA, bytes_in_flight=1_000_000)
    everyone = replace(EVERYONE, bytes_in_flight=10**9)
    async with guarded(sides, TurnedAway(), wide, quota=quota, everyone=everyone) as port:
        large = [await ask(port, call(sides, "large", b"<garbage" + b" " * 15_000)) for _ in range(2)]
        larger = [await ask(port, call(sides, "larger", b"<garbage" + b" " * 320_000)) for _ in range(2)]
    assert [answer.code for answer in large] == ["MalformedMessage", "MalformedMessage"]
    assert [answer.code for answer in larger] == ["MalformedMessage", "TooManyRequests"]


async def test_what_follows_a_refusal_is_not_read_for_long(sides: TwoSides) -> None:
    head = post(client_path(sides), b"", "text/xml").replace(b"Content-Length: 0", b"Content-Length: 100000000")
    async with guarded(sides, TurnedAway()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        answer = await read_answer(reader)
        with pytest.raises(ConnectionError):
            await go_on_sending(writer, b" " * 1000, pause_s=0.05)
        writer.close()
    assert answer.code == "LimitExceeded"
