"""What a comparison of two versions of a contract finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Direction(Enum):
    """Which way a message goes, and so who has to read what the other writes."""

    REQUEST = "request"
    REPLY = "reply"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One difference. operation: where it was met first. direction: None for the operation itself.

    place: the names from the message's element down. breaking: a consumer that was right before may fail now.
    text: a sentence that repeats nothing but names and facets of the schemas.
    """

    operation: str
    direction: Direction | None
    place: str
    breaking: bool
    text: str
