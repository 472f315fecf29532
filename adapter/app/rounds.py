"""What a worker does again and again beside its messages: look, say what failed, look again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.errors import AdapterError
from adapter.exchange.incidents import where

log = structlog.get_logger(__name__)

_TOLD: Final = 20


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


async def end_all(tasks: Collection[asyncio.Task[Any]], *, again_s: float = 0.5) -> None:
    """Cancel tasks and wait until they have ended, whatever they end with.

    Each is told again every so many seconds: an HTTP client whose time runs out in the same turn of the loop takes the
    cancellation for its timeout, and its task would go on for ever (decision 172). One that has been told twenty times
    is named in the log, and left.
    """
    left = set(tasks)
    for _ in range(_TOLD):
        if not left:
            return
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=again_s)
    if left:
        log.error("does not end", worker=", ".join(sorted(task.get_name() for task in left)))
