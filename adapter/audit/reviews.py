"""Reviews of emergency access: which entries open one, which entry closes it, and how both are found again.

There is no list beside the record that could say something else. An entry about an emergency that was sent or let in
has a tag in the index of subjects, and so has the entry of an officer who closes its review: open is what has the first
tag and no second one. The index is bound to the entries by verification (audit.verify), so a review that somebody took
out of it, or closed in it alone, is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

from adapter.audit.entry import ADMIN, REQUEST_RECEIVED, REQUEST_SENT
from adapter.identifiers import RecordNumber

OPENED_TAG: Final = "emergency"
"""Of every entry that opens a review. Tags of persons are hexadecimal digits."""
CLOSING_TAG: Final = "emergency-review:"
"""Of the entry that closes a review, before the number of the entry that opened it."""
CLOSED: Final = "emergency-review-closed"
"""The outcome of the administrative entry that closes one."""
_OPENS: Final = frozenset((REQUEST_SENT, REQUEST_RECEIVED))
"""An emergency that was refused let nothing out: its entry says that it was one, and opens no review."""


class ReviewFinding(Enum):
    """What an officer found."""

    JUSTIFIED = "justified"
    UNJUSTIFIED = "unjustified"


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """How a review ended. number: the entry that says so."""

    number: RecordNumber
    at: datetime
    officer: str
    finding: ReviewFinding
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """The review of one emergency access. number: the entry of the request, which opened it; body: what it says.

    closing: None while it is open.
    """

    number: RecordNumber
    at: datetime
    body: Mapping[str, Any]
    closing: Closing | None = None

    @property
    def ours(self) -> bool:
        """Whether our own official asked; else data was asked of us."""
        return self.body.get("kind") == REQUEST_SENT


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviews:
    """How many emergencies the record has, how many reviews of them are open, and since when the oldest of those."""

    total: int
    open: int
    oldest: datetime | None


def closing_tag(number: int) -> str:
    """The tag of the entry that closes the review of this entry."""
    return f"{CLOSING_TAG}{number}"


def closing_details(number: int, finding: ReviewFinding, note: str) -> dict[str, Any]:
    """What the closing entry says. note: without personal data."""
    return {"review_of": number, "finding": finding.value, "note": note}


def tags_of(body: Mapping[str, Any]) -> tuple[str, ...]:
    """All tags that an entry is found by, each once: of its subjects, and of the review that it opens or closes.

    body: of an entry, as it was made or as it is stored, which may be anything.
    """
    tags = dict.fromkeys(body.get("subjects", ()))
    if body.get("kind") in _OPENS and body.get("emergency") is not None:
        tags[OPENED_TAG] = None
    if body.get("kind") == ADMIN and body.get("outcome") == CLOSED:
        details = body.get("details")
        number = details.get("review_of") if isinstance(details, Mapping) else None
        if isinstance(number, int):
            tags[closing_tag(number)] = None
    return tuple(tags)
