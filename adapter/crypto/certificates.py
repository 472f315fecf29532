"""What is read from certificates, and the path from a member's certificate to an authority's (RFC 5280).

Everything is bounded and nothing is fetched. Failure raises SecurityFailed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Annotated, Final, TypeGuard

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, SignatureAlgorithmOID

from adapter.crypto.remembered import remembered
from adapter.errors import SecurityFailed

MAX_CHAIN: Final = 4
MAX_CANDIDATES: Final = 16
# What the library raises for a certificate, or for a part of it that it reads when asked, that it cannot read.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

_CACHED_CERTIFICATES: Final = 1024
_UNDERSTOOD: Final = frozenset(
    (
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    )
)
SIGNATURE_ALGORITHMS: Final = frozenset(
    (
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
        SignatureAlgorithmOID.ED25519,
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
    )
)
_RESTRICTING: Final = frozenset(
    (
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    )
)
MIN_ISSUER_RSA_BITS: Final = 2048
_MAX_SERIAL_BITS: Final = 160
# RFC 5280, 4.2.1.12, names no use for signed and encrypted messages of this kind. Whoever made a certificate for
# nothing but these protocols did not mean it to stand under a message for which a member answers.
_OF_OTHER_PROTOCOLS: Final = frozenset(
    (
        ExtendedKeyUsageOID.SERVER_AUTH,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.CODE_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,
        ExtendedKeyUsageOID.OCSP_SIGNING,
    )
)


class Purpose(Enum):
    """What a certificate's key is used for; each needs its own certificate."""

    SIGNING = "signing"
    KEY_AGREEMENT = "key-agreement"
    KEY_ENCIPHERMENT = "key-encipherment"
    TLS = "tls"


@lru_cache(maxsize=_CACHED_CERTIFICATES)
def parse_certificate(der: bytes) -> tuple[x509.Certificate, PublicKeyTypes]:
    """One DER certificate (untrusted) and its public key. Raises SecurityFailed.

    Refused: trailing octets, another version than 3, extensions or names that cannot be read, a key of a kind or with
    parameters that are not supported.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        key = certificate.public_key()
        _ = certificate.extensions, certificate.subject, certificate.issuer  # read when asked for, not when loaded
    except UNREADABLE:
        raise SecurityFailed("the token is not a certificate that can be read") from None
    if certificate.version is not x509.Version.v3:
        raise SecurityFailed("not an X.509 version 3 certificate")
    # A curve written out parameter by parameter (CVE-2020-0601), which the library reads as if it were named.
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) not in certificate.tbs_certificate_bytes:
        raise SecurityFailed("the certificate's key is not in the form that names its curve")
    if certificate.public_bytes(Encoding.DER) != der:
        raise SecurityFailed("the token is not exactly one DER certificate")
    return certificate, key


@remembered(_CACHED_CERTIFICATES)
def public_key(certificate: x509.Certificate) -> PublicKeyTypes:
    """The certificate's public key. Raises SecurityFailed when it cannot be read."""
    try:
        return certificate.public_key()
    except UNREADABLE:
        raise SecurityFailed("the certificate's key cannot be read") from None


@remembered(_CACHED_CERTIFICATES)
def ski(certificate: x509.Certificate) -> bytes:
    """The value of the SubjectKeyIdentifier extension (RFC 5280, 4.2.1.2). Raises SecurityFailed without one."""
    try:
        found = _extensions(certificate).get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        raise SecurityFailed("the certificate has no subject key identifier") from None
    return found.value.digest


