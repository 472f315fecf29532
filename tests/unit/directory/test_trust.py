"""The checklist of trust: rejecting cases for every step; for the chain in the manner of NIST's PKITS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Directory, RegisteredCertificate
from adapter.directory.trust import ChainCache, establish_trust, identify_signer
from adapter.errors import DirectoryExpired, PeerMismatch, SecurityFailed, UnknownMember
from adapter.identifiers import MemberId, MessageId, OfficialId, SubsystemId
from adapter.stages import ExchangeHeader, MessageKind, Peer, ReceivedMessage, TrustedMessage, VerifiedMessage
from tests.pki import NOW, SIGNING_USAGE, Authority, Federation, FederationMember, issue, make_ca, registered

YEAR = timedelta(days=365)


def verified_from(
    federation: Federation,
    member: FederationMember | None = None,
    *,
    kind: MessageKind = MessageKind.REQUEST,
    signer: x509.Certificate | None = None,
    suite: str | None = None,
    claimed_consumer: SubsystemId | None = None,
) -> VerifiedMessage:
    """A message whose signature is good. By default: the request of social protection to the population register."""
    member = member or federation.social
    header = ExchangeHeader(
        message_id=MessageId("urn:uuid:00000000-0000-4000-8000-000000000001"),
        claimed_consumer=claimed_consumer or federation.social.subsystem,
        service=federation.population.service,
        operation="GetPerson",
        official=OfficialId("clerk-17"),
        sent=NOW,
        reply_by=NOW + timedelta(seconds=30),
    )
    return VerifiedMessage(
        received=ReceivedMessage(octets=b"", received_at=NOW, peer=peer_of(member)),
        kind=kind,
        header=header,
        personal_data=None,
        created=NOW,
        expires=NOW + timedelta(minutes=5),
        signer=signer or member.signing_certificate,
        suite=suite or member.suite,
        signature_value=b"",
        signed_digest=b"",
        confirmation=None,
        payload=etree.Element("payload"),
        content_key=b"",
    )


def peer_of(member: FederationMember) -> Peer:
    return Peer(certificate_sha256=member.tls_sha256, address="127.0.0.1")


def trust(
    verified: VerifiedMessage, directory: Directory, *, peer: Peer | None = None, now: datetime = NOW
) -> TrustedMessage:
    return establish_trust(
        verified, directory=directory, peer=peer or verified.received.peer, now=now, chains=ChainCache()
    )


def with_signing(
    federation: Federation, *certificates: RegisteredCertificate, draft: DirectoryDraft | None = None
) -> Directory:
    """The directory with these signing certificates of social protection."""
    draft = draft or federation.draft()
    member = replace(draft.members[federation.social.id], signing=certificates)
    return federation.directory(replace(draft, members={**draft.members, member.id: member}))


# --- what is trusted -------------------------------------------------------------------------------------------------


def test_trusts_a_request_of_its_consumer_and_a_reply_of_its_provider(mixed_federation: Federation) -> None:
    directory = mixed_federation.directory(mixed_federation.draft(version=9))
    request = trust(verified_from(mixed_federation), directory)
    assert (request.sender, request.directory_version) == (mixed_federation.social.id, 9)
    reply = trust(verified_from(mixed_federation, mixed_federation.population, kind=MessageKind.REPLY), directory)
    assert reply.sender == mixed_federation.population.id


def test_trusts_both_certificates_while_one_is_being_renewed(federation: Federation) -> None:
    renewed, key = new_certificate(federation)
    del key
    current = federation.social.signing_certificate
    directory = with_signing(federation, registered(current, "p256"), registered(renewed, "p256"))
    for signer in (current, renewed):
        assert trust(verified_from(federation, signer=signer), directory).sender == federation.social.id


# --- 1. the directory ------------------------------------------------------------------------------------------------


def test_1_refuses_everybody_past_the_directorys_expiry(federation: Federation) -> None:
    directory = federation.directory(federation.draft(valid_for=timedelta(days=1)))
    assert trust(verified_from(federation), directory, now=NOW + timedelta(hours=23)).sender == federation.social.id
    with pytest.raises(DirectoryExpired):
        trust(verified_from(federation), directory, now=NOW + timedelta(days=1))


# --- 2. the member ---------------------------------------------------------------------------------------------------


def test_2_refuses_a_member_that_is_not_in_the_directory(federation: Federation) -> None:
    stranger = SubsystemId(MemberId.parse("UZ/GOV/200000009"), "benefits")
    with pytest.raises(UnknownMember):
        trust(verified_from(federation, claimed_consumer=stranger), federation.directory())


def test_2_refuses_a_member_that_was_removed_although_its_chain_was_known(federation: Federation) -> None:
    draft, chains, message = federation.draft(), ChainCache(), verified_from(federation)
    peer = message.received.peer
    establish_trust(message, directory=federation.directory(draft), peer=peer, now=NOW, chains=chains)
    others = {key: member for key, member in draft.members.items() if key != federation.social.id}
    after = federation.directory(replace(draft, version=2, members=others, groups={}))
    with pytest.raises(UnknownMember):
        establish_trust(message, directory=after, peer=peer, now=NOW, chains=chains)


# --- 3. the registered certificate -----------------------------------------------------------------------------------


def test_3_refuses_a_certificate_of_another_member(federation: Federation) -> None:
    message = verified_from(federation, signer=federation.cadastre.signing_certificate)
    with pytest.raises(SecurityFailed, match="not registered"):
        trust(message, federation.directory())


def test_3_refuses_the_providers_certificate_on_a_request_and_the_consumers_on_a_reply(federation: Federation) -> None:
    directory = federation.directory()
    for member, kind in ((federation.population, MessageKind.REQUEST), (federation.social, MessageKind.REPLY)):
        with pytest.raises(SecurityFailed, match="not registered"):
            trust(verified_from(federation, member, kind=kind), directory)


def test_3_refuses_the_same_subject_with_another_key(federation: Federation) -> None:
    twin, _ = new_certificate(federation, subject=federation.social.signing_certificate.subject)
    with pytest.raises(SecurityFailed, match="not registered"):
        trust(verified_from(federation, signer=twin), federation.directory())


def test_3_refuses_another_certificate_for_the_same_key(federation: Federation) -> None:
    again = issue(
        federation.issuing_ca,
        public_key=federation.social.signing_key.public_key(),
        subject=federation.social.signing_certificate.subject,
        usage=SIGNING_USAGE,
    )
    with pytest.raises(SecurityFailed, match="not registered"):
        trust(verified_from(federation, signer=again), federation.directory())


@pytest.mark.parametrize("use", ["agreement_certificate", "tls_certificate"])
def test_3_refuses_the_members_own_certificate_of_another_use(federation: Federation, use: str) -> None:
    message = verified_from(federation, signer=getattr(federation.social, use))
    with pytest.raises(SecurityFailed, match="not registered"):
        trust(message, federation.directory())


# --- 4 and 5. the suite ----------------------------------------------------------------------------------------------


def test_4_refuses_a_message_in_another_suite_than_its_certificate(federation: Federation) -> None:
    with pytest.raises(SecurityFailed, match="with a certificate of suite"):
        trust(verified_from(federation, suite="rsa"), federation.directory())


def test_4_refuses_a_message_in_another_suite_than_its_member(federation: Federation) -> None:
    draft = federation.draft()
    member = replace(draft.members[federation.social.id], suite="ed25519")
    directory = federation.directory(replace(draft, members={**draft.members, member.id: member}))
    with pytest.raises(SecurityFailed, match="uses ed25519"):
        trust(verified_from(federation), directory)


def test_5_refuses_a_suite_from_its_end_date_on(federation: Federation) -> None:
    end = NOW + timedelta(days=3)
    directory = federation.directory(replace(federation.draft(), suite_ends={"p256": end, "rsa": NOW - YEAR}))
    assert trust(verified_from(federation), directory, now=end - timedelta(seconds=1)).sender == federation.social.id
    with pytest.raises(SecurityFailed, match="ended"):
        trust(verified_from(federation), directory, now=end)


# --- 6. the certificate and its chain --------------------------------------------------------------------------------


def new_certificate(
    federation: Federation, *, issuer: Authority | None = None, **wrong: object
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A fresh signing certificate of social protection, right but for what `wrong` says."""
    key = ec.generate_private_key(ec.SECP256R1())
    arguments = {"subject": "another", "usage": SIGNING_USAGE, "public_key": key.public_key(), **wrong}
    return issue(issuer or federation.issuing_ca, **arguments), key  # type: ignore[arg-type]


