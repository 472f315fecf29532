"""The authority's own record: who proposed, signed, refused and published what, in a log like that of an adapter.

<folder>/record/record.db    entries, tree and checkpoints, in the form of an adapter's database
<folder>/record/record.key   signs its checkpoints, and nothing else

It is made when there is a first thing to enter.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.admin import admin_entry
from adapter.audit.checkpoint import open_checkpoint
from adapter.audit.verify import VerifiedRecord, verify_record
from adapter.cli.files import make_folder
from adapter.cli.options import now_utc
from adapter.cli.own_record import RECORD_KEY_FILE, note_signer
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import CommandRefused
from adapter.store.appending import Log, append_entries
from adapter.store.engine import Database, open_database
from adapter.store.keyfiles import KeyPurpose, save_private_key
from adapter.store.log_reader import LoggedEntry, LogReader
from adapter.store.log_search import LogFilter

ORIGIN: Final = "directory-authority"
"""Its name in checkpoints; whose it is, the key says."""
_PAGE: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorityRecord:
    """The record in a folder of its own."""

    folder: Path

    def enter(self, action: str, details: Mapping[str, Any]) -> int:
        """Enter an act, durably; gives its number. Raises StoreUnusable, RecordBroken, KeyUnusable."""
        entry = admin_entry(action, officer=getpass.getuser(), at=now_utc(), details=details)
        (number,) = append_entries(self._database(), Log(ORIGIN, self._signer()), [entry])
        return number

    def entries(self) -> list[LoggedEntry]:
        """All of them, the oldest first. Raises CommandRefused: there is none yet."""
        reader = LogReader(self._opened())
        found: list[LoggedEntry] = []
        while page := reader.search(LogFilter(before=found[-1].number if found else None, limit=_PAGE)):
            found += page
        return found[::-1]

    def verified(self, kept: Iterable[str] = ()) -> VerifiedRecord:
        """Every entry read and proved. kept: checkpoints that somebody noted earlier; the record must continue each.

        Raises RecordBroken at the first thing that is wrong.
        """
        reader, verifiers = LogReader(self._opened()), [NoteVerifier.parse(self._signer().vkey)]
        remembered = [open_checkpoint(note, verifiers, origin=ORIGIN) for note in kept]
        return verify_record(reader, origin=ORIGIN, verifiers=verifiers, remembered=remembered)

    def newest_checkpoint(self) -> str:
        """The signed note over all of it, to be kept elsewhere. Raises CommandRefused."""
        newest = LogReader(self._opened()).latest_checkpoint()
        if newest is None:
            raise CommandRefused(f"nothing was entered in {self.folder} yet")
        return newest.note

    def _signer(self) -> NoteSigner:
        return note_signer(ORIGIN, self._key_file, KeyPurpose.RECORD, None)

    @property
    def _key_file(self) -> Path:
        return self.folder / RECORD_KEY_FILE

    @property
    def _url(self) -> str:
        return f"sqlite:///{self.folder.absolute() / 'record.db'}"

    def _opened(self) -> Database:
        if not (self.folder / "record.db").is_file():
            raise CommandRefused(f"nothing was entered in {self.folder} yet")
        return open_database(self._url)

    def _database(self) -> Database:
        if (self.folder / "record.db").is_file():
            return self._opened()
        from adapter.store.migrate import prepare  # noqa: PLC0415  takes a second, and is needed once

        make_folder(self.folder, mode=0o700)
        if not self._key_file.is_file():
            save_private_key(self._key_file, Ed25519PrivateKey.generate(), KeyPurpose.RECORD)
        return prepare(self._url)
