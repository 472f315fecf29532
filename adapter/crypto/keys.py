"""Private keys held in this process, behind the ports that a hardware token can implement as well.

Signing and decrypting have separate keys and separate types; none of them shows its private part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.certificates import Purpose, check_purpose, ski
from adapter.crypto.key_encryption import ECDH, OAEP
from adapter.crypto.suites import SUITES, Suite, suite
from adapter.errors import KeyUnusable, SecurityFailed
from adapter.ports import DecryptionKey

AGREEMENT_PURPOSES: Final = {"key_agreement": Purpose.KEY_AGREEMENT, "key_encipherment": Purpose.KEY_ENCIPHERMENT}


def key_id(public: PublicKeyTypes) -> str:
    """What a key is called in the record: SHA-256 of its SubjectPublicKeyInfo (DER), hexadecimal."""
    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _check_fits(private_key: PrivateKeyTypes, certificate: x509.Certificate) -> None:
    try:
        public = private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        certified = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable("the key or the certificate's key cannot be read") from None
    if public != certified:
        raise KeyUnusable("the certificate is for another key")


class FileSigningKey:
    """A signing key of a file, with its certificate (ports.SigningKey)."""

    def __init__(self, private_key: PrivateKeyTypes, certificate: x509.Certificate, suite_name: str) -> None:
        """Raises KeyUnusable when key, certificate and suite do not fit, or the certificate is not for signing."""
        _check_fits(private_key, certificate)
        try:
            row = suite(suite_name)
            row.check_signing_key(private_key.public_key())
            check_purpose(certificate, Purpose.SIGNING)
        except SecurityFailed as cause:
            raise KeyUnusable(f"signing key: {cause.reason}") from None
        self._private_key = private_key
        self._sign = row.sign
        self._suite = suite_name
        self._certificate = certificate

    @property
    def suite(self) -> str:
        """Name of the row in crypto.suites."""
        return self._suite

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that goes into the BinarySecurityToken."""
        return self._certificate

    def sign(self, octets: bytes) -> bytes:
        """The XML Signature value of the octets."""
        return self._sign(self._private_key, octets)


class FileDecryptionKey:
    """A key of a file that opens what was encrypted for us, with its certificate (ports.DecryptionKey)."""

    def __init__(self, private_key: PrivateKeyTypes, certificate: x509.Certificate, suite_name: str) -> None:
        """Raises KeyUnusable when key, certificate and suite do not fit, or the certificate is not for encryption."""
        _check_fits(private_key, certificate)
        try:
            row = suite(suite_name)
            row.check_agreement_key(private_key.public_key())
            check_purpose(certificate, AGREEMENT_PURPOSES[row.agreement_usage])
        except SecurityFailed as cause:
            raise KeyUnusable(f"agreement key: {cause.reason}") from None
        self._private_key = private_key
        self._suite = suite_name
        self._certificate = certificate

    @property
    def suite(self) -> str:
        """Name of the row in crypto.suites."""
        return self._suite

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that others encrypt to."""
        return self._certificate

    def agree(self, ephemeral: ec.EllipticCurvePublicKey | x25519.X25519PublicKey) -> bytes:
        """The shared secret, 32 octets. Raises SecurityFailed for a low-order point or another kind of key."""
        key = self._private_key
        try:
            if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(ephemeral, ec.EllipticCurvePublicKey):
                return key.exchange(ECDH, ephemeral)
            if isinstance(key, x25519.X25519PrivateKey) and isinstance(ephemeral, x25519.X25519PublicKey):
                return key.exchange(ephemeral)
        except (ValueError, UnsupportedAlgorithm):
            raise SecurityFailed("the key agreement failed") from None
        raise SecurityFailed("an ephemeral key of another kind than ours")

    def decrypt_oaep(self, wrapped: bytes) -> bytes:
        """RSA-OAEP, SHA-256, MGF1-SHA-256, no label. Raises SecurityFailed."""
        if not isinstance(self._private_key, rsa.RSAPrivateKey):
            raise SecurityFailed("key transport to a key that is not RSA")
        try:
            return self._private_key.decrypt(wrapped, OAEP)
        except (ValueError, UnsupportedAlgorithm):
            raise SecurityFailed("the wrapped key is damaged or for another key") from None


class DecryptionKeys:
    """Our decryption keys by subject key identifier: more than one while a key is being replaced."""

    def __init__(self, keys: Iterable[DecryptionKey]) -> None:
        """Raises KeyUnusable when two keys have one identifier: which one is meant would be a guess."""
        self._by_ski = _by_identifier(keys)

    @classmethod
    def of(cls, *keys: DecryptionKey) -> Self:
        """The same, for a few keys at hand."""
        return cls(keys)

    def replace(self, keys: Self) -> None:
        """Have these keys from now on. Messages that are being opened keep the key that they found."""
        self._by_ski = keys._by_ski

    def keep_only(self, wanted: Callable[[x509.Certificate], bool]) -> None:
        """Forget the keys whose certificates are not wanted any more."""
        self._by_ski = {name: key for name, key in self._by_ski.items() if wanted(key.certificate)}

    @property
    def certificates(self) -> tuple[x509.Certificate, ...]:
        """Of all keys that are held now."""
        return tuple(key.certificate for key in self._by_ski.values())

    def find(self, recipient_ski: bytes) -> DecryptionKey:
        """The key that a message was encrypted for. Raises SecurityFailed."""
        try:
            return self._by_ski[recipient_ski]
        except KeyError:
            raise SecurityFailed("encrypted for a key that is not ours") from None


def _by_identifier(keys: Iterable[DecryptionKey]) -> dict[bytes, DecryptionKey]:
    found: dict[bytes, DecryptionKey] = {}
    for key in keys:
        try:
            identifier = ski(key.certificate)
        except SecurityFailed as cause:
            raise KeyUnusable(f"agreement key: {cause.reason}") from None
        if identifier in found:
            raise KeyUnusable("two agreement keys have the same subject key identifier")
        found[identifier] = key
    return found


def generate_signing_key(suite_name: str) -> PrivateKeyTypes:
    """A fresh private key that signs in this suite. Raises KeyUnusable for an unknown suite."""
    return _row(suite_name).generate_signing_key()


def generate_agreement_key(suite_name: str) -> PrivateKeyTypes:
    """A fresh private key that others encrypt to in this suite. Raises KeyUnusable for an unknown suite."""
    return _row(suite_name).generate_agreement_key()


def _row(suite_name: str) -> Suite:
    if suite_name not in SUITES:
        raise KeyUnusable(f"unknown suite; known: {', '.join(SUITES)}")
    return SUITES[suite_name]
