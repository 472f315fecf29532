"""Emergency rules: who meets them, who never does, and which rule can be none."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from adapter.envelope.names import CLIENT
from adapter.errors import AccessDenied, AdapterError, CommandRefused, ContextMissing, InvalidIdentifier, NoLegalBasis
from adapter.identifiers import OfficialId
from adapter.policy.clients import ContextRule
from adapter.policy.decision import AccessFacts
from tests.unit.policy.test_decision import FACTS, RULE, SUBJECT, judged
from tests.unit.policy.test_outgoing import FIXED, authorized

EMERGENCY = replace(FACTS, personal_data=replace(FACTS.personal_data, emergency="a child is missing"))
EMERGENCY_RULE = replace(RULE, id="r-emergency", emergency_officials=frozenset({"inspector-7", "inspector-8"}))
ONLY = "is for emergencies only"
NOT_FOR = "is not for emergencies"
NOT_NAMED = "does not name this official"


def by(official: str | None, facts: AccessFacts = EMERGENCY) -> AccessFacts:
    return replace(facts, official=None if official is None else OfficialId(official))


# --- the decision ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("official", ["inspector-7", "inspector-8"])
def test_an_emergency_of_a_named_official_is_allowed_at_once(official: str) -> None:
    decision = judged(by(official), EMERGENCY_RULE)
    assert (decision.rule_id, decision.refusal) == ("r-emergency", None)


@pytest.mark.parametrize("official", ["inspector-9", "INSPECTOR-7", "inspector", None])
def test_an_emergency_of_anybody_else_is_denied(official: str | None) -> None:
    decision = judged(by(official), EMERGENCY_RULE)
    assert isinstance(decision.refusal, AccessDenied)
    assert decision.findings[0].unmet == (NOT_NAMED,)


def test_nobody_is_not_an_official_of_that_name() -> None:
    rule = replace(EMERGENCY_RULE, emergency_officials=frozenset({"None"}))
    assert judged(by(None), rule).findings[0].unmet == (NOT_NAMED,)
    assert judged(by("None"), rule).rule_id == "r-emergency"


def test_what_is_no_emergency_never_meets_an_emergency_rule() -> None:
    decision = judged(FACTS, EMERGENCY_RULE)
    assert isinstance(decision.refusal, AccessDenied)
    assert decision.findings[0].unmet == (ONLY,)
    assert judged(by("inspector-9", FACTS), EMERGENCY_RULE).findings[0].unmet == (ONLY, NOT_NAMED)


def test_an_emergency_never_meets_an_ordinary_rule() -> None:
    decision = judged(EMERGENCY, RULE)
    assert isinstance(decision.refusal, AccessDenied)
    assert decision.findings[0].unmet == (NOT_FOR,)


@pytest.mark.parametrize("order", [(RULE, EMERGENCY_RULE), (EMERGENCY_RULE, RULE)])
def test_each_finds_its_own_rule_whichever_was_granted_first(order: tuple[object, ...]) -> None:
    assert judged(EMERGENCY, *order).rule_id == "r-emergency"  # type: ignore[arg-type]
    assert judged(FACTS, *order).rule_id == "r1"  # type: ignore[arg-type]


def test_the_other_conditions_of_an_emergency_rule_hold_as_of_any() -> None:
    rule = replace(EMERGENCY_RULE, purposes=frozenset({"statistics"}))
    assert judged(EMERGENCY, rule).findings[0].unmet == ("does not name this purpose",)


def test_an_emergency_is_no_legal_basis() -> None:
    lawless = replace(EMERGENCY, personal_data=replace(EMERGENCY.personal_data, legal_basis=None))
    assert isinstance(judged(lawless, EMERGENCY_RULE).refusal, NoLegalBasis)


# --- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"emergency_officials": frozenset()}, CommandRefused),
        ({"consumer": "group:ministries"}, CommandRefused),
        ({"emergency_officials": frozenset({"inspector-7", "any one"})}, InvalidIdentifier),
        ({"emergency_officials": frozenset({"*"})}, InvalidIdentifier),
    ],
)
def test_an_emergency_rule_names_its_officials_and_whose_they_are(
    change: dict[str, object], expected: type[AdapterError]
) -> None:
    with pytest.raises(expected):
        replace(EMERGENCY_RULE, **change)  # type: ignore[arg-type]


# --- the consumer's side ---------------------------------------------------------------------------------------------


def context(*, official: str = "") -> str:
    return (
        f'<c:RequestContext xmlns:c="{CLIENT}">{official}<c:Subject kind="pinfl">{SUBJECT.value}</c:Subject>'
        "<c:Emergency>a child is missing</c:Emergency></c:RequestContext>"
    )


def test_the_official_of_an_emergency_is_not_the_one_that_the_settings_fix() -> None:
    with pytest.raises(ContextMissing) as refusal:
        authorized(ContextRule(**FIXED, official="inspector-7"), context=context())
    assert [(problem.element, problem.rule) for problem in refusal.value.problems] == [("Official", "client.emergency")]


@pytest.mark.parametrize(
    ("rule", "official"),
    [
        (ContextRule(**FIXED, official="somebody"), "<c:Official>inspector-7</c:Official>"),
        (ContextRule(**FIXED), "<c:Official>inspector-7</c:Official>"),
        (ContextRule(**FIXED, official_xpath=etree.XPath("by")), ""),
    ],
)
def test_the_official_of_an_emergency_is_named_by_the_request(rule: ContextRule, official: str) -> None:
    call = authorized(rule, context=context(official=official))
    assert call.header.official == OfficialId("inspector-7")
    assert call.personal_data.emergency == "a child is missing"


def test_an_official_that_the_body_does_not_name_is_missing_in_an_emergency_too() -> None:
    with pytest.raises(ContextMissing) as refusal:
        authorized(ContextRule(**FIXED, official_xpath=etree.XPath("nobody")), context=context())
    assert refusal.value.problems[0].rule == "client.context"
