"""Statuses that are signed as they should be and say what must not be taken, or are of parts that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.x509 import ocsp
from cryptography.x509.oid import CRLEntryExtensionOID

from adapter.crypto.status import encode_ocsp_request, read_revocation_list
from adapter.errors import SecurityFailed
from tests.pki import NOW, issue
from tests.real_pki.making import responder_certificate
from tests.real_pki.ocsp import with_extension, with_signature_algorithm, with_two_answers
from tests.unit.crypto.test_status import Scene

RESPONDER, AUTHORITY = b"Test OCSP responder", b"Status CA"


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def no_text(octets: bytes, name: bytes, times: int = -1) -> bytes:
    """The same, with a name that is no UTF-8."""
    assert name in octets
    return octets.replace(name, b"\xff" + name[1:], times)


ODD_RESPONSES: dict[str, tuple[Callable[[Scene], bytes], str]] = {
    "two answers": (lambda scene: with_two_answers(scene.response(), scene.key), "other certificates too"),
    "something critical": (
        lambda scene: with_extension(scene.response(), scene.key, of_single=False, critical=True),
        "critical extension",
    ),
    "something critical of the answer": (
        lambda scene: with_extension(scene.response(), scene.key, of_single=True, critical=True),
        "critical extension",
    ),
    "SHA-1": (lambda scene: with_signature_algorithm(scene.response(), "sha1_ecdsa"), "not on the list"),
    "a key of another kind": (
        lambda scene: with_signature_algorithm(scene.response(), "ed25519"),
        "of different kinds",
    ),
    "a responder's name that is no text": (
        lambda scene: no_text(scene.response(by_name=True), RESPONDER, 1),
        "does not have the certificate",
    ),
    "a responder's certificate whose name is no text": (
        lambda scene: no_text(scene.response(by_name=True), RESPONDER),
        "does not have the certificate",
    ),
}


@pytest.mark.parametrize("name", ODD_RESPONSES)
def test_a_response_that_is_refused(scene: Scene, name: str) -> None:
    make, words = ODD_RESPONSES[name]
    assert scene.read(scene.response()).revoked_at is None
    with pytest.raises(SecurityFailed, match=words):
        scene.read(make(scene))


def with_unused_bit(signed: bytes, signature: bytes) -> bytes:
    """The same, whose signature is a BIT STRING of one bit less: the last one is nought, and the library knows it."""
    whole, one_less = b"\x00" + signature, b"\x01" + signature
    assert signed.count(whole) == 1
    return signed.replace(whole, one_less)


def is_even(signature: bytes) -> bool:
    """Its last bit is nought. Every second signature's is, so they are made until one's is."""
    return signature[-1] % 2 == 0


def test_a_response_whose_signature_has_unused_bits_is_refused(scene: Scene) -> None:
    made = iter(scene.response, None)
    octets = next(one for one in made if is_even(ocsp.load_der_ocsp_response(one).signature))
    response = ocsp.load_der_ocsp_response(octets)
    assert scene.read(octets).revoked_at is None
    changed = with_unused_bit(octets, response.signature)
    assert ocsp.load_der_ocsp_response(changed).signature == response.signature
    with pytest.raises(SecurityFailed, match="bits that are not used"):
        scene.read(changed)


def test_a_responder_whose_certificate_has_a_signature_with_unused_bits_is_refused(scene: Scene) -> None:
    made = (responder_certificate(scene.authority, scene.key.public_key(), now=NOW) for _ in iter(int, 1))
    responder = next(one for one in made if is_even(one.signature))
    octets = scene.response(responder=responder)
    assert scene.read(octets).revoked_at is None
    with pytest.raises(SecurityFailed, match="bits that are not used"):
        scene.read(with_unused_bit(octets, responder.signature))


def test_a_list_whose_signature_has_unused_bits_is_refused(scene: Scene) -> None:
    made = iter(scene.crl, None)
    octets = next(one for one in made if is_even(x509.load_der_x509_crl(one).signature))
    assert scene.read_list(octets).revoked_at is None
    with pytest.raises(SecurityFailed, match="bits that are not used"):
        scene.read_list(with_unused_bit(octets, x509.load_der_x509_crl(octets).signature))


def test_a_question_without_a_nonce(scene: Scene) -> None:
    asked = ocsp.load_der_ocsp_request(encode_ocsp_request(scene.member, scene.authority.certificate, None))
    assert asked.serial_number == scene.member.serial_number
    assert not list(asked.extensions)


def test_a_list_that_is_signed_with_too_little(scene: Scene) -> None:
    with pytest.raises(SecurityFailed, match="algorithm that is not on the list"):
        scene.read_list(scene.crl(digest=hashes.SHA224()))


def test_a_list_whose_authority_is_no_text(scene: Scene) -> None:
    with pytest.raises(SecurityFailed, match="cannot be read"):
        scene.read_list(no_text(scene.crl(), AUTHORITY))


def test_a_list_of_an_authority_whose_key_signs_nothing(scene: Scene) -> None:
    issuer = issue(
        scene.authority,
        public_key=x25519.X25519PrivateKey.generate().public_key(),
        subject=scene.authority.name,
        usage=("crl_sign",),
    )
    with pytest.raises(SecurityFailed, match="is weak"):
        read_revocation_list(scene.crl(), certificate=scene.member, issuer=issuer, window=timedelta(hours=1), now=NOW)


def test_an_entry_that_cannot_be_read_is_not_passed_over(scene: Scene) -> None:
    reason = x509.UnrecognizedExtension(CRLEntryExtensionOID.CRL_REASON, b"\x05\x00")
    octets = scene.crl(revoked={scene.member.serial_number: NOW}, of_entries=(reason,))
    with pytest.raises(SecurityFailed, match="cannot be read"):
        scene.read_list(octets)


def test_an_entry_that_was_only_held_back_once_is_none(scene: Scene) -> None:
    for flag, revoked_at in ((x509.ReasonFlags.remove_from_crl, None), (x509.ReasonFlags.certificate_hold, NOW)):
        said = scene.crl(revoked={scene.member.serial_number: NOW}, of_entries=(x509.CRLReason(flag),))
        assert scene.read_list(said).revoked_at == revoked_at