@remembered(_CACHED_CERTIFICATES)
def sha256(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the DER certificate, by which the directory registers it."""
    return certificate.fingerprint(hashes.SHA256())


def check_purpose(certificate: x509.Certificate, purpose: Purpose) -> None:
    """An end-entity certificate for exactly this purpose. Raises SecurityFailed.

    Not a CA; KeyUsage present with the purpose's bit, and without the bits of the other purpose, so that a signing
    key is never an agreement key; no critical extension that is not understood. For messages, an ExtendedKeyUsage
    that is there leaves room for them: it names more than TLS, code, time stamps and OCSP (RFC 5280, 4.2.1.12: then
    the key must be used for one of the purposes that it names).
    """
    _check_extensions(certificate)
    constraints = _basic_constraints(certificate)
    if constraints is not None and constraints.ca:
        raise SecurityFailed("a CA certificate where a member's certificate must be")
    usage = key_usage(certificate)
    encrypts = usage.key_agreement or usage.key_encipherment or usage.data_encipherment
    allowed = {
        Purpose.SIGNING: usage.digital_signature and not encrypts,
        Purpose.KEY_AGREEMENT: usage.key_agreement and not usage.digital_signature,
        Purpose.KEY_ENCIPHERMENT: usage.key_encipherment and not usage.digital_signature,
        # RFC 8446, 4.4.2.2: a signature is all that TLS 1.3 asks of it; public CAs set the bit of older versions too.
        Purpose.TLS: usage.digital_signature,
    }
    if not allowed[purpose]:
        raise SecurityFailed(f"the certificate is not for {purpose.value}")
    extended = extended_key_usage(certificate)
    if purpose is not Purpose.TLS and extended and extended <= _OF_OTHER_PROTOCOLS:
        raise SecurityFailed("the certificate is for other protocols only")


def check_chain(
    leaf: x509.Certificate, cas: Sequence[x509.Certificate], now: datetime, purpose: Purpose
) -> tuple[x509.Certificate, ...]:
    """The path, leaf first: at most 4 certificates from the leaf to a self-issued CA among `cas`, all valid now.

    cas: the authority's CA certificates, roots and intermediates, trusted because the directory's signature is good.
    At most 16 signatures are tried, whatever the certificates look like. Raises SecurityFailed.
    """
    check_purpose(leaf, purpose)
    check_period(leaf, now)
    return (leaf, *_PathSearch(cas, now, purpose).climb(leaf, below=0))


class _PathSearch:
    """A depth-first search with a budget of signature checks: a bound on time (see DESIGN, traps)."""

    def __init__(self, cas: Sequence[x509.Certificate], now: datetime, purpose: Purpose) -> None:
        self._by_subject: dict[bytes, list[x509.Certificate]] = {}
        for ca in cas:
            self._by_subject.setdefault(ca.subject.public_bytes(), []).append(ca)
        self._now = now
        self._purpose = purpose
        self._budget = MAX_CANDIDATES

    def climb(self, child: x509.Certificate, *, below: int) -> tuple[x509.Certificate, ...]:
        """The issuers of `child` up to a root, nearest first. below: CA certificates passed so far."""
        if below + 1 >= MAX_CHAIN:
            raise SecurityFailed(f"a chain of more than {MAX_CHAIN} certificates")
        failure = SecurityFailed("no certificate of the authority issued this one")
        for issuer in self._by_subject.get(child.issuer.public_bytes(), []):
            if self._budget == 0:
                raise SecurityFailed("too many candidates for an issuer")
            self._budget -= 1
            try:
                self._check_issuer(issuer, child, below=below)
                return (issuer,) if _is_root(issuer) else (issuer, *self.climb(issuer, below=below + 1))
            except SecurityFailed as cause:
                failure = cause
        raise failure

    def _check_issuer(self, issuer: x509.Certificate, child: x509.Certificate, *, below: int) -> None:
        """RFC 5280, 6.1.4: a CA, allowed to sign certificates, deep enough, valid now, whose signature it is."""
        _check_extensions(issuer)
        constraints = _basic_constraints(issuer)
        if constraints is None or not constraints.ca:
            raise SecurityFailed("the issuer is not a CA")
        if constraints.path_length is not None and constraints.path_length < below:
            raise SecurityFailed("the chain is longer than a CA allows")
        if not key_usage(issuer).key_cert_sign:
            raise SecurityFailed("the issuer may not sign certificates")
        extended = extended_key_usage(issuer)
        if self._purpose is not Purpose.TLS and extended and extended <= _OF_OTHER_PROTOCOLS:
            raise SecurityFailed("the issuer is for certificates of other protocols only")
        check_period(issuer, self._now)
        check_issued(child, issuer)


def check_issued(child: x509.Certificate, issuer: x509.Certificate) -> None:
    """`issuer` signed `child`, by name and by a key and an algorithm that are strong enough. Raises SecurityFailed.

    Nothing else: not whether it may, nor when.
    """
    try:
        is_named = bool(list(child.issuer))
    except UNREADABLE:  # one that nobody has read yet, such as the responder's in an OCSP response
        raise SecurityFailed("the name of a certificate's issuer cannot be read") from None
    if not is_named:
        raise SecurityFailed("a certificate does not name its issuer")  # RFC 5280, 4.1.2.4
    if not 0 < child.serial_number < 1 << _MAX_SERIAL_BITS:
        raise SecurityFailed("a certificate's serial number is not positive, or too long")
    if child.signature_algorithm_oid not in SIGNATURE_ALGORITHMS:
        raise SecurityFailed("a certificate is signed with an algorithm that is not on the list")
    if not is_strong(public_key(issuer)):
        raise SecurityFailed("the key of a certificate's issuer is weak")
    try:
        child.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError):  # ValueError: another name, or an algorithm of another kind than the key
        raise SecurityFailed("the signature of a certificate is wrong") from None
    check_whole_octets(child.public_bytes(Encoding.DER))


@asn1.sequence
class _Signed:
    """Certificate, CertificateList and BasicOCSPResponse (RFC 5280, 4.1 and 5.1; RFC 6960, 4.2.1)."""

    said: asn1.TLV
    algorithm: asn1.TLV
    signature: asn1.BitString
    certificates: Annotated[list[asn1.TLV] | None, asn1.Explicit(0)]


def check_whole_octets(signed: bytes) -> None:
    """The signature of a certificate, a revocation list or a basic OCSP response is a whole number of octets.

    signed: DER that the library has read. How many bits of a BIT STRING are not used is covered by no signature, and
    the library verifies without them: the same thing would be taken in two forms. Raises SecurityFailed.
    """
    if asn1.decode_der(_Signed, signed).signature.padding_bits():
        raise SecurityFailed("a signature has bits that are not used")


@remembered(_CACHED_CERTIFICATES)
def _is_root(certificate: x509.Certificate) -> bool:
    """Self-signed. One that is self-issued only belongs to the authority's other key (RFC 5280, 3.2).

    certificate: of a strong key. ValueError: issued by another name, or an algorithm that is not that of its key.
    """
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_strong(
    key: PublicKeyTypes,
) -> TypeGuard[rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey]:
    """NIST SP 800-57 Part 1, 5.6.1: 112 bits or more, of the kinds that the suites know."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= MIN_ISSUER_RSA_BITS
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    return isinstance(key, ed25519.Ed25519PublicKey)


def check_period(certificate: x509.Certificate, now: datetime) -> None:
    """Valid at that time. Raises SecurityFailed."""
    if now < certificate.not_valid_before_utc:
        raise SecurityFailed("a certificate of the chain is not valid yet")
    if now > certificate.not_valid_after_utc:
        raise SecurityFailed("a certificate of the chain has expired")


def _check_extensions(certificate: x509.Certificate) -> None:
    """RFC 5280, 4.2: a critical extension that is not processed means refusal.

    So does one that would take away from what a certificate may do, critical or not: its issuer meant it.
    """
    for extension in _extensions(certificate):
        if extension.oid in _RESTRICTING:
            raise SecurityFailed("a certificate has constraints on names or policies, which are not supported")
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise SecurityFailed("a certificate has a critical extension that is not understood")


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        return certificate.extensions
    except UNREADABLE:
        raise SecurityFailed("a certificate's extensions cannot be read") from None


def key_usage(certificate: x509.Certificate) -> x509.KeyUsage:
    """The KeyUsage extension. Raises SecurityFailed without one."""
    try:
        return _extensions(certificate).get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise SecurityFailed("a certificate does not say what its key is for") from None


def extended_key_usage(certificate: x509.Certificate) -> frozenset[x509.ObjectIdentifier]:
    """What the ExtendedKeyUsage extension names; empty without one. Raises SecurityFailed."""
    try:
        return frozenset(_extensions(certificate).get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return frozenset()


def _basic_constraints(certificate: x509.Certificate) -> x509.BasicConstraints | None:
    try:
        return _extensions(certificate).get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None
