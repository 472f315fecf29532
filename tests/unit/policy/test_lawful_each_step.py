"""What makes a transfer lawful, step by step: days to the minute, what a refusal says, whose consent lets it pass."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from adapter.directory.content import ConsentIssuer, IdentifierType
from adapter.directory.identifier_pattern import IdentifierPattern
from adapter.errors import AccessDenied, AdapterError, ConsentUnavailable, InvalidIdentifier, NoLegalBasis, Problem
from adapter.identifiers import SubjectId, SubsystemId
from adapter.policy.consents import VerifiedConsent
from adapter.policy.decision import authorize, decide, wish_of
from adapter.policy.lawful import check_lawful
from adapter.policy.rules import PolicySnapshot
from adapter.stages import LegalBasis, PersonalData, UsedConsent
from tests.unit.policy.test_decision import CONSUMER, DIRECTORY, FACTS, NOW, RULE, SERVICE
from tests.unit.policy.test_decision_each_step import valid

ISSUER = SubsystemId.parse("UZ/GOV/200000005/consents")
PERMIT = IdentifierType(code="permit", pattern=IdentifierPattern("[A-Z]{2}-[0-9]{4}"), titles={"en": "Permit"})
WITH_ISSUER = replace(
    DIRECTORY,
    consent_issuers={
        ISSUER: ConsentIssuer(subsystem=ISSUER, kinds=frozenset({"consent"}), cache_limit=timedelta(minutes=1))
    },
    identifier_types={"permit": PERMIT},
)
BY_CONSENT = replace(
    FACTS.personal_data, legal_basis=LegalBasis(kind="consent", reference="consent"), consent=f"{ISSUER}/17"
)


def refused(personal_data: PersonalData, now: datetime = NOW) -> AdapterError | None:
    try:
        check_lawful(
            personal_data, "ES-17", WITH_ISSUER.service(SERVICE), WITH_ISSUER, consumer=CONSUMER.member, now=now
        )
    except AdapterError as refusal:
        return refusal
    return None


def on_a_basis(name: str, day: str, now: datetime) -> AdapterError | None:
    basis = LegalBasis(kind="law", reference="ZRU-395", names=((name, day),))
    return refused(replace(FACTS.personal_data, legal_basis=basis), now)


# --- days ------------------------------------------------------------------------------------------------------------


def test_a_last_day_is_over_when_it_is_over_everywhere() -> None:
    assert on_a_basis("until", "2026-03-01", datetime(2026, 3, 2, 13, 59, tzinfo=UTC)) is None
    over = on_a_basis("until", "2026-03-01", datetime(2026, 3, 2, 14, 0, tzinfo=UTC))
    assert isinstance(over, NoLegalBasis)
    assert (over.reason, over.problems) == (
        "the legal basis is over",
        (said("LegalBasis", "directory.legal-basis", "The day until which the legal basis holds is over."),),
    )


def test_a_day_has_come_when_it_has_begun_anywhere() -> None:
    assert on_a_basis("date", "2026-03-03", datetime(2026, 3, 2, 10, 0, tzinfo=UTC)) is None
    early = on_a_basis("date", "2026-03-03", datetime(2026, 3, 2, 9, 59, tzinfo=UTC))
    assert isinstance(early, NoLegalBasis)
    assert (early.reason, early.problems) == (
        "the legal basis is of a day to come",
        (said("LegalBasis", "directory.legal-basis", "The day of the legal basis is still to come."),),
    )


# --- subjects of a type of the directory -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        (SubjectId("permit", "AB-12345"), "The value has not the form of permit: [A-Z]{2}-[0-9]{4}"),
        (SubjectId("licence", "AB-1234"), "The directory has no type of identifier licence."),
    ],
)
def test_a_subject_without_its_form_is_told_so_and_its_value_is_repeated_nowhere(subject: SubjectId, text: str) -> None:
    refusal = refused(replace(FACTS.personal_data, subjects=(subject,)))
    assert isinstance(refusal, InvalidIdentifier)
    assert refusal.problems == (said("Subject", "directory.identifier-type", text),)
    assert subject.value not in repr(refusal)


def test_a_subject_with_its_form_passes() -> None:
    assert refused(replace(FACTS.personal_data, subjects=(SubjectId("permit", "AB-1234"),))) is None


def said(element: str, rule: str, text: str) -> Problem:
    return Problem(line=0, column=0, element=element, rule=rule, text=text)


# --- consent ---------------------------------------------------------------------------------------------------------


def verified(personal_data: PersonalData) -> VerifiedConsent:
    wish = wish_of(replace(FACTS, personal_data=personal_data), WITH_ISSUER)
    assert wish is not None
    used = UsedConsent(reference=f"{ISSUER}/17", statement_sha256=bytes(32), status_at=NOW)
    return VerifiedConsent(wish=wish, fields=None, used=used)


def used_by(personal_data: PersonalData, consent: VerifiedConsent | None) -> UsedConsent | None:
    policy = PolicySnapshot.of(7, [RULE])
    return authorize(valid(personal_data), policy=policy, directory=WITH_ISSUER, now=NOW, consent=consent).consent


def test_a_verified_consent_lets_its_own_request_pass_and_is_named() -> None:
    consent = verified(BY_CONSENT)
    assert used_by(BY_CONSENT, consent) is consent.used


def test_without_one_that_was_verified_nothing_passes() -> None:
    with pytest.raises(ConsentUnavailable):
        used_by(BY_CONSENT, None)


def test_one_that_was_verified_for_something_else_does_not_count() -> None:
    with pytest.raises(ConsentUnavailable):
        used_by(BY_CONSENT, verified(replace(BY_CONSENT, consent=f"{ISSUER}/18")))


def test_where_the_basis_is_another_no_consent_is_named() -> None:
    assert used_by(FACTS.personal_data, verified(BY_CONSENT)) is None


# --- emergency -------------------------------------------------------------------------------------------------------


def test_nobody_is_not_an_official_of_that_name() -> None:
    rule = replace(RULE, emergency_officials=frozenset({"None"}))
    facts = replace(FACTS, official=None, personal_data=replace(FACTS.personal_data, emergency="a life is at stake"))
    decision = decide(facts, policy=PolicySnapshot.of(7, [rule]), directory=WITH_ISSUER, now=NOW)
    assert isinstance(decision.refusal, AccessDenied)
