"""A certificate whose key writes its curve out, parameter by parameter, instead of naming it (CVE-2020-0601).

The library makes no such certificates, so the octets are put together here.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.pki import Authority

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = bytes.fromhex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
_EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
_PRIME_FIELD = bytes.fromhex("06072a8648ce3d0101")
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")


def _tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 | len(length))) + length + content


def _integer(value: int) -> bytes:
    return _tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def with_explicit_curve(certificate: x509.Certificate, issuer: Authority) -> x509.Certificate:
    """The same certificate for the same P-256 key, its curve written out; signed by the issuer, whose key is P-256."""
    key = certificate.public_key()
    named = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    generator = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    parameters = _tlv(
        0x30,
        _integer(1),
        _tlv(0x30, _PRIME_FIELD, _integer(_P)),
        _tlv(0x30, _tlv(4, (_P - 3).to_bytes(32, "big")), _tlv(4, _B)),
        _tlv(4, generator.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        _integer(_N),
        _integer(1),
    )
    explicit = _tlv(0x30, _tlv(0x30, _EC_PUBLIC_KEY, parameters), _tlv(3, b"\0", point))
    content = certificate.tbs_certificate_bytes
    if named not in content or not isinstance(issuer.key, ec.EllipticCurvePrivateKey):
        raise LookupError("not a certificate of a P-256 authority for a P-256 key")
    tbs = _tlv(0x30, content[4:].replace(named, explicit))
    value = issuer.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return x509.load_der_x509_certificate(_tlv(0x30, tbs, _ECDSA_SHA256, _tlv(3, b"\0", value)))
