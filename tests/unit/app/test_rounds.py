"""adapter.app.rounds: whatever fails in one round, the next is tried; the lock goes on to another worker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from structlog.testing import capture_logs

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import end_all, look_every
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


async def deaf(times: int) -> None:
    """What an HTTP client is whose time runs out in the turn of the loop in which it is cancelled (decision 172)."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


async def test_a_task_that_did_not_hear_that_it_is_to_end_is_told_again() -> None:
    tasks = [asyncio.create_task(deaf(times)) for times in (0, 1, 2)]
    await asyncio.sleep(0)
    with capture_logs() as said:
        await asyncio.wait_for(end_all(tasks, again_s=0.01), 60)
    assert [task.cancelled() for task in tasks] == [True] * 3
    assert said == []
    await end_all([])


async def test_a_task_that_does_not_end_at_all_is_named_and_left() -> None:
    task = asyncio.create_task(deaf(1_000), name="directory")
    await asyncio.sleep(0)
    with capture_logs() as said:
        await asyncio.wait_for(end_all([task], again_s=0.001), 60)
    assert not task.done()
    assert [(one["event"], one["worker"]) for one in said] == [("does not end", "directory")]
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)
