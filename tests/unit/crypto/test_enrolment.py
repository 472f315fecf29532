"""Certificate requests: what a member sends is what an authority reads, and a forged one is refused."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from adapter.crypto.enrolment import (
    MAX_REQUEST_BYTES,
    agreement_request,
    agreement_suite,
    certificate_request,
    read_agreement_request,
    signing_suite,
    subject_name,
)
from adapter.crypto.keys import FileSigningKey
from adapter.errors import AdapterError, KeyUnusable, SecurityFailed
from adapter.identifiers import MemberId
from tests.pki import SUITE_NAMES, Federation, FederationMember, new_agreement_key, new_signing_key

MEMBER = MemberId.parse("UZ/GOV/200000003")


@pytest.fixture(scope="module")
def federation() -> Federation:
    return Federation.build(suites=SUITE_NAMES)


def signing_key_of(member: FederationMember) -> FileSigningKey:
    return FileSigningKey(member.signing_key, member.signing_certificate, member.suite)


@pytest.mark.parametrize("suite", SUITE_NAMES)
def test_a_key_that_signs_asks_with_pkcs10(suite: str) -> None:
    key = new_signing_key(suite, "enrolment")
    octets = certificate_request(key, subject_name(MEMBER, "Agency", "adapter"), hosts=("adapter.example", "127.0.0.1"))
    request = x509.load_pem_x509_csr(octets)
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    assert request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)[0].value == str(MEMBER)
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["adapter.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


@pytest.mark.parametrize("at", range(3))
def test_an_x25519_key_is_vouched_for_by_the_signing_key(federation: Federation, at: int) -> None:
    member = list(federation.members.values())[at]
    public = x25519.X25519PrivateKey.generate().public_key()
    read = read_agreement_request(agreement_request(public, signing_key_of(member)))
    assert (read.public_key, read.signing_certificate) == (public, member.signing_certificate)


def test_refuses_another_key_under_the_same_signature(federation: Federation) -> None:
    signer = signing_key_of(federation.social)
    document = json.loads(agreement_request(x25519.X25519PrivateKey.generate().public_key(), signer))
    other = x25519.X25519PrivateKey.generate().public_key()
    document["public_key"] = other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(SecurityFailed):
        read_agreement_request(json.dumps(document).encode())


def test_refuses_the_signature_of_another_member(federation: Federation) -> None:
    public = x25519.X25519PrivateKey.generate().public_key()
    document = json.loads(agreement_request(public, signing_key_of(federation.social)))
    stranger = federation.cadastre.signing_certificate
    document["signing_certificate"] = stranger.public_bytes(Encoding.PEM).decode()
    with pytest.raises(SecurityFailed):
        read_agreement_request(json.dumps(document).encode())


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"public_key": 1, "signing_certificate": 2, "signature": 3}',
        b'{"public_key": "", "signing_certificate": "", "signature": ""}',
        b"[" * 20000,
        b"x" * (MAX_REQUEST_BYTES + 1),
        b"\xff",
    ],
)
def test_refuses_what_is_no_request(octets: bytes) -> None:
    with pytest.raises(AdapterError):
        read_agreement_request(octets)


def test_refuses_an_unknown_member_of_the_document(federation: Federation) -> None:
    public = x25519.X25519PrivateKey.generate().public_key()
    document = json.loads(agreement_request(public, signing_key_of(federation.social)))
    for changed in ({**document, "more": 1}, {**document, "signature": base64.b64encode(b"x").decode() + "!"}):
        with pytest.raises(KeyUnusable):
            read_agreement_request(json.dumps(changed).encode())


def test_names_the_suite_of_a_key() -> None:
    for suite in SUITE_NAMES:
        assert signing_suite(new_signing_key(suite, "enrolment").public_key()).name == suite
        assert agreement_suite(new_agreement_key(suite, "enrolment").public_key()).name == suite


def test_no_suite_takes_another_key() -> None:
    for wrong in (ec.generate_private_key(ec.SECP384R1()), x25519.X25519PrivateKey.generate()):
        with pytest.raises(KeyUnusable):
            signing_suite(wrong.public_key())
    for other in (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()):
        with pytest.raises(KeyUnusable):
            agreement_suite(other.public_key())
