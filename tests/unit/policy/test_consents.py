"""What a person's consent lets out of what a rule lets out, and whose signature on it is believed until when."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.crypto.consent import SignedConsent
from adapter.directory.content import ConsentIssuer
from adapter.errors import ConsentForOtherData, SecurityFailed
from adapter.policy.consents import check_signer, within_consent
from adapter.released_fields import EVERYTHING, MAX_FIELDS, MAX_PATH_CHARS, ReleasedFields
from tests import minimising
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


@pytest.mark.parametrize(
    ("agreed", "born"),
    [
        (("Person/Pinfl",), None),
        (("Person/Pinfl/**",), None),
        (("Person/Born",), "1990-01-01"),
        (("Person/Born/**",), None),
        (("Person/**",), "1990-01-01"),
    ],
)
def test_what_the_rule_replaces_below_a_wide_path_stays_replaced_whatever_the_person_agreed_to(
    agreed: tuple[str, ...], born: str | None
) -> None:
    """The rule says that nobody gets these values; a person cannot let out more than it does.

    Neither by naming the field, nor what stands below it.
    """
    needed = {"Person__Died": "nil", "Person__Passport": "empty"}
    wide = minimising.rule(EVERYTHING, **needed, Person__Pinfl="mask", Person__Born="year")
    consented = minimising.rule("Person/Name", "Person/@sex", *agreed)
    other_prefix = ReleasedFields(
        namespaces=(("c", minimising.NS),),
        released=tuple(path.replace("f:", "c:") for path in consented.released),
    )
    for said in (consented, other_prefix):
        left = within_consent(wide, said)
        assert left is not None
        text = minimising.shown(minimising.minimised(minimising.PERSON, left))
        assert "<Name>Aziza Karimova</Name>" in text
        assert "<Pinfl>**************</Pinfl>" in text
        assert "40101900000012" not in text
        assert re.findall("<Born[^>]*>(.*?)</Born>", text) == ([] if born is None else [born])


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
