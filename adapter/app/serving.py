"""`adapter serve`: what the parent process does before, between and after its workers."""

from __future__ import annotations

import resource
import secrets
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
import uvloop

from adapter.app.keepers import utc_now
from adapter.app.keyring import Keyring, load_keyring
from adapter.app.listening import Sockets, bind_sockets
from adapter.app.own_clients import exposures
from adapter.app.runs import Run
from adapter.app.supervisor import STOP_SIGNALS, Supervisor
from adapter.app.wiring import build_site
from adapter.app.worker import run_worker
from adapter.audit.checkpoint import record_origin
from adapter.audit.entry import interrupted_entry
from adapter.errors import AdapterError
from adapter.hardening import forbid_core_dumps, keep_files_private, lock_memory, map_large_buffers, protections
from adapter.identifiers import MemberId
from adapter.logs import configure_logs
from adapter.settings import Settings
from adapter.store.appending import Log, append_entries
from adapter.store.engine import Database, open_database
from adapter.store.recovery import InterruptedExchange, recover_run, recover_worker

log = structlog.get_logger(__name__)


def serve(settings: Settings, *, settings_file: Path, workers: int, renew: Sequence[str] = ()) -> int:
    """Run the adapter until it is told to stop. Returns the exit code. renew: the command that renews by ACME.

    settings_file: where the settings were read; the record says by digests which of them were changed since.

    Everything that can be wrong with keys, settings, services and the database is found here, before a port is open.
    Raises SettingsInvalid, KeyUnusable, StoreUnusable, DescriptionUnusable.
    """
    forbid_core_dumps()
    keep_files_private()
    map_large_buffers()
    lock_memory()  # of the parent, which holds the keys too; each worker locks its own
    configure_logs(level=settings.adapter.log_level, form=settings.adapter.log_format)
    _allow_descriptors()
    keyring = load_keyring(settings)
    run_token = secrets.token_hex(8)
    database = open_database(settings.database_url, lock_timeout_s=settings.record.busy_timeout_s)
    log_of_own = Log(record_origin(settings.member), keyring.record)
    _record_interrupted(database, log_of_own, settings.member, recover_run(database, run_token))
    build_site(settings, keyring, database, run_token=run_token)  # the services and clients, tried before forking
    sockets = bind_sockets(settings)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # until a worker can stop cleanly; none is lost
    log.info("starting", workers=workers)
    for exposure in exposures(settings):
        log.warning(exposure.what, clients=", ".join(exposure.names), mend=exposure.mend)

    def worker(lifeline: int | None) -> int:
        return _work(settings, keyring, sockets, run_token, lifeline=lifeline, renew=renew)

    def when_died(pid: int) -> None:
        interrupted = recover_worker(database, f"{run_token}/{pid}")
        _record_interrupted(database, log_of_own, settings.member, interrupted)

    run = Run(settings, keyring, database, token=run_token, clock=utc_now)
    run.begin(settings_file=settings_file, workers=workers)
    code = worker(None) if workers == 1 else Supervisor(worker, count=workers, when_died=when_died).run()
    run.end(code)
    return code


def _allow_descriptors() -> None:
    """As many connections as the hard limit lets have: the usual soft limit is for programs that use select."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _record_interrupted(
    database: Database, record: Log, own: MemberId, interrupted: Sequence[InterruptedExchange]
) -> None:
    """One entry for each exchange that a crash cut off: whether it took effect is not known (promise 5)."""
    if interrupted:
        now = utc_now()
        entries = [
            interrupted_entry(
                own, consumer=one.consumer, message_id=one.message_id, request_number=one.request_number, now=now
            )
            for one in interrupted
        ]
        append_entries(database, record, entries)
        log.warning("exchanges were cut off by a crash", entries=len(entries))


def _work(
    settings: Settings,
    keyring: Keyring,
    sockets: Sockets,
    run_token: str,
    *,
    lifeline: int | None,
    renew: Sequence[str],
) -> int:
    """One worker. What it uses is made here, after the fork: no connection or thread crosses it."""

    async def work() -> None:
        database = open_database(
            settings.database_url, lock_timeout_s=settings.record.busy_timeout_s, keeps_connections=True
        )
        try:
            await run_worker(
                build_site(settings, keyring, database, run_token=run_token, renew=renew), sockets, lifeline
            )
        finally:
            database.close()

    lock_memory()
    for protection in protections():
        if not protection.holds:
            log.warning("not protected", state=protection.what, because=f"{protection.found}. {protection.mend}")
    try:
        uvloop.run(work())
    except AdapterError as error:
        log.error("cannot serve", code=error.code, because=error.reason)
        return error.exit_code
    return 0
