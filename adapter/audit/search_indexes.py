"""The entry about search indexes that were made again from the entries: what a search may have missed before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from adapter.audit.admin import admin_entry
from adapter.ports import Entry

SEARCH_INDEXES_REBUILT: Final = "search-indexes-rebuilt"
"""The outcome of the administrative entry."""


def search_indexes_rebuilt(
    *, values: int, is_subjects: bool, indexes: Sequence[str], entries: int, officer: str, at: datetime
) -> Entry:
    """Made before anything is mended.

    values: how many entries' search values were not what their text says. is_subjects: whether the index of subjects
    was not what the entries say. indexes: the database's own that were missing or damaged. entries: how many were read.
    """
    details = {"values": values, "subjects": is_subjects, "indexes": list(indexes), "entries": entries}
    return admin_entry(SEARCH_INDEXES_REBUILT, officer=officer, at=at, details=details)
