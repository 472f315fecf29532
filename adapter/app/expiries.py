"""Everything that ends for this adapter, read from its files and its directory; told to the log once a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Final

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.directory.expiry import ENDED, Expiry, of_certificate, of_directory
from adapter.directory.model import Directory
from adapter.errors import AdapterError
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.store.keyfiles import load_certificate

log = structlog.get_logger(__name__)

LOCK_FILE: Final = "expiries.lock"
_LOOK_EVERY_S: Final = 600.0
_URGENT_DAYS: Final = 7
_PURPOSES: Final = ("signing", "agreement", "tls")


def what_expires(settings: Settings, directory: Directory | None) -> list[Expiry]:
    """The table, the nearest end first. What cannot be read is left out: `adapter doctor` says so elsewhere."""
    found = list(_own(settings))
    if directory is not None:
        found += of_directory(directory, settings.member)
    return sorted(found, key=lambda one: (one.ends, one.what, one.name))


def _own(settings: Settings) -> Iterator[Expiry]:
    folder = settings.adapter.keys_dir
    for purpose in _PURPOSES:
        renew = f"adapter keys rotate {purpose} --name NEW"
        if purpose == "tls" and settings.acme is not None:
            renew = "adapter keys renew, which says what hinders it"
        for path in sorted((*folder.glob(f"{purpose}.pem"), *folder.glob(f"{purpose}-*.pem"))):
            # The certificate of a destroyed key stays for old evidence, and nobody renews it. A token has no key file.
            if settings.token is not None or path.with_suffix(".key").exists():
                yield from _of_file(f"{purpose} certificate", path, renew)
    token = settings.token
    for key in () if token is None else token.key:
        renew = "Have the token's key certified again, import it, and register it."
        yield from _of_file(f"{key.purpose} certificate", key.certificate_file, renew)
    listener = settings.client_listener
    for file, what in (
        (listener.certificate_file, "client listener's certificate"),
        (listener.client_ca_file, "client systems' CA"),
    ):
        if file is not None:
            yield from _of_file(what, file, "Put the next one into the file that the settings name.")


def _of_file(what: str, path: Path, mend: str) -> Iterator[Expiry]:
    try:
        yield of_certificate(what, path.name, load_certificate(path), mend)
    except AdapterError:
        return


class ExpiryTeller:
    """Warns once a day for each thing that is within a threshold, and at once when it comes to the next one."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, datetime], tuple[int, date]] = {}

    def tell(self, things: Iterable[Expiry], now: datetime) -> None:
        """Log what has to be said now."""
        for one in things:
            threshold = one.threshold(now)
            key = (one.what, one.name, one.ends)
            if threshold is None or self._told.get(key) == (threshold, now.date()):
                continue
            self._told[key] = (threshold, now.date())
            say = log.error if threshold <= _URGENT_DAYS else log.warning
            event = "ended" if threshold == ENDED else "ends soon"
            left = max((one.ends - now).days, 0)
            say(event, state=f"{one.what} {one.name}", expires=one.ends, days=left, because=one.mend)


async def watch_expiries(settings: Settings, directory: Callable[[], Directory], clock: Clock) -> None:
    """Look now and every ten minutes until cancelled; of several workers one does. Never raises."""
    lock, teller = WorkerLock(settings.adapter.data_dir / LOCK_FILE), ExpiryTeller()

    async def look() -> None:
        if lock.acquire():
            teller.tell(await asyncio.to_thread(what_expires, settings, _current(directory)), clock())

    await look_every(_LOOK_EVERY_S, look, failed="expiries not looked at", lock=lock)


def _current(directory: Callable[[], Directory]) -> Directory | None:
    try:
        return directory()
    except AdapterError:
        return None
