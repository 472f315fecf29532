"""A time-stamp token (RFC 3161, 2.4.2): the CMS structure around it, whose signature it bears, by which certificate.

The library that reads responses (rfc3161-client) trusts only chains up to a self-signed root and compares neither the
signer with its ESSCertID nor its ExtendedKeyUsage with what RFC 3161 asks. So what is signed is verified here, with
cryptography; tests hold both and `openssl ts -verify` against each other. Failure raises SecurityFailed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from adapter.crypto.certificates import UNREADABLE, public_key
from adapter.errors import SecurityFailed

_T = TypeVar("_T")

_SIGNED_DATA: Final = x509.ObjectIdentifier("1.2.840.113549.1.7.2")
_TST_INFO: Final = x509.ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE: Final = x509.ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = x509.ObjectIdentifier("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE_V2: Final = x509.ObjectIdentifier("1.2.840.113549.1.9.16.2.47")
_SHA256: Final = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_HASHES: Final[dict[x509.ObjectIdentifier, hashes.HashAlgorithm]] = {
    _SHA256: hashes.SHA256(),
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    x509.ObjectIdentifier("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
_ECDSA_WITH: Final = {
    "sha256": SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}
_RSA_WITH: Final = {
    "sha256": SignatureAlgorithmOID.RSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.RSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.RSA_WITH_SHA512,
}
_RSA: Final = x509.ObjectIdentifier("1.2.840.113549.1.1.1")
_MIN_RSA_BITS: Final = 2048
_DATA_VERSION: Final = 3
_SIGNER_VERSION: Final = 1
_LONG_LENGTH: Final = 0x80


@asn1.sequence
class _Algorithm:
    """AlgorithmIdentifier with no parameters or NULL: all that the allowed algorithms have."""

    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Attribute:
    kind: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _Attributes:
    attributes: asn1.SetOf[_Attribute]


@asn1.sequence
class _SignerId:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _SignerInfo:
    """RFC 5652, 5.3. Without signed attributes it is refused: RFC 3161 wants them."""

    version: int
    signer: _SignerId
    digest_algorithm: _Algorithm
    signed: Annotated[asn1.SetOf[_Attribute], asn1.Implicit(0)]
    signature_algorithm: _Algorithm
    signature: bytes
    unsigned: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _Encapsulated:
    kind: x509.ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: asn1.SetOf[_Algorithm]
    encapsulated: _Encapsulated
    certificates: Annotated[asn1.SetOf[x509.Certificate] | None, asn1.Implicit(0)]
    signers: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _ContentInfo:
    kind: x509.ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


@asn1.sequence
class _IssuerAndSerial:
    issuer: list[asn1.TLV]
    serial: int


@asn1.sequence
class _CertificateId:
    """ESSCertIDv2 (RFC 5035, 4). An absent hash algorithm is SHA-256."""

    hash_algorithm: _Algorithm | None
    digest: bytes
    issuer_and_serial: _IssuerAndSerial | None


@asn1.sequence
class _SigningCertificate:
    certificates: list[_CertificateId]


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedToken:
    """A token whose signature is that of `signer`; whether the signer is trusted is another question.

    content: the DER TSTInfo that was signed.
    """

    content: bytes
    signer: x509.Certificate


def open_token(token: bytes, known: tuple[x509.Certificate, ...] = ()) -> SignedToken:
    """Verify the signature of a token. token: DER (untrusted). known: certificates that it need not bring along.

    The signer is the one that the signed attributes name by digest, whatever the rest of the token says of it.
    Raises SecurityFailed.
    """
    try:
        info = asn1.decode_der(_ContentInfo, token)
    except UNREADABLE:
        raise SecurityFailed("the time-stamp token is not CMS SignedData that can be read") from None
    data = info.content
    # 1. RFC 3161, 2.4.2: signed data over a TSTInfo, by one signer.
    if info.kind != _SIGNED_DATA or data.encapsulated.kind != _TST_INFO:
        raise SecurityFailed("the token is not signed data over a time-stamp")
    signers = data.signers.as_list()
    if len(signers) != 1:
        raise SecurityFailed(f"the token has {len(signers)} signatures")
    signer, content = signers[0], data.encapsulated.content
    if (data.version, signer.version) != (_DATA_VERSION, _SIGNER_VERSION):
        raise SecurityFailed("the token is of a version that RFC 5652 does not have for it")
    digest = _hash(signer.digest_algorithm)
    if [_hash(one) for one in data.digest_algorithms.as_list()] != [digest]:
        raise SecurityFailed("the token announces another digest than its signature has")
    signed = _attributes(signer.signed)
    # 2. RFC 5652, 5.4: the signed attributes are about exactly this content.
    if _only(signed, _CONTENT_TYPE, x509.ObjectIdentifier) != _TST_INFO:
        raise SecurityFailed("the signature of the token is about another kind of content")
    if not hmac.compare_digest(_only(signed, _MESSAGE_DIGEST, bytes), _digest(digest, content)):
        raise SecurityFailed("the digest in the token is not that of its content")
    # 3. RFC 3161, 2.4.1, and RFC 5816: the signer's certificate is among what is signed.
    brought = () if data.certificates is None else tuple(data.certificates.as_list())
    certificate = _named(_only(signed, _SIGNING_CERTIFICATE_V2, _SigningCertificate), (*brought, *known))
    if signer.signer.serial != certificate.serial_number or bytes(signer.signer.issuer.data) != _inside(
        certificate.issuer.public_bytes()
    ):
        raise SecurityFailed("the token names two signers")
    # 4. The signature is this certificate's.
    _verify(certificate, signer, digest)
    return SignedToken(content=content, signer=certificate)


def _attributes(signed: asn1.SetOf[_Attribute]) -> dict[x509.ObjectIdentifier, list[asn1.TLV]]:
    found: dict[x509.ObjectIdentifier, list[asn1.TLV]] = {}
    for attribute in signed.as_list():
        if attribute.kind in found:
            raise SecurityFailed("a signed attribute of the token is there twice")
        found[attribute.kind] = attribute.values.as_list()
    return found


def _only(signed: dict[x509.ObjectIdentifier, list[asn1.TLV]], kind: x509.ObjectIdentifier, form: type[_T]) -> _T:
    """The one value of an attribute that has to be there."""
    values = signed.get(kind, [])
    if len(values) != 1:
        raise SecurityFailed("a signed attribute that the token needs is missing")
    try:
        value: _T = values[0].parse(form)
    except UNREADABLE:
        raise SecurityFailed("a signed attribute of the token cannot be read") from None
    return value


def _named(said: _SigningCertificate, candidates: tuple[x509.Certificate, ...]) -> x509.Certificate:
    """The certificate that the first ESSCertIDv2 is of (RFC 5035, 5.4: the first is the signer's)."""
    if not said.certificates:
        raise SecurityFailed("the token does not name its signer's certificate")
    first = said.certificates[0]
    algorithm = hashes.SHA256() if first.hash_algorithm is None else _hash(first.hash_algorithm)
    for candidate in candidates:
        if hmac.compare_digest(candidate.fingerprint(algorithm), first.digest):
            return candidate
    raise SecurityFailed("the certificate that the token names as its signer's is not there")


def _verify(certificate: x509.Certificate, signer: _SignerInfo, digest: hashes.HashAlgorithm) -> None:
    """RFC 5652, 5.6: over the DER of the signed attributes as a SET, by a key of a kind that is allowed."""
    octets = _as_set(signer.signed)
    key = public_key(certificate)
    kind = signer.signature_algorithm.algorithm
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and kind == _ECDSA_WITH[digest.name]:
            key.verify(signer.signature, octets, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey) and kind in (_RSA, _RSA_WITH[digest.name]):
            if key.key_size < _MIN_RSA_BITS:
                raise SecurityFailed("the key of the time-stamp's signer is too short")
            key.verify(signer.signature, octets, padding.PKCS1v15(), digest)
        else:
            raise SecurityFailed("the token is signed with an algorithm that is not on the list")
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise SecurityFailed("the signature of the time-stamp token is wrong") from None


def _as_set(signed: asn1.SetOf[_Attribute]) -> bytes:
    """The attributes under the tag that they are signed with: the one member of a sequence."""
    return _inside(asn1.encode_der(_Attributes(attributes=signed)))


def _inside(der: bytes) -> bytes:
    """One DER value without its tag of one octet and its length."""
    return der[2 + (der[1] & ~_LONG_LENGTH if der[1] & _LONG_LENGTH else 0) :]


def _hash(said: _Algorithm) -> hashes.HashAlgorithm:
    try:
        return _HASHES[said.algorithm]
    except KeyError:
        raise SecurityFailed("the token has a digest that is not on the list") from None


def _digest(algorithm: hashes.HashAlgorithm, content: bytes) -> bytes:
    return hashlib.new(algorithm.name, content).digest()
