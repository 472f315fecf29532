"""Statuses at the edges: the last that is taken beside the first that is refused, and every kind of key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from adapter.crypto.status import MAX_OCSP_OCTETS, read_revocation_list
from adapter.errors import SecurityFailed
from tests.pki import NOW, SUITE_NAMES, Authority, issue, new_signing_key
from tests.real_pki.crl import make_crl
from tests.real_pki.making import responder_certificate
from tests.real_pki.ocsp import (
    with_certificates,
    with_extension,
    with_hash_algorithm,
    with_signature_algorithm,
)
from tests.unit.crypto.test_status import Scene

OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2"
WINDOW = timedelta(hours=1)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def by_authority(scene: Scene) -> bytes:
    """A response that the authority signed itself."""
    return scene.response(responder=scene.authority.certificate, key=scene.authority.key, with_certificate=False)


# --- size and extensions ---------------------------------------------------------------------------------------------


def test_a_response_of_twelve_kibibytes_is_read_and_no_octet_more() -> None:
    assert MAX_OCSP_OCTETS == 12 * 1024
    scene = Scene("ed25519")  # its signatures are all of one length

    def padded(octets: int) -> bytes:
        value = b"\x04\x82" + octets.to_bytes(2, "big") + bytes(octets)
        return with_extension(by_authority(scene), scene.authority.key, of_single=False, critical=False, value=value)

    padding = 8 * 1024 + MAX_OCSP_OCTETS - len(padded(8 * 1024))
    largest = padded(padding)
    assert len(largest) == MAX_OCSP_OCTETS
    assert scene.read(largest).revoked_at is None
    with pytest.raises(SecurityFailed, match="more than 12288 octets"):
        scene.read(padded(padding + 1))


@pytest.mark.parametrize("of_single", [False, True])
def test_what_need_not_be_understood_is_passed_over(scene: Scene, *, of_single: bool) -> None:
    octets = with_extension(scene.response(), scene.key, of_single=of_single, critical=False)
    assert scene.read(octets).revoked_at is None
    assert scene.read(octets, nonce=bytes(32)).revoked_at is None


def test_a_nonce_may_be_critical_and_is_compared_all_the_same(scene: Scene) -> None:
    value = b"\x04\x20" + b"n" * 32
    octets = with_extension(scene.response(), scene.key, of_single=False, critical=True, name=OCSP_NONCE, value=value)
    assert scene.read(octets, nonce=b"n" * 32).revoked_at is None
    with pytest.raises(SecurityFailed, match="another question"):
        scene.read(octets, nonce=b"m" * 32)


@pytest.mark.parametrize("name", ["sha512", "1.3.6.1.4.1.32473.3"])
def test_a_hash_that_is_not_on_the_list_or_that_nobody_knows(scene: Scene, name: str) -> None:
    with pytest.raises(SecurityFailed, match="hash that is not on the list"):
        scene.read(with_hash_algorithm(scene.response(), name, scene.key))


# --- the responder and its certificate -------------------------------------------------------------------------------


def test_the_responders_certificate_is_looked_for_among_four(scene: Scene) -> None:
    other = scene.member
    assert scene.read(with_certificates(scene.response(), other, other, other, scene.responder)).revoked_at is None
    with pytest.raises(SecurityFailed, match="does not have the certificate"):
        scene.read(with_certificates(scene.response(), other, other, other, other, scene.responder))


def test_of_two_certificates_of_the_responders_name_the_first_counts(scene: Scene) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    namesake = responder_certificate(scene.authority, key, now=NOW)
    octets = scene.response(by_name=True)
    assert scene.read(with_certificates(octets, scene.responder, namesake)).revoked_at is None
    with pytest.raises(SecurityFailed, match="signature of an OCSP response"):
        scene.read(with_certificates(octets, namesake, scene.responder))


def test_a_responder_whose_key_is_weak_or_of_a_kind_that_signs_nothing_here(scene: Scene) -> None:
    for key in (
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        ec.generate_private_key(ec.SECP192R1()),
        ed448.Ed448PrivateKey.generate(),
    ):
        weak = responder_certificate(scene.authority, key.public_key(), now=NOW)
        with pytest.raises(SecurityFailed, match="key of an OCSP responder is weak"):
            scene.read(with_certificates(scene.response(by_name=True), weak))


# --- signatures of every kind ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_a_signature_that_is_wrong_in_one_bit(suite: str) -> None:
    scene = Scene(suite)
    octets = by_authority(scene)
    assert scene.read(octets).revoked_at is None
    with pytest.raises(SecurityFailed, match="signature of an OCSP response"):
        scene.read(octets[:-1] + bytes((octets[-1] ^ 1,)))


@pytest.mark.parametrize("suite", ["p256", "rsa"])
def test_an_algorithm_of_another_kind_than_the_key(suite: str) -> None:
    scene = Scene(suite)
    with pytest.raises(SecurityFailed, match="of different kinds"):
        scene.read(with_signature_algorithm(by_authority(scene), "ed25519"))


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_a_list_signed_with_a_key_of_another_kind(suite: str) -> None:
    scene = Scene("p256")
    other = Authority(key=new_signing_key(suite, "another"), name=scene.authority.name)
    with pytest.raises(SecurityFailed, match="signature of the revocation list"):
        scene.read_list(scene.crl(authority=other))


def test_a_list_of_an_authority_whose_key_is_weak(scene: Scene) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    weak = issue(
        Authority(key=key, name=scene.authority.name),
        public_key=key.public_key(),
        subject=scene.authority.name,
        usage=("crl_sign",),
        is_ca=True,
    )
    octets = make_crl(Authority(key=key, name=weak.subject), revoked={}, this_update=NOW, next_update=NOW + WINDOW)
    with pytest.raises(SecurityFailed, match="is weak"):
        read_revocation_list(octets, certificate=scene.member, issuer=weak, window=WINDOW, now=NOW)


def test_an_entry_that_was_held_back_once_may_say_more(scene: Scene) -> None:
    for flag, revoked_at in ((x509.ReasonFlags.remove_from_crl, None), (x509.ReasonFlags.key_compromise, NOW)):
        said = (x509.CRLReason(flag), x509.InvalidityDate(NOW.replace(tzinfo=None)))
        octets = scene.crl(revoked={scene.member.serial_number: NOW}, of_entries=said)
        assert scene.read_list(octets).revoked_at == revoked_at
