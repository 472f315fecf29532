"""What the issuer holds: its key for statements, and every consent that was given. CONSENT_ISSUER names the folder.

In earnest the key lies in a token, and whoever gives a consent is known for sure: here the portal that calls is
believed when it says who the person is.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from adapter.crypto.consent import sign_consent
from adapter.crypto.keys import FileSigningKey
from adapter.envelope.consent import Consent
from adapter.identifiers import SubjectId, SubsystemId

FOLDER: Final = "CONSENT_ISSUER"
KEY, CERTIFICATE, NAME, DATABASE = "statements.key", "statements.pem", "issuer.txt", "consents.sqlite"
SUITE: Final = "p256"
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS consent (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, statement BLOB NOT NULL, revoked TEXT
)
"""


def utc_now() -> datetime:
    """The issuer's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """folder: of key, certificate and database. name: the subsystem that the directory names."""

    folder: Path
    name: SubsystemId
    key: FileSigningKey

    @classmethod
    def here(cls) -> Self:
        """The one whose folder the environment names."""
        folder = Path(os.environ[FOLDER])
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
        private = load_pem_private_key((folder / KEY).read_bytes(), None)
        name = SubsystemId.parse((folder / NAME).read_text(encoding="ascii").strip())
        return cls(folder=folder, name=name, key=FileSigningKey(private, certificate, SUITE))

    def give(self, consent: Consent) -> None:
        """Sign what a person agreed to, and hold it."""
        statement = sign_consent(consent, self.key)
        with closing(self._database()) as database, database:
            database.execute(
                "INSERT INTO consent (id, subject, statement) VALUES (?, ?, ?)",
                (consent.id, _words(consent.subject), statement),
            )

    def revoke(self, id_: str, subject: SubjectId, now: datetime) -> bool:
        """Take back a consent of this person. False: the person has none with this id."""
        with closing(self._database()) as database, database:
            changed = database.execute(
                "UPDATE consent SET revoked = coalesce(revoked, ?) WHERE id = ? AND subject = ?",
                (now.isoformat(), id_, _words(subject)),
            )
            return changed.rowcount == 1

    def get(self, id_: str) -> tuple[str, bytes]:
        """The status (active, revoked, unknown) and the statement, empty when there is none."""
        with closing(self._database()) as database:
            found = database.execute("SELECT statement, revoked FROM consent WHERE id = ?", (id_,)).fetchone()
        if found is None:
            return "unknown", b""
        statement, revoked = found
        return "active" if revoked is None else "revoked", bytes(statement)

    def _database(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.folder / DATABASE, timeout=10)
        database.execute(_TABLE)
        return database


def _words(subject: SubjectId) -> str:
    return f"{subject.kind}:{subject.value}"
