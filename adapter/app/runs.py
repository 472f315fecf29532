"""What a run of `adapter serve` enters in the record of itself: its start, what it began with, and its stop."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import structlog

from adapter import __version__
from adapter.app.keyring import Keyring
from adapter.app.provided import SETTINGS_FILE, service_folders
from adapter.app.supervisor import STOP_SIGNALS
from adapter.audit.checkpoint import record_origin
from adapter.audit.runs import CLOCK_SET_BACK, ENDED_WITHOUT_STOP, SETTINGS_CHANGED, RunFacts
from adapter.audit.settings_digest import digest_settings
from adapter.crypto.certificates import public_key
from adapter.crypto.keys import key_id
from adapter.errors import AdapterError, SettingsInvalid
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.store.appending import Log
from adapter.store.engine import Database
from adapter.store.keyfiles import load_certificate
from adapter.store.runs import Runs
from adapter.store.schema import SCHEMA_REVISION

log = structlog.get_logger(__name__)

_SETTINGS_NAME = "adapter.toml"
"""Whatever the file is called: another name is no change."""

_WORTH_A_WARNING: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    CLOCK_SET_BACK: ("clock is behind the record", ("behind_ms", "last_entry", "last_entry_at")),
    ENDED_WITHOUT_STOP: ("the run before ended without a stop", ("started_in", "last_entry", "last_entry_at")),
    SETTINGS_CHANGED: ("settings were changed since the last start", ("files", "added", "changed", "removed")),
}
"""What the log says of such an entry, and which of its details."""


class Run:
    """One run: begun once, by the parent, when nothing more can keep it from serving; ended by the parent too."""

    def __init__(self, settings: Settings, keyring: Keyring, database: Database, *, token: str, clock: Clock) -> None:
        """token: the random name of the run."""
        self._settings = settings
        self._keyring = keyring
        self._runs = Runs(database, Log(record_origin(settings.member), keyring.record))
        self._token = token
        self._clock = clock

    def begin(self, *, settings_file: Path, workers: int) -> None:
        """Enter the start. Raises StoreUnusable, RecordBroken, SettingsInvalid."""
        facts = RunFacts(
            run=self._token,
            version=__version__,
            schema=SCHEMA_REVISION,
            workers=workers,
            keys=public_key_ids(self._keyring),
            settings=digest_settings(settings_files(self._settings, settings_file), self._keyring.archive_key),
        )
        for entry in self._runs.begin(facts, self._clock):
            worth_it = _WORTH_A_WARNING.get(entry.outcome or "")
            if worth_it is not None:
                (warning, told), details = worth_it, entry.body["details"]
                log.warning(warning, **{name: details[name] for name in told if name in details})

    def end(self, exit_code: int) -> None:
        """Enter the stop. When that fails the next start says that this run had none."""
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # being told to stop once more must not cut this off
        try:
            self._runs.end(self._token, exit_code=exit_code, clock=self._clock)
        except AdapterError as failure:
            log.error("stop not recorded", code=failure.code, because=failure.reason)


def settings_files(settings: Settings, settings_file: Path) -> Mapping[str, bytes]:
    """The octets of adapter.toml and of every service.toml, by their names. Raises SettingsInvalid."""
    files = {_SETTINGS_NAME: settings_file}
    for folder in service_folders(settings.adapter.services_dir):
        files[f"services/{folder.name}/{SETTINGS_FILE}"] = folder / SETTINGS_FILE
    try:
        return {name: path.read_bytes() for name, path in files.items()}
    except OSError as cause:
        raise SettingsInvalid(f"{cause.filename}: cannot be read: {cause.strerror}") from None


def public_key_ids(keyring: Keyring) -> Mapping[str, tuple[str, ...]]:
    """What the record calls the keys in use, by purpose; of the record's own key its verifier key."""
    certificates = {
        "signing": [key.certificate for key in keyring.signing],
        "agreement": list(keyring.decryption.certificates),
        "tls": [load_certificate(keyring.tls.certificate_file)],
    }
    ids = {purpose: tuple(key_id(public_key(one)) for one in held) for purpose, held in certificates.items()}
    return ids | {"record": (keyring.record.vkey,)}
