"""Looking into an adapter's record from outside, while it runs: which entries were added, and the messages kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.ports import KeptMessage
from adapter.settings import Settings
from adapter.store.archive import read_message
from adapter.store.engine import open_database
from adapter.store.log_reader import LogFilter, LoggedEntry, LogReader


@dataclass(frozen=True, kw_only=True)
class RecordedEntry:
    """One entry as far as the federation looks at it. reason: of a refusal, for the operators' eyes; else empty."""

    number: int
    kind: str
    outcome: str | None
    message_id: str | None
    incident: str | None
    reason: str


class RecordView:
    """Reads the database of one adapter; writes nothing and locks nobody."""

    def __init__(self, settings: Settings) -> None:
        self._database = open_database(settings.database_url)
        self._reader = LogReader(self._database)

    def size(self) -> int:
        """How many entries there are."""
        return self._reader.end().next_number

    def since(self, size: int) -> tuple[RecordedEntry, ...]:
        """The entries that were added since the record had this size, the oldest first."""
        added = self.size() - size
        found = self._reader.search(LogFilter(limit=added)) if added else []
        return tuple(map(_entry, reversed(found)))

    def latest(self, *, kind: str, service: str | None = None, outcome: str | None = None) -> RecordedEntry:
        """The newest entry of this kind; service, outcome: None means any."""
        found = self._reader.search(LogFilter(kind=kind, service=service, outcome=outcome, limit=1))
        if not found:
            raise LookupError(f"there is no such entry {kind}")
        return _entry(found[0])

    def about(self, message_id: str, *, kind: str) -> RecordedEntry:
        """The newest entry of this kind about one exchange."""
        found = self._reader.search(LogFilter(kind=kind, message_id=message_id, limit=1))
        if not found:
            raise LookupError(f"there is no entry {kind} about {message_id}")
        return _entry(found[0])

    def kept(self, number: int, direction: str, archive_key: bytes) -> KeptMessage:
        """The message kept with an entry, as it went over the wire. direction: `request` or `reply`."""
        message = read_message(self._database, archive_key, number, direction)
        if message is None:
            raise LookupError(f"entry {number} keeps no {direction}")
        return message


def _entry(entry: LoggedEntry) -> RecordedEntry:
    return RecordedEntry(
        number=entry.number,
        kind=entry.indexed.kind,
        outcome=entry.indexed.outcome,
        message_id=entry.indexed.message_id,
        incident=entry.indexed.incident,
        reason=_reason(entry.body),
    )


def _reason(body: dict[str, Any]) -> str:
    """Wherever it stands in the entry."""
    if "reason" in body:
        return str(body["reason"])
    return next((found for value in body.values() if isinstance(value, dict) and (found := _reason(value))), "")
