"""The checklist of trust: rejecting cases for every step; for the chain in the manner of NIST's PKITS."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509

from adapter.crypto.suites import SUITES
from adapter.directory.model import Directory, RegisteredCertificate
from adapter.directory.trust import ChainCache, choose_recipient, establish_trust
from adapter.errors import DirectoryExpired, PeerMismatch, SecurityFailed, UnknownMember
from adapter.identifiers import MemberId, SubsystemId
from adapter.stages import MessageKind, Peer
from tests.pki import (
    AGREEMENT_USAGE,
    NOW,
    SIGNING_USAGE,
    Federation,
    FederationMember,
    issue,
    make_ca,
    registered,
)
from tests.unit.directory.messages import new_certificate, peer_of, trust, verified_from, with_signing

YEAR = timedelta(days=365)


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


def test_5_refuses_a_suite_from_the_end_date_in_our_own_table_on(federation: Federation) -> None:
    directory = federation.directory(federation.draft(valid_for=20 * YEAR))
    end = SUITES["p256"].ends
    assert trust(verified_from(federation), directory, now=end - timedelta(seconds=1)).sender == federation.social.id
    with pytest.raises(SecurityFailed, match="ended"):
        trust(verified_from(federation), directory, now=end)


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


# --- whom to encrypt to ----------------------------------------------------------------------------------------------


def recipient(directory: Directory, member: FederationMember, *, now: datetime = NOW) -> x509.Certificate:
    known = directory.member(member.id)
    return choose_recipient(known, directory=directory, now=now, chains=ChainCache()).certificate


def with_agreement(federation: Federation, *certificates: RegisteredCertificate) -> Directory:
    draft = federation.draft()
    member = replace(draft.members[federation.population.id], agreement=certificates)
    return federation.directory(replace(draft, members={**draft.members, member.id: member}))


def test_encrypts_to_the_agreement_certificate(mixed_federation: Federation) -> None:
    directory = mixed_federation.directory()
    for member in mixed_federation.members.values():
        assert recipient(directory, member) == member.agreement_certificate


def test_encrypts_to_the_first_certificate_that_is_valid_and_of_the_members_suite(federation: Federation) -> None:
    usage = AGREEMENT_USAGE["p256"]
    old, _ = new_certificate(federation, usage=usage, valid_until=NOW - timedelta(hours=1))
    other_suite, _ = new_certificate(federation, usage=usage)
    good = federation.population.agreement_certificate
    directory = with_agreement(
        federation, registered(old, "p256"), registered(other_suite, "ed25519"), registered(good, "p256")
    )
    assert recipient(directory, federation.population) == good


def test_encrypts_to_nobody_without_a_good_certificate(federation: Federation) -> None:
    signing, _ = new_certificate(federation)
    stranger, _ = new_certificate(federation, usage=AGREEMENT_USAGE["p256"], issuer=make_ca("Stranger CA"))
    for bad in (signing, stranger):
        with pytest.raises(SecurityFailed):
            recipient(with_agreement(federation, registered(bad, "p256")), federation.population)
    ended = federation.directory(replace(federation.draft(), suite_ends={"p256": NOW}))
    with pytest.raises(SecurityFailed, match="ended"):
        recipient(ended, federation.population)
    with pytest.raises(DirectoryExpired):
        recipient(federation.directory(), federation.population, now=NOW + YEAR)
