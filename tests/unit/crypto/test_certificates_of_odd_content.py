"""Certificates whose parts cannot be read, each in a way of its own: refused as every other one, never an accident."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from adapter.crypto.certificates import (
    Purpose,
    check_chain,
    check_issued,
    check_purpose,
    parse_certificate,
    public_key,
    ski,
)
from adapter.errors import SecurityFailed
from tests.attacks.recipes.explicit_curve import with_explicit_curve
from tests.pki import NOW, Authority, Federation, make_ca
from tests.unit.crypto.test_certificates import leaf
from tests.unit.crypto.test_status_refuses import is_even, with_unused_bit
from tests.unit.crypto.test_unreadable_certificates import sequence

BIT_STRING, UTF8_STRING = 0x03, 0x0C
SUBJECT, ISSUER = b"Subject", b"Issuer"


@pytest.fixture(scope="module")
def ca() -> Authority:
    return make_ca(ISSUER.decode())


def named(tag: int, name: bytes) -> bytes:
    return bytes((tag, len(name))) + name


def with_name(certificate: x509.Certificate, was: bytes, becomes: bytes) -> x509.Certificate:
    der = certificate.public_bytes(Encoding.DER)
    assert der.count(was) == 1
    return x509.load_der_x509_certificate(der.replace(was, becomes))


def with_alternative_name(ca: Authority, value: bytes) -> x509.Certificate:
    """An extension that only its reader looks into."""
    return leaf(ca, extra=((x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, value), False),))


ODD_NAMES: dict[str, tuple[bytes, bytes]] = {
    "a subject that is no UTF-8": (named(UTF8_STRING, SUBJECT), named(UTF8_STRING, b"\xff" + SUBJECT[1:])),
    "an issuer that is no UTF-8": (named(UTF8_STRING, ISSUER), named(UTF8_STRING, b"\xff" + ISSUER[1:])),
    "a subject in bits": (named(UTF8_STRING, SUBJECT), named(BIT_STRING, b"\0" + SUBJECT[1:])),
    "an issuer in bits": (named(UTF8_STRING, ISSUER), named(BIT_STRING, b"\0" + ISSUER[1:])),
}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_that_cannot_be_read(ca: Authority, name: str) -> None:
    certificate = with_name(leaf(ca, subject=SUBJECT.decode()), *ODD_NAMES[name])
    with pytest.raises(SecurityFailed, match="can be read"):
        parse_certificate(certificate.public_bytes(Encoding.DER))


@pytest.mark.parametrize("name", ["an issuer that is no UTF-8", "an issuer in bits"])
def test_an_issuer_that_nobody_has_read_yet_is_refused_by_whoever_asks_for_it(ca: Authority, name: str) -> None:
    """As in the certificate of an OCSP responder, which comes inside the response."""
    with pytest.raises(SecurityFailed) as refusal:
        check_issued(with_name(leaf(ca, subject=SUBJECT.decode()), *ODD_NAMES[name]), ca.certificate)
    assert refusal.value.reason == "the name of a certificate's issuer cannot be read"


READERS: dict[str, Callable[[x509.Certificate], object]] = {
    "parse_certificate": lambda certificate: parse_certificate(certificate.public_bytes(Encoding.DER)),
    "check_purpose": lambda certificate: check_purpose(certificate, Purpose.SIGNING),
    "ski": ski,
}
ODD_EXTENSIONS = {
    "no names at all": b"\x05\x00",
    "a host that is no text": b"\x30\x04\x82\x02\xff\xfe",
    "an X.400 address": b"\x30\x04\xa3\x02\x30\x00",
    "an EDI party": b"\x30\x04\xa5\x02\x30\x00",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ODD_EXTENSIONS)
def test_an_extension_that_cannot_be_read(ca: Authority, name: str, reader: str) -> None:
    with pytest.raises(SecurityFailed, match="read"):
        READERS[reader](with_alternative_name(ca, ODD_EXTENSIONS[name]))


def test_a_key_that_is_no_point_of_its_curve(ca: Authority) -> None:
    certificate = leaf(ca)
    der = bytearray(certificate.public_bytes(Encoding.DER))
    point = certificate.public_key().public_numbers()  # type: ignore[union-attr]
    at = bytes(der).index(point.x.to_bytes(32, "big"))  # type: ignore[union-attr]
    der[at : at + 64] = bytes(63) + b"\1"
    with pytest.raises(SecurityFailed, match="key cannot be read"):
        public_key(x509.load_der_x509_certificate(bytes(der)))
    with pytest.raises(SecurityFailed, match="can be read"):
        parse_certificate(bytes(der))


def test_a_key_whose_curve_is_written_out(federation: Federation) -> None:
    """CVE-2020-0601. The library reads the very same key."""
    good = federation.social.signing_certificate
    written_out = with_explicit_curve(good, federation.issuing_ca)
    assert public_key(written_out) == good.public_key()
    with pytest.raises(SecurityFailed, match="names its curve"):
        parse_certificate(written_out.public_bytes(Encoding.DER))


# --- the signature of a certificate -----------------------------------------------------------------------------------


def in_place_of(ca: Authority, key: bytes) -> x509.Certificate:
    """The CA's certificate with another key in it: the search for a path tries it before anything of it is verified."""
    der = ca.certificate.public_bytes(Encoding.DER)
    own = ca.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert der.count(own) == 1
    body = ca.certificate.tbs_certificate_bytes[4:].replace(own, key)
    rest = der[4 + len(ca.certificate.tbs_certificate_bytes) :]
    return x509.load_der_x509_certificate(sequence(sequence(body) + rest))


def test_a_certificate_whose_signature_has_unused_bits_is_refused(ca: Authority) -> None:
    certificate = next(one for one in iter(lambda: leaf(ca), None) if is_even(one.signature))
    assert check_chain(certificate, [ca.certificate], NOW, Purpose.SIGNING) == (certificate, ca.certificate)
    octets = with_unused_bit(certificate.public_bytes(Encoding.DER), certificate.signature)
    changed = x509.load_der_x509_certificate(octets)
    changed.verify_directly_issued_by(ca.certificate)  # the library does not mind
    with pytest.raises(SecurityFailed) as refusal:
        check_issued(changed, ca.certificate)
    assert refusal.value.reason == "a signature has bits that are not used"


def spki(key: object) -> bytes:
    return key.public_key().public_bytes(  # type: ignore[attr-defined, no-any-return]
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


P256_CURVE, UNKNOWN_CURVE = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030106")
OTHER_KEYS: dict[str, Callable[[], bytes]] = {
    "another P-256 key": lambda: spki(ec.generate_private_key(ec.SECP256R1())),
    "a key of another kind": lambda: spki(ed25519.Ed25519PrivateKey.generate()),
    "a key that signs nothing": lambda: spki(x25519.X25519PrivateKey.generate()),
    "a key on an unknown curve": lambda: spki(ec.generate_private_key(ec.SECP256R1())).replace(
        P256_CURVE, UNKNOWN_CURVE
    ),
}


@pytest.mark.parametrize("name", OTHER_KEYS)
def test_an_issuer_whose_key_did_not_make_the_signature(ca: Authority, name: str) -> None:
    issuer = in_place_of(ca, OTHER_KEYS[name]())
    with pytest.raises(SecurityFailed, match=r"signature of a certificate is wrong|weak|key cannot be read"):
        check_chain(leaf(ca), [issuer], NOW, Purpose.SIGNING)
