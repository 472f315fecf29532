"""Which messages were kept with the entries of a record, and which of them may be gone: as many as entries say.

An entry names the digest of the message that it is about, and so a message that is missing is seen. It was erased with
the key of its compartment, or moved to an archive file: both are entries, which say how many messages went.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapter.audit.entry import ADMIN, REFUSED, REPLY_RECEIVED, REPLY_SENT, REQUEST_RECEIVED, REQUEST_SENT
from adapter.audit.retention import ARCHIVED, Compartment, ErasedPart
from adapter.errors import RecordBroken
from adapter.ports import REFUSED as KEPT_AS_REFUSED
from adapter.ports import REPLY, REQUEST, Keeping

_OCTETS: Final = "octets_sha256"
_NAMED_BY: Final[Mapping[str, Mapping[str, str]]] = {
    REQUEST_SENT: {REQUEST: _OCTETS},
    REQUEST_RECEIVED: {REQUEST: _OCTETS},
    REPLY_SENT: {REPLY: _OCTETS},
    REPLY_RECEIVED: {REPLY: _OCTETS},
    REFUSED: {REQUEST: _OCTETS, REPLY: "reply_octets_sha256"},
}
"""Of each kind of entry that messages are kept with: their directions, and the member that has the digest of each."""


def kinds_with(direction: str) -> tuple[str, ...]:
    """The kinds of entries that may have a message of this direction."""
    return tuple(kind for kind, named in _NAMED_BY.items() if direction in named)


def digest_of(body: Mapping[str, Any], direction: str) -> str | None:
    """SHA-256, hexadecimal, of the octets of a message, as its entry says it; None: it speaks of no such message."""
    member = _NAMED_BY.get(body.get("kind", ""), {}).get(direction)
    return None if member is None else body.get(member)


def must_be_kept(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The directions of the messages that were kept, for sure, when the entry was made.

    A refused message is evidence when its sender was trusted, which a signed answer shows; a stranger's is not kept.
    """
    named = tuple(direction for direction in (REQUEST, REPLY) if digest_of(body, direction) is not None)
    if body.get("kind") != REFUSED:
        return named
    if REPLY not in named:
        return ()
    return (REPLY,) if "request_entry" in body else named


def keeping_said(body: Mapping[str, Any], request: Mapping[str, Any] | None) -> Keeping:
    """What decided how long the messages of an entry are kept. request: the entry that `request_entry` names."""
    if request is None and body.get("kind") == REFUSED:
        return KEPT_AS_REFUSED
    asked = body if request is None else request
    return Keeping(asked.get("service") or "", asked.get("purpose") or "")


@dataclass(slots=True)
class _Lost:
    """How many messages of one compartment are not here, and which is the first."""

    first: str
    count: int = 0


class Gone:
    """The messages that were kept and are not here any more, held against what entries say was erased."""

    def __init__(self) -> None:
        self._lost: dict[Compartment, _Lost] = {}

    def add(self, compartment: Compartment, number: int, direction: str) -> None:
        """One that is not here. compartment: whose key sealed it first."""
        self._lost.setdefault(compartment, _Lost(f"the {direction} of entry {number}")).count += 1

    def check(self, erased: Iterable[ErasedPart]) -> None:
        """Raises RecordBroken: more messages are gone than were erased."""
        left: Counter[Compartment] = Counter()
        for part in erased:
            left[part.compartment._replace(generation=0)] += part.messages
        for compartment, lost in sorted(self._lost.items(), key=lambda item: item[0]):
            said = 0
            # Once a day had one key for all its messages, which is now one of no service (decision 144).
            for named in dict.fromkeys((compartment, Compartment(compartment.day, "", ""))):
                of_named = min(lost.count - said, left[named])
                left[named] -= of_named
                said += of_named
            if said < lost.count:
                raise RecordBroken(
                    f"{lost.count} kept messages of {compartment.label}, are not here, the first is {lost.first}; "
                    f"the record says that {said} of them were erased"
                )


@dataclass(slots=True)
class Moved:
    """Messages that are said to be in the archive files of one entry. first, last: of the entries that they are of."""

    first: int
    last: int
    count: int = 0

    def add(self, number: int) -> None:
        """One more, of this entry."""
        self.first, self.last, self.count = min(self.first, number), max(self.last, number), self.count + 1

    def check(self, by: int, body: Mapping[str, Any] | None, put_back: Mapping[str, int]) -> None:
        """Hold it against that entry. by: its number; body: None when there is none. Raises RecordBroken.

        put_back: by the SHA-256 of each archive file whose messages were put back, the newest entry that says so.
        """
        what = f"{self.count} kept messages, of entries {self.first} to {self.last}, are said to be in an archive file"
        if body is None or body.get("kind") != ADMIN or body.get("outcome") != ARCHIVED or not self._fits(body):
            raise RecordBroken(f"{what} by entry {by}, which does not say so")
        after = put_back.get(body["details"].get("sha256", ""), by)
        if after > by:
            raise RecordBroken(f"{what} by entry {by}, and entry {after} says that they were put back")

    def _fits(self, body: Mapping[str, Any]) -> bool:
        try:
            said = body["details"]
            is_within = said["first_entry"] <= self.first and self.last <= said["last_entry"]
            return bool(is_within and self.count <= said["messages"])
        except (KeyError, TypeError):
            return False