def unknown_issuer(federation: Federation) -> x509.Certificate:
    stranger = make_ca("Stranger CA")
    return new_certificate(federation, issuer=stranger)[0]


def issuer_with_the_right_name_and_another_key(federation: Federation) -> x509.Certificate:
    name = federation.issuing_ca.name
    forged = Authority(key=ec.generate_private_key(ec.SECP256R1()), name=name, own_certificate=None)
    return new_certificate(federation, issuer=forged)[0]


def issued_by_a_member(federation: Federation) -> x509.Certificate:
    member = federation.cadastre
    authority = Authority(
        key=member.signing_key, name=member.signing_certificate.subject, own_certificate=member.signing_certificate
    )
    return new_certificate(federation, issuer=authority)[0]


def self_signed(federation: Federation) -> x509.Certificate:
    return make_ca("UZ/GOV/200000003 signing").certificate


BAD_LEAVES: dict[str, Callable[[Federation], x509.Certificate]] = {
    "expired": lambda f: new_certificate(f, valid_from=NOW - YEAR, valid_until=NOW - timedelta(seconds=1))[0],
    "not yet valid": lambda f: new_certificate(f, valid_from=NOW + timedelta(seconds=1))[0],
    "a CA": lambda f: new_certificate(f, is_ca=True)[0],
    "a CA that may sign messages": lambda f: new_certificate(
        f, is_ca=True, usage=("digital_signature", "key_cert_sign")
    )[0],
    "without digitalSignature": lambda f: new_certificate(f, usage=("content_commitment",))[0],
    "without keyUsage": lambda f: new_certificate(f, usage=None)[0],
    "for key agreement too": lambda f: new_certificate(f, usage=("digital_signature", "key_agreement"))[0],
    "for signing certificates": lambda f: new_certificate(f, usage=("key_cert_sign",))[0],
    "unknown critical extension": lambda f: new_certificate(
        f, extra=((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), True),)
    )[0],
    "of a TLS CA": lambda f: new_certificate(f, issuer=f.tls_ca)[0],
    "unknown issuer": unknown_issuer,
    "issuer with the right name and another key": issuer_with_the_right_name_and_another_key,
    "issued by a member": issued_by_a_member,
    "self-signed": self_signed,
}


