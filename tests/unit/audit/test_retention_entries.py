"""What the entries about erasures and holds say is read back, and one that says something else is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.audit.retention import (
    BY_RETENTION,
    HELD,
    RELEASED,
    Compartment,
    ErasedPart,
    Hold,
    Retention,
    RetentionRule,
    erased_in,
    erasure_entries,
    hold_entry,
    open_holds,
    release_entry,
)
from adapter.errors import RecordBroken
from adapter.identifiers import RecordNumber
from adapter.ports import Entry

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SERVICE = "UZ/GOV/200000001/population/GetPerson/v1"
PLACED = hold_entry(message_id="urn:uuid:1", incident=None, reason="order 17", officer="karimova", at=AT)
HOLD = Hold(
    number=RecordNumber(3), placed=AT, officer="karimova", message_id="urn:uuid:1", incident=None, reason="order 17"
)


def row(number: int, entry: Entry) -> tuple[int, datetime, str, dict[str, Any]]:
    assert entry.outcome is not None
    return number, entry.at, entry.outcome, entry.body


@pytest.mark.parametrize(
    ("compartment", "label"),
    [
        (Compartment("2026-03-02", SERVICE, "benefit"), f"2026-03-02: {SERVICE}, benefit"),
        (Compartment("2026-03-02", "", ""), "2026-03-02: refused, or from before, no purpose"),
        (Compartment("2026-03-02", SERVICE, "benefit", 1), f"2026-03-02: {SERVICE}, benefit, under a hold"),
    ],
)
def test_a_compartment_in_words(compartment: Compartment, label: str) -> None:
    assert compartment.label == label


def test_settings_as_two_officers_sign_them() -> None:
    rule = RetentionRule(service=f"{SERVICE[:-2]}*", purpose=None, keep_days=30)
    assert Retention(keep_days=90, rules=(rule,)).described() == {
        "keep_days": 90,
        "rules": [{"service": f"{SERVICE[:-2]}*", "purpose": None, "keep_days": 30}],
    }
    assert Retention().described() == {"keep_days": None, "rules": []}


def test_what_an_entry_says_was_erased_is_read_back_of_each_day() -> None:
    first, second = Compartment("2026-03-01", SERVICE, "benefit"), Compartment("2026-03-01", SERVICE, "benefit", 1)
    third = Compartment("2026-03-02", "", "")
    of_first, of_second, of_third = (ErasedPart(compartment=one, messages=2, held=1) for one in (first, second, third))
    entries = erasure_entries([of_third, of_first, of_second], why=BY_RETENTION, officer="", at=AT)
    assert [list(erased_in(one.body["details"])) for one in entries] == [[of_first, of_second], [of_third]]
    assert [one.body["details"]["messages"] for one in entries] == [4, 2]


@pytest.mark.parametrize("details", [{}, {"keys": 1}, {"keys": [{}], "day": "2026-03-01"}, {"keys": ["x"], "day": "x"}])
def test_an_entry_about_an_erasure_that_says_something_else(details: dict[str, Any]) -> None:
    with pytest.raises(RecordBroken, match="an entry about an erasure is unreadable"):
        list(erased_in(details))


def test_a_hold_stands_until_it_is_lifted_and_other_acts_are_none() -> None:
    of_incident = hold_entry(message_id=None, incident="INC-1", reason="order 18", officer="karimova", at=AT)
    other = (4, AT, "access-granted", dict[str, Any](details={}))
    rows = [row(3, PLACED), other, row(5, of_incident)]
    holds = open_holds(rows)
    assert holds[3] == HOLD
    assert [hold.about for hold in holds.values()] == ["urn:uuid:1", "INC-1"]
    lifted = release_entry(HOLD, reason="order 19", officer="aliev", at=AT, details={})
    assert list(open_holds([*rows, row(6, lifted)])) == [5]


@pytest.mark.parametrize(
    ("outcome", "body"),
    [
        (HELD, {}),
        (HELD, {"details": None, "officer": "karimova"}),
        (HELD, {"details": {"message_id": "urn:uuid:1"}, "officer": "karimova"}),
        (RELEASED, {"details": {"hold": 4}}),
        (RELEASED, {"details": {"hold": []}}),
    ],
)
def test_an_entry_about_a_hold_that_says_something_else_is_named(outcome: str, body: dict[str, Any]) -> None:
    with pytest.raises(RecordBroken, match="entry 9 about a hold is unreadable"):
        open_holds([row(3, PLACED), (9, AT, outcome, body)])
