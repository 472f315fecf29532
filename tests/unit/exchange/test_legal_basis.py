"""Each kind of legal basis that a new directory has, with each thing that it must name left out, on both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from adapter.directory.content import BasisName
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS
from adapter.policy.clients import ContextRule
from adapter.stages import LegalBasis
from tests.get_person import GOOD_PERSONAL_DATA, LEGAL_BASIS, PINFL, SUBJECT, context, get_person, good_call, soap
from tests.two_sides import TwoSides, fault_code, peer_outcome

NAMED = {
    BasisName.DOCUMENT: "ZRU-395",
    BasisName.ARTICLE: "12",
    BasisName.NUMBER: "2-17",
    BasisName.DATE: "2026-01-02",
    BasisName.COURT: "City court",
    BasisName.UNTIL: "2027-01-02",
}
OWN_ELEMENTS = {BasisName.CONSENT: "Consent", BasisName.ISSUE: "Issue"}
KINDS = {code: kind for code, kind in DEFAULT_LEGAL_BASIS_KINDS.items() if BasisName.CONSENT not in kind.must_name}
MISSING = [(code, name) for code, kind in KINDS.items() for name in sorted(kind.must_name, key=str)]
"""Consent is verified, not only named: tests of its own."""


@pytest.fixture
def lawful(sides: TwoSides) -> TwoSides:
    sides.directory = replace(sides.directory, legal_basis_kinds=DEFAULT_LEGAL_BASIS_KINDS)
    return sides


def client_words(code: str, names: frozenset[BasisName]) -> str:
    """A client's call on this basis that names exactly these things."""
    apart = "".join(f' {name.value}="{NAMED[name]}"' for name in sorted(names & NAMED.keys(), key=str))
    basis = f'<c:LegalBasis kind="{code}"{apart}>what it is</c:LegalBasis>'
    tail = "".join(f"<c:{OWN_ELEMENTS[name]}>17</c:{OWN_ELEMENTS[name]}>" for name in names & OWN_ELEMENTS.keys())
    return soap(context(basis=basis).replace("</c:RequestContext>", f"{tail}</c:RequestContext>"), get_person())


def statement(code: str, names: frozenset[BasisName]) -> Any:
    """The same as a consumer's adapter would send it that does not look."""
    apart = tuple(sorted((name.value, NAMED[name]) for name in names & NAMED.keys()))
    return replace(
        GOOD_PERSONAL_DATA,
        legal_basis=LegalBasis(kind=code, reference="what it is", names=apart),
        issue="17" if BasisName.ISSUE in names else None,
    )


async def on_both_sides(sides: TwoSides, code: str, names: frozenset[BasisName]) -> tuple[str, str, int]:
    """What the client gets, what a peer gets, and how often the information system was asked."""
    consumer = fault_code(await sides.call(client_words(code, names)))
    provider = await peer_outcome(sides, statement(code, names))
    return consumer, provider, len(sides.register.asked)


def test_every_kind_but_the_law_itself_names_something_apart() -> None:
    """What a law is, and its article, stands in the reference that every legal basis has."""
    assert {code for code, kind in DEFAULT_LEGAL_BASIS_KINDS.items() if not kind.must_name} == {"law"}


@pytest.mark.parametrize("code", KINDS)
async def test_a_basis_that_names_all_passes(lawful: TwoSides, code: str) -> None:
    assert await on_both_sides(lawful, code, KINDS[code].must_name) == ("answered", "answered", 2)


@pytest.mark.parametrize(("code", "missing"), MISSING, ids=[f"{code}-{name.value}" for code, name in MISSING])
async def test_a_basis_that_leaves_one_thing_out_is_refused_by_both(
    lawful: TwoSides, code: str, missing: BasisName
) -> None:
    names = KINDS[code].must_name - {missing}
    assert await on_both_sides(lawful, code, names) == ("NoLegalBasis", "NoLegalBasis", 0)
    assert not lawful.wire.sent


@pytest.mark.parametrize("what", ["basis", "subject", "kind"])
async def test_personal_data_without_basis_subject_or_known_kind_is_refused_by_both(
    lawful: TwoSides, what: str
) -> None:
    call = {
        "basis": good_call().replace(LEGAL_BASIS, ""),
        "subject": good_call().replace(SUBJECT, ""),
        "kind": good_call().replace('kind="law"', 'kind="whim"'),
    }[what]
    data: Any = {
        "basis": replace(GOOD_PERSONAL_DATA, legal_basis=None),
        "subject": replace(GOOD_PERSONAL_DATA, subjects=()),
        "kind": replace(GOOD_PERSONAL_DATA, legal_basis=LegalBasis(kind="whim", reference="x")),
    }[what]
    code = {"basis": "NoLegalBasis", "subject": "NoLegalBasis", "kind": "UnknownPurpose"}[what]
    assert fault_code(await lawful.call(call)) == code
    # Whom the Body asks about has to be a declared subject, which is looked at first.
    expected = "SubjectMismatch" if what == "subject" else code
    assert await peer_outcome(lawful, data) == expected
    assert not lawful.register.asked


@pytest.mark.parametrize(("name", "day"), [("until", "2026-02-27"), ("date", "2026-03-30")])
async def test_a_basis_that_is_over_or_to_come_is_refused_by_both(lawful: TwoSides, name: str, day: str) -> None:
    good = {"until": "2026-03-30", "date": "2026-02-27"}[name]
    for value, code in ((good, "answered"), (day, "NoLegalBasis")):
        call = good_call().replace('kind="law"', f'kind="law" {name}="{value}"')
        data = replace(GOOD_PERSONAL_DATA, legal_basis=LegalBasis(kind="law", reference="x", names=((name, value),)))
        assert fault_code(await lawful.call(call)) == code
        assert await peer_outcome(lawful, data) == code


async def test_the_entries_of_both_sides_say_what_the_basis_names(lawful: TwoSides) -> None:
    await lawful.call(client_words("court-order", KINDS["court-order"].must_name))
    wanted = {
        "kind": "court-order",
        "reference": "what it is",
        "court": "City court",
        "date": "2026-01-02",
        "number": "2-17",
    }
    assert lawful.consumer_record.log[0].entry.body["legal_basis"] == wanted
    assert lawful.provider_record.log[0].entry.body["legal_basis"] == wanted


async def test_the_settings_name_it_for_a_system_that_cannot(lawful: TwoSides) -> None:
    client = replace(
        lawful.consumer.clients[0],
        context=ContextRule(
            purpose="benefit",
            official="inspector-7",
            legal_basis_kind="vital-interest",
            legal_basis_reference="An emergency",
            legal_basis_names=(("article", "9"),),
            subject_kind="pinfl",
            subject_xpath=etree.XPath("*"),
            issue_xpath=etree.XPath("*"),
        ),
    )
    lawful.consumer = replace(lawful.consumer, clients=(client,))
    answer = await lawful.call(soap("", get_person()))
    assert fault_code(answer) == "answered"
    asked = lawful.register.asked[0].personal_data
    assert asked is not None
    assert asked.legal_basis == LegalBasis(kind="vital-interest", reference="An emergency", names=(("article", "9"),))
    assert asked.issue == PINFL
