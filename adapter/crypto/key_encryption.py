"""How a content key reaches its one recipient: agreement, HKDF and key wrap, or RSA-OAEP."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.content import KEY_OCTETS
from adapter.errors import SecurityFailed
from adapter.ports import DecryptionKey
from adapter.stages import EncryptedKeyInfo

OAEP: Final = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
ECDH: Final = ec.ECDH()
_P256: Final = ec.SECP256R1()
_SHA256: Final = hashes.SHA256()
_SALT_OCTETS: Final = 32
_WRAPPED_OCTETS: Final = KEY_OCTETS + 8
# What the derived key is for (RFC 5869, 3.2): never mixed up with one that another protocol derives.
HKDF_INFO: Final = b"interagency-adapter:envelope:1:kw-aes128"


@dataclass(frozen=True, kw_only=True, slots=True)
class WrappedKey:
    """A content key for one recipient; what stands in the EncryptedKey. Empty where the suite has no such value.

    ephemeral_public: a SEC 1 uncompressed point (65 octets), or an X25519 u-coordinate (32 octets).
    """

    wrapped: bytes
    ephemeral_public: bytes = b""
    hkdf_salt: bytes = b""
    hkdf_info: bytes = b""


def derive_wrapping_key(shared_secret: bytes, *, salt: bytes, info: bytes) -> bytes:
    """HKDF with SHA-256 (RFC 5869): 16 octets."""
    return HKDF(algorithm=_SHA256, length=KEY_OCTETS, salt=salt, info=info).derive(shared_secret)


def unwrap_aes(wrapping_key: bytes, wrapped: bytes) -> bytes:
    """AES key unwrap (RFC 3394) of a 16-octet key. Raises SecurityFailed."""
    if len(wrapped) != _WRAPPED_OCTETS:
        raise SecurityFailed("a wrapped key that has not 24 octets")
    try:
        return aes_key_unwrap(wrapping_key, wrapped)
    except (InvalidUnwrap, ValueError):
        raise SecurityFailed("the wrapped key is damaged or for another key") from None


def _wrap(shared_secret: bytes, ephemeral_public: bytes, content_key: bytes) -> WrappedKey:
    salt = os.urandom(_SALT_OCTETS)
    wrapping_key = derive_wrapping_key(shared_secret, salt=salt, info=HKDF_INFO)
    return WrappedKey(
        wrapped=aes_key_wrap(wrapping_key, content_key),
        ephemeral_public=ephemeral_public,
        hkdf_salt=salt,
        hkdf_info=HKDF_INFO,
    )


def _unwrap_agreed(info: EncryptedKeyInfo, shared_secret: bytes) -> bytes:
    wrapping_key = derive_wrapping_key(shared_secret, salt=info.hkdf_salt, info=info.hkdf_info)
    return unwrap_aes(wrapping_key, info.wrapped_key)


# --- p256 ------------------------------------------------------------------------------------------------------------


def load_p256_point(octets: bytes) -> ec.EllipticCurvePublicKey:
    """An uncompressed point that lies on the curve and is not the point at infinity. Raises SecurityFailed."""
    if len(octets) != 65 or octets[0] != 0x04:
        raise SecurityFailed("not an uncompressed P-256 point")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_P256, octets)
    except (ValueError, UnsupportedAlgorithm):
        raise SecurityFailed("a point that does not lie on P-256") from None


def wrap_p256(recipient: PublicKeyTypes, content_key: bytes) -> WrappedKey:
    """ECDH-ES with a fresh key on P-256 (NIST SP 800-56A, 6.2.2.2). Raises SecurityFailed for another kind of key."""
    if not isinstance(recipient, ec.EllipticCurvePublicKey) or not isinstance(recipient.curve, ec.SECP256R1):
        raise SecurityFailed("the recipient's key is not a P-256 key")
    ephemeral = ec.generate_private_key(_P256)
    public = ephemeral.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return _wrap(ephemeral.exchange(ECDH, recipient), public, content_key)


def unwrap_p256(info: EncryptedKeyInfo, key: DecryptionKey) -> bytes:
    """The content key. Raises SecurityFailed."""
    return _unwrap_agreed(info, key.agree(load_p256_point(info.ephemeral_public)))


# --- ed25519 (agreement with X25519) ---------------------------------------------------------------------------------


def load_x25519(octets: bytes) -> x25519.X25519PublicKey:
    """An X25519 public key of 32 octets. Raises SecurityFailed. A low-order point is found out when it is used."""
    try:
        return x25519.X25519PublicKey.from_public_bytes(octets)
    except (ValueError, UnsupportedAlgorithm):
        raise SecurityFailed("not an X25519 key") from None


def wrap_x25519(recipient: PublicKeyTypes, content_key: bytes) -> WrappedKey:
    """X25519 with a fresh key (RFC 7748, 6.1). Raises SecurityFailed for another kind of key or a low-order one."""
    if not isinstance(recipient, x25519.X25519PublicKey):
        raise SecurityFailed("the recipient's key is not an X25519 key")
    ephemeral = x25519.X25519PrivateKey.generate()
    try:
        shared_secret = ephemeral.exchange(recipient)
    except ValueError:
        raise SecurityFailed("the recipient's X25519 key is of low order") from None
    return _wrap(shared_secret, ephemeral.public_key().public_bytes_raw(), content_key)


def unwrap_x25519(info: EncryptedKeyInfo, key: DecryptionKey) -> bytes:
    """The content key. Raises SecurityFailed."""
    return _unwrap_agreed(info, key.agree(load_x25519(info.ephemeral_public)))


# --- rsa -------------------------------------------------------------------------------------------------------------


def wrap_rsa(recipient: PublicKeyTypes, content_key: bytes) -> WrappedKey:
    """RSA-OAEP, SHA-256, MGF1-SHA-256, no label. Raises SecurityFailed for another kind of key."""
    if not isinstance(recipient, rsa.RSAPublicKey):
        raise SecurityFailed("the recipient's key is not an RSA key")
    return WrappedKey(wrapped=recipient.encrypt(content_key, OAEP))


def unwrap_rsa(info: EncryptedKeyInfo, key: DecryptionKey) -> bytes:
    """The content key. Raises SecurityFailed."""
    return key.decrypt_oaep(info.wrapped_key)
