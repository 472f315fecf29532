"""adapter.app.rounds: whatever fails in one round, the next is tried; the lock goes on to another worker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from structlog.testing import capture_logs

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.errors import StoreUnusable


async def test_after_a_failure_and_an_accident_it_looks_again(tmp_path: Path) -> None:
    lock = WorkerLock(tmp_path / "lock")
    rounds: list[int] = []
    enough = asyncio.Event()

    async def look() -> None:
        assert lock.acquire()
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise StoreUnusable("the disk is full")
        if len(rounds) == 2:
            raise ZeroDivisionError
        enough.set()

    with capture_logs() as said:
        task = asyncio.create_task(look_every(0, look, failed="not looked at", lock=lock))
        await asyncio.wait_for(enough.wait(), 60)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    assert [(one["event"], one["log_level"], one.get("code") or one.get("error")) for one in said] == [
        ("not looked at", "warning", "StoreUnusable"),
        ("not looked at", "error", "ZeroDivisionError"),
    ]
    assert WorkerLock(tmp_path / "lock").acquire()
