"""A witness of our own, served in a thread as `adapter witness serve` does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from adapter.app.own_witness import WitnessDesk
from adapter.cli.witness import cosigner_of, logs_of, states_of
from adapter.transport.witness_listener import witness_application


@contextmanager
def serving_witness(folder: Path, *, port: int = 0) -> Iterator[str]:
    """The address of the witness whose folder `adapter witness init` made."""
    desk = WitnessDesk(
        logs=lambda: logs_of(folder),
        states=states_of(folder),
        cosigner=cosigner_of(folder, None),
        clock=lambda: datetime.now(UTC),
    )
    begun = threading.Event()
    found: list[str] = []
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(witness_application(desk), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        found.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        begun.set()
        await stopped.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="witness")
    thread.start()
    try:
        assert begun.wait(60)
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(60)
        loop.close()
