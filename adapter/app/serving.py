"""`adapter serve`: what the parent process does before, between and after its workers."""

from __future__ import annotations

import secrets

import structlog
import uvloop

from adapter.app.keyring import Keyring, load_keyring
from adapter.app.listening import Sockets, bind_sockets
from adapter.app.supervisor import Supervisor
from adapter.app.wiring import build_site
from adapter.app.worker import run_worker
from adapter.errors import AdapterError
from adapter.logs import configure_logs
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.recovery import recover_run, recover_worker

log = structlog.get_logger(__name__)


def serve(settings: Settings, *, workers: int) -> int:
    """Run the adapter until it is told to stop. Returns the exit code.

    Everything that can be wrong with keys, settings, services and the database is found here, before a port is open.
    Raises SettingsInvalid, KeyUnusable, StoreUnusable, DescriptionUnusable.
    """
    configure_logs(level=settings.adapter.log_level, form=settings.adapter.log_format)
    keyring = load_keyring(settings)
    run_token = secrets.token_hex(8)
    database = open_database(settings.database_url, lock_timeout_s=settings.record.busy_timeout_s)
    recover_run(database, run_token)
    build_site(settings, keyring, database, run_token=run_token)  # the services and clients, tried before forking
    sockets = bind_sockets(settings)
    log.info("starting", workers=workers)

    def worker(lifeline: int | None) -> int:
        return _work(settings, keyring, sockets, run_token, lifeline)

    def when_died(pid: int) -> None:
        recover_worker(database, f"{run_token}/{pid}")

    if workers == 1:
        return worker(None)
    return Supervisor(worker, count=workers, when_died=when_died).run()


def _work(settings: Settings, keyring: Keyring, sockets: Sockets, run_token: str, lifeline: int | None) -> int:
    """One worker. What it uses is made here, after the fork: no connection or thread crosses it."""

    async def work() -> None:
        site = build_site(
            settings,
            keyring,
            open_database(settings.database_url, lock_timeout_s=settings.record.busy_timeout_s),
            run_token=run_token,
        )
        await run_worker(site, sockets, lifeline)

    try:
        uvloop.run(work())
    except AdapterError as error:
        log.error("cannot serve", code=error.code, because=error.reason)
        return error.exit_code
    return 0
