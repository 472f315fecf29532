"""What a member sends to a certificate authority, made and checked: certificate requests for its keys.

A key that can sign asks with PKCS#10 (RFC 2986), whose own signature proves possession. An X25519 key cannot sign, so
PKCS#10 cannot carry it. For such a key, the member's signing key vouches, in a small JSON document:

    {"public_key": "<SubjectPublicKeyInfo, PEM>",
     "signing_certificate": "<the member's signing certificate, PEM>",
     "signature": "<base64; by the signing key over the text below>"}

    interagency-adapter/agreement-key <line feed> <SHA-256 of the SubjectPublicKeyInfo in DER, hexadecimal> <line feed>

That shows that the member wants this key certified. It does not show possession of the private half; whoever registers
a key that is not theirs only makes messages to themselves unreadable.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from cryptography.x509.oid import NameOID

from adapter.crypto.suites import SUITES, Suite
from adapter.errors import KeyUnusable, SecurityFailed
from adapter.identifiers import MemberId
from adapter.ports import SigningKey

MAX_REQUEST_BYTES: Final = 32 * 1024

_STATEMENT: Final = "interagency-adapter/agreement-key"
_FIELDS: Final = {"public_key", "signing_certificate", "signature"}

CertifiableKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, kw_only=True, slots=True)
class AgreementRequest:
    """A request for a key that cannot sign, whose signature is good.

    Whether the signing certificate can be believed is for the authority to check.
    """

    public_key: PublicKeyTypes
    signing_certificate: x509.Certificate


def subject_name(member: MemberId, organisation: str, use: str) -> x509.Name:
    """The subject that a member's certificates bear. use: `signing`, `agreement` or `adapter`."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:64]),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, str(member)),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{member.code} {use}"[:64]),
        ]
    )


def certificate_request(key: CertifiableKey, subject: x509.Name, *, hosts: tuple[str, ...] = ()) -> bytes:
    """A PKCS#10 request, PEM. hosts: DNS names and IP addresses for subjectAltName, for TLS."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm).public_bytes(Encoding.PEM)


def agreement_request(public_key: PublicKeyTypes, signing_key: SigningKey) -> bytes:
    """The JSON document for a key that cannot sign."""
    octets = _spki(public_key)
    document = {
        "public_key": public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "signing_certificate": signing_key.certificate.public_bytes(Encoding.PEM).decode(),
        "signature": base64.b64encode(signing_key.sign(_statement(octets))).decode(),
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def read_agreement_request(octets: bytes) -> AgreementRequest:
    """Read the JSON document (untrusted) and check its signature. Raises KeyUnusable, SecurityFailed."""
    if len(octets) > MAX_REQUEST_BYTES:
        raise KeyUnusable(f"a request of {len(octets)} octets, allowed {MAX_REQUEST_BYTES}")
    try:
        document = json.loads(octets)
        if not isinstance(document, dict) or document.keys() != _FIELDS:
            raise KeyUnusable(f"the request is not a JSON object with exactly {', '.join(sorted(_FIELDS))}")
        public_key = load_pem_public_key(document["public_key"].encode())
        certificate = x509.load_pem_x509_certificate(document["signing_certificate"].encode())
        signer = certificate.public_key()
        signature = base64.b64decode(document["signature"], validate=True)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error, UnsupportedAlgorithm):
        raise KeyUnusable("the request cannot be read") from None
    signing_suite(signer).verify(signer, signature, _statement(_spki(public_key)))
    return AgreementRequest(public_key=public_key, signing_certificate=certificate)


def signing_suite(key: PublicKeyTypes) -> Suite:
    """The suite that this key can sign in. Raises KeyUnusable."""
    for row in SUITES.values():
        try:
            row.check_signing_key(key)
        except SecurityFailed:
            continue
        return row
    raise KeyUnusable("a key that no suite can sign with")


def agreement_suite(key: PublicKeyTypes) -> Suite:
    """The suite in which others can encrypt to this key. Raises KeyUnusable."""
    for row in SUITES.values():
        try:
            row.check_agreement_key(key)
        except SecurityFailed:
            continue
        return row
    raise KeyUnusable("a key that no suite can encrypt to")


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _statement(spki: bytes) -> bytes:
    return f"{_STATEMENT}\n{sha256(spki).hexdigest()}\n".encode()
