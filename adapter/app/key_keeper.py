"""The keys of one worker, changed while it runs: what an officer did with `adapter keys` holds within a second.

The record says what became of a key (audit.key_life). When it says something new, a key that must not be used any more
is forgotten first, whatever else happens; then files and token are read again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from adapter.app.keyring import Keyring, SigningKeyChoice, load_keyring, wanted_by
from adapter.app.own_certificates import named_in
from adapter.audit.checkpoint import record_origin
from adapter.directory.model import Directory
from adapter.errors import AdapterError
from adapter.exchange.incidents import where
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.store.appending import Log
from adapter.store.engine import Database
from adapter.store.key_lives import KeyLives
from adapter.transport.tls import TlsKey

log = structlog.get_logger(__name__)

EVERY_S = 1.0
"""A revoked key is used no longer than this, in every worker."""
LOADED_WITHIN_S = 5 * EVERY_S
"""A new key is held by every worker that can read it: one look, and four for a machine that is loaded."""
OFFICER = "adapter"
"""Who enters what nobody did: that a directory names a certificate, or no longer."""


class KeyKeeper:
    """Hands out the keys in use and exchanges them in place. `refresh` runs in a thread, the rest in the event loop."""

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        database: Database,
        clock: Clock,
        is_revoked: Callable[[bytes], bool],
    ) -> None:
        """is_revoked: see SigningKeyChoice."""
        self._settings = settings
        self._lives = KeyLives(database)
        self._log = Log(record_origin(settings.member), keyring.record)
        self._clock = clock
        self._version = keyring.version
        self._noted: tuple[int, int] | None = None
        self._tls = keyring.tls
        self._told: list[Callable[[TlsKey], None]] = []
        self.decryption = keyring.decryption
        self.signing = SigningKeyChoice(keyring.signing, settings.member, is_revoked)

    def tell(self, listener: Callable[[TlsKey], None]) -> None:
        """Call `listener` with every TLS key that is shown from now on, and with the one that is shown now."""
        self._told.append(listener)
        listener(self._tls)

    def note(self, directory: Directory) -> None:
        """Enter in the record which of our certificates a directory names. Raises StoreUnusable."""
        if self._noted == (directory.version, self._version):
            return
        named = named_in(directory, self._settings.member)
        changed = self._lives.note_directory(
            named, version=directory.version, officer=OFFICER, log=self._log, now=self._clock()
        )
        for life in changed:
            log.info("key", record=life.entry, state=life.state.value, version=directory.version)
        self._noted = (directory.version, self._version)

    def read(self) -> Keyring | None:
        """The keys as they have to be now, None when nothing changed. Raises StoreUnusable, KeyUnusable.

        What must not be used any more is forgotten even when the rest cannot be read.
        """
        version = self._lives.version()
        if version == self._version:
            return None
        lives = self._lives.all()
        wanted = wanted_by(lives)
        self.decryption.keep_only(wanted)
        self.signing.keep_only(wanted)
        keyring = load_keyring(self._settings, lives)
        self._version = version
        return keyring

    def adopt(self, keyring: Keyring) -> None:
        """Use these from now on."""
        self.decryption.replace(keyring.decryption)
        self.signing.replace(keyring.signing)
        if keyring.tls != self._tls:
            self._tls = keyring.tls
            for listener in self._told:
                listener(keyring.tls)
        log.info("keys", version=keyring.version)

    async def refresh(self, directory: Callable[[], Directory]) -> None:
        """Look once. Raises AdapterError."""
        keyring = await asyncio.to_thread(self.read)
        if keyring is not None:
            self.adopt(keyring)
        await asyncio.to_thread(self.note, directory())

    async def keep_fresh(self, directory: Callable[[], Directory]) -> None:
        """Look for ever; keys that cannot be read are logged, and those that are held and may be held stay."""
        said = ""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.refresh(directory)
                said = ""
            except AdapterError as failure:
                if said != failure.reason:  # once for each reason, not once a second
                    said = failure.reason
                    log.error("keys not read again", code=failure.code, because=failure.reason)
            except Exception as failure:  # noqa: BLE001 - a key that is not refreshed would outlive its revocation
                log.error("keys not read again", error=type(failure).__name__, where=where(failure))
