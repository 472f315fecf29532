"""Exchanges with kept messages, on days that are over, in the record of an adapter's folder."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from adapter.cli.own_record import own_log
from adapter.ports import Keeping, KeptMessage, RecordWrite
from adapter.settings import Settings, load_settings
from adapter.store.archive import Archive
from adapter.store.batch import BatchWriter
from adapter.store.engine import Database, open_database
from adapter.store.record import prepare_write
from tests.records import CONTENT_KEY, NOW, SERVICE, an_entry

ARCHIVE_KEY = bytes(range(32))
"""As tests.adapter_home writes it."""
EXCHANGES = ((0, "benefits"), (0, "benefits"), (0, "pensions"), (1, "benefits"))
"""Days after NOW, and the purpose: a request and a reply each."""


def message_id_of(at: int) -> str:
    return f"urn-message-of-a-case-{at:04d}"


def keep_messages(folder: Path) -> Database:
    """Fill the record of the adapter in this folder; entries 0 to 7."""
    settings = load_settings(folder / "adapter.toml")
    database = open_database(settings.database_url)
    writer = BatchWriter(database, own_log(settings), Archive(ARCHIVE_KEY), "test/1")
    writer.open()
    writer.commit(
        [
            prepare_write(_write(settings, at, days, purpose, direction))
            for at, (days, purpose) in enumerate(EXCHANGES)
            for direction in ("request", "reply")
        ]
    )
    writer.close()
    return database


def octets_of(at: int, direction: str) -> bytes:
    return f"<{direction}>{at}</{direction}>".encode()


def _write(settings: Settings, at: int, days: int, purpose: str, direction: str) -> RecordWrite:
    kept = KeptMessage(direction=direction, octets=octets_of(at, direction), content_key=CONTENT_KEY)
    entry = an_entry(message_id_of(at), kind="request-received" if direction == "request" else "reply-sent")
    body = {
        **entry.body,
        "by": str(settings.member),
        "purpose": purpose,
        "octets_sha256": hashlib.sha256(kept.octets).hexdigest(),
    }
    entry = replace(entry, body=body, at=NOW + timedelta(days=days))
    return RecordWrite(entry=entry, kept=(kept,), keeping=Keeping(SERVICE, purpose))
