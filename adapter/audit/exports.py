"""The entry about an export of evidence: who took the messages of which exchange out, and which file that was.

A container opens without the adapter's keys, so its making is an act with a name, as reading a paper file is.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from adapter.audit.admin import admin_entry
from adapter.identifiers import MessageId
from adapter.ports import Entry

EVIDENCE_EXPORTED: Final = "evidence-exported"
"""The outcome of the administrative entry."""


def evidence_exported(
    message_id: MessageId, *, sha256: str, octets: int, level: str, officer: str, at: datetime
) -> Entry:
    """It is found by the id of the exchange. sha256, octets: of the container. level: of its signature (ETSI)."""
    details = {"sha256": sha256, "octets": octets, "level": level}
    return replace(admin_entry(EVIDENCE_EXPORTED, officer=officer, at=at, details=details), message_id=str(message_id))
