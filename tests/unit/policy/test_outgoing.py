"""What the settings say for a system that sends no RequestContext, and what a consumer may be called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from adapter.directory.content import BasisName, LegalBasisKind
from adapter.envelope.names import CLIENT
from adapter.errors import (
    AccessDenied,
    AdapterError,
    CommandRefused,
    ContextMissing,
    InvalidIdentifier,
    NoLegalBasis,
    UnknownRegulation,
)
from adapter.identifiers import MessageId, OfficialId, Purpose, SubjectId, pinfl_check_digit
from adapter.policy import decision
from adapter.policy.clients import Client, ContextRule, IdentifyBy
from adapter.policy.decision import Decision, authorize, facts_of
from adapter.policy.outgoing import authorize_call
from adapter.policy.rules import PolicySnapshot, check_consumer_pattern
from adapter.stages import (
    AuthorizedCall,
    FreshRequest,
    IdentifiedCall,
    LegalBasis,
    ParsedCall,
    Peer,
    ReceivedCall,
    RepresentedParty,
    ValidCall,
    ValidRequest,
)
from tests.unit.policy.test_decision import CONSUMER, DIRECTORY, NOW, SERVICE, SUBJECT
from tests.unit.policy.test_freshness import trusted

FIXED: dict[str, Any] = {
    "purpose": "benefit",
    "legal_basis_kind": "law",
    "regulation": "ES-17",
    "subject_kind": "pinfl",
}
OTHER = SubjectId("pinfl", "3010190000002" + str(pinfl_check_digit("3010190000002")))
PAYLOAD = f"<a><by>inspector-7</by><by>other</by><whom> {SUBJECT.value} </whom></a>"


CONTEXT = f"""<c:RequestContext xmlns:c="{CLIENT}"><c:Official>inspector-8</c:Official><c:Purpose>statistics</c:Purpose>
<c:LegalBasis kind="consent">C-1</c:LegalBasis><c:Regulation>ES-18</c:Regulation>
<c:Subject kind="pinfl">{OTHER.value}</c:Subject><c:Consent>consent/17</c:Consent><c:Issue>case/9</c:Issue>
<c:RepresentedParty class="COM">30101</c:RepresentedParty></c:RequestContext>"""


def authorized(rule: ContextRule, payload: str = PAYLOAD, context: str | None = None) -> AuthorizedCall:
    received = ReceivedCall(
        octets=b"",
        received_at=NOW,
        peer=Peer(certificate_sha256=None, address="127.0.0.1"),
        content_type="text/xml",
        soap_action="",
        service=SERVICE,
    )
    identified = IdentifiedCall(received=received, client="old", subsystem=CONSUMER)
    parsed = ParsedCall(
        identified=identified,
        context=None if context is None else etree.fromstring(context),
        payload=etree.fromstring(payload),
    )
    return authorize_call(
        ValidCall(parsed=parsed, operation="GetPerson", input_element="a"),
        client=Client(name="old", subsystem=CONSUMER, identify_by=IdentifyBy.ADDRESS, context=rule),
        directory=DIRECTORY,
        message_id=MessageId.new(NOW),
        now=NOW,
        reply_within_s=30,
    )


def test_the_settings_take_official_and_subject_from_the_body() -> None:
    call = authorized(
        ContextRule(
            **FIXED,
            official="not this one",
            legal_basis_reference="ZRU-395",
            official_xpath=etree.XPath("by"),
            subject_xpath=etree.XPath("whom"),
        )
    )
    assert call.header.official == OfficialId("inspector-7")
    assert call.personal_data.subjects == (SubjectId("pinfl", SUBJECT.value),)
    assert call.personal_data.legal_basis == LegalBasis(kind="law", reference="ZRU-395")


def test_an_official_that_the_body_does_not_name_is_missing_whatever_is_fixed() -> None:
    rule = ContextRule(**FIXED, official="inspector-7", official_xpath=etree.XPath("nobody"))
    with pytest.raises(ContextMissing) as refusal:
        authorized(rule)
    assert [problem.element for problem in refusal.value.problems] == ["Official"]


# --- what the client system says itself ------------------------------------------------------------------------------


def test_what_the_client_says_comes_before_what_is_fixed_for_it() -> None:
    rule = ContextRule(
        **FIXED, official="inspector-7", legal_basis_reference="ZRU-395", subject_xpath=etree.XPath("whom")
    )
    call = authorized(rule, context=CONTEXT)
    assert (call.header.official, call.header.regulation) == (OfficialId("inspector-8"), "ES-18")
    data = call.personal_data
    assert (data.purpose, data.subjects) == (Purpose("statistics"), (OTHER,))
    assert data.legal_basis == LegalBasis(kind="consent", reference="C-1")
    assert (data.consent, data.issue) == ("consent/17", "case/9")
    assert data.represented_party == RepresentedParty(party_class="COM", code="30101")


def test_what_the_client_leaves_out_is_what_is_fixed_for_it() -> None:
    rule = ContextRule(**FIXED, official="inspector-7", subject_xpath=etree.XPath("whom"))
    call = authorized(
        rule, context=f'<c:RequestContext xmlns:c="{CLIENT}"><c:Issue>case/9</c:Issue></c:RequestContext>'
    )
    assert (call.header.official, call.header.regulation) == (OfficialId("inspector-7"), "ES-17")
    data = call.personal_data
    assert (data.purpose, data.subjects) == (Purpose("benefit"), (SubjectId("pinfl", SUBJECT.value),))
    assert data.legal_basis == LegalBasis(kind="law", reference="")
    assert (data.consent, data.issue, data.represented_party) == (None, "case/9", None)


def test_a_client_for_which_nothing_is_fixed_says_it_all_or_is_refused() -> None:
    assert authorized(ContextRule(), context=CONTEXT).header.official == OfficialId("inspector-8")
    with pytest.raises(ContextMissing) as refusal:
        authorized(ContextRule())
    assert [(problem.element, problem.rule) for problem in refusal.value.problems] == [
        ("Official", "client.context"),
        ("Purpose", "client.context"),
    ]


def test_no_legal_basis_is_made_up_for_a_client_that_names_none() -> None:
    fixed = {name: value for name, value in FIXED.items() if name != "legal_basis_kind"}
    rule = ContextRule(**fixed, official="inspector-7", subject_xpath=etree.XPath("whom"))
    with pytest.raises(NoLegalBasis, match="no legal basis"):
        authorized(rule)


def test_a_subject_without_its_kind_is_none() -> None:
    rule = ContextRule(**{**FIXED, "subject_kind": None}, official="inspector-7", subject_xpath=etree.XPath("whom"))
    with pytest.raises(NoLegalBasis, match="no subject"):
        authorized(rule)


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("group:", CommandRefused),
        ("UZ", CommandRefused),
        ("UZ/GOV", CommandRefused),
        ("UZ/GOV/200000003/social/GetPerson", CommandRefused),
        ("UZ/GOV/", InvalidIdentifier),
        ("UZ/GOV/200000003/", InvalidIdentifier),
    ],
)
def test_a_consumer_that_can_never_match_is_refused(pattern: str, error: type[AdapterError]) -> None:
    with pytest.raises(error):
        check_consumer_pattern(pattern)


VALID = ValidRequest(fresh=FreshRequest(message=trusted(), consumer=CONSUMER), operation="GetPerson", input_element="a")


def test_a_request_without_personal_data_has_no_facts_to_decide_on() -> None:
    with pytest.raises(AccessDenied, match="no PersonalData"):
        facts_of(VALID)


def test_a_decision_that_names_no_rule_allows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "facts_of", lambda _: None)
    monkeypatch.setattr(decision, "decide", lambda *_, **__: Decision(policy_version=1))
    with pytest.raises(AccessDenied, match="no rule"):
        authorize(VALID, policy=PolicySnapshot.of(1, ()), directory=DIRECTORY, now=NOW)


@pytest.mark.parametrize("regulation", ["ES-19", "ES-99"])
def test_the_consumer_side_refuses_what_is_outside_the_register(regulation: str) -> None:
    rule = ContextRule(**{**FIXED, "regulation": regulation}, official="inspector-7", legal_basis_reference="ZRU-395")
    with pytest.raises(UnknownRegulation):
        authorized(rule)


def test_the_consumer_side_wants_named_what_the_kind_must_name(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = LegalBasisKind(code="law", titles={"en": "A law"}, must_name=frozenset({BasisName.ARTICLE}))
    directory = replace(DIRECTORY, legal_basis_kinds={"law": kind})
    monkeypatch.setitem(globals(), "DIRECTORY", directory)
    with pytest.raises(NoLegalBasis, match="does not name article"):
        authorized(ContextRule(**FIXED, official="inspector-7", legal_basis_reference="ZRU-395"))


def test_the_settings_name_what_a_kind_of_legal_basis_has_to_name() -> None:
    names = (("date", "2026-03-02"), ("number", "17"))
    rule = ContextRule(
        **FIXED,
        official="inspector-7",
        legal_basis_reference="Decision 17",
        legal_basis_names=names,
        subject_xpath=etree.XPath("whom"),
    )
    assert authorized(rule).personal_data.legal_basis == LegalBasis(kind="law", reference="Decision 17", names=names)
