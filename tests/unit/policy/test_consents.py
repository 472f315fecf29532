"""What a person's consent lets out of what a rule lets out, and whose signature on it is believed until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.crypto.consent import SignedConsent
from adapter.directory.content import ConsentIssuer
from adapter.errors import ConsentForOtherData, SecurityFailed
from adapter.policy.consents import check_signer, within_consent
from adapter.released_fields import EVERYTHING, MAX_FIELDS, MAX_PATH_CHARS, ReleasedFields
from tests.consent_issuer import good_consent
from tests.pki import NOW, Federation
from tests.unit.policy.test_decision import DIRECTORY

SPACES = (("p", "urn:person"),)


def fields(*released: str) -> ReleasedFields:
    return ReleasedFields(namespaces=SPACES, released=released)


def test_a_suite_that_the_directory_ended_signs_no_consent(federation: Federation) -> None:
    member = federation.cadastre
    signed = SignedConsent(
        consent=good_consent(federation, NOW),
        signer=member.signing_certificate,
        suite=member.suite,
        sha256=bytes(32),
    )
    issuer = ConsentIssuer(
        subsystem=member.subsystem,
        kinds=frozenset({"consent"}),
        cache_limit=timedelta(minutes=1),
        certificates=(member.signing_certificate,),
    )
    ends = replace(DIRECTORY, suite_ends={member.suite: NOW + timedelta(hours=1)})
    check_signer(signed, issuer, ends, NOW + timedelta(minutes=59))
    with pytest.raises(SecurityFailed) as refusal:
        check_signer(signed, issuer, ends, NOW + timedelta(hours=1))
    assert refusal.value.reason == f"suite {member.suite} has ended"


def test_below_a_wide_path_of_the_rule_stands_what_the_person_agreed_to() -> None:
    left = within_consent(fields(f"p:Person/{EVERYTHING}"), fields("p:Person/p:Surname"))
    assert left is not None
    assert [left.expanded(path) for path in left.released] == [fields().expanded("p:Person/p:Surname")]


def test_what_cannot_be_said_of_both_together_lets_nothing_out() -> None:
    start = "p:Person/p:"
    long = start + "x" * (MAX_PATH_CHARS - len(start))
    many = [f"p:Other/p:F{number}" for number in range(MAX_FIELDS - 1)]
    for rule, consented in (
        (fields(f"p:Person/{EVERYTHING}"), fields(long)),
        (
            fields(f"p:Person/{EVERYTHING}", *many),
            fields(f"p:Other/{EVERYTHING}", *(f"p:Person/p:F{number}" for number in range(2))),
        ),
    ):
        with pytest.raises(ConsentForOtherData) as refusal:
            within_consent(rule, consented)
        assert refusal.value.reason.startswith("the rule and the consent name fields that do not fit: ")
