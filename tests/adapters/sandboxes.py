"""Sandboxes on sockets of their own, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aiohttp import web

from adapter.envelope.description import ServiceDescription
from adapter.samples.make import Variant
from adapter.sandbox.play import Play
from adapter.sandbox.server import Arrival, SandboxServer, Stage
from adapter.sandbox.system import SandboxSystem


@dataclass
class RunningSandbox:
    """address: with a slash behind it. arrivals: what came, in order."""

    address: str
    stage: Stage
    arrivals: list[Arrival] = field(default_factory=list)


@contextmanager
def running_sandbox(
    description: ServiceDescription, *plays: Play, variant: Variant = Variant.FULL
) -> Iterator[RunningSandbox]:
    """Listen on a free port until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    found = RunningSandbox(address="", stage=Stage(plays))
    server = SandboxServer(
        description,
        SandboxSystem(description, seed=1, variant=variant),
        found.stage,
        clock=lambda: datetime.now(UTC),
        tell=found.arrivals.append,
    )

    async def start() -> web.ServerRunner:
        runner = web.ServerRunner(web.Server(server), shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    found.address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield found
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()
