"""A real record in a temporary folder, and made-up things to write into it. Synthetic people only."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.verify import VerifiedRecord, verify_record
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.identifiers import MessageId, SubsystemId
from adapter.ports import Claim, Entry, KeptMessage, RecordWrite
from adapter.store.appending import Log, append_entries
from adapter.store.engine import Database
from adapter.store.log_reader import LogReader
from adapter.store.migrate import prepare
from adapter.store.record import RecordLimits, RecordWriter

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
ORIGIN = "interagency-adapter/UZ/GOV/200000001"
CONSUMER = SubsystemId.parse("UZ/GOV/200000003/social")
SERVICE = "UZ/GOV/200000001/population/GetPerson/v1"
CONTENT_KEY = bytes(range(16))


@dataclass(kw_only=True)
class RecordHome:
    """One adapter's record and its secrets."""

    database: Database
    key: Ed25519PrivateKey = field(repr=False)
    archive_key: bytes = field(repr=False)

    @classmethod
    def make(cls, folder: Path) -> RecordHome:
        """A new, empty record in a folder."""
        database = prepare(f"sqlite:///{folder / 'adapter.sqlite'}")
        return cls(database=database, key=Ed25519PrivateKey.generate(), archive_key=os.urandom(32))

    @property
    def signer(self) -> NoteSigner:
        return NoteSigner(ORIGIN, self.key)

    @property
    def verifiers(self) -> tuple[NoteVerifier, ...]:
        return (NoteVerifier.parse(self.signer.vkey),)

    @property
    def log(self) -> Log:
        return Log(ORIGIN, self.signer)

    @property
    def reader(self) -> LogReader:
        return LogReader(self.database)

    def writer(
        self,
        owner: str = "run/1",
        *,
        database: Database | None = None,
        limits: RecordLimits | None = None,
        former_keys: Sequence[NoteVerifier] = (),
    ) -> RecordWriter:
        """A writer that is not started yet."""
        return RecordWriter(
            database or self.database,
            origin=ORIGIN,
            signer=self.signer,
            archive_key=self.archive_key,
            owner=owner,
            limits=limits,
            former_keys=former_keys,
        )

    def fill(self, batches: int, per_batch: int, *, prefix: str = "entry") -> None:
        """Append plain entries, a checkpoint after each batch."""
        for batch in range(batches):
            append_entries(
                self.database,
                self.log,
                [an_entry(f"urn:uuid:{prefix}-{batch:06d}-{one:06d}") for one in range(per_batch)],
            )

    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint, as somebody else would remember it."""
        stored = self.reader.latest_checkpoint()
        assert stored is not None
        return open_checkpoint(stored.note, self.verifiers, origin=ORIGIN)

    def verify(self, *remembered: Checkpoint) -> VerifiedRecord:
        """Verify the whole record."""
        return verify_record(self.reader, origin=ORIGIN, verifiers=self.verifiers, remembered=remembered)

    def change(self, sql: str, *parameters: object) -> int:
        """What somebody with access to the database file could do."""
        connection = sqlite3.connect(self.database.path, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            return connection.execute(sql, parameters).rowcount
        finally:
            connection.close()


def an_entry(
    message_id: str | None = None,
    *,
    kind: str = "request-received",
    subjects: tuple[str, ...] = (),
    octets: bytes | None = None,
) -> Entry:
    """A made-up entry, of about the size of a real one. octets: of the message that is kept with it, if one is."""
    message_id = message_id or str(MessageId.new(NOW))
    return Entry(
        body={
            "v": 1,
            "kind": kind,
            "message_id": message_id,
            "consumer": str(CONSUMER),
            "service": SERVICE,
            "operation": "GetPerson",
            "official": "A-1234",
            "purpose": "benefits",
            "subjects": list(subjects),
        }
        | ({} if octets is None else {"octets_sha256": hashlib.sha256(octets).hexdigest()}),
        kind=kind,
        at=NOW,
        message_id=message_id,
        consumer=str(CONSUMER),
        service=SERVICE,
        outcome="released",
    )


def a_claim(message_id: MessageId | None = None, *, digest: bytes = b"d" * 32, lives_s: float = 300) -> Claim:
    return Claim(
        consumer=CONSUMER,
        message_id=message_id or MessageId.new(NOW),
        content_digest=digest,
        expires=NOW + timedelta(seconds=lives_s),
    )


def a_request(claim: Claim, octets: bytes = b"<request/>") -> RecordWrite:
    """The write before a request is released."""
    kept = KeptMessage(direction="request", octets=octets, content_key=CONTENT_KEY)
    entry = an_entry(str(claim.message_id), octets=octets)
    return RecordWrite(entry=entry, kept=(kept,), claim=claim)


def an_answer(claim: Claim, octets: bytes = b"<reply/>") -> RecordWrite:
    """The write before its reply is sent."""
    kept = KeptMessage(direction="reply", octets=octets, content_key=CONTENT_KEY)
    entry = an_entry(str(claim.message_id), kind="reply-sent", octets=octets)
    return RecordWrite(entry=entry, kept=(kept,), answers=claim)


def a_refusal(claim: Claim, octets: bytes = b"<fault/>", refused: bytes = b"<request/>") -> RecordWrite:
    """The write of a refusal that uses the message id up: of a sender who is trusted, as its signed answer shows."""
    kept = tuple(
        KeptMessage(direction=direction, octets=one, content_key=CONTENT_KEY)
        for direction, one in (("request", refused), ("reply", octets))
    )
    entry = an_entry(str(claim.message_id), kind="refused", octets=refused)
    said = {"reply_octets_sha256": hashlib.sha256(octets).hexdigest()}
    return RecordWrite(entry=replace(entry, body=entry.body | said), kept=kept, claim=claim, answers=claim)
