"""Secrecy orders: which entries a person is not told of yet, on whose authority, and until which day.

An officer places an order of a kind that the directory lists, for no longer than the kind allows; nobody can place one
without an end. The record's entries are the only memory: an order is what its entry says (decision 136). What an order
covers is told from the day after its last one, or from when it is lifted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final

from adapter.directory.content import SecrecyKind
from adapter.errors import AdapterError, CommandRefused, RecordBroken
from adapter.identifiers import MemberId, MessageId, RecordNumber, ServiceId, SubsystemId

PLACED: Final = "secrecy-order-placed"
LIFTED: Final = "secrecy-order-lifted"
ACTIONS: Final = (PLACED, LIFTED)
"""The outcomes of the administrative entries that are about secrecy orders."""

MAX_ORDERS_IN_FORCE: Final = 1_000
MAX_REFERENCE_CHARS: Final = 200

Rows = Iterable[tuple[int, datetime, Mapping[str, Any]]]
"""Entries about orders, oldest first: number, time, body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Covered:
    """Which entries an order covers: those that fit all that is named here. Nothing named would be everything.

    consumer: a subsystem, or a member with all of its subsystems. subject: a tag (audit.subjects), never an identifier.
    """

    service: ServiceId | None = None
    consumer: MemberId | SubsystemId | None = None
    purpose: str | None = None
    message_id: MessageId | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        """Raises CommandRefused."""
        if not self.described():
            raise CommandRefused("an order names what it covers: a service, a consumer, a purpose, a message, a person")

    def fits(self, body: Mapping[str, Any]) -> bool:
        """Whether an entry, by its body, is covered."""
        return (
            self.service in (None, _read(ServiceId.parse, body.get("service")))
            and self._fits_consumer(body.get("consumer"))
            and self.purpose in (None, body.get("purpose"))
            and (self.message_id is None or str(self.message_id) == body.get("message_id"))
            and (self.subject is None or self.subject in (body.get("subjects") or ()))
        )

    def _fits_consumer(self, consumer: object) -> bool:
        if self.consumer is None:
            return True
        asked = _read(SubsystemId.parse, consumer)
        return asked is not None and self.consumer in (asked, asked.member)

    def described(self) -> dict[str, str]:
        """As an order's entry says it: what is not there is not limited."""
        said = {
            "service": self.service,
            "consumer": self.consumer,
            "purpose": self.purpose,
            "message_id": self.message_id,
            "subject": self.subject,
        }
        return {name: str(value) for name, value in said.items() if value is not None}


def _read(parse: Any, value: object) -> Any:  # noqa: ANN401  of the kind that is given
    try:
        return parse(value) if isinstance(value, str) else None
    except AdapterError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class SecrecyOrder:
    """An order. number: of its entry, by which it is named. kind: its code. until: its last day, by UTC's calendar.

    reference: the authority's own number of it. lifted: when an officer ended it before its last day was past.
    """

    number: RecordNumber
    kind: str
    reference: str
    covered: Covered
    placed: datetime
    until: date
    officer: str
    lifted: datetime | None = None

    def in_force(self, today: date) -> bool:
        """Whether it covers anything on this day, by UTC's calendar."""
        return self.lifted is None and today <= self.until


def covered_by(body: Mapping[str, Any], orders: Iterable[SecrecyOrder], today: date) -> bool:
    """Whether an order in force covers an entry."""
    return any(order.in_force(today) and order.covered.fits(body) for order in orders)


def order_details(kind: SecrecyKind, reference: str, covered: Covered, *, until: date, now: datetime) -> dict[str, Any]:
    """What the entry of a new order says. Raises CommandRefused: its day is past, or later than its kind allows."""
    today = now.astimezone(UTC).date()
    if until < today:
        raise CommandRefused(f"the order would have ended already: {until} is past")
    if until > today + kind.maximum:
        raise CommandRefused(
            f"an order of kind {kind.code} lasts {kind.maximum.days} days at most: until {today + kind.maximum}"
        )
    if not 1 <= len(reference.strip()) <= MAX_REFERENCE_CHARS:
        raise CommandRefused(f"the authority's reference has 1 to {MAX_REFERENCE_CHARS} characters")
    return {
        "order": kind.code,
        "reference": reference.strip(),
        "until": until.isoformat(),
        "covers": covered.described(),
    }


def lift_details(order: SecrecyOrder, reason: str, *, today: date) -> dict[str, Any]:
    """What the entry of a lifted order says. Raises CommandRefused: there is nothing left to lift."""
    if not order.in_force(today):
        raise CommandRefused(f"order {order.number} has ended already")
    if not 1 <= len(reason.strip()) <= MAX_REFERENCE_CHARS:
        raise CommandRefused(f"the reason has 1 to {MAX_REFERENCE_CHARS} characters")
    return {"placed_in": order.number, "reason": reason.strip()}


def read_orders(rows: Rows) -> dict[RecordNumber, SecrecyOrder]:
    """Every order by its number, oldest first. Raises RecordBroken."""
    orders: dict[RecordNumber, SecrecyOrder] = {}
    for number, at, body in rows:
        try:
            details = body["details"]
            if body["outcome"] == PLACED:
                orders[RecordNumber(number)] = _placed(number, at, body["officer"], details)
            else:
                placed_in = RecordNumber(details["placed_in"])
                orders[placed_in] = replace(orders[placed_in], lifted=at)
        except (KeyError, TypeError, ValueError, AdapterError) as error:
            raise RecordBroken(f"entry {number} about a secrecy order is unreadable") from error
    return orders


def _placed(number: int, at: datetime, officer: str, details: Mapping[str, Any]) -> SecrecyOrder:
    return SecrecyOrder(
        number=RecordNumber(number),
        kind=details["order"],
        reference=details["reference"],
        covered=_covered(details["covers"]),
        placed=at,
        until=date.fromisoformat(details["until"]),
        officer=officer,
    )


def _covered(said: Mapping[str, str]) -> Covered:
    if not set(said) <= {"service", "consumer", "purpose", "message_id", "subject"}:
        raise ValueError("an unknown limit")  # an order that would cover more than it says
    return Covered(
        service=ServiceId.parse(said["service"]) if "service" in said else None,
        consumer=read_consumer(said["consumer"]) if "consumer" in said else None,
        purpose=said.get("purpose"),
        message_id=MessageId(said["message_id"]) if "message_id" in said else None,
        subject=said.get("subject"),
    )


def read_consumer(text: str) -> MemberId | SubsystemId:
    """A member, or one of its subsystems, by the number of its parts. Raises InvalidIdentifier."""
    return MemberId.parse(text) if text.count("/") == 2 else SubsystemId.parse(text)
