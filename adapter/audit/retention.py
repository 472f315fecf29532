"""How long kept messages are kept, and the entries that say what was erased, held, archived and put back.

Messages of one day, service and purpose form a compartment, which has a key of its own: what is over its time is erased
by destroying that key. The record holds digests only and stays provable. Pure: the day is an argument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from adapter.audit.admin import admin_entry
from adapter.errors import RecordBroken
from adapter.identifiers import RecordNumber
from adapter.ports import Entry, Keeping

ERASED: Final = "messages-erased"
HELD: Final = "hold-placed"
RELEASED: Final = "hold-lifted"
ARCHIVED: Final = "messages-archived"
RESTORED: Final = "messages-restored"

BY_RETENTION: Final = "retention"
BY_OFFICER: Final = "officer"

_PARTS_OF_AN_ENTRY: Final = 200
"""Compartments that one entry names, at most: a list in an entry has a bound (audit.canonical)."""


class Compartment(NamedTuple):
    """What one key seals. day: of the entries, UTC, `2026-11-27`.

    generation: 0 for what is sealed first; one more for what a hold kept when the generation before was erased.
    """

    day: str
    service: str
    purpose: str
    generation: int = 0

    @property
    def label(self) -> str:
        """For a person."""
        said = f"{self.service or 'refused, or from before'}, {self.purpose or 'no purpose'}"
        return f"{self.day}: {said}" + (", under a hold" if self.generation else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionRule:
    """service: a whole id, or a beginning and `*`; purpose: None is any. keep_days: days after the message's own."""

    service: str
    purpose: str | None
    keep_days: int

    def fits(self, keeping: Keeping) -> bool:
        """Whether it speaks of these messages. Those of no service fit no rule."""
        if not keeping.service or self.purpose not in (None, keeping.purpose):
            return False
        if self.service.endswith("*"):
            return keeping.service.startswith(self.service[:-1])
        return keeping.service == self.service


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """The settings: the first rule that fits counts, else keep_days; None: kept until an officer erases them."""

    keep_days: int | None = None
    rules: tuple[RetentionRule, ...] = ()

    def keep_days_of(self, keeping: Keeping) -> int | None:
        """For how many days after their own such messages are kept."""
        return next((rule.keep_days for rule in self.rules if rule.fits(keeping)), self.keep_days)

    def last_day(self, compartment: Compartment) -> date | None:
        """The last day (UTC) on which its messages are kept; None: no rule ends it."""
        days = self.keep_days_of(Keeping(compartment.service, compartment.purpose))
        return None if days is None else date.fromisoformat(compartment.day) + timedelta(days=days)

    def is_over(self, compartment: Compartment, today: date) -> bool:
        """Whether its messages are to be erased now."""
        last = self.last_day(compartment)
        return last is not None and last < today

    def described(self) -> dict[str, Any]:
        """As an act that two officers sign says it."""
        rules = [{"service": one.service, "purpose": one.purpose, "keep_days": one.keep_days} for one in self.rules]
        return {"keep_days": self.keep_days, "rules": rules}


# --- what the entries say --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasedPart:
    """A compartment whose key was destroyed: how many messages went with it, and how many a hold kept."""

    compartment: Compartment
    messages: int
    held: int


def erasure_entries(
    parts: Sequence[ErasedPart], *, why: str, officer: str, at: datetime, details: Mapping[str, Any] | None = None
) -> list[Entry]:
    """The entries about an erasure, one for each day. why: BY_RETENTION or BY_OFFICER. details: the approval."""
    days: dict[str, list[ErasedPart]] = {}
    for part in parts:
        days.setdefault(part.compartment.day, []).append(part)
    return [
        admin_entry(
            ERASED,
            officer=officer,
            at=at,
            details={
                **(details or {}),
                "day": day,
                "why": why,
                "messages": sum(one.messages for one in some),
                "held": sum(one.held for one in some),
                "keys": [_said(one) for one in some],
            },
        )
        for day, of_day in sorted(days.items())
        for some in (of_day[at_ : at_ + _PARTS_OF_AN_ENTRY] for at_ in range(0, len(of_day), _PARTS_OF_AN_ENTRY))
    ]


def _said(part: ErasedPart) -> dict[str, Any]:
    return {
        "service": part.compartment.service,
        "purpose": part.compartment.purpose,
        "generation": part.compartment.generation,
        "messages": part.messages,
        "held": part.held,
    }


def erased_in(details: Mapping[str, Any]) -> Iterable[ErasedPart]:
    """What an entry says was erased. Raises RecordBroken."""
    try:
        for one in details["keys"]:
            compartment = Compartment(details["day"], one["service"], one["purpose"], one["generation"])
            yield ErasedPart(compartment=compartment, messages=one["messages"], held=one["held"])
    except (KeyError, TypeError) as error:
        raise RecordBroken("an entry about an erasure is unreadable") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """An order to keep the messages of one exchange, whatever their time: by message id, or by incident id.

    number: of the entry that placed it. reason: in the officer's words, such as the order's reference.
    """

    number: RecordNumber
    placed: datetime
    officer: str
    message_id: str | None
    incident: str | None
    reason: str

    @property
    def about(self) -> str:
        """Its message id or incident id."""
        return self.message_id or self.incident or ""


def hold_entry(*, message_id: str | None, incident: str | None, reason: str, officer: str, at: datetime) -> Entry:
    """The entry that places a hold."""
    about = {"message_id": message_id} if message_id is not None else {"incident": incident}
    return admin_entry(HELD, officer=officer, at=at, details={**about, "reason": reason})


def release_entry(hold: Hold, *, reason: str, officer: str, at: datetime, details: Mapping[str, Any]) -> Entry:
    """The entry that lifts it. details: the approval."""
    said = {**details, "hold": hold.number, "reason": reason}
    return admin_entry(RELEASED, officer=officer, at=at, details=said)


Rows = Iterable[tuple[int, datetime, str, Mapping[str, Any]]]
"""Administrative entries, in their order: number, time, outcome, and the body."""


def open_holds(rows: Rows) -> dict[int, Hold]:
    """The holds that were placed and not lifted, by the number of their entry. Raises RecordBroken."""
    holds: dict[int, Hold] = {}
    for number, at, outcome, body in rows:
        try:
            details = body["details"]
            if outcome == HELD:
                holds[number] = Hold(
                    number=RecordNumber(number),
                    placed=at,
                    officer=body["officer"],
                    message_id=details.get("message_id"),
                    incident=details.get("incident"),
                    reason=details["reason"],
                )
            elif outcome == RELEASED:
                del holds[details["hold"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise RecordBroken(f"entry {number} about a hold is unreadable") from error
    return holds
