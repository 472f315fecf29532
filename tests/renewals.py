"""An adapter whose TLS certificate a CA renews, and the authority that registers what it proposes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from adapter.app.keyring import own_lives, own_tls_key
from adapter.audit.verify import verify_record
from adapter.cli.own_record import record_signer
from adapter.crypto.note import NoteVerifier
from adapter.directory.authoring import put_member
from adapter.directory.document import read_registration
from adapter.directory.draft import DirectoryDraft
from adapter.settings import Settings, load_settings
from adapter.store.engine import open_database
from adapter.store.keyfiles import load_certificate
from adapter.store.log_reader import LogReader
from tests.adapter_home import write_register
from tests.command_line import Typed, typed
from tests.pki import Federation, authorities

NEW = "tls-acme-1"
"""The key that the first renewal makes."""
UNTIL_RETIRING = (
    "key-made",
    "acme-account-key-made",
    "key-requested",
    "key-certified",
    "key-registered",
    "key-active",
    "key-retiring",
)
"""Outcomes of the record's entries from an empty record until the new key is used and the one before it retires."""


@dataclass
class RenewingHome:
    """folder/fed: the directory; folder/register: the population register's adapter."""

    folder: Path
    federation: Federation
    draft: DirectoryDraft

    @classmethod
    def make(cls, folder: Path, *, cas: Sequence[x509.Certificate] = ()) -> RenewingHome:
        """An adapter in order. cas: that the directory names for TLS beside its own."""
        now = datetime.now(UTC).replace(microsecond=0)
        federation = Federation.build(now=now)
        draft = federation.draft()
        draft = replace(draft, tls_authorities=authorities(federation.tls_ca.certificate, *cas))
        made = cls(folder=folder, federation=federation, draft=draft)
        federation.write(folder / "fed")
        made.publish(draft)
        write_register(folder, federation)
        return made

    @property
    def home(self) -> Path:
        return self.folder / "register"

    @property
    def settings(self) -> Settings:
        return load_settings(self.home / "adapter.toml")

    def set(self, url: str, ca_file: Path, port: int, more: str = "") -> None:
        """Write the tables of the renewal. more: lines of [acme], and tables after it."""
        (self.home / "adapter.toml").write_text(
            f'[adapter]\nmember = "{self.federation.population.id}"\n\n'
            '[directory]\nurl = "../fed"\nanchor = "../fed/anchor.json"\n\n'
            "[keys]\nspread_s = 0\n\n[timing]\nmessage_lifetime_s = 1\n\n"
            f'[acme]\nurl = "{url}"\nca_file = "{ca_file}"\naddress = "127.0.0.1"\nport = {port}\nterms_agreed = true\n'
            f"{more}\n"
        )

    def publish(self, draft: DirectoryDraft) -> None:
        """As the next version."""
        self.draft = draft
        self.federation.repository.write(self.folder / "fed", self.federation.signed(draft))

    def register(self) -> None:
        """The authority enters what the adapter proposes."""
        proposal = read_registration((self.home / "data" / "renewal" / "registration.xml").read_bytes())
        entered = put_member(self.draft, proposal, now=datetime.now(UTC))
        later = self.draft.issued + timedelta(seconds=1)
        self.publish(replace(entered, version=entered.version + 1, issued=min(later, datetime.now(UTC))))

    def type(self, *words: object, code: int = 0) -> Typed:
        done = typed(*words, "--settings", self.home)
        assert done.code == code, done
        return done

    def renew(self, *more: str, code: int = 0) -> dict[str, Any]:
        done = self.type("keys", "renew", "--json", *more, code=code)
        said: dict[str, Any] = json.loads(done.out) if code == 0 else {"said": done.err}
        return said

    def states(self) -> dict[str, str]:
        listed = json.loads(self.type("keys", "list", "--json").out)
        return {one["key"]: one["state"] for one in listed if one["purpose"] == "tls"}

    def certificate(self, name: str) -> x509.Certificate:
        return load_certificate(self.home / "keys" / f"{name}.pem")

    def used(self) -> str:
        """The name of the TLS key that a worker would show."""
        return own_tls_key(self.settings, own_lives(self.settings)).key_file.stem

    def outcomes(self) -> list[str]:
        """Of the whole record, which must verify."""
        database, verifier = open_database(self.settings.database_url), record_signer(self.settings).vkey
        verify_record(LogReader(database), origin=str(self.settings.member), verifiers=(NoteVerifier.parse(verifier),))
        with sqlite3.connect(database.path) as connection:
            return [row[0] for row in connection.execute("SELECT outcome FROM entries ORDER BY number")]
