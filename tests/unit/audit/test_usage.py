"""What a person is told: only what was released, not what a secrecy order still covers, and two honest numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.audit.secrecy import Covered, SecrecyOrder
from adapter.audit.usage import MAX_PAGE_LINES, Asked, RecordLine, UsageQuestion, usage_view
from adapter.directory.content import BasisName, LegalBasisKind
from adapter.errors import RecordBroken
from adapter.identifiers import RecordNumber
from tests.pki import NOW, Federation

SECRET = LegalBasisKind(
    code="secret-inquiry", titles={"en": "Secret"}, must_name=frozenset({BasisName.UNTIL}), withheld=True
)
LAST_DAY = "2026-03-10"
EVERYTHING = UsageQuestion(count=MAX_PAGE_LINES)


@pytest.fixture(scope="module")
def directory():
    federation = Federation.build(now=NOW)
    return replace(federation.directory(), legal_basis_kinds={"secret-inquiry": SECRET})


def line(number: int, kind: str, at: datetime = NOW, **said: Any) -> RecordLine:
    body = {
        "kind": kind,
        "consumer": "UZ/GOV/200000003/benefits",
        "service": "UZ/GOV/200000001/population/GetPerson/v1",
        "operation": "GetPerson",
        "official": "A-1234",
        "purpose": "benefit",
    }
    return RecordLine(number=RecordNumber(number), leaf_hash=bytes(32), at=at, body=body | said)


def released(number: int, at: datetime = NOW, *, fields: list[str] | None = None, **said: Any) -> Asked:
    answer = line(number + 1, "reply-sent", at, **({} if fields is None else {"fields": fields}))
    return Asked(entry=line(number, "request-received", at, **said), answer=answer)


def secret(number: int, until: str | None = LAST_DAY, kind: str = "secret-inquiry") -> Asked:
    basis = {"kind": kind, "reference": "inquiry 7"} | ({} if until is None else {"until": until})
    return released(number, legal_basis=basis)


def test_a_line_says_who_got_what_of_which_system_and_why(directory):
    law = {"kind": "law", "reference": "ZRU-395, article 12", "article": "12"}
    asked = released(7, fields=["R/Person/Pinfl"], legal_basis=law, consent="c-1", regulation="r-1")
    (told,) = usage_view([asked], EVERYTHING, directory, now=NOW).lines
    assert told.logged == NOW
    assert told.action == "UZ/GOV/200000001/population/GetPerson/v1 GetPerson"
    assert told.receiver == "UZ/GOV/200000003/benefits"
    assert told.receiver_names["uz"] == "Ijtimoiy himoya agentligi (o‘ylab topilgan)"
    assert told.system == "UZ/GOV/200000001/population"
    assert (told.purpose, told.legal_basis, told.consent, told.regulation) == ("benefit", law, "c-1", "r-1")
    assert told.fields == ("R/Person/Pinfl",)
    assert (told.request.number, told.answer.number) == (7, 8)


def test_an_answer_without_a_list_of_fields_was_the_whole_answer(directory):
    assert usage_view([released(1)], EVERYTHING, directory, now=NOW).lines[0].fields is None
    assert usage_view([released(1, fields=[])], EVERYTHING, directory, now=NOW).lines[0].fields == ()


@pytest.mark.parametrize("said", [{}, {"emergency": {"reason": "5e" * 32}}])
def test_what_was_asked_for_in_an_emergency_is_told_as_that(directory, said):
    (told,) = usage_view([released(1, **said)], EVERYTHING, directory, now=NOW).lines
    assert told.emergency == bool(said)


@pytest.mark.parametrize("officials", [True, False])
def test_the_official_is_told_only_where_the_rule_says_so(directory, officials):
    view = usage_view([released(1)], replace(EVERYTHING, officials=officials), directory, now=NOW)
    assert view.lines[0].official == ("A-1234" if officials else None)


def test_a_receiver_that_left_the_directory_keeps_its_code(directory):
    view = usage_view([released(1)], EVERYTHING, replace(directory, members={}), now=NOW)
    assert (view.lines[0].receiver, view.lines[0].receiver_names) == ("UZ/GOV/200000003/benefits", {})


def test_what_was_refused_or_never_answered_is_no_release(directory):
    unanswered = Asked(entry=line(3, "request-received"))
    view = usage_view([Asked(entry=line(5, "refused")), unanswered, released(1)], EVERYTHING, directory, now=NOW)
    assert (view.total, view.refused, view.withheld) == (1, 1, 0)
    assert [one.request.number for one in view.lines] == [1]


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (datetime(2026, 3, 9, tzinfo=UTC), False),
        (datetime(2026, 3, 10, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 11, tzinfo=UTC), True),
        (datetime(2026, 3, 11, 4, 59, tzinfo=UTC).astimezone(tz=None), True),
    ],
)
def test_a_secrecy_order_is_told_from_the_day_after_its_last(directory, now, told):
    view = usage_view([secret(1), released(0)], EVERYTHING, directory, now=now)
    assert (view.withheld, view.total, len(view.lines)) == ((0, 2, 2) if told else (1, 1, 1))


@pytest.mark.parametrize("until", [None, "soon", ""])
def test_a_secrecy_order_without_a_readable_end_stays_closed(directory, until):
    view = usage_view([secret(1, until)], EVERYTHING, directory, now=NOW + timedelta(days=10_000))
    assert (view.withheld, view.total, view.lines) == (1, 0, ())


def test_taking_a_kind_out_of_the_directory_does_not_open_what_it_closed(directory):
    bare = replace(directory, legal_basis_kinds={})
    assert usage_view([secret(1)], EVERYTHING, bare, now=NOW).withheld == 1
    assert usage_view([secret(1)], EVERYTHING, bare, now=NOW + timedelta(days=100)).total == 1
    assert usage_view([secret(1, None)], EVERYTHING, bare, now=NOW).total == 1


def test_a_refusal_under_a_secrecy_order_is_in_no_number_before_its_end(directory):
    order = {"kind": "secret-inquiry", "reference": "x", "until": LAST_DAY}
    refusal = Asked(entry=line(1, "refused", legal_basis=order))
    before = usage_view([refusal], EVERYTHING, directory, now=NOW)
    assert (before.refused, before.withheld, before.total) == (0, 0, 0)
    assert usage_view([refusal], EVERYTHING, directory, now=NOW + timedelta(days=100)).refused == 1


def test_the_numbers_are_of_the_whole_record_whatever_the_period(directory):
    asked = [secret(9), Asked(entry=line(8, "refused")), released(1)]
    for hours in (-50, 0, 50):
        since = NOW + timedelta(hours=hours)
        question = UsageQuestion(since=since, until=since + timedelta(minutes=1))
        view = usage_view(asked, question, directory, now=NOW)
        assert (view.withheld, view.refused, view.total) == (1, 1, int(hours == 0))


def test_a_period_begins_with_its_first_instant_and_ends_before_its_last(directory):
    asked = [released(number, NOW + timedelta(minutes=number)) for number in (4, 2, 0)]
    question = UsageQuestion(since=NOW, until=NOW + timedelta(minutes=4))
    assert [one.request.number for one in usage_view(asked, question, directory, now=NOW).lines] == [2, 0]


def test_pages_part_the_lines_and_the_total_is_on_each(directory):
    asked = [released(number) for number in range(500, 0, -2)]
    seen = []
    for first in range(0, 250, 60):
        view = usage_view(asked, UsageQuestion(first=first, count=60), directory, now=NOW)
        assert view.total == 250
        seen += [one.request.number for one in view.lines]
    assert seen == list(range(500, 0, -2))
    assert len(usage_view(asked, UsageQuestion(count=10_000), directory, now=NOW).lines) == MAX_PAGE_LINES


def test_an_entry_that_does_not_say_who_asked_is_a_broken_record(directory):
    with pytest.raises(RecordBroken, match="entry 3"):
        usage_view([released(3, consumer="nobody")], EVERYTHING, directory, now=NOW)


# --- orders that officers place --------------------------------------------------------------------------------------


def order(covered: Covered, *, lifted: datetime | None = None) -> SecrecyOrder:
    return SecrecyOrder(
        number=RecordNumber(99),
        kind="inquiry",
        reference="17-2026",
        covered=covered,
        placed=NOW,
        until=NOW.date() + timedelta(days=1),
        officer="officer-7",
        lifted=lifted,
    )


@pytest.mark.parametrize(
    ("days", "lifted", "told"), [(0, None, False), (1, None, False), (2, None, True), (0, NOW, True)]
)
def test_what_an_order_covers_is_a_number_until_the_order_ends(directory, days, lifted, told):
    orders = [order(Covered(purpose="inquiry"), lifted=lifted)]
    asked = [released(3, purpose="inquiry"), Asked(entry=line(2, "refused", purpose="inquiry")), released(0)]
    view = usage_view(asked, EVERYTHING, directory, now=NOW + timedelta(days=days), orders=orders)
    assert (view.total, view.withheld, view.refused) == ((2, 0, 1) if told else (1, 1, 0))
    assert [one.request.number for one in view.lines] == ([3, 0] if told else [0])


# --- pages that fit together -----------------------------------------------------------------------------------------


def test_what_came_after_the_first_page_is_on_none_of_its_pages(directory):
    asked = [released(number) for number in (20, 10, 8, 6, 4, 2)]
    pages = [usage_view(asked, UsageQuestion(first=first, count=2, size=10), directory, now=NOW) for first in (0, 2, 4)]
    assert [[one.request.number for one in page.lines] for page in pages] == [[8, 6], [4, 2], []]
    assert {page.total for page in pages} == {4}


def test_a_request_whose_answer_came_later_is_not_on_the_page(directory):
    assert usage_view([released(8)], UsageQuestion(size=9), directory, now=NOW).total == 0
    assert usage_view([released(8)], UsageQuestion(size=10), directory, now=NOW).total == 1


def test_an_earlier_size_does_not_say_since_when_something_is_withheld(directory):
    """Whoever could ask for the number at each size would learn by halving which entry it is."""
    asked = [secret(6), Asked(entry=line(4, "refused")), released(2)]
    for size in range(1, 9):
        view = usage_view(asked, UsageQuestion(size=size), directory, now=NOW)
        assert (view.withheld, view.refused) == (1, 1)
