"""What the authority's officer does: a federation from nothing, and the mistakes that are caught before publication."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.directory.authoring import (
    end_suite,
    new_directory,
    publish,
    put_authorities,
    put_group,
    put_legal_basis_kind,
    put_member,
    put_purpose,
    remove_member,
)
from adapter.directory.content import LegalBasisKind
from adapter.directory.document import read_draft
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Directory, Member, Registration
from adapter.directory.proof import authenticate_directory
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId, SubsystemId
from tests.pki import (
    AGREEMENT_USAGE,
    NOW,
    SIGNING_USAGE,
    TLS_USAGE,
    Federation,
    authorities,
    issue,
    make_ca,
    registered,
    registration_of,
    rsa_key,
)

MONTH = timedelta(days=30)
TREATY = LegalBasisKind(code="treaty", titles={"en": "An international treaty"})


def empty(federation: Federation) -> DirectoryDraft:
    return new_directory(
        "UZ",
        signing_cas=(federation.root_ca.certificate, federation.issuing_ca.certificate),
        tls_cas=(federation.tls_ca.certificate,),
        now=NOW,
    )


def published(federation: Federation, draft: DirectoryDraft) -> Directory:
    publication = publish(draft, now=NOW, valid_for=MONTH)
    return authenticate_directory(federation.repository.signed(publication.xml), federation.anchor)


def test_builds_a_federation_from_nothing(mixed_federation: Federation) -> None:
    draft = empty(mixed_federation)
    for member in mixed_federation.members.values():
        draft = put_member(draft, registration_of(member), now=NOW)
    draft = put_group(draft, "bloc", [mixed_federation.social.subsystem])
    draft = put_purpose(draft, "census", {"en": "Taking a census"})
    draft = put_legal_basis_kind(draft, TREATY)
    draft = end_suite(draft, "rsa", NOW + MONTH)
    directory = published(mixed_federation, draft)
    assert (directory.version, directory.issued, directory.expires) == (1, NOW, NOW + MONTH)
    assert set(directory.members) == {member.id for member in mixed_federation.members.values()}
    assert directory.groups == {"bloc": {mixed_federation.social.subsystem}}
    assert directory.purposes["census"] == {"en": "Taking a census"}
    assert directory.legal_basis_kinds["treaty"] == TREATY
    assert directory.suite_ends == {"rsa": NOW + MONTH}


def test_every_publication_counts_up(federation: Federation) -> None:
    first = publish(federation.draft(version=6), now=NOW, valid_for=MONTH)
    second = publish(read_draft(first.xml), now=NOW + timedelta(days=1), valid_for=MONTH)
    assert (first.version, second.version) == (7, 8)
    assert read_draft(second.xml).issued == NOW + timedelta(days=1)


def test_a_member_is_replaced_whole(federation: Federation) -> None:
    population = registration_of(federation.population)
    changed = Registration(member=replace(population.member, subsystems=frozenset({"archive"})))
    draft = put_group(federation.draft(), "readers", [federation.population.subsystem, federation.social.subsystem])
    directory = published(federation, put_member(draft, changed, now=NOW))
    assert directory.member(federation.population.id).subsystems == {"archive"}
    assert not [one for one in directory.services if one.subsystem.member == federation.population.id]
    assert directory.groups["readers"] == {federation.social.subsystem}
    assert set(directory.members) == set(federation.directory().members)


def test_a_replaced_member_keeps_its_places_in_groups(federation: Federation) -> None:
    draft = put_member(federation.draft(), registration_of(federation.social), now=NOW)
    assert published(federation, draft).groups["social-bloc"] == {federation.social.subsystem}


def test_a_removed_member_is_gone_everywhere(federation: Federation) -> None:
    draft = put_group(federation.draft(), "readers", [federation.population.subsystem, federation.social.subsystem])
    directory = published(federation, remove_member(draft, federation.population.id))
    assert federation.population.id not in directory.members
    assert federation.population.service not in directory.services
    assert federation.population.tls_sha256 not in directory.by_tls_certificate
    assert directory.groups["readers"] == {federation.social.subsystem}


def test_the_cas_can_be_replaced(federation: Federation) -> None:
    following = make_ca("Next CA")
    cas = (*federation.draft().signing_cas, following.certificate)
    changed = put_authorities(federation.draft(), signing=authorities(*cas))
    assert published(federation, changed).signing_cas == cas
    tls_only = put_authorities(federation.draft(), tls=authorities(following.certificate))
    assert (tls_only.tls_cas, tls_only.signing_cas) == ((following.certificate,), federation.draft().signing_cas)


def test_refuses_to_remove_or_group_who_is_not_there(federation: Federation) -> None:
    stranger = MemberId.parse("UZ/GOV/200000009")
    with pytest.raises(CommandRefused):
        remove_member(federation.draft(), stranger)
    for unknown in (SubsystemId(stranger, "benefits"), SubsystemId(federation.social.id, "other")):
        with pytest.raises(CommandRefused):
            put_group(federation.draft(), "bloc", [unknown])


@pytest.mark.parametrize(
    "change",
    [
        lambda draft: replace(draft, purposes={"spaces in code": {"en": "x"}}),
        lambda draft: replace(draft, purposes={"empty": {"en": ""}}),
        lambda draft: replace(draft, signing_authorities=()),
        lambda draft: replace(draft, instance="KZ"),
    ],
)
def test_does_not_publish_what_adapters_would_refuse(federation: Federation, change) -> None:
    with pytest.raises(CommandRefused, match="would refuse"):
        publish(change(federation.draft()), now=NOW, valid_for=MONTH)


def test_does_not_publish_what_is_expired_at_once(federation: Federation) -> None:
    with pytest.raises(CommandRefused):
        publish(federation.draft(), now=NOW, valid_for=timedelta(0))


# --- registrations ---------------------------------------------------------------------------------------------------


def certificate(federation: Federation, usage: tuple[str, ...], *, key=None, issuer=None, **more) -> x509.Certificate:
    key = key or ec.generate_private_key(ec.SECP256R1())
    ca = issuer or federation.issuing_ca
    return issue(ca, public_key=key.public_key(), subject="x", usage=usage, **more)


def signing(member: Member, one: x509.Certificate, suite: str = "p256") -> Member:
    return replace(member, signing=(registered(one, suite),))


def agreement(member: Member, one: x509.Certificate, suite: str = "p256") -> Member:
    return replace(member, agreement=(registered(one, suite),))


def tls(member: Member, one: x509.Certificate) -> Member:
    return replace(member, adapter=replace(member.adapter, tls_certificates=(registered(one, "tls"),)))


BAD_MEMBERS = {
    "of another instance": lambda f, m: replace(m, id=MemberId.parse("KZ/GOV/200000003")),
    "signing certificate expired": lambda f, m: signing(
        m, certificate(f, SIGNING_USAGE, valid_until=NOW - timedelta(seconds=1))
    ),
    "signing certificate of a stranger": lambda f, m: signing(
        m, certificate(f, SIGNING_USAGE, issuer=make_ca("Other"))
    ),
    "signing certificate of the TLS CA": lambda f, m: signing(m, certificate(f, SIGNING_USAGE, issuer=f.tls_ca)),
    "signing certificate for agreement": lambda f, m: signing(m, certificate(f, AGREEMENT_USAGE["p256"])),
    "signing key of another suite": lambda f, m: signing(m, certificate(f, SIGNING_USAGE, key=rsa_key("x"))),
    "signing suite unknown": lambda f, m: signing(m, certificate(f, SIGNING_USAGE), "p999"),
    "agreement certificate for signing": lambda f, m: agreement(m, certificate(f, SIGNING_USAGE)),
    "agreement key of another suite": lambda f, m: agreement(
        m, certificate(f, AGREEMENT_USAGE["p256"], key=rsa_key("x"))
    ),
    "TLS certificate of the signing CA": lambda f, m: tls(m, certificate(f, TLS_USAGE)),
    "no certificate of its suite": lambda f, m: replace(m, suite="ed25519"),
    "no agreement certificate of its suite": lambda f, m: replace(
        agreement(m, certificate(f, AGREEMENT_USAGE["rsa"], key=rsa_key("x")), "rsa")
    ),
    "one key to sign and to agree": lambda f, m: agreement(
        m, certificate(f, AGREEMENT_USAGE["p256"], key=f.social.signing_key)
    ),
    "one key to sign and for TLS": lambda f, m: tls(
        m, certificate(f, TLS_USAGE, key=f.social.signing_key, issuer=f.tls_ca)
    ),
    "a key of another member": lambda f, m: signing(m, certificate(f, SIGNING_USAGE, key=f.cadastre.signing_key)),
    "record key unreadable": lambda f, m: replace(m, record_vkey="name+00000000+AAAA"),
}


@pytest.mark.parametrize("case", BAD_MEMBERS)
def test_refuses_a_registration(federation: Federation, case: str) -> None:
    registration = registration_of(federation.social)
    member = BAD_MEMBERS[case](federation, registration.member)
    with pytest.raises(CommandRefused):
        put_member(federation.draft(), replace(registration, member=member), now=NOW)


def test_refuses_services_of_somebody_else(federation: Federation) -> None:
    foreign = replace(registration_of(federation.social), services=registration_of(federation.population).services)
    with pytest.raises(CommandRefused, match="not a service"):
        put_member(federation.draft(), foreign, now=NOW)


def test_refuses_a_service_that_is_listed_twice(federation: Federation) -> None:
    registration = registration_of(federation.population)
    with pytest.raises(CommandRefused, match="twice"):
        put_member(federation.draft(), replace(registration, services=registration.services * 2), now=NOW)


def test_accepts_a_renewed_certificate_beside_the_current_one(federation: Federation) -> None:
    registration = registration_of(federation.social)
    renewed = certificate(federation, SIGNING_USAGE)
    both = replace(registration.member, signing=(*registration.member.signing, registered(renewed, "p256")))
    draft = put_member(federation.draft(), replace(registration, member=both), now=NOW)
    assert len(published(federation, draft).member(federation.social.id).signing) == 2


def test_accepts_the_same_key_certified_again(federation: Federation) -> None:
    registration = registration_of(federation.social)
    again = certificate(federation, SIGNING_USAGE, key=federation.social.signing_key)
    both = replace(registration.member, signing=(*registration.member.signing, registered(again, "p256")))
    assert put_member(federation.draft(), replace(registration, member=both), now=NOW).members
