"""What the directory says besides the members: read back the same, indexed, and refused where it does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapter.directory.consistency import index_directory
from adapter.directory.document import parse_directory, read_draft
from adapter.directory.draft import DirectoryDraft
from adapter.directory.rendering import render_directory, write_duration
from adapter.errors import DirectoryRefused
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from tests.pki import Federation
from tests.unit.directory.register import benefit, full_draft

STRANGER = MemberId.parse("UZ/GOV/200000009")


def test_everything_is_read_back_as_it_was_written(federation: Federation) -> None:
    draft = full_draft(federation)
    octets = render_directory(draft)
    read = read_draft(octets)
    assert read == draft
    assert list(read.time_stamp_authorities) == ["second", "first"]  # the order in which they are tried
    assert render_directory(read) == octets


def test_the_directory_has_an_index_for_what_a_message_names(federation: Federation) -> None:
    draft = full_draft(federation)
    directory = parse_directory(render_directory(draft))
    assert directory.by_regulation["REG-1"] == benefit(federation)
    issuing = directory.by_ca_certificate[draft.signing_authorities[1].sha256]
    assert issuing.ocsp_addresses == ("http://ocsp-1.example/", "http://ocsp-2.example/")
    assert issuing.status_window == timedelta(hours=36)
    assert directory.by_ca_certificate[draft.tls_authorities[0].sha256].status_window is None
    assert directory.signing_cas == draft.signing_cas
    assert directory.tls_cas == (federation.tls_ca.certificate,)
    with pytest.raises(TypeError):
        directory.by_regulation["REG-2"] = benefit(federation)  # type: ignore[index]


def test_who_takes_part_in_an_e_service(federation: Federation) -> None:
    entry = benefit(federation)
    assert entry.lets(federation.social.id)
    assert entry.lets(federation.cadastre.id)
    assert not entry.lets(federation.population.id)


def test_what_is_not_said_is_nothing(federation: Federation) -> None:
    directory = federation.directory()
    assert (directory.grace, directory.time_stamp_limit) == (timedelta(0), None)
    assert not directory.by_regulation
    assert all(ca.status_window is None for ca in directory.signing_authorities)


def test_a_title_is_in_english_if_there_is_one(federation: Federation) -> None:
    service = federation.directory().services[federation.population.service]
    assert replace(service, titles={"ru": "Р", "en": "E"}).title == "E"
    assert replace(service, titles={"uz": "U"}).title == "U"


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(days=3), "P3D"),
        (timedelta(days=9999), "P9999D"),
        (timedelta(days=10_000), "PT240000H"),
        (timedelta(hours=36), "PT36H"),
        (timedelta(minutes=61), "PT61M"),
        (timedelta(seconds=61), "PT61S"),
    ],
)
def test_a_duration_is_one_number_of_one_unit(length: timedelta, written: str) -> None:
    assert write_duration(length) == written


def with_regulation(draft: DirectoryDraft, **changes: Any) -> DirectoryDraft:
    entry = draft.e_services["ES-1"]
    return replace(draft, e_services={"ES-1": replace(entry, regulation=replace(entry.regulation, **changes))})


UNKNOWN_SERVICE = ServiceId(SubsystemId(STRANGER, "s"), "Get", "v1")
MISFITS: dict[str, tuple[Callable[[DirectoryDraft], DirectoryDraft], str]] = {
    "group": (
        lambda d: replace(d, groups={"g": frozenset({SubsystemId(STRANGER, "s")})}),
        "group g names UZ/GOV/200000009/s",
    ),
    "consent issuer's subsystem": (
        lambda d: replace(d, consent_issuers={SubsystemId(STRANGER, "s"): next(iter(d.consent_issuers.values()))}),
        "consent issuer UZ/GOV/200000009/s is not registered",
    ),
    "consent issuer's kind": (
        lambda d: replace(d, legal_basis_kinds={"law": d.legal_basis_kinds["law"]}),
        "names consent, no kind",
    ),
    "withheld without an end": (
        lambda d: replace(
            d,
            legal_basis_kinds={
                **d.legal_basis_kinds,
                "secrecy": replace(d.legal_basis_kinds["secrecy"], must_name=frozenset()),
            },
        ),
        "secrecy is withheld",
    ),
    "secrecy order of less than a day": (
        lambda d: replace(d, secrecy_kinds={"s": replace(d.secrecy_kinds["inquiry"], maximum=timedelta(hours=12))}),
        "kind of secrecy order inquiry does not last whole days",
    ),
    "secrecy order of a day and a half": (
        lambda d: replace(d, secrecy_kinds={"s": replace(d.secrecy_kinds["inquiry"], maximum=timedelta(hours=36))}),
        "kind of secrecy order inquiry does not last whole days",
    ),
    "own identifier type": (
        lambda d: replace(d, identifier_types={"pinfl": d.identifier_types["passport"]}),
        "pinfl is one that every adapter knows",
    ),
    "time-stamps of nobody": (lambda d: replace(d, time_stamp_authorities={}), "no time-stamp authority"),
    "one regulation for two": (
        lambda d: replace(d, e_services={**d.e_services, "ES-2": replace(d.e_services["ES-1"], code="ES-2")}),
        "REG-1 is one of e-services ES-1 and ES-2",
    ),
    "agency": (
        lambda d: replace(d, e_services={"ES-1": replace(d.e_services["ES-1"], agency=STRANGER)}),
        "ES-1 names UZ/GOV/200000009",
    ),
    "participant": (lambda d: with_regulation(d, participants=frozenset({STRANGER})), "ES-1 names UZ/GOV/200000009"),
    "document": (
        lambda d: with_regulation(d, documents={UNKNOWN_SERVICE: frozenset()}),
        "ES-1 requires UZ/GOV/200000009/s/Get/v1",
    ),
    "service's regulation not in the register": (lambda d: replace(d, e_services={}), "names regulation REG-1"),
    "service's regulation that does not list it": (
        lambda d: with_regulation(d, documents={}),
        "names regulation REG-1",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_together_is_refused_and_says_what(federation: Federation, name: str) -> None:
    change, reason = MISFITS[name]
    draft = full_draft(federation)
    index_directory(draft)
    with pytest.raises(DirectoryRefused, match=reason):
        index_directory(change(draft))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('statusWindow="PT36H"', "", "needs both"),
        ('statusWindow="PT36H"', 'statusWindow="PT36H" colour="red"', "not valid"),
        ("<OcspAddress>http://ocsp-1.example/", "<OcspAddress>ldap://ocsp-1.example/", "not valid"),
        ("<CrlAddress>http://ca.example/root.crl</CrlAddress>", "", "needs both"),
        ('grace="P3D"', 'grace="P0D"', "not valid"),
        ('grace="P3D"', 'grace="-P3D"', "not valid"),
        ('grace="P3D"', 'grace="P1Y"', "not valid"),
        ('limit="PT90M"', 'limit="PT1H30M"', "not valid"),
        ('name="first"', 'name="second"', "not valid"),
        ('pattern="[A-Z]{2}[0-9]{7}"', 'pattern="(a*)*"', "not understood"),
        ('code="passport"', 'code="Passport"', "not valid"),
        ("<Names>court</Names>", "<Names>judge</Names>", "not valid"),
        ('cacheLimit="PT90S"', "", "not valid"),
        ('workingDays="5"', 'workingDays="-1"', "not valid"),
        ('approved="2025-11-03"', 'approved="2025-02-30"', "not valid"),
        ("<Field>Person/BirthDate</Field>", "<Field>//Person</Field>", "not valid"),
        ("<Field>Person/BirthDate</Field>", "<Field>p:Person</Field>", "not valid"),
        ('<EService code="ES-1"', '<EService code="ES 1"', "not valid"),
        ("<Participant>UZ/GOV/200000002", "<Participant>UZ/GOV", "not valid"),
        ('key="w-1.example+', 'key="w-1.example-', "not valid"),
        ('threshold="2"', 'threshold="0"', "not valid"),
    ],
)
def test_a_document_with_bad_content_is_refused(federation: Federation, old: str, new: str, reason: str) -> None:
    text = render_directory(full_draft(federation)).decode()
    assert old in text
    with pytest.raises(DirectoryRefused, match=reason):
        parse_directory(text.replace(old, new, 1).encode())
