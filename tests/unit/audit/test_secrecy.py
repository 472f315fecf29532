"""Secrecy orders: what each covers, how long it may last, and that the record's entries are its only memory."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from adapter.audit.secrecy import (
    LIFTED,
    MAX_REFERENCE_CHARS,
    PLACED,
    Covered,
    covered_by,
    lift_details,
    order_details,
    read_consumer,
    read_orders,
)
from adapter.directory.content import SecrecyKind
from adapter.errors import CommandRefused, RecordBroken
from adapter.identifiers import MessageId, RecordNumber, ServiceId

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
KIND = SecrecyKind(code="inquiry", titles={"en": "An inquiry"}, maximum=timedelta(days=90))
SERVICE = "UZ/GOV/200000001/population/GetPerson/v1"
ENTRY = {
    "service": SERVICE,
    "consumer": "UZ/GOV/200000003/benefits",
    "purpose": "benefit",
    "message_id": "urn:uuid:00000000-0000-4000-8000-000000000001",
    "subjects": ["aa", "bb"],
}


def consumer(text: str) -> Covered:
    return Covered(consumer=read_consumer(text))


@pytest.mark.parametrize(
    ("covered", "fits"),
    [
        (Covered(service=ServiceId.parse(SERVICE)), True),
        (Covered(service=ServiceId.parse(SERVICE.replace("v1", "v2"))), False),
        (consumer("UZ/GOV/200000003"), True),
        (consumer("UZ/GOV/200000003/benefits"), True),
        (consumer("UZ/GOV/20000000"), False),
        (consumer("UZ/GOV/200000003/benefit"), False),
        (Covered(purpose="benefit"), True),
        (Covered(purpose="benefits"), False),
        (Covered(message_id=MessageId(ENTRY["message_id"])), True),  # type: ignore[arg-type]
        (Covered(message_id=MessageId("urn:uuid:00000000-0000-4000-8000-000000000002")), False),
        (Covered(subject="bb"), True),
        (Covered(subject="b"), False),
        (Covered(subject="aa", purpose="benefit"), True),
        (Covered(subject="aa", purpose="other"), False),
    ],
)
def test_an_order_covers_what_fits_all_that_it_names(covered: Covered, *, fits: bool) -> None:
    assert covered.fits(ENTRY) is fits
    assert covered.fits({}) is False


def test_an_order_over_everything_is_refused() -> None:
    with pytest.raises(CommandRefused, match="names what it covers"):
        Covered()


def details(until: date, reference: str = "City court, 17-2026") -> dict[str, Any]:
    return order_details(KIND, reference, Covered(purpose="benefit"), until=until, now=NOW)


@pytest.mark.parametrize(
    ("until", "refused"),
    [
        (TODAY - timedelta(days=1), "is past"),
        (TODAY, None),
        (TODAY + timedelta(days=90), None),
        (TODAY + timedelta(days=91), "90 days at most: until 2026-05-31"),
        (date.max, "90 days at most"),
    ],
)
def test_an_order_ends_and_no_later_than_its_kind_allows(until: date, refused: str | None) -> None:
    if refused is None:
        assert details(until)["until"] == until.isoformat()
        return
    with pytest.raises(CommandRefused, match=refused):
        details(until)


@pytest.mark.parametrize("reference", ["", "  ", "x" * (MAX_REFERENCE_CHARS + 1)])
def test_an_order_names_the_authority_that_gave_it(reference: str) -> None:
    with pytest.raises(CommandRefused, match="reference"):
        details(TODAY, reference)


def entry(number: int, outcome: str, said: dict[str, Any], at: datetime = NOW) -> tuple[int, datetime, dict[str, Any]]:
    return number, at, {"outcome": outcome, "officer": "officer-7", "details": said}


def test_an_order_is_what_its_entry_says_until_its_last_day_is_past_or_it_is_lifted() -> None:
    placed = entry(7, PLACED, details(TODAY + timedelta(days=1)))
    order = read_orders([placed])[RecordNumber(7)]
    assert (order.kind, order.reference, order.officer) == ("inquiry", "City court, 17-2026", "officer-7")
    assert order.covered == Covered(purpose="benefit")
    days = [TODAY, TODAY + timedelta(days=1), TODAY + timedelta(days=2)]
    assert [covered_by(ENTRY, [order], day) for day in days] == [True, True, False]
    assert not covered_by({"purpose": "other"}, [order], TODAY)

    lifted = entry(9, LIFTED, lift_details(order, "closed", today=TODAY), NOW + timedelta(hours=1))
    ended = read_orders([placed, lifted])[RecordNumber(7)]
    assert ended.lifted == NOW + timedelta(hours=1)
    assert not covered_by(ENTRY, [ended], TODAY)
    with pytest.raises(CommandRefused, match="ended already"):
        lift_details(ended, "again", today=TODAY)
    with pytest.raises(CommandRefused, match="reason"):
        lift_details(order, " ", today=TODAY)


@pytest.mark.parametrize(
    "change",
    [
        {"covers": {"purpose": "benefit", "weekday": "Monday"}},
        {"covers": {}},
        {"covers": {"consumer": "nobody"}},
        {"until": "some day"},
        {"until": None},
        {"order": None, "covers": None},
    ],
)
def test_an_entry_that_cannot_be_read_covers_nothing_in_silence(change: dict[str, Any]) -> None:
    with pytest.raises(RecordBroken, match="entry 7 about a secrecy order"):
        read_orders([entry(7, PLACED, details(TODAY) | change)])


def test_what_was_never_placed_is_not_lifted() -> None:
    with pytest.raises(RecordBroken, match="entry 9"):
        read_orders([entry(9, LIFTED, {"placed_in": 3, "reason": "closed"})])


@pytest.mark.parametrize("said", ["", "no service", SERVICE[:-3], f"{SERVICE}/more", None, 17])
def test_an_entry_that_names_no_service_or_consumer_is_covered_by_no_order_about_one(said: object) -> None:
    of_service = Covered(service=ServiceId.parse(SERVICE))
    assert of_service.fits({**ENTRY, "service": SERVICE})
    assert not of_service.fits({**ENTRY, "service": said})
    assert not Covered(consumer=read_consumer("UZ/GOV/200000001")).fits({**ENTRY, "consumer": said})
