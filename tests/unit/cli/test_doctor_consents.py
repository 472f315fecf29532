"""`adapter doctor` says when requests that a rule lets pass on a consent can never be answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapter.cli.doctor_consents import look_at_consents
from adapter.directory.content import ConsentIssuer
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS
from adapter.directory.model import Directory
from adapter.identifiers import ServiceId
from tests.pki import Federation
from tests.unit.cli.trust_scene import Row, Scene

TABLE = ('subsystem = "UZ/GOV/200000001/population"', 'purpose = "benefit"', 'legal_basis_kind = "law"')
REFERENCE = 'legal_basis_reference = "Law on personal data, article 18"'
EVERYBODY = ("--consumer", "UZ/GOV/200000003", "--service", "UZ/GOV/200000001/population/GetPerson/v1", "--all-fields")


@pytest.fixture
def directory(federation: Federation) -> Directory:
    """In which the cadastre issues consents, for the kind `consent`."""
    known, issuer = federation.directory(), federation.cadastre.subsystem
    service = replace(known.services[federation.cadastre.service], service=ServiceId(issuer, "GetConsent", "v1"))
    named = ConsentIssuer(subsystem=issuer, kinds=frozenset({"consent"}), cache_limit=timedelta(minutes=5))
    return replace(
        known,
        legal_basis_kinds=DEFAULT_LEGAL_BASIS_KINDS,
        services={**known.services, service.service: service},
        consent_issuers={issuer: named},
    )


def grant(scene: Scene, name: str, *more: str) -> None:
    done = scene.run("access", "grant", "--id", name, *EVERYBODY, *more, "--settings", scene.home)
    assert done.code == 0, done


def switch_on(scene: Scene, *lines: str) -> None:
    for line in reversed(lines or (*TABLE, REFERENCE)):
        scene.put("consents", line)


def said(scene: Scene, directory: Directory) -> list[tuple[str, str]]:
    found = list(look_at_consents(scene.settings, directory, datetime.now(UTC)))
    assert {one.what for one in found} <= {"consents"}
    assert all(bool(one.mend) == (one.health.value != "ok") for one in found)
    return [(one.health.value, one.found) for one in found]


def test_who_lets_nothing_pass_on_a_consent_is_told_nothing(scene: Scene, directory: Directory) -> None:
    assert said(scene, directory) == []
    grant(scene, "by-law", "--basis-kind", "law")
    grant(scene, "over", "--basis-kind", "consent", "--until", "2026-01-01")
    assert said(scene, directory) == []
    grant(scene, "any")
    assert said(scene, replace(directory, consent_issuers={})) == [], "no consent is one where nobody issues any"


def test_a_rule_that_names_consents_fails_without_the_table(scene: Scene, directory: Directory) -> None:
    grant(scene, "any")
    ((health, words),) = said(scene, directory)
    assert (health, words.split(" let ")[0]) == ("warn", "any")
    grant(scene, "agreed", "--basis-kind", "consent", "--basis-kind", "law")
    ((health, words),) = said(scene, directory)
    assert (health, words.split(" let ")[0]) == ("fail", "agreed")
    assert "end with ConsentUnavailable: the settings have no table [consents]" in words


def test_a_kind_that_names_a_consent_and_has_no_issuer(scene: Scene, directory: Directory) -> None:
    grant(scene, "agreed", "--basis-kind", "consent")
    ((health, words),) = said(scene, replace(directory, consent_issuers={}))
    assert (health, words) == (
        "warn",
        "agreed names consent, for which the directory has no issuer: ConsentIssuerUnknown",
    )


def test_with_the_table_each_issuer_can_be_asked(scene: Scene, directory: Directory) -> None:
    grant(scene, "agreed", "--basis-kind", "consent")
    switch_on(scene)
    issuer = next(iter(directory.consent_issuers))
    assert said(scene, directory) == [("ok", f"{issuer} can be asked as UZ/GOV/200000001/population")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('purpose = "curiosity"', "the purpose is not in the directory"),
        ('legal_basis_kind = "custom"', "the kind of legal basis is not in the directory"),
        ('legal_basis_kind = "contract"', "number"),
        ('regulation = "REG-404"', "the regulation is not in the register of e-services"),
        ('subsystem = "UZ/GOV/200000001/cellar"', "UZ/GOV/200000001/cellar is not in directory version"),
    ],
)
def test_a_way_of_asking_that_the_directory_does_not_allow(
    scene: Scene, directory: Directory, line: str, words: str
) -> None:
    grant(scene, "agreed", "--basis-kind", "consent")
    switch_on(scene)
    scene.put("consents", line)
    ((health, found),) = said(scene, directory)
    assert health == "fail"
    assert f"{next(iter(directory.consent_issuers))} cannot be asked: " in found
    assert words in found


def test_asking_on_a_basis_that_is_a_consent_would_never_end(scene: Scene, directory: Directory) -> None:
    grant(scene, "agreed", "--basis-kind", "consent")
    switch_on(scene)
    issuers = {
        name: replace(one, kinds=frozenset({"law", "consent"})) for name, one in directory.consent_issuers.items()
    }
    ((health, found),) = said(scene, replace(directory, consent_issuers=issuers))
    assert (health, found.split(": ")[1]) == ("fail", "legal_basis_kind law is a consent itself")


def test_an_issuer_that_offers_no_consents(scene: Scene, directory: Directory) -> None:
    grant(scene, "agreed", "--basis-kind", "consent")
    switch_on(scene)
    less: dict[Any, Any] = {name: one for name, one in directory.services.items() if name.code != "GetConsent"}
    ((health, found),) = said(scene, replace(directory, services=less))
    assert health == "fail"
    assert "/GetConsent/v1 is not in directory version" in found


def test_doctor_says_it_and_fails(scene: Scene) -> None:
    grant(scene, "agreed", "--basis-kind", "consent")
    draft, issuer = scene.draft, scene.federation.cadastre.subsystem
    named = ConsentIssuer(subsystem=issuer, kinds=frozenset({"consent"}), cache_limit=timedelta(minutes=5))
    scene.publish(replace(draft, consent_issuers={issuer: named}), keep=True)
    assert scene.doctor() == (1, {Row("consents", "fail", "")})


def test_doctor_says_that_the_rules_are_not_those_of_the_record(scene: Scene) -> None:
    grant(scene, "agreed")
    scene.sql("UPDATE access_rules SET purposes = NULL, consumer = 'UZ/GOV/200000002'")
    code, rows = scene.doctor()
    assert (code, rows) == (1, {Row("access rules", "fail", "")})
