"""What the settings say for a system that sends no RequestContext, and what a consumer may be called."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from adapter.errors import AccessDenied, AdapterError, CommandRefused, ContextMissing, InvalidIdentifier
from adapter.identifiers import MessageId, OfficialId, SubjectId
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
PAYLOAD = f"<a><by>inspector-7</by><by>other</by><whom> {SUBJECT.value} </whom></a>"


def authorized(rule: ContextRule, payload: str = PAYLOAD) -> AuthorizedCall:
    received = ReceivedCall(
        octets=b"",
        received_at=NOW,
        peer=Peer(certificate_sha256=None, address="127.0.0.1"),
        content_type="text/xml",
        soap_action="",
        service=SERVICE,
    )
    identified = IdentifiedCall(received=received, client="old", subsystem=CONSUMER)
    parsed = ParsedCall(identified=identified, context=None, payload=etree.fromstring(payload))
    return authorize_call(
        ValidCall(parsed=parsed, operation="GetPerson", input_element="a"),
        client=Client(name="old", subsystem=CONSUMER, identify_by=IdentifyBy.ADDRESS, context=rule),
        directory=DIRECTORY,
        message_id=MessageId.new(),
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
