"""Certificates that a parser takes and that must not be used all the same: changed in single octets of their DER."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.crypto.certificates import Purpose, check_purpose, parse_certificate, public_key, ski
from adapter.crypto.keys import DecryptionKeys, FileSigningKey
from adapter.errors import KeyUnusable, SecurityFailed
from tests.attacks.recipes.explicit_curve import with_explicit_curve
from tests.pki import Federation

P256_CURVE, UNKNOWN_CURVE = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030106")
KEY_USAGE, BASIC_CONSTRAINTS = b"\x55\x1d\x0f", b"\x55\x1d\x13"
SUBJECT_KEY_ID, UNKNOWN_EXTENSION = b"\x55\x1d\x0e", b"\x55\x1d\x63"
VERSION_3 = bytes.fromhex("a003020102")


def der_of(federation: Federation) -> bytes:
    return federation.social.signing_certificate.public_bytes(Encoding.DER)


def changed(federation: Federation, old: bytes, new: bytes) -> x509.Certificate:
    der = der_of(federation)
    assert old in der
    return x509.load_der_x509_certificate(der.replace(old, new))


def sequence(content: bytes) -> bytes:
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


def test_a_key_on_an_unknown_curve(federation: Federation) -> None:
    certificate = changed(federation, P256_CURVE, UNKNOWN_CURVE)
    with pytest.raises(SecurityFailed, match="cannot be read"):
        public_key(certificate)
    with pytest.raises(SecurityFailed, match="can be read"):
        parse_certificate(certificate.public_bytes(Encoding.DER))
    with pytest.raises(KeyUnusable, match="cannot be read"):
        FileSigningKey(federation.social.signing_key, certificate, "p256")


def test_an_extension_twice(federation: Federation) -> None:
    certificate = changed(federation, BASIC_CONSTRAINTS, KEY_USAGE)
    with pytest.raises(SecurityFailed, match="extensions cannot be read"):
        check_purpose(certificate, Purpose.SIGNING)
    with pytest.raises(SecurityFailed, match="can be read"):
        parse_certificate(certificate.public_bytes(Encoding.DER))


def test_without_a_subject_key_identifier_nobody_can_name_the_key(federation: Federation) -> None:
    certificate = changed(federation, SUBJECT_KEY_ID, UNKNOWN_EXTENSION)
    with pytest.raises(SecurityFailed, match="no subject key identifier"):
        ski(certificate)
    with pytest.raises(KeyUnusable, match="no subject key identifier"):
        DecryptionKeys([SimpleNamespace(certificate=certificate)])


def test_a_version_1_certificate(federation: Federation) -> None:
    tbs = federation.social.signing_certificate.tbs_certificate_bytes
    rest = der_of(federation)[4 + len(tbs) :]
    assert tbs[4 : 4 + len(VERSION_3)] == VERSION_3
    der = sequence(sequence(tbs[4 + len(VERSION_3) :]) + rest)
    assert x509.load_der_x509_certificate(der).version is x509.Version.v1
    with pytest.raises(SecurityFailed, match="version 3"):
        parse_certificate(der)


def test_a_key_that_writes_its_curve_out(federation: Federation) -> None:
    certificate = with_explicit_curve(federation.social.signing_certificate, federation.issuing_ca)
    assert certificate.public_key() == federation.social.signing_certificate.public_key()
    with pytest.raises(SecurityFailed, match="names its curve"):
        parse_certificate(certificate.public_bytes(Encoding.DER))


def test_a_certificate_that_is_read_has_to_be_the_octets_themselves(
    federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = federation.population.signing_certificate
    der = der_of(federation)
    der = der[:-1] + bytes((der[-1] ^ 1,))
    monkeypatch.setattr(x509, "load_der_x509_certificate", lambda _: other)
    with pytest.raises(SecurityFailed, match="exactly one DER"):
        parse_certificate(der)
