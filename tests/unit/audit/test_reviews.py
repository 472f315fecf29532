"""Which entries open a review and which close one."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.audit.admin import admin_entry
from adapter.audit.document import document_of
from adapter.audit.reviews import CLOSED, Review, ReviewFinding, closing_details, closing_tag, tags_of
from adapter.identifiers import RecordNumber
from tests.pki import NOW

REASON = {"reason": "5e" * 32}


@pytest.mark.parametrize("kind", ["request-sent", "request-received"])
def test_an_emergency_that_was_sent_or_let_in_opens_a_review(kind: str) -> None:
    assert tags_of({"kind": kind, "subjects": ["a", "b", "a"], "emergency": REASON}) == ("a", "b", "emergency")
    assert tags_of({"kind": kind, "subjects": ["a"]}) == ("a",)


@pytest.mark.parametrize("kind", ["refused", "call-refused", "reply-sent", "reply-received", "retry-answered", "admin"])
def test_an_entry_of_another_kind_opens_none(kind: str) -> None:
    assert tags_of({"kind": kind, "emergency": REASON}) == ()


def test_the_words_of_the_record_stay_what_they_are() -> None:
    """Old entries have them."""
    details = {"review_of": 17, "finding": "justified", "note": ""}
    assert tags_of({"kind": "admin", "outcome": "emergency-review-closed", "details": details}) == (closing_tag(17),)
    assert closing_details(17, ReviewFinding.JUSTIFIED, "") == details


def test_the_entry_of_an_officer_closes_the_review_that_it_names() -> None:
    details = closing_details(17, ReviewFinding.UNJUSTIFIED, "no case of that number")
    entry = admin_entry(CLOSED, officer="officer-1", at=NOW, details=details)
    assert entry.body["details"] == {"review_of": 17, "finding": "unjustified", "note": "no case of that number"}
    assert document_of(entry).subjects == (closing_tag(17),) == ("emergency-review:17",)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "admin", "outcome": "access-granted", "details": {"review_of": 17}},
        {"kind": "refused", "outcome": CLOSED, "details": {"review_of": 17}},
        {"kind": "admin", "outcome": CLOSED, "details": {"review_of": "17"}},
        {"kind": "admin", "outcome": CLOSED, "details": ["review_of"]},
        {"kind": "admin", "outcome": CLOSED},
        {},
    ],
)
def test_no_other_entry_closes_one(body: dict[str, Any]) -> None:
    assert tags_of(body) == ()


@pytest.mark.parametrize(("kind", "ours"), [("request-sent", True), ("request-received", False)])
def test_a_review_says_whose_official_asked(kind: str, ours: bool) -> None:  # noqa: FBT001
    assert Review(number=RecordNumber(1), at=NOW, body={"kind": kind}).ours is ours
