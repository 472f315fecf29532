"""The authority's keys, and what it puts into a certificate: the profile decides, not the request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapter.crypto.suites import suite_of_agreement_key, suite_of_signing_key
from adapter.errors import KeyUnusable
from examples.authority.vouched import read_vouched_request

SIGNING: Final = "signing"
AGREEMENT: Final = "agreement"
TLS: Final = "tls"
PROFILES: Final = (SIGNING, AGREEMENT, TLS)

_BACKDATED: Final = timedelta(minutes=5)
"""So that a member whose clock is a little behind can use its certificate at once."""
_KEY_KINDS: Final = (
    ec.EllipticCurvePublicKey,
    ed25519.Ed25519PublicKey,
    rsa.RSAPublicKey,
    x25519.X25519PublicKey,
)
_CA_LIFE: Final = timedelta(days=3650)
_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_IN_SUBJECT: Final = frozenset(
    (
        NameOID.COUNTRY_NAME,
        NameOID.ORGANIZATION_NAME,
        NameOID.ORGANIZATION_IDENTIFIER,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
        NameOID.COMMON_NAME,
    )
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateAuthority:
    """One CA: its key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True, kw_only=True, slots=True)
class Authorities:
    """A root with an issuing CA below it for signing and agreement, and a CA of its own for TLS.

    issued: the folder with every certificate that was issued, by serial number.
    """

    issued: Path
    root: CertificateAuthority
    issuing: CertificateAuthority
    tls: CertificateAuthority

    @classmethod
    def load_or_make(cls, folder: Path, now: datetime) -> Self:
        """Read the keys of an earlier run, or make them (readable by the owner only)."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        issued = folder / "issued"
        issued.mkdir(mode=0o700, exist_ok=True)
        root = _load_or_make(folder, "root", now, path_length=1)
        issuing = _load_or_make(folder, "issuing", now, path_length=0, issuer=root)
        return cls(issued=issued, root=root, issuing=issuing, tls=_load_or_make(folder, "tls", now, path_length=0))

    def chain_pem(self, profile: str) -> bytes:
        """The CA certificates for the directory: of the TLS certificates, or of all others."""
        cas = (self.tls,) if profile == TLS else (self.root, self.issuing)
        return b"".join(ca.certificate.public_bytes(Encoding.PEM) for ca in cas)

    def issue(self, profile: str, request: bytes, *, now: datetime, valid_for: timedelta) -> bytes:
        """A certificate, PEM, for a request of adapter.crypto.requests: PKCS #10, or vouched for (agreement only).

        Raises KeyUnusable, SecurityFailed.
        """
        if profile == AGREEMENT and not request.lstrip().startswith(b"-----"):
            vouched = read_vouched_request(request, self._signing_certificates())
            asked = _Asked(subject=vouched.subject, public_key=vouched.public_key)
        else:
            asked = _read_request(profile, request)
        issuer = self.tls if profile == TLS else self.issuing
        certificate = _issue(issuer, asked, usage=_usage_for(profile, asked.public_key), now=now, valid_for=valid_for)
        octets = certificate.public_bytes(Encoding.PEM)
        (self.issued / f"{certificate.serial_number:x}.{profile}.pem").write_bytes(octets)
        return octets

    def _signing_certificates(self) -> list[x509.Certificate]:
        found = sorted(self.issued.glob(f"*.{SIGNING}.pem"))
        return [x509.load_pem_x509_certificate(path.read_bytes()) for path in found]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What a request may decide: for whom, which key, and, for TLS, which hosts."""

    subject: x509.Name
    public_key: PublicKeyTypes
    hosts: x509.SubjectAlternativeName | None = None


def _read_request(profile: str, request: bytes) -> _Asked:
    """Subject, key and hosts of a PKCS #10 request. What else it asks for is left aside: the profile decides."""
    try:
        csr = x509.load_pem_x509_csr(request)
        if not csr.is_signature_valid:
            raise KeyUnusable("the signature of the request is wrong")
        key = csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature):
        raise KeyUnusable("the request cannot be read") from None
    _check_subject(csr.subject)
    return _Asked(subject=csr.subject, public_key=key, hosts=_hosts(csr) if profile == TLS else None)


def _usage_for(profile: str, key: PublicKeyTypes) -> str:
    if profile == AGREEMENT:
        return suite_of_agreement_key(key).agreement_usage
    suite_of_signing_key(key)
    return "digital_signature"


def _check_subject(subject: x509.Name) -> None:
    foreign = [attribute for attribute in subject if attribute.oid not in _IN_SUBJECT]
    if foreign or not subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        raise KeyUnusable("the subject has to have a common name, and may name country and organisation beside it")


def _hosts(csr: x509.CertificateSigningRequest) -> x509.SubjectAlternativeName:
    try:
        return csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        raise KeyUnusable("a request for a TLS certificate has to name its hosts (subjectAltName)") from None


def _issue(
    issuer: CertificateAuthority, asked: _Asked, *, usage: str, now: datetime, valid_for: timedelta
) -> x509.Certificate:
    builder = _builder(asked.subject, issuer.certificate.subject, asked.public_key, now, valid_for)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(usage), critical=True)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    builder = builder.add_extension(authority, critical=False)
    if asked.hosts is not None:
        both_sides = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(asked.hosts, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(both_sides), critical=False)
    return builder.sign(issuer.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKeyTypes, now: datetime, valid_for: timedelta
) -> x509.CertificateBuilder:
    if not isinstance(key, _KEY_KINDS):
        raise KeyUnusable("a key that a certificate cannot hold")
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + valid_for)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def _load_or_make(
    folder: Path, name: str, now: datetime, *, path_length: int, issuer: CertificateAuthority | None = None
) -> CertificateAuthority:
    key_file, certificate_file = folder / f"{name}-ca.key", folder / f"{name}-ca.pem"
    if key_file.exists():
        key = load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise KeyUnusable(f"{key_file} is not a key of this authority")
        return CertificateAuthority(key=key, certificate=x509.load_pem_x509_certificate(certificate_file.read_bytes()))
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Demonstration authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Demonstration {name} CA"),
        ]
    )
    signer = key if issuer is None else issuer.key
    builder = _builder(
        subject, subject if issuer is None else issuer.certificate.subject, key.public_key(), now, _CA_LIFE
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    builder = builder.add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
    certificate = builder.sign(signer, hashes.SHA256())
    write_secret(key_file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return CertificateAuthority(key=key, certificate=certificate)


def write_secret(path: Path, octets: bytes) -> None:
    """Write a new file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
