"""The operators' side: is it alive, is it ready, figures for the monitoring. No personal data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

Readiness = Callable[[], str | None]
"""None when ready, else one sentence that says why not."""
Refresh = Callable[[], Awaitable[None]]
"""Asks what the figures need to be asked anew; never raises."""


class OperatorsListener:
    """GET /health/live, /health/ready, /metrics."""

    def __init__(self, readiness: Readiness, registry: CollectorRegistry, refresh: Refresh) -> None:
        self._readiness = readiness
        self._registry = registry
        self._refresh = refresh

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a monitoring system."""
        match request.path:
            case "/health/live":
                return web.Response(text="alive\n")
            case "/health/ready":
                reason = self._readiness()
                status = HTTPStatus.OK if reason is None else HTTPStatus.SERVICE_UNAVAILABLE
                return web.Response(status=status, text=(reason or "ready") + "\n")
            case "/metrics":
                await self._refresh()
                return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
            case _:
                return web.Response(status=HTTPStatus.NOT_FOUND)
