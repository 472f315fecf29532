"""PKCS #12 (RFC 7292): a key with its certificate as other systems hand it over; read once, then kept as our file."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from adapter.errors import KeyUnusable


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedOver:
    """What the file holds: a private key, its certificate, and others that may be its issuers, nearest first or not."""

    private_key: PrivateKeyTypes = field(repr=False)
    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]


def read_pkcs12(octets: bytes, passphrase: bytes) -> HandedOver:
    """Untrusted octets, at most as long as the caller allows. Raises KeyUnusable.

    Refused: another form, a wrong passphrase (the two look alike), no key, no certificate, a certificate for another
    key. Whether the certificate is good for anything is the caller's to check.
    """
    try:
        held = load_pkcs12(octets, passphrase)
        key, certificate = held.key, held.cert
        if key is None or certificate is None:
            raise KeyUnusable("the PKCS #12 file must hold one private key and its certificate")
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        fits = key.public_key().public_bytes(*form) == certificate.certificate.public_key().public_bytes(*form)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnusable("not a PKCS #12 file, or its passphrase is wrong") from None
    if not fits:
        raise KeyUnusable("the certificate in the PKCS #12 file is for another key")
    others = tuple(one.certificate for one in held.additional_certs)
    return HandedOver(private_key=key, certificate=certificate.certificate, others=others)
