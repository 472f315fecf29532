"""A worker from its start to its end, in this process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter.app.keyring import load_keyring
from adapter.app.listening import Sockets
from adapter.app.wiring import Site, build_site
from adapter.app.worker import run_worker
from adapter.store.engine import open_database
from tests.adapter_home import write_register
from tests.pki import Federation

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(120)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    federation = Federation.build(now=datetime.now(UTC).replace(microsecond=0))
    federation.write(tmp_path / "fed")
    settings = write_register(tmp_path, federation)
    return build_site(settings, load_keyring(settings), open_database(settings.database_url), run_token="a run")


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    bound = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    yield Sockets(peers=bound[0], clients=bound[1], operators=bound[2])
    for one in bound:
        one.close()


@pytest.fixture(autouse=True)
def _process_as_before() -> Iterator[None]:
    """What a worker sets for its whole process."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*threshold)
    gc.unfreeze()
    signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


async def test_who_waits_for_the_interpreter_of_a_worker_has_it_after_half_a_millisecond(
    site: Site, sockets: Sockets
) -> None:
    sys.setswitchinterval(0.005)
    lifeline, parents_end = os.pipe()
    os.close(parents_end)  # it starts, and then finds that its parent is gone
    await asyncio.wait_for(run_worker(site, sockets, lifeline), 60)
    assert sys.getswitchinterval() == pytest.approx(0.0005)


class DeafOnce:
    """In the place of one of the background tasks: it misses the first time that it is cancelled (decision 172)."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def keep_watch(self) -> None:
        self.began.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


async def test_a_worker_ends_though_a_background_task_did_not_hear_that_it_is_to(site: Site, sockets: Sockets) -> None:
    lifeline, parents_end = os.pipe()
    deaf = DeafOnce()
    worker = asyncio.create_task(run_worker(replace(site, clock=deaf), sockets, lifeline))  # type: ignore[arg-type]
    await asyncio.wait_for(deaf.began.wait(), 60)
    os.close(parents_end)
    done, _ = await asyncio.wait([worker], timeout=30)
    assert done
    await worker
