"""What many want at the same instant is done one after the other, and the event loop goes round in between."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from aiohttp import StreamReader, web

from adapter.transport.turns import Lingering, Turns


class Body:
    """A body that never ends and always has more."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.pieces = 0
        self._failure = failure

    def is_eof(self) -> bool:
        return False

    async def readany(self) -> bytes:
        if self._failure:
            raise self._failure
        self.pieces += 1
        return bytes(1000)

    @property
    def as_reader(self) -> StreamReader:
        return cast(StreamReader, self)


async def test_the_loop_goes_round_between_two_turns() -> None:
    turns, happened = Turns(), []

    async def want(at: int) -> None:
        await turns.take()
        happened.append(f"turn {at}")

    async def another() -> None:
        for at in range(5):
            await asyncio.sleep(0)
            happened.append(f"round {at}")

    await asyncio.gather(*(want(at) for at in range(5)), another())
    order = [at for at, what in enumerate(happened) if what.startswith("turn")]
    assert [happened[at] for at in order] == [f"turn {at}" for at in range(5)], "first come, first served"
    assert all(happened[one + 1].startswith("round") or one > 6 for one in order[:-1]), happened


async def test_of_all_refused_bodies_together_so_many_octets_a_second_are_read() -> None:
    lingering = Lingering(longest_s=0.5, octets_per_s=20_000)
    bodies = [Body() for _ in range(20)]
    await asyncio.wait_for(asyncio.gather(*(lingering.read_rest(body.as_reader) for body in bodies)), 30)
    pieces = sum(body.pieces for body in bodies)
    assert 20 <= pieces <= 20 + 10, "one of each, then one every 50 ms of all of them"


@pytest.mark.parametrize("failure", [ConnectionResetError(), web.RequestPayloadError()])
async def test_a_body_that_breaks_off_ends_the_reading(failure: Exception) -> None:
    await asyncio.wait_for(Lingering().read_rest(Body(failure).as_reader), 30)
