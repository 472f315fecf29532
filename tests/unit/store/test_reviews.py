"""Reviews of emergency access are what the record says, and nothing beside it can close or hide one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.dialects import sqlite

from adapter.audit.reviews import OPENED_TAG, ReviewFinding, Reviews, closing_tag
from adapter.errors import CommandRefused, RecordBroken
from adapter.ports import Entry
from adapter.store.appending import append_entries
from adapter.store.reviews import OPEN_REVIEWS, EmergencyReviews
from tests.records import NOW, RecordHome, an_entry

JUSTIFIED, UNJUSTIFIED = ReviewFinding.JUSTIFIED, ReviewFinding.UNJUSTIFIED


def emergency(minute: int = 0, *, kind: str = "request-received", subjects: tuple[str, ...] = ("ab",)) -> Entry:
    plain = an_entry(kind=kind, subjects=subjects)
    return replace(plain, at=NOW + timedelta(minutes=minute), body={**plain.body, "emergency": {"reason": "5e" * 32}})


@pytest.fixture
def reviews(home: RecordHome) -> EmergencyReviews:
    """Entries 1, 3 and 4 opened a review; 0 and 2 are about no emergency, 5 about one that was refused."""
    made = [an_entry(), emergency(1), an_entry(subjects=("ab",)), emergency(3, kind="request-sent"), emergency(4)]
    append_entries(home.database, home.log, [*made, emergency(5, kind="refused")])
    return EmergencyReviews(home.database)


def close(
    reviews: EmergencyReviews, home: RecordHome, number: int, finding: ReviewFinding = JUSTIFIED, note: str = "case 4"
) -> int:
    return reviews.close(number, finding, note, officer="officer-1", log=home.log, now=NOW + timedelta(hours=1))


def numbers(reviews: EmergencyReviews) -> list[int]:
    return [review.number for review in reviews.open(limit=10)]


def test_without_emergencies_there_is_nothing_to_review(home: RecordHome) -> None:
    home.fill(1, 3)
    reviews = EmergencyReviews(home.database)
    assert reviews.summary() == Reviews(total=0, open=0, oldest=None)
    assert (reviews.open(limit=10), reviews.all(limit=10)) == ([], [])


def test_each_emergency_is_open_until_an_officer_closes_it(home: RecordHome, reviews: EmergencyReviews) -> None:
    assert reviews.summary() == Reviews(total=3, open=3, oldest=NOW + timedelta(minutes=1))
    assert numbers(reviews) == [1, 3, 4]
    assert [review.number for review in reviews.open(limit=2)] == [1, 3]
    assert close(reviews, home, 1) == 6
    assert numbers(reviews) == [3, 4]
    assert reviews.summary() == Reviews(total=3, open=2, oldest=NOW + timedelta(minutes=3))
    close(reviews, home, 4, UNJUSTIFIED)
    close(reviews, home, 3)
    assert reviews.summary() == Reviews(total=3, open=0, oldest=None)
    assert home.verify().entries == 9


def test_who_found_what_and_why_is_in_the_record(home: RecordHome, reviews: EmergencyReviews) -> None:
    close(reviews, home, 3, UNJUSTIFIED, "no such case")
    newest, closed, oldest = reviews.all(limit=10)
    assert (newest.number, newest.closing, oldest.closing) == (4, None, None)
    assert closed.closing is not None
    assert (closed.closing.number, closed.closing.officer, closed.closing.note) == (6, "officer-1", "no such case")
    assert (closed.closing.finding, closed.closing.at) == (UNJUSTIFIED, NOW + timedelta(hours=1))
    entry = home.reader.show(6).body
    assert (entry["kind"], entry["outcome"], entry["officer"]) == ("admin", "emergency-review-closed", "officer-1")
    assert entry["details"] == {"review_of": 3, "finding": "unjustified", "note": "no such case"}
    assert [review.number for review in reviews.all(limit=1)] == [4]


def test_a_review_is_closed_once(home: RecordHome, reviews: EmergencyReviews) -> None:
    close(reviews, home, 1)
    with pytest.raises(CommandRefused, match="closed already, in entry 6"):
        close(reviews, home, 1, UNJUSTIFIED)
    assert home.verify().entries == 7


@pytest.mark.parametrize("number", [0, 2, 5, 6, 99])
def test_what_opened_no_review_cannot_be_closed(home: RecordHome, reviews: EmergencyReviews, number: int) -> None:
    with pytest.raises(CommandRefused, match="no emergency access"):
        close(reviews, home, number)
    with pytest.raises(CommandRefused, match="no emergency access"):
        reviews.find(number)
    assert home.verify().entries == 6


def test_a_note_that_the_record_would_cut_is_refused(home: RecordHome, reviews: EmergencyReviews) -> None:
    with pytest.raises(CommandRefused, match="too long"):
        close(reviews, home, 1, note="x" * 2_001)
    assert numbers(reviews) == [1, 3, 4]


@pytest.mark.parametrize(
    ("sql", "parameters"),
    [
        ("DELETE FROM subjects WHERE tag = ? AND number = 3", (OPENED_TAG,)),
        ("UPDATE subjects SET tag = 'cd' WHERE tag = ? AND number = 3", (OPENED_TAG,)),
        ("INSERT INTO subjects (tag, number) VALUES (?, 2)", (closing_tag(3),)),
        ("UPDATE subjects SET number = 4 WHERE tag = ?", (closing_tag(1),)),
    ],
    ids=["hidden", "renamed", "closed", "moved"],
)
def test_a_review_that_is_hidden_or_closed_beside_the_record_is_found(
    home: RecordHome, reviews: EmergencyReviews, sql: str, parameters: tuple[str, ...]
) -> None:
    close(reviews, home, 1)
    assert home.verify().entries == 7
    assert home.change(sql, *parameters) == 1
    with pytest.raises(RecordBroken, match="index of subjects"):
        home.verify()


def test_finding_the_open_ones_reads_no_entry_that_opened_none(home: RecordHome) -> None:
    asked = str(OPEN_REVIEWS.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with home.database.reading() as connection:
        plan = [str(row[3]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}")]
    assert plan
    assert not [step for step in plan if "SCAN" in step], plan
