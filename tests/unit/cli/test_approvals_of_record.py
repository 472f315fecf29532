"""Two officers for acts about the record: each from the command, over the pending list, to its entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.kept_messages import keep_messages, message_id_of
from tests.unit.cli.office import Office, write_rule

ONE_MONTH_ON = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
HOLD = ("log", "hold", "add", message_id_of(0), "--reason", "court order 17/2026")
SECRECY = ("log", "secrecy", "add", "--kind", "criminal-inquiry", "--reference", "17", "--until", ONE_MONTH_ON)
LAST = "LAST"
"""Stands for the number of the entry that was made before."""


@dataclass(frozen=True, kw_only=True)
class OfRecord:
    """An act about the record. before: what one officer does alone. other: nearly the same command, another act."""

    act: str
    before: tuple[str, ...] = ()
    command: tuple[str, ...]
    other: tuple[str, ...]
    outcome: str


ACTS_OF_RECORD = [
    OfRecord(
        act="messages-erase",
        command=("log", "erase", "2026-03-02", "--yes"),
        other=("log", "erase", "2026-03-02", "--yes", "--purpose", "pensions"),
        outcome="messages-erased",
    ),
    OfRecord(
        act="messages-erase",
        command=("log", "retain", "--as-of", "2026-06-01", "--yes"),
        other=("log", "retain", "--as-of", "2026-06-02", "--yes"),
        outcome="messages-erased",
    ),
    OfRecord(
        act="hold-lift",
        before=HOLD,
        command=("log", "hold", "lift", LAST, "--reason", "case closed"),
        other=("log", "hold", "lift", LAST, "--reason", "no reason at all"),
        outcome="hold-lifted",
    ),
    OfRecord(
        act="secrecy-add",
        command=(*SECRECY, "--consumer", "UZ/GOV/200000003"),
        other=(*SECRECY, "--consumer", "UZ/GOV/200000002"),
        outcome="secrecy-order-placed",
    ),
    OfRecord(
        act="secrecy-lift",
        before=(*SECRECY, "--consumer", "UZ/GOV/200000003"),
        command=("log", "secrecy", "lift", LAST, "--reason", "case closed"),
        other=("log", "secrecy", "lift", LAST, "--reason", "no reason at all"),
        outcome="secrecy-order-lifted",
    ),
]


@pytest.fixture
def record_office(office: Office) -> Office:
    """An office whose record has eight messages of two days, all over their time."""
    file = office.place / "register" / "adapter.toml"
    file.write_text(file.read_text().replace("# keep_days =\n", "keep_days = 30\n"))
    keep_messages(office.place / "register")
    return office


@pytest.mark.parametrize("case", ACTS_OF_RECORD, ids=lambda case: "-".join(case.command[1:3]))
def test_an_act_about_the_record_is_asked_for_approved_by_two_and_done(
    record_office: Office, vkeys: list[str], case: OfRecord
) -> None:
    office = record_office
    write_rule(office.place, (case.act,), vkeys)
    if case.before:
        office.type(*case.before)
    number = str(len(office.outcomes()) - 1)
    command, other = (tuple(number if word == LAST else word for word in said) for said in (case.command, case.other))
    id_ = office.ask(*command)
    assert [(one["act"], one["state"]) for one in office.pending()] == [(case.act, "asked")]
    office.approve(id_, "dilnoza")
    assert office.ask(*command) == id_, "one officer is not enough"
    office.approve(id_, "bek")
    assert office.ask(*other) != id_, "another act was not approved"
    assert case.outcome not in office.outcomes()
    office.type(*command)
    outcomes = office.outcomes()
    assert set(outcomes[outcomes.index("approval-used") + 1 :]) == {case.outcome}, "retention erases more than one part"
    done = office.newest()
    assert (done["officer"], done["details"]["approval"]) == ("dilnoza and bek", id_)
    assert id_ not in [one["id"] for one in office.pending()]


def test_what_officers_sign_of_retention_is_done_on_another_day_by_the_command_that_it_names(
    record_office: Office, vkeys: list[str]
) -> None:
    office = record_office
    write_rule(office.place, ("messages-erase",), vkeys)
    today = datetime.now(UTC).date().isoformat()
    assert f"--as-of {today}" in office.type("log", "retain", "--yes", code=8)
    id_ = office.ask("log", "retain", "--yes", "--as-of", today)
    assert [one["id"] for one in office.pending()] == [id_], "the same act"


@pytest.mark.parametrize(
    "command",
    [
        ("log", "erase", "2999-01-01", "--yes"),
        ("log", "retain", "--as-of", "2999-01-01", "--yes"),
        ("log", "hold", "lift", "3", "--reason", "case closed"),
        ("log", "hold", "lift", "3", "--reason", " "),
        (*SECRECY, "--purpose", "curiosity"),
        ("log", "secrecy", "lift", "3", "--reason", "case closed"),
    ],
    ids=" ".join,
)
def test_no_officer_is_asked_for_what_cannot_be_done(
    record_office: Office, vkeys: list[str], command: tuple[str, ...]
) -> None:
    write_rule(record_office.place, tuple({case.act for case in ACTS_OF_RECORD}), vkeys)
    record_office.type(*command, code=2)
    assert record_office.pending() == []
    assert "approval-asked" not in record_office.outcomes()
