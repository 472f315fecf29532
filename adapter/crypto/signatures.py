"""The three signature schemes of the suites, over octets. Failure raises; nothing returns a boolean.

Values are those of XML Signature: for ECDSA r||s (XML Signature 1.1, 6.4.3), for Ed25519 the 64 octets of RFC 8032,
for RSA the octets of PKCS #1.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.remembered import remembered
from adapter.errors import KeyUnusable, SecurityFailed

MIN_RSA_BITS: Final = 3072
MAX_RSA_BITS: Final = 8192
_MAX_KEYS_AT_HAND: Final = 1024
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ECDSA_SHA256: Final = ec.ECDSA(hashes.SHA256())
_PKCS1: Final = padding.PKCS1v15()
_SHA256: Final = hashes.SHA256()

# The encodings of the points of order 1, 2, 4 and 8 (RFC 8032, 5.1.3), with the sign bit cleared; also those that are
# not reduced. A key or an R among them makes a signature that says nothing about the message.
_SMALL_ORDER: Final = frozenset(
    bytes.fromhex(octets)
    for octets in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)


def _is_small_order(point: bytes) -> bool:
    return point[:31] + bytes((point[31] & 0x7F,)) in _SMALL_ORDER


# --- p256 ------------------------------------------------------------------------------------------------------------


@remembered(_MAX_KEYS_AT_HAND)
def check_p256_key(key: PublicKeyTypes) -> None:
    """An EC key on the named curve secp256r1. Raises SecurityFailed."""
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SecurityFailed("not a P-256 key")


def sign_p256(key: PrivateKeyTypes, octets: bytes) -> bytes:
    """ECDSA with SHA-256: r||s, 64 octets."""
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyUnusable("not a P-256 private key")
    r, s = decode_dss_signature(key.sign(octets, _ECDSA_SHA256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify_p256(key: PublicKeyTypes, signature: bytes, octets: bytes) -> None:
    """ECDSA with SHA-256 of exactly 64 octets, 0 < r, s < n. Raises SecurityFailed.

    s and n - s are both good, as XML Signature has it: a replay is recognised by sender and message id, not by value.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise SecurityFailed("not a P-256 key")
    if len(signature) != 64:
        raise SecurityFailed("an ECDSA value that has not 64 octets")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < _P256_ORDER and 0 < s < _P256_ORDER):
        raise SecurityFailed("an ECDSA value with r or s out of range")
    try:
        key.verify(encode_dss_signature(r, s), octets, _ECDSA_SHA256)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise SecurityFailed("the ECDSA signature is wrong") from None


# --- ed25519 ---------------------------------------------------------------------------------------------------------


def check_ed25519_key(key: PublicKeyTypes) -> None:
    """An Ed25519 key that is not of small order. Raises SecurityFailed."""
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise SecurityFailed("not an Ed25519 key")
    if _is_small_order(key.public_bytes(Encoding.Raw, PublicFormat.Raw)):
        raise SecurityFailed("an Ed25519 key of small order")


def sign_ed25519(key: PrivateKeyTypes, octets: bytes) -> bytes:
    """Pure Ed25519 (RFC 8032, 5.1): 64 octets."""
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise KeyUnusable("not an Ed25519 private key")
    return key.sign(octets)


def verify_ed25519(key: PublicKeyTypes, signature: bytes, octets: bytes) -> None:
    """Pure Ed25519 of exactly 64 octets, S reduced, R not of small order. Raises SecurityFailed."""
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise SecurityFailed("not an Ed25519 key")
    if len(signature) != 64 or _is_small_order(signature[:32]):
        raise SecurityFailed("an Ed25519 value that has not 64 octets, or an R of small order")
    try:
        key.verify(signature, octets)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise SecurityFailed("the Ed25519 signature is wrong") from None


# --- rsa -------------------------------------------------------------------------------------------------------------


def check_rsa_key(key: PublicKeyTypes) -> None:
    """An RSA key of 3072 to 8192 bits with an odd exponent of 65537 or more. Raises SecurityFailed."""
    if not isinstance(key, rsa.RSAPublicKey):
        raise SecurityFailed("not an RSA key")
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise SecurityFailed(f"an RSA key of {key.key_size} bits")
    if not 65537 <= key.public_numbers().e < 1 << 32:
        raise SecurityFailed("an RSA key with an unusual exponent")


def sign_rsa(key: PrivateKeyTypes, octets: bytes) -> bytes:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2)."""
    if not isinstance(key, rsa.RSAPrivateKey):
        raise KeyUnusable("not an RSA private key")
    return key.sign(octets, _PKCS1, _SHA256)


def verify_rsa(key: PublicKeyTypes, signature: bytes, octets: bytes) -> None:
    """RSASSA-PKCS1-v1_5 with SHA-256, exactly as long as the modulus. Raises SecurityFailed."""
    if not isinstance(key, rsa.RSAPublicKey):
        raise SecurityFailed("not an RSA key")
    if len(signature) != (key.key_size + 7) // 8:
        raise SecurityFailed("an RSA value of another length than the modulus")
    try:
        key.verify(signature, octets, _PKCS1, _SHA256)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        raise SecurityFailed("the RSA signature is wrong") from None
