"""directory.xml: what is written is read back the same; what is not valid or contradicts itself is refused."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.directory.document import DIRECTORY_LIMITS, parse_directory, read_draft, read_registration
from adapter.directory.model import RegisteredCertificate
from adapter.directory.rendering import render_directory, render_registration
from adapter.errors import DirectoryRefused, SecurityFailed, UnknownMember, UnknownService
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from tests.pki import NOW, Federation, registration_of
from tests.unit.crypto.test_certificates import leaf


def test_reads_back_what_it_writes(mixed_federation: Federation) -> None:
    draft = replace(mixed_federation.draft(version=7), suite_ends={"rsa": NOW + timedelta(days=400)})
    assert read_draft(render_directory(draft)) == draft


def test_equal_drafts_give_equal_octets_whatever_their_order(federation: Federation) -> None:
    draft = federation.draft()
    turned = replace(
        draft,
        members=dict(reversed(list(draft.members.items()))),
        services=dict(reversed(list(draft.services.items()))),
        purposes=dict(reversed(list(draft.purposes.items()))),
    )
    assert render_directory(draft) == render_directory(turned)


def test_looks_up_members_services_and_tls_certificates(federation: Federation) -> None:
    directory = federation.directory()
    population = federation.population
    assert directory.member(population.id).names["uz-Cyrl"] == "Аҳоли реестри (ўйлаб топилган)"
    assert directory.member(population.id).record_vkey == population.record_signer.vkey
    assert directory.service(population.service).personal_data is True
    assert directory.by_tls_certificate[population.tls_sha256] == population.id
    assert directory.groups["social-bloc"] == {federation.social.subsystem}
    assert directory.check_subsystem(population.subsystem).id == population.id
    with pytest.raises(UnknownMember):
        directory.member(MemberId.parse("UZ/GOV/200000009"))
    with pytest.raises(UnknownMember):
        directory.check_subsystem(SubsystemId(population.id, "other"))
    with pytest.raises(UnknownService):
        directory.service(ServiceId(population.subsystem, "GetPerson", "v2"))


def test_the_mappings_of_a_directory_cannot_be_changed(federation: Federation) -> None:
    directory = federation.directory()
    with pytest.raises(TypeError):
        directory.members[federation.social.id] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        directory.by_tls_certificate[b""] = None  # type: ignore[index]


def test_a_registration_reads_back(mixed_federation: Federation) -> None:
    for member in mixed_federation.members.values():
        registration = registration_of(member)
        assert read_registration(render_registration(registration)) == registration


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version="1"', 'version="0"'),
        ('version="1"', 'version="1" colour="red"'),
        ('version="1"', ""),
        ('issued="2026-03-02T09:00:00Z"', 'issued="2026-03-02T09:00:00+05:00"'),
        ('issued="2026-03-02T09:00:00Z"', 'issued="2026-03-02T24:00:00Z"'),
        ('issued="2026-03-02T09:00:00Z"', 'issued="2027-03-02T09:00:00Z"'),
        ('id="UZ/GOV/200000001"', 'id="UZ/GOV"'),
        ('id="UZ/GOV/200000001"', 'id="KZ/GOV/200000001"'),
        ('id="UZ/GOV/200000001"', 'id="UZ/GOV/200000002"'),
        ('stir="200000001"', 'stir="20000000"'),
        ('suite="p256"', 'suite="P256"'),
        ("https://localhost:18441/peer", "http://localhost:18441/peer"),
        ("https://localhost:18441/peer", "https://user@localhost/peer"),
        ("UZ/GOV/200000003/benefits", "UZ/GOV/200000003/unknown"),
        ('language="ru"', 'language="fr"'),
        ('language="ru"', 'language="en"'),
        ('personalData="true"', 'personalData="maybe"'),
        ("<Purposes>", "<!-- note --><Purposes>"),
        ("<Purposes>", "<?php ?><Purposes>"),
        ("<Purposes>", "<Purposes><Purpose code='benefit'>twice</Purpose>"),
        ("<Purposes>", "<Unknown/><Purposes>"),
        ("</Directory>", "<Extension name='GracePeriod' critical='true'/></Directory>"),
        ("</Directory>", "<Extension name='GracePeriod' critical='1'/></Directory>"),
        ('<Subsystem code="population">', '<Subsystem code="population"/><Subsystem code="population">'),
        ("<Directory ", "<!DOCTYPE Directory><Directory "),
        ("<Directory ", "<Directories "),
    ],
)
def test_refuses_what_is_not_valid_or_contradicts_itself(federation: Federation, old: str, new: str) -> None:
    text = render_directory(federation.draft()).decode()
    assert old in text
    with pytest.raises(DirectoryRefused):
        parse_directory(text.replace(old, new, 1).encode())


def test_refuses_another_root(federation: Federation) -> None:
    registration = render_registration(registration_of(federation.social))
    with pytest.raises(DirectoryRefused):
        parse_directory(registration)
    with pytest.raises(DirectoryRefused):
        read_registration(render_directory(federation.draft()))


def test_ignores_an_extension_that_is_not_critical(federation: Federation) -> None:
    text = render_directory(federation.draft()).decode()
    extension = (
        "<Extension name='GracePeriod' critical='false'><g:Days xmlns:g='urn:x'>3</g:Days></Extension></Directory>"
    )
    assert parse_directory(text.replace("</Directory>", extension).encode()).members


VERSION_3, VERSION_2 = bytes.fromhex("a003020102"), bytes.fromhex("a003020101")
MEMBER, MEMBER_IN_BITS = b"\x0c\x06Member", b"\x03\x06\x00ember"


@pytest.mark.parametrize(("was", "becomes"), [(b"\x30\x82", b"\x30\x30"), (VERSION_3, VERSION_2)])
def test_refuses_a_certificate_that_cannot_be_read(federation: Federation, was: bytes, becomes: bytes) -> None:
    text = render_directory(federation.draft()).decode()
    der = leaf(federation.root_ca).public_bytes(Encoding.DER)
    assert was in der
    broken = base64.b64encode(der.replace(was, becomes, 1)).decode()
    start = text.index('<SigningCertificate suite="p256">') + len('<SigningCertificate suite="p256">')
    end = text.index("</SigningCertificate>")
    with pytest.raises(DirectoryRefused, match="cannot be read"):
        parse_directory((text[:start] + broken + text[end:]).encode())


def test_a_certificate_with_names_that_cannot_be_read_is_refused_when_it_is_used(federation: Federation) -> None:
    der = leaf(federation.root_ca).public_bytes(Encoding.DER)
    broken = RegisteredCertificate.of_der(der.replace(MEMBER, MEMBER_IN_BITS, 1), "p256")
    draft = federation.draft()
    social = replace(draft.members[federation.social.id], signing=(broken,))
    directory = federation.directory(replace(draft, members={**draft.members, social.id: social}))
    good = directory.member(federation.population.id).signing[0].certificate
    assert good == federation.population.signing_certificate
    with pytest.raises(SecurityFailed, match="cannot be read"):
        _ = directory.member(social.id).signing[0].certificate


def test_a_registered_certificate_is_known_by_the_digest_of_its_octets(federation: Federation) -> None:
    certificate = leaf(federation.root_ca)
    registered = RegisteredCertificate.of(certificate, "p256")
    assert registered.sha256 == certificate.fingerprint(hashes.SHA256())
    assert registered.certificate == certificate


@pytest.mark.parametrize("use", ["tls", "signing", "agreement"])
def test_refuses_a_certificate_that_is_registered_twice(federation: Federation, use: str) -> None:
    draft = federation.draft()
    mine, others = draft.members[federation.social.id], draft.members[federation.cadastre.id]
    adapter = replace(mine.adapter, tls_certificates=others.adapter.tls_certificates)
    borrowed = {
        "tls": replace(mine, adapter=adapter),
        "signing": replace(mine, signing=others.signing),
        "agreement": replace(mine, agreement=mine.signing),  # one key for two uses
    }[use]
    with pytest.raises(DirectoryRefused, match="registered for"):
        federation.directory(replace(draft, members={**draft.members, mine.id: borrowed}))


def test_refuses_a_document_that_is_too_large() -> None:
    with pytest.raises(DirectoryRefused, match="too large"):
        parse_directory(b"<a>" + b" " * DIRECTORY_LIMITS.max_bytes + b"</a>")


def test_certificates_come_out_as_they_went_in(federation: Federation) -> None:
    read = federation.directory().member(federation.social.id).signing[0].certificate
    assert read.public_bytes(Encoding.DER) == federation.social.signing_certificate.public_bytes(Encoding.DER)
