"""The table of suites: what is not a row here is never accepted. Another suite is one more row and one more module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from adapter.crypto import key_encryption, signatures
from adapter.crypto.key_encryption import WrappedKey
from adapter.envelope import names
from adapter.errors import SecurityFailed
from adapter.ports import DecryptionKey
from adapter.stages import EncryptedKeyInfo


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """One row. A member signs with its own suite and encrypts with the suite of the recipient.

    ends: from this instant on the suite is refused. The functions raise SecurityFailed for a key of another kind.
    agreement_usage: the KeyUsage bit that a certificate needs so that others may encrypt to it (RFC 5280, 4.2.1.3).
    """

    name: str
    signature_algorithm: str
    ends: datetime
    agreement_usage: str
    check_signing_key: Callable[[PublicKeyTypes], None]
    check_agreement_key: Callable[[PublicKeyTypes], None]
    sign: Callable[[PrivateKeyTypes, bytes], bytes]
    verify: Callable[[PublicKeyTypes, bytes, bytes], None]
    wrap: Callable[[PublicKeyTypes, bytes], WrappedKey]
    unwrap: Callable[[EncryptedKeyInfo, DecryptionKey], bytes]
    generate_signing_key: Callable[[], PrivateKeyTypes]
    generate_agreement_key: Callable[[], PrivateKeyTypes]

    def check_in_force(self, now: datetime) -> None:
        """Raises SecurityFailed when the suite has ended."""
        if now >= self.ends:
            raise SecurityFailed(f"suite {self.name} ended on {self.ends.date()}")


def _check_x25519_key(key: PublicKeyTypes) -> None:
    if not isinstance(key, x25519.X25519PublicKey):
        raise SecurityFailed("not an X25519 key")


def _generate_p256() -> PrivateKeyTypes:
    return ec.generate_private_key(ec.SECP256R1())


def _generate_rsa() -> PrivateKeyTypes:
    return rsa.generate_private_key(public_exponent=65537, key_size=signatures.MIN_RSA_BITS)


# The end dates are those by which the common recommendations want something else, or a review, for long-term use.
_ROWS: Final = (
    Suite(
        name="p256",
        signature_algorithm=names.ECDSA_SHA256,
        ends=datetime(2036, 1, 1, tzinfo=UTC),
        agreement_usage="key_agreement",
        check_signing_key=signatures.check_p256_key,
        check_agreement_key=signatures.check_p256_key,
        sign=signatures.sign_p256,
        verify=signatures.verify_p256,
        wrap=key_encryption.wrap_p256,
        unwrap=key_encryption.unwrap_p256,
        generate_signing_key=_generate_p256,
        generate_agreement_key=_generate_p256,
    ),
    Suite(
        name="ed25519",
        signature_algorithm=names.EDDSA_ED25519,
        ends=datetime(2036, 1, 1, tzinfo=UTC),
        agreement_usage="key_agreement",
        check_signing_key=signatures.check_ed25519_key,
        check_agreement_key=_check_x25519_key,
        sign=signatures.sign_ed25519,
        verify=signatures.verify_ed25519,
        wrap=key_encryption.wrap_x25519,
        unwrap=key_encryption.unwrap_x25519,
        generate_signing_key=ed25519.Ed25519PrivateKey.generate,
        generate_agreement_key=x25519.X25519PrivateKey.generate,
    ),
    Suite(
        name="rsa",
        signature_algorithm=names.RSA_SHA256,
        ends=datetime(2031, 1, 1, tzinfo=UTC),
        agreement_usage="key_encipherment",
        check_signing_key=signatures.check_rsa_key,
        check_agreement_key=signatures.check_rsa_key,
        sign=signatures.sign_rsa,
        verify=signatures.verify_rsa,
        wrap=key_encryption.wrap_rsa,
        unwrap=key_encryption.unwrap_rsa,
        generate_signing_key=_generate_rsa,
        generate_agreement_key=_generate_rsa,
    ),
)

SUITES: Final[Mapping[str, Suite]] = MappingProxyType({row.name: row for row in _ROWS})
_BY_SIGNATURE: Final = {row.signature_algorithm: row for row in _ROWS}


def suite(name: str) -> Suite:
    """The row of this name. Raises SecurityFailed."""
    try:
        return SUITES[name]
    except KeyError:
        raise SecurityFailed("a suite that is not in the table") from None


def by_signature_algorithm(uri: str) -> Suite:
    """The row whose SignatureMethod this is. Raises SecurityFailed."""
    try:
        return _BY_SIGNATURE[uri]
    except KeyError:
        raise SecurityFailed("a signature algorithm that is not in the table") from None


def suite_of_signing_key(key: PublicKeyTypes) -> Suite:
    """The row that a signing key belongs to by its kind. Raises SecurityFailed for a key of no row."""
    return _first_that_takes(key, [(row, row.check_signing_key) for row in _ROWS])


def suite_of_agreement_key(key: PublicKeyTypes) -> Suite:
    """The row that an agreement key belongs to by its kind. Raises SecurityFailed for a key of no row."""
    return _first_that_takes(key, [(row, row.check_agreement_key) for row in _ROWS])


def _first_that_takes(key: PublicKeyTypes, checks: list[tuple[Suite, Callable[[PublicKeyTypes], None]]]) -> Suite:
    for row, check in checks:
        try:
            check(key)
        except SecurityFailed:
            continue
        return row
    raise SecurityFailed("a key that belongs to no suite of the table")
