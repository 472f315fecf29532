"""What the decision hands on, field by field, and what an officer reads of it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from adapter.errors import (
    AccessDenied,
    AdapterError,
    CommandRefused,
    InvalidIdentifier,
    MessageExpired,
    NoLegalBasis,
)
from adapter.identifiers import Purpose
from adapter.policy import decision as decision_module
from adapter.policy.decision import Decision, authorize, decide, facts_of
from adapter.policy.freshness import TimeBounds, check_fresh
from adapter.policy.rules import AccessRule, PolicySnapshot, check_consumer_pattern
from adapter.released_fields import ReleasedFields
from adapter.stages import LegalBasis, PersonalData, ValidRequest
from tests.unit.policy.test_decision import (
    CONSUMER,
    DIRECTORY,
    FACTS,
    NOW,
    OPEN_SERVICE,
    PROVIDER,
    RULE,
    SERVICE,
    judged,
)
from tests.unit.policy.test_freshness import HEADER, trusted


def valid(personal_data: PersonalData | None = FACTS.personal_data) -> ValidRequest:
    message = trusted(replace(HEADER, regulation="ES-17"))
    message = replace(message, verified=replace(message.verified, personal_data=personal_data))
    fresh = check_fresh(message, own=PROVIDER, directory=DIRECTORY, now=NOW, bounds=TimeBounds())
    return ValidRequest(fresh=fresh, operation="GetPerson", input_element="{urn:x}GetPerson")


def passed(request: ValidRequest, *rules: AccessRule) -> Any:
    return authorize(request, policy=PolicySnapshot.of(7, rules), directory=DIRECTORY, now=NOW)


# --- authorize -------------------------------------------------------------------------------------------------------


def test_the_facts_are_those_of_the_verified_request() -> None:
    assert facts_of(valid()) == FACTS


def test_a_request_passes_with_the_rule_and_the_version_that_let_it() -> None:
    request = valid()
    authorized = passed(request, replace(RULE, id="r0", operations=frozenset({"Other"})), RULE)
    assert authorized.valid is request
    assert (authorized.rule_id, authorized.policy_version, authorized.fields) == ("r1", 7, None)


def test_what_goes_out_is_what_the_rule_that_let_it_says_and_no_other() -> None:
    name, sex = (
        ReleasedFields(namespaces=(("f", "urn:x"),), released=(f"f:A/f:{field}",)) for field in ("Name", "Sex")
    )
    others = replace(RULE, id="r0", operations=frozenset({"Other"}), fields=sex)
    limited = replace(RULE, fields=name)
    assert (
        decide(FACTS, policy=PolicySnapshot.of(7, [others, limited, RULE]), directory=DIRECTORY, now=NOW).fields == name
    )
    assert passed(valid(), others, limited, RULE).fields == name


def test_a_request_without_personal_data_is_denied() -> None:
    with pytest.raises(AccessDenied):
        passed(valid(personal_data=None), RULE)


def test_what_the_decision_refuses_is_raised_as_it_is() -> None:
    with pytest.raises(AccessDenied) as denied:
        passed(valid())
    assert str(SERVICE) in denied.value.reason
    with pytest.raises(NoLegalBasis):
        passed(valid(replace(FACTS.personal_data, legal_basis=None)), RULE)


def test_a_decision_with_neither_rule_nor_refusal_lets_nothing_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision_module, "decide", lambda *_, **__: Decision(policy_version=7))
    with pytest.raises(AccessDenied):
        passed(valid(), RULE)


# --- what an officer reads -------------------------------------------------------------------------------------------


def test_a_decision_for_a_rule_names_those_before_it_that_did_not_hold() -> None:
    decision = judged(FACTS, replace(RULE, id="r0", operations=frozenset({"Other"})), RULE)
    assert decision.rule_id == "r1"
    assert [(finding.rule_id, finding.unmet) for finding in decision.findings] == [
        ("r0", ("does not name this operation",))
    ]


def test_a_rule_that_is_filed_under_another_service_says_what_it_is_about() -> None:
    misfiled = PolicySnapshot(version=7, rules=(), by_service={SERVICE: (replace(RULE, service=OPEN_SERVICE),)})
    decision = decide(FACTS, policy=misfiled, directory=DIRECTORY, now=NOW)
    assert decision.rule_id is None
    assert decision.findings[0].unmet == (f"is about {OPEN_SERVICE}",)


def reason(decision: Decision) -> str:
    assert decision.refusal is not None
    return decision.refusal.reason


def test_the_reason_of_a_denial_names_at_most_eight_rules_and_all_that_they_lack() -> None:
    assert reason(judged(FACTS)) == f"no rule names {SERVICE}"
    unmet = {"operations": frozenset({"Other"}), "purposes": frozenset({"statistics"})}
    rules = [replace(RULE, id=f"r{at}", **unmet) for at in range(9)]  # type: ignore[arg-type]
    assert reason(judged(FACTS, *rules)) == "; ".join(
        f"rule r{at} does not name this operation, does not name this purpose" for at in range(8)
    )


def test_no_basis_meets_no_rule_that_names_kinds_of_basis() -> None:
    facts = replace(
        FACTS, service=OPEN_SERVICE, regulation=None, personal_data=PersonalData(purpose=Purpose("benefit"))
    )
    rule = replace(RULE, service=OPEN_SERVICE, legal_basis_kinds=frozenset({"law"}))
    assert judged(facts, rule).findings[0].unmet == ("does not name this kind of legal basis",)
    assert judged(facts, replace(rule, legal_basis_kinds=None)).rule_id == "r1"


def test_what_is_unlawful_has_no_findings() -> None:
    decision = judged(replace(FACTS, personal_data=replace(FACTS.personal_data, subjects=())), RULE)
    assert isinstance(decision.refusal, NoLegalBasis)
    assert (decision.rule_id, decision.findings, decision.policy_version) == (None, (), 7)


def test_a_basis_of_an_open_service_has_to_be_known_too() -> None:
    data = replace(FACTS.personal_data, subjects=(), legal_basis=LegalBasis(kind="habit", reference=""))
    assert judged(replace(FACTS, service=OPEN_SERVICE, regulation=None, personal_data=data)).refusal is not None


# --- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pattern", ["UZ/GOV/200000003", "UZ/GOV/200000003/social", "group:ministries"])
def test_a_consumer_that_can_match(pattern: str) -> None:
    check_consumer_pattern(pattern)
    assert replace(RULE, consumer=pattern).consumer == pattern


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("group:", CommandRefused),
        ("", CommandRefused),
        ("UZ", CommandRefused),
        ("UZ/GOV", CommandRefused),
        ("UZ/GOV/200000003/social/x", CommandRefused),
        ("social/group:", CommandRefused),
        ("uz/gov/2 ", InvalidIdentifier),
        ("UZ/GOV/200000003/so cial", InvalidIdentifier),
    ],
)
def test_a_consumer_that_can_never_match_is_no_rule(pattern: str, expected: type[AdapterError]) -> None:
    with pytest.raises(expected):
        check_consumer_pattern(pattern)
    with pytest.raises(expected):
        replace(RULE, consumer=pattern)


def test_the_rules_of_a_service_keep_the_order_in_which_they_were_granted() -> None:
    rules = [replace(RULE, id="b"), replace(RULE, id="x", service=OPEN_SERVICE), replace(RULE, id="a")]
    policy = PolicySnapshot.of(3, iter(rules))
    assert (policy.version, policy.rules) == (3, tuple(rules))
    assert [rule.id for rule in policy.rules_for(SERVICE)] == ["b", "a"]
    assert [rule.id for rule in policy.rules_for(OPEN_SERVICE)] == ["x"]
    assert "by_service" not in repr(policy)


def test_what_a_rule_does_not_name_is_any() -> None:
    rule = AccessRule(id="r", consumer=str(CONSUMER), service=SERVICE)
    named = {"id", "consumer", "service"}
    assert {one.name: getattr(rule, one.name) for one in fields(rule) if one.name not in named} == {
        "operations": None,
        "purposes": None,
        "legal_basis_kinds": None,
        "regulations": None,
        "valid_from": None,
        "valid_until": None,
        "granted_by": "",
        "note": "",
        "fields": None,
        "all_fields": False,
        "emergency_officials": None,
    }


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_message_of_tomorrow_is_refused_although_its_times_agree() -> None:
    later = NOW + timedelta(seconds=60, milliseconds=1)
    header = replace(HEADER, sent=later, reply_by=later + timedelta(seconds=30))
    message = trusted(header, created=later, expires=later + timedelta(seconds=60))
    with pytest.raises(MessageExpired):
        check_fresh(message, own=PROVIDER, directory=DIRECTORY, now=NOW, bounds=TimeBounds())
    check_fresh(message, own=PROVIDER, directory=DIRECTORY, now=NOW + timedelta(milliseconds=1), bounds=TimeBounds())


def test_the_bounds_of_time_are_a_minute_and_five() -> None:
    assert (TimeBounds().skew, TimeBounds().max_lifetime) == (timedelta(minutes=1), timedelta(minutes=5))
