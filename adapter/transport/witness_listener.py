"""The HTTP side of a witness of our own (C2SP tlog-witness): POST /add-checkpoint, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import structlog
from aiohttp import web

from adapter.audit.witnessing import ADD_CHECKPOINT, MAX_REQUEST_OCTETS, SIZE_TYPE, Refused, WitnessVerdict
from adapter.errors import AdapterError

log = structlog.get_logger(__name__)

_READ_WITHIN_S: Final = 10.0
Decide = Callable[[bytes], Awaitable[str | Refused]]
"""A request's body to the cosignature line, or why there is none. Raises AdapterError: it cannot be decided now."""


def witness_application(decide: Decide) -> web.Application:
    """The application. There is no authentication: the log's signature on a checkpoint is all that counts."""

    async def add_checkpoint(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_READ_WITHIN_S):
                octets = await request.read()
        except TimeoutError:
            return web.Response(status=HTTPStatus.REQUEST_TIMEOUT)
        try:
            decided = await decide(octets)
        except AdapterError as failure:
            log.error("nothing can be cosigned", code=failure.code, because=failure.reason)
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)
        if isinstance(decided, Refused):
            log.info("not cosigned", status=int(decided.verdict.value), because=decided.why)
            return _refusal(decided)
        return web.Response(text=decided)

    application = web.Application(client_max_size=MAX_REQUEST_OCTETS)
    application.router.add_post(f"/{ADD_CHECKPOINT}", add_checkpoint)
    return application


def _refusal(refused: Refused) -> web.Response:
    if refused.verdict is WitnessVerdict.CONFLICT:
        return web.Response(
            status=HTTPStatus.CONFLICT,
            body=f"{refused.held_size}\n".encode(),
            headers={"Content-Type": SIZE_TYPE},
        )
    return web.Response(status=refused.verdict.value, text=f"{refused.why}\n")