@pytest.mark.parametrize("case", BAD_LEAVES)
def test_6_refuses_a_certificate_although_it_is_registered(federation: Federation, case: str) -> None:
    leaf = BAD_LEAVES[case](federation)
    directory = with_signing(federation, registered(leaf, "p256"))
    with pytest.raises(SecurityFailed) as refused:
        trust(verified_from(federation, signer=leaf), directory)
    assert refused.value.text == SecurityFailed.text


def chain_of(length: int, *, path_length: int | None = None) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """A leaf below `length` CAs, and the CAs."""
    authority = make_ca("CA 0", path_length=path_length)
    authorities = [authority]
    for at in range(1, length):
        authority = make_ca(f"CA {at}", issuer=authority)
        authorities.append(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = issue(authority, public_key=key.public_key(), subject="leaf", usage=SIGNING_USAGE)
    return leaf, tuple(one.certificate for one in authorities)


def behind_chain(federation: Federation, length: int, path_length: int | None) -> tuple[VerifiedMessage, Directory]:
    leaf, authorities = chain_of(length, path_length=path_length)
    draft = replace(federation.draft(), signing_cas=(*federation.draft().signing_cas, *authorities))
    return verified_from(federation, signer=leaf), with_signing(federation, registered(leaf, "p256"), draft=draft)


@pytest.mark.parametrize(("length", "path_length"), [(1, None), (1, 0), (2, None), (2, 1), (3, None), (3, 2)])
def test_6_trusts_a_short_chain(federation: Federation, length: int, path_length: int | None) -> None:
    assert trust(*behind_chain(federation, length, path_length)).sender == federation.social.id


@pytest.mark.parametrize(("length", "path_length"), [(2, 0), (3, 1), (4, None), (9, None)])
def test_6_refuses_a_chain_that_is_too_long(federation: Federation, length: int, path_length: int | None) -> None:
    with pytest.raises(SecurityFailed):
        trust(*behind_chain(federation, length, path_length))


def test_6_a_chain_needs_its_root_in_the_directory(federation: Federation) -> None:
    without_root = replace(federation.draft(), signing_cas=(federation.issuing_ca.certificate,))
    with pytest.raises(SecurityFailed):
        trust(verified_from(federation), federation.directory(without_root))


def test_6_refuses_a_chain_through_an_expired_ca(federation: Federation) -> None:
    old = make_ca("Old CA", issuer=federation.root_ca, path_length=0, valid_until=NOW + timedelta(days=1))
    leaf, _ = new_certificate(federation, issuer=old)
    draft = replace(federation.draft(), signing_cas=(federation.root_ca.certificate, old.certificate))
    directory = with_signing(federation, registered(leaf, "p256"), draft=draft)
    message = verified_from(federation, signer=leaf)
    assert trust(message, directory).sender == federation.social.id
    with pytest.raises(SecurityFailed):
        trust(message, directory, now=NOW + timedelta(days=2))


def test_6_many_cas_of_one_name_end_soon(federation: Federation) -> None:
    """DESIGN, traps: a path search over certificates of one subject must be bounded."""
    many = [
        make_ca("One name", issuer=Authority(key=federation.root_ca.key, name=name_of("One name"))) for _ in range(40)
    ]
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = issue(
        Authority(key=key, name=name_of("One name")), public_key=key.public_key(), subject="leaf", usage=SIGNING_USAGE
    )
    draft = replace(federation.draft(), signing_cas=tuple(one.certificate for one in many))
    directory = with_signing(federation, registered(leaf, "p256"), draft=draft)
    with pytest.raises(SecurityFailed):
        trust(verified_from(federation, signer=leaf), directory)


def name_of(common_name: str) -> x509.Name:
    return make_ca(common_name).name


# --- the cache of chains ---------------------------------------------------------------------------------------------


def short_lived(federation: Federation) -> tuple[x509.Certificate, Directory]:
    leaf, _ = new_certificate(federation, valid_from=NOW - timedelta(hours=1), valid_until=NOW + timedelta(hours=1))
    return leaf, with_signing(federation, registered(leaf, "p256"))


def test_a_remembered_chain_is_not_searched_again(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> None:
    chains, directory, message = ChainCache(), federation.directory(), verified_from(federation)
    establish_trust(message, directory=directory, peer=message.received.peer, now=NOW, chains=chains)
    monkeypatch.setattr("adapter.directory.trust.check_chain", lambda *_, **__: pytest.fail("searched again"))
    establish_trust(message, directory=directory, peer=message.received.peer, now=NOW, chains=chains)


@pytest.mark.parametrize("hours", [2, -2])
def test_the_time_is_checked_on_every_message_although_the_chain_is_remembered(
    federation: Federation, hours: int
) -> None:
    leaf, directory = short_lived(federation)
    chains, message = ChainCache(), verified_from(federation, signer=leaf)
    identify_signer(message, directory=directory, at=NOW, chains=chains)
    assert len(chains) == 1
    with pytest.raises(SecurityFailed):
        identify_signer(message, directory=directory, at=NOW + timedelta(hours=hours), chains=chains)


def test_the_window_of_a_chain_ends_with_its_ca(federation: Federation) -> None:
    old = make_ca("Old CA", issuer=federation.root_ca, path_length=0, valid_until=NOW + timedelta(days=1))
    leaf, _ = new_certificate(federation, issuer=old)
    draft = replace(federation.draft(), signing_cas=(federation.root_ca.certificate, old.certificate))
    directory = with_signing(federation, registered(leaf, "p256"), draft=draft)
    chains, message = ChainCache(), verified_from(federation, signer=leaf)
    identify_signer(message, directory=directory, at=NOW, chains=chains)
    with pytest.raises(SecurityFailed):
        identify_signer(message, directory=directory, at=NOW + timedelta(days=2), chains=chains)


def test_a_new_directory_forgets_the_chains_of_a_removed_ca(federation: Federation) -> None:
    draft, chains, message = federation.draft(), ChainCache(), verified_from(federation)
    identify_signer(message, directory=federation.directory(draft), at=NOW, chains=chains)
    other_ca = replace(draft, version=2, signing_cas=(make_ca("Next CA").certificate,))
    with pytest.raises(SecurityFailed):
        identify_signer(message, directory=federation.directory(other_ca), at=NOW, chains=chains)


def test_a_bad_chain_is_not_remembered(federation: Federation) -> None:
    leaf = BAD_LEAVES["unknown issuer"](federation)
    chains, directory = ChainCache(), with_signing(federation, registered(leaf, "p256"))
    with pytest.raises(SecurityFailed):
        identify_signer(verified_from(federation, signer=leaf), directory=directory, at=NOW, chains=chains)
    assert len(chains) == 0


def test_the_cache_is_bounded(federation: Federation) -> None:
    chains = ChainCache(max_chains=3)
    for version in range(1, 9):
        directory = federation.directory(federation.draft(version=version))
        identify_signer(verified_from(federation), directory=directory, at=NOW, chains=chains)
        assert len(chains) == min(version, 3)


# --- 7. the connection -----------------------------------------------------------------------------------------------


def test_7_refuses_the_connection_of_another_members_adapter(federation: Federation) -> None:
    with pytest.raises(PeerMismatch, match="UZ/GOV/200000002"):
        trust(verified_from(federation), federation.directory(), peer=peer_of(federation.cadastre))


def test_7_refuses_a_connection_without_a_tls_certificate(federation: Federation) -> None:
    with pytest.raises(PeerMismatch, match="no TLS certificate"):
        trust(
            verified_from(federation), federation.directory(), peer=Peer(certificate_sha256=None, address="127.0.0.1")
        )


def test_7_refuses_a_tls_certificate_that_is_not_registered(federation: Federation) -> None:
    with pytest.raises(PeerMismatch, match="not registered"):
        trust(verified_from(federation), federation.directory(), peer=Peer(certificate_sha256=bytes(32), address="::1"))


def test_7_refuses_the_members_signing_certificate_as_tls_certificate(federation: Federation) -> None:
    shown = registered(federation.social.signing_certificate, "p256").sha256
    with pytest.raises(PeerMismatch):
        trust(verified_from(federation), federation.directory(), peer=Peer(certificate_sha256=shown, address="::1"))


def test_a_bad_signer_is_not_told_about_the_connection(federation: Federation) -> None:
    """The signer is judged first: a stranger's message gets the one public text whatever connection it came over."""
    message = verified_from(federation, signer=federation.cadastre.signing_certificate)
    with pytest.raises(SecurityFailed):
        trust(message, federation.directory(), peer=peer_of(federation.cadastre))
