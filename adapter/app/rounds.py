"""What a worker does again and again beside its messages: look, say what failed, look again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.errors import AdapterError
from adapter.exchange.incidents import where

log = structlog.get_logger(__name__)


async def look_every(
    every_s: float, look: Callable[[], Awaitable[None]], *, failed: str, lock: WorkerLock | None = None
) -> None:
    """Look now and every so many seconds, until cancelled. Whatever fails, the next round is tried.

    failed: how the log calls a round that failed. lock: of a thing that one worker does for all; `look` acquires it,
    and it is released in the end, so that another worker goes on.
    """
    try:
        while True:
            try:
                await look()
            except AdapterError as failure:
                log.warning(failed, code=failure.code, because=failure.reason)
            except Exception as failure:  # noqa: BLE001 - whatever a peer, a server or a disk does
                log.error(failed, error=type(failure).__name__, where=where(failure))
            await asyncio.sleep(every_s)
    finally:
        if lock is not None:
            lock.release()
