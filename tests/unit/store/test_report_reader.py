"""The askings of a period are read once each; who asked about whom is counted on disk as in memory."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.audit.reviews import ReviewFinding
from adapter.errors import RecordBroken
from adapter.store import report_reader
from adapter.store.appending import append_entries
from adapter.store.report_reader import SpooledPairs, read_askings
from adapter.store.reviews import EmergencyReviews
from tests.records import NOW, RecordHome, an_entry

_KINDS = ("request-received", "reply-sent", "refused", "admin", "request-sent", "call-refused")


@pytest.fixture
def filled(home: RecordHome, monkeypatch: pytest.MonkeyPatch) -> RecordHome:
    """Thirty entries, three at each moment, read in pages of four."""
    monkeypatch.setattr(report_reader, "_PAGE_ROWS", 4)
    made = []
    for number in range(30):
        entry = an_entry(f"urn:uuid:{number:04d}", kind=_KINDS[number % 6])
        body = {**entry.body, "consumer": entry.consumer, "purpose": f"p{number}"}
        made.append(replace(entry, body=body, at=NOW + timedelta(minutes=number // 3)))
    append_entries(home.database, home.log, made)
    return home


@pytest.mark.parametrize(("since", "until"), [(None, None), (3, None), (None, 7), (3, 7), (20, 30)])
def test_each_asking_of_a_period_is_read_once(filled: RecordHome, since: int | None, until: int | None) -> None:
    first, last = (None if one is None else NOW + timedelta(minutes=one) for one in (since, until))
    told: list[tuple[int, int]] = []
    read = read_askings(filled.database, first, last, lambda done, total: told.append((done, total)))
    purposes = [None if one is None else one.purpose for one in read]
    expected = [
        f"p{number}"
        for number in range(30)
        if number % 6 not in (1, 3) and (since or 0) <= number // 3 < (100 if until is None else until)
    ]
    assert purposes == expected
    within = 3 * max(min(10, until or 10) - (since or 0), 0)
    assert told[-1] == (within, within)


def test_what_the_review_of_an_emergency_found_is_read_with_it_whenever_it_was_closed(filled: RecordHome) -> None:
    called = []
    for number in range(5):  # more than a page
        entry = an_entry(f"urn:uuid:9{number:03d}", kind="refused" if number == 4 else "request-received")
        said = {"consumer": entry.consumer, "purpose": f"e{number}", "emergency": {"reason": "0" * 64}}
        called.append(replace(entry, body={**entry.body, **said}, at=NOW + timedelta(hours=1)))
    append_entries(filled.database, filled.log, called)
    reviews = EmergencyReviews(filled.database)
    first, second, *_ = reviews.open(limit=9)
    for review, finding in ((first, ReviewFinding.UNJUSTIFIED), (second, ReviewFinding.JUSTIFIED)):
        reviews.close(review.number, finding, "", officer="r", log=filled.log, now=NOW + timedelta(days=9))
    read = list(read_askings(filled.database, None, NOW + timedelta(days=1), lambda *_: None))
    assert [(one.purpose, one.let_in, one.reviewed) for one in read if one is not None and one.emergency] == [
        ("e0", True, ReviewFinding.UNJUSTIFIED),
        ("e1", True, ReviewFinding.JUSTIFIED),
        ("e2", True, None),
        ("e3", True, None),
        ("e4", False, None),
    ]
    assert not [one for one in read if one is not None and not one.emergency and one.reviewed is not None]


def test_an_entry_that_is_unreadable_is_named(filled: RecordHome) -> None:
    filled.change("UPDATE entries SET document = 'x' WHERE number = 12")
    with pytest.raises(RecordBroken, match="entry 12: "):
        list(read_askings(filled.database, None, None, lambda *_: None))


@pytest.mark.parametrize("in_memory", [1 << 20, 100])
def test_pairs_are_counted_by_subject(monkeypatch: pytest.MonkeyPatch, in_memory: int) -> None:
    monkeypatch.setattr(report_reader, "_IN_MEMORY_OCTETS", in_memory)
    source = random.Random(9)
    asked = [(source.randrange(7), f"{source.randrange(50):02x}{source.randrange(3):062x}") for _ in range(2_000)]
    with SpooledPairs() as pairs:
        for asker, tag in asked:
            pairs.add(asker, tag)
        pairs.add(1, "no tag")
        pairs.add(1, "ab")
        found = list(pairs.by_subject())
    assert len({tag for tag, _ in found}) == len(found)
    assert Counter({(asker, tag): times for tag, by in found for asker, times in by.items()}) == Counter(asked)
