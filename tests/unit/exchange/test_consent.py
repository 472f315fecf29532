"""A transfer under a person's consent: good ones pass, and every way in which one can be wrong has its code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapter.crypto.consent import open_consent, sign_consent
from adapter.directory.content import BasisName
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS
from adapter.envelope.consent import ConsentReference, Organisation
from adapter.errors import ConsentForAnotherConsumer, ConsentUnavailable
from adapter.identifiers import SubjectId
from adapter.policy.consents import ConsentStatus, IssuedConsent, verify_consent
from adapter.released_fields import ReleasedFields
from adapter.stages import RepresentedParty
from tests.consent_issuer import BORN, CACHE, NAMESPACES, SURNAME, Case, entry_of, good_consent
from tests.get_person import OTHER_PINFL, PINFL
from tests.two_sides import TwoSides, signing_key_of

# --- the good one ----------------------------------------------------------------------------------------------------


async def test_a_good_consent_passes_and_its_entry_lists_it(case: Case) -> None:
    assert await case.call() == "answered"
    said = entry_of(case, "request-received")
    assert said["consent"] == case.reference
    assert said["consent_verified"]["id"] == case.reference
    assert said["consent_verified"]["statement_sha256"] == open_consent(case.issuer.statement).sha256.hex()
    assert PINFL not in str(said)


@pytest.mark.parametrize("suite", ["p256", "ed25519", "rsa"])
def test_a_statement_of_every_suite_is_read_back(mixed_federation: Any, sides: TwoSides, suite: str) -> None:
    member = next(one for one in mixed_federation.members.values() if one.suite == suite)
    fields = ReleasedFields(namespaces=NAMESPACES, released=(SURNAME, BORN))
    consent = good_consent(
        sides.federation,
        sides.clock(),
        data=((sides.federation.population.service, fields),),
        third_parties=(Organisation(name="Bank", stir="300000001"),),
        cross_border=True,
        revocable=False,
    )
    opened = open_consent(sign_consent(consent, signing_key_of(member)))
    assert opened.consent == consent
    assert opened.signer == member.signing_certificate


# --- each way to be wrong --------------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Callable[[TwoSides], dict[str, Any]], str]] = {
    "another person": (lambda _: {"subject": SubjectId("pinfl", OTHER_PINFL)}, "ConsentOfAnotherSubject"),
    "another consumer": (
        lambda s: {"operator": Organisation(name="Another", stir=s.federation.cadastre.id.code)},
        "ConsentForAnotherConsumer",
    ),
    "another purpose": (lambda _: {"purposes": frozenset({"registration"})}, "ConsentForAnotherPurpose"),
    "another service": (
        lambda s: {"data": ((s.federation.cadastre.service, None),)},
        "ConsentForOtherData",
    ),
    "expired": (lambda s: {"valid_until": s.clock()}, "ConsentExpired"),
    "not yet": (lambda s: {"valid_from": s.clock() + timedelta(seconds=1)}, "ConsentNotYetValid"),
    "replaced id": (lambda _: {"id": "K-18"}, "ConsentInvalid"),
    "of another issuer": (lambda s: {"issuer": s.federation.population.subsystem}, "ConsentInvalid"),
    "issued in the future": (lambda s: {"issued": s.clock() + timedelta(hours=1)}, "ConsentInvalid"),
    "issued before the certificate": (lambda s: {"issued": s.clock() - timedelta(days=9999)}, "ConsentInvalid"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_consent_for_something_else_is_refused(case: Case, wrong: str) -> None:
    changes, code = WRONG[wrong]
    case.issue(**changes(case.sides))
    assert await case.call() == code
    assert not case.sides.register.asked
    assert case.last_entry["outcome"] == code
    assert case.last_entry["consent"] == case.reference
    case.sides.clock.now += CACHE
    case.issue()
    assert await case.call() == "answered"


async def test_signed_by_a_member_that_is_no_issuer(case: Case) -> None:
    case.issue(signing_key_of(case.sides.federation.population))
    assert await case.call() == "ConsentInvalid"


async def test_the_certificates_that_the_directory_names_come_before_the_members_own(case: Case) -> None:
    known = case.sides.directory.consent_issuers[case.issuer.member.subsystem]
    other = case.sides.federation.population
    named = replace(known, certificates=(other.signing_certificate,))
    case.sides.directory = replace(case.sides.directory, consent_issuers={known.subsystem: named})
    assert await case.call() == "ConsentInvalid"
    case.sides.clock.now += CACHE
    case.issue(signing_key_of(other))
    assert await case.call() == "answered"


async def test_revoked_and_unknown(case: Case) -> None:
    for status, code in ((ConsentStatus.REVOKED, "ConsentRevoked"), (ConsentStatus.UNKNOWN, "ConsentUnknown")):
        case.issuer.status = status
        assert await case.call() == code
        case.sides.clock.now += CACHE
    assert not case.sides.register.asked


@pytest.mark.parametrize(
    "reference", ["K-17", "UZ/GOV/200000001/population/K-17", "UZ/GOV/200000009/other/K-17", "a/b", "UZ/GOV/2/c/ä"]
)
async def test_a_consent_of_nobody_is_refused_by_both_and_nobody_is_asked(case: Case, reference: str) -> None:
    assert await case.call(reference) == "ConsentIssuerUnknown"
    assert not case.sides.wire.sent
    assert await case.peer_call(consent=reference) == "ConsentIssuerUnknown"
    assert not case.issuer.asked


async def test_without_any_issuer_no_consent_can_be_the_basis(case: Case) -> None:
    case.sides.directory = replace(case.sides.directory, consent_issuers={})
    assert await case.call() == "ConsentIssuerUnknown"


async def test_a_kind_of_an_issuer_wants_a_statement_even_if_it_need_not_name_one(case: Case) -> None:
    kinds = {"consent": replace(DEFAULT_LEGAL_BASIS_KINDS["consent"], must_name=frozenset[BasisName]())}
    case.sides.directory = replace(case.sides.directory, legal_basis_kinds=kinds)
    case.issuer.status = ConsentStatus.REVOKED
    assert await case.call() == "ConsentRevoked"


async def test_whom_the_consumer_represents_has_to_be_a_third_party(case: Case) -> None:
    party = RepresentedParty(party_class="COM", code="300000001")
    assert await case.peer_call(represented_party=party) == "ConsentForAnotherConsumer"
    case.sides.clock.now += CACHE
    case.issue(third_parties=(Organisation(name="Bank", stir="300000001"),))
    assert await case.peer_call(represented_party=party) == "answered"


async def test_a_second_person_in_the_request_is_not_covered(case: Case) -> None:
    both = (SubjectId("pinfl", PINFL), SubjectId("pinfl", OTHER_PINFL))
    assert await case.peer_call(subjects=both) == "ConsentOfAnotherSubject"


async def test_abroad_only_with_a_consent_that_says_so(case: Case) -> None:
    assert await case.call() == "answered"
    (wish,) = case.issuer.asked
    provider = wish.service.subsystem
    abroad = replace(wish.service, subsystem=replace(provider, member=replace(provider.member, instance="KZ")))
    for cross_border in (False, True):
        case.issue(data=((abroad, None),), cross_border=cross_border)
        issued = IssuedConsent(statement=case.issuer.statement, status=ConsentStatus.ACTIVE, as_of=case.sides.clock())
        with nullcontext() if cross_border else pytest.raises(ConsentForAnotherConsumer, match="go abroad"):
            verify_consent(
                issued, replace(wish, service=abroad), directory=case.sides.directory, now=case.sides.clock()
            )


@pytest.mark.parametrize("age", [CACHE, timedelta(seconds=-1)])
async def test_a_status_that_is_too_old_or_from_the_future_says_nothing(case: Case, age: timedelta) -> None:
    """Whoever remembered it: the check does not rely on that."""
    assert await case.call() == "answered"
    now = case.sides.clock()
    issued = IssuedConsent(statement=case.issuer.statement, status=ConsentStatus.ACTIVE, as_of=now - age)
    with pytest.raises(ConsentUnavailable, match="older than the directory allows"):
        verify_consent(issued, case.issuer.asked[0], directory=case.sides.directory, now=now)


def test_a_reference_is_read_as_it_is_written() -> None:
    text = "UZ/GOV/200000009/consents/K-17"
    assert str(ConsentReference.parse(text)) == text
