"""Entries about administrative acts: who changed what of the adapter itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapter.audit.entry import ADMIN
from adapter.envelope.instants import write_instant
from adapter.ports import Entry


def admin_entry(action: str, *, officer: str, at: datetime, details: Mapping[str, Any]) -> Entry:
    """An administrative act. action: a short name (`access-granted`). details: no personal data, no secrets."""
    body = {
        "v": 1,
        "kind": ADMIN,
        "at": write_instant(at),
        "outcome": action,
        "officer": officer,
        "details": dict(details),
    }
    return Entry(body=body, kind=ADMIN, at=at, outcome=action)
