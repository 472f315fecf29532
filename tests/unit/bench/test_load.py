"""The load generator finds a wrong answer, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bench.backend import answer
from bench.load import LoadPlan, Outcome, run

pytestmark = pytest.mark.sockets

Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    application = web.Application(client_max_size=10_000_000)
    application.router.add_post("/", handler)
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


async def load(handler: Handler) -> Outcome:
    async with serving(handler) as url:
        plan = LoadPlan(url=url, concurrency=2, warm_up=[], sizes=[2_000, 2_000, 10_000])
        return await run(plan, plan.sizes, 1)


async def test_the_information_system_answers_every_request_with_what_it_holds():
    outcome = await load(answer)
    assert (outcome.failed, outcome.errors) == (0, [])
    assert {size: len(times) for size, times in outcome.latencies_s.items()} == {2_000: 2, 10_000: 1}


async def another_reference(request: web.BaseRequest) -> web.Response:
    octets = await request.read()
    return web.Response(body=octets.replace(b"KeepRecords", b"KeptRecords").replace(b"000000002", b"000000009"))


async def one_record_changed(request: web.BaseRequest) -> web.Response:
    octets = await request.read()
    return web.Response(body=octets.replace(b"KeepRecords", b"KeptRecords").replace(b":Number>1<", b":Number>9<"))


async def the_request_itself(request: web.BaseRequest) -> web.Response:
    return web.Response(body=await request.read())


async def a_fault(request: web.BaseRequest) -> web.Response:
    return web.Response(status=500, body=await request.read())


async def hangs_up(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    ("handler", "failed"),
    [(another_reference, 1), (one_record_changed, 3), (the_request_itself, 3), (a_fault, 3), (hangs_up, 3)],
)
async def test_a_wrong_answer_is_a_failure(handler, failed):
    outcome = await load(handler)
    assert outcome.failed == failed
    assert len(outcome.errors) == failed
    assert sum(len(times) for times in outcome.latencies_s.values()) == 3 - failed
