"""The operators' listener: three addresses to read, whatever the method, and a sentence or figures at them."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client import CollectorRegistry, Gauge

from adapter.transport.operators_listener import OperatorsListener


async def nothing_to_ask() -> None:
    """The figure of this registry is there already."""


def listener(not_ready: str | None = None) -> OperatorsListener:
    registry = CollectorRegistry()
    Gauge("adapter_shown", "A figure.", registry=registry).set(7)
    return OperatorsListener(lambda: not_ready, registry, nothing_to_ask)


async def asked(what: OperatorsListener, method: str, path: str) -> tuple[int, str]:
    answer = await what(make_mocked_request(method, path))
    assert isinstance(answer, web.Response)
    body = answer.body
    return answer.status, body.decode() if isinstance(body, bytes) else ""


@pytest.mark.parametrize("path", ["/", "/health", "/metrics/", "/metrics/../health/live/x", "/debug", "/adapter.toml"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_nothing_else_is_there(method: str, path: str) -> None:
    assert await asked(listener(), method, path) == (HTTPStatus.NOT_FOUND, "")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_no_method_changes_anything(method: str) -> None:
    same = listener()
    for path in ("/health/live", "/health/ready", "/metrics"):
        before = await asked(same, "GET", path)
        assert (await asked(same, method, path)) == before == (await asked(same, "GET", path))
        assert before[0] == HTTPStatus.OK


async def test_what_is_not_ready_is_one_sentence() -> None:
    assert await asked(listener("no directory yet"), "GET", "/health/ready") == (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "no directory yet\n",
    )


async def test_figures_are_those_of_the_registry_and_nothing_of_the_process() -> None:
    _, text = await asked(listener(), "GET", "/metrics")
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["adapter_shown 7.0"]
