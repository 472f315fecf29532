"""The life of one worker process: start, listen, finish what is in flight, stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from contextlib import suppress
from functools import partial

import structlog

from adapter.app.doors import PeerDoor, open_client_door, open_operators_door
from adapter.app.expiries import watch_expiries
from adapter.app.keepers import utc_now
from adapter.app.listening import Sockets
from adapter.app.memory_keeper import MemoryKeeper
from adapter.app.quotas import Gates, record_interval, record_turned_away
from adapter.app.rounds import end_all
from adapter.app.supervisor import STOP_SIGNALS
from adapter.app.wiring import Site
from adapter.errors import AdapterError, InternalError
from adapter.exchange.incidents import where
from adapter.large_messages import let_others_in_sooner
from adapter.store.recovery import purge

log = structlog.get_logger(__name__)

_FORGET_EVERY_S = 600.0


async def run_worker(site: Site, sockets: Sockets, lifeline: int | None) -> None:
    """Serve until SIGTERM or SIGINT, or until the parent is gone. Raises AdapterError when it cannot start."""
    stopping = _stop_signal(lifeline)
    await site.record.start()
    await asyncio.to_thread(site.policy.refresh)
    site.directory.load_copy()
    with suppress(AdapterError):  # without a directory all is refused; keep_fresh says why and goes on trying
        await site.directory.refresh()
    with suppress(AdapterError):  # of what cannot be read, keep_fresh says so; a new directory or key is looked for
        await site.keys.refresh(site.directory.current)
    # A key that is known to be revoked signs nothing, from the first message on.
    await asyncio.to_thread(site.statuses.load_copies)
    gates = Gates()
    peer_door = PeerDoor(site, sockets.peers, gates)
    background = _in_the_background(site, peer_door, gates)
    failed: list[str] = []
    for task in background:
        task.add_done_callback(partial(_stop_with, failed, stopping))
    listeners = (
        await open_client_door(site, sockets.clients, gates),
        await open_operators_door(site, peer_door, sockets.operators, gates),
    )
    _settle_garbage_collector()
    let_others_in_sooner()
    await stopping.wait()
    log.info("stopping")
    await end_all(background)
    await asyncio.gather(peer_door.close(), *(listener.stop() for listener in listeners))
    await record_interval(site, gates)
    await site.close()
    log.info("stopped")
    if failed:
        raise InternalError(f"background task ended: {', '.join(failed)}")


def _in_the_background(site: Site, peer_door: PeerDoor, gates: Gates) -> list[asyncio.Task[None]]:
    """What a worker keeps current beside its messages."""
    return [
        asyncio.create_task(site.directory.keep_fresh(site.settings.directory.refresh_s), name="directory"),
        asyncio.create_task(site.statuses.keep_fresh(), name="statuses"),
        asyncio.create_task(site.policy.keep_fresh(), name="access rules"),
        asyncio.create_task(site.keys.keep_fresh(site.directory.current), name="keys"),
        asyncio.create_task(site.stamps.keep_stamped(), name="time-stamps"),
        asyncio.create_task(site.renewal.keep_renewed(), name="renewal"),
        asyncio.create_task(site.watch.keep_watch(), name="records of others"),
        asyncio.create_task(site.clock.keep_watch(), name="clock"),
        asyncio.create_task(site.witnesses.keep_witnessed(), name="witnesses"),
        asyncio.create_task(site.retention.keep(), name="retention"),
        asyncio.create_task(watch_expiries(site.settings, site.directory.current, utc_now), name="expiries"),
        asyncio.create_task(_forget_expired(site), name="expired ids"),
        asyncio.create_task(peer_door.keep_open(), name="peer listener"),
        asyncio.create_task(record_turned_away(site, gates), name="turned away"),
        asyncio.create_task(site.peers.retire_idle(), name="retired connections"),
        asyncio.create_task(MemoryKeeper().keep_small(), name="memory"),
    ]


def _stop_with(failed: list[str], stopping: asyncio.Event, task: asyncio.Task[None]) -> None:
    """A worker without one of its background tasks would go on with what they keep current: it stops instead."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("background task failed", worker=task.get_name(), error=type(error).__name__, where=where(error))
        failed.append(task.get_name())
        stopping.set()


async def _forget_expired(site: Site) -> None:
    """Forget ids of messages that expired and cannot come again; one that might is never forgotten."""
    while True:
        await asyncio.sleep(_FORGET_EVERY_S)
        try:
            skew_s = site.settings.timing.clock_skew_s
            forgotten = await asyncio.to_thread(purge, site.database, utc_now(), clock_skew_s=skew_s)
            log.info("expired message ids forgotten", entries=forgotten)
        except AdapterError as failure:
            log.warning("expired message ids not forgotten", code=failure.code, because=failure.reason)


def _settle_garbage_collector() -> None:
    """Leave what was made at the start (schemas, the directory, code) out of every later collection.

    Exchanges make few cycles: a collection after 20,000 allocations instead of 700 finds as much and costs less.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _stop_signal(lifeline: int | None) -> asyncio.Event:
    """Set by SIGTERM, by SIGINT, and when the parent's end of the pipe closes."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopping.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # what came since the fork arrives now
    if lifeline is not None:

        def parent_gone() -> None:
            loop.remove_reader(lifeline)
            os.close(lifeline)
            stopping.set()

        loop.add_reader(lifeline, parent_gone)
    return stopping
