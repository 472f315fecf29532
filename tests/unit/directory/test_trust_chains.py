"""Step 6 of trust, in the manner of NIST's PKITS, and what the cache of chains may remember."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from adapter.directory.model import Directory
from adapter.directory.trust import ChainCache, establish_trust, identify_signer
from adapter.errors import SecurityFailed
from adapter.stages import VerifiedMessage
from tests.pki import (
    NOW,
    SIGNING_USAGE,
    Authority,
    Federation,
    authorities,
    issue,
    make_ca,
    registered,
)
from tests.unit.directory.messages import new_certificate, trust, verified_from, with_signing

YEAR = timedelta(days=365)


# --- 6. the certificate and its chain --------------------------------------------------------------------------------


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
    cas = [authority]
    for at in range(1, length):
        authority = make_ca(f"CA {at}", issuer=authority)
        cas.append(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = issue(authority, public_key=key.public_key(), subject="leaf", usage=SIGNING_USAGE)
    return leaf, tuple(one.certificate for one in cas)


def behind_chain(federation: Federation, length: int, path_length: int | None) -> tuple[VerifiedMessage, Directory]:
    leaf, cas = chain_of(length, path_length=path_length)
    draft = replace(federation.draft(), signing_authorities=authorities(*federation.draft().signing_cas, *cas))
    return verified_from(federation, signer=leaf), with_signing(federation, registered(leaf, "p256"), draft=draft)


@pytest.mark.parametrize(("length", "path_length"), [(1, None), (1, 0), (2, None), (2, 1), (3, None), (3, 2)])
def test_6_trusts_a_short_chain(federation: Federation, length: int, path_length: int | None) -> None:
    assert trust(*behind_chain(federation, length, path_length)).sender == federation.social.id


@pytest.mark.parametrize(("length", "path_length"), [(2, 0), (3, 1), (4, None), (9, None)])
def test_6_refuses_a_chain_that_is_too_long(federation: Federation, length: int, path_length: int | None) -> None:
    with pytest.raises(SecurityFailed):
        trust(*behind_chain(federation, length, path_length))


def test_6_a_chain_needs_its_root_in_the_directory(federation: Federation) -> None:
    without_root = replace(federation.draft(), signing_authorities=authorities(federation.issuing_ca.certificate))
    with pytest.raises(SecurityFailed):
        trust(verified_from(federation), federation.directory(without_root))


def test_6_refuses_a_chain_through_an_expired_ca(federation: Federation) -> None:
    old = make_ca("Old CA", issuer=federation.root_ca, path_length=0, valid_until=NOW + timedelta(days=1))
    leaf, _ = new_certificate(federation, issuer=old)
    draft = replace(
        federation.draft(), signing_authorities=authorities(federation.root_ca.certificate, old.certificate)
    )
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
    draft = replace(federation.draft(), signing_authorities=authorities(*(one.certificate for one in many)))
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
    draft = replace(
        federation.draft(), signing_authorities=authorities(federation.root_ca.certificate, old.certificate)
    )
    directory = with_signing(federation, registered(leaf, "p256"), draft=draft)
    chains, message = ChainCache(), verified_from(federation, signer=leaf)
    identify_signer(message, directory=directory, at=NOW, chains=chains)
    with pytest.raises(SecurityFailed):
        identify_signer(message, directory=directory, at=NOW + timedelta(days=2), chains=chains)


def test_a_new_directory_forgets_the_chains_of_a_removed_ca(federation: Federation) -> None:
    draft, chains, message = federation.draft(), ChainCache(), verified_from(federation)
    identify_signer(message, directory=federation.directory(draft), at=NOW, chains=chains)
    other_ca = replace(draft, version=2, signing_authorities=authorities(make_ca("Next CA").certificate))
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
