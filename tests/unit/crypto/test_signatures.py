"""Each signature scheme takes keys of its own kind only, and values of the one form that XML Signature gives them."""

from __future__ import annotations

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from adapter.crypto.signatures import MIN_RSA_BITS, check_rsa_key
from adapter.crypto.suites import SUITES
from adapter.errors import KeyUnusable, SecurityFailed
from tests.pki import SUITE_NAMES, SigningPrivateKey, rsa_key


@pytest.fixture(scope="module")
def keys() -> dict[str, SigningPrivateKey]:
    return {
        "p256": ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
        "rsa": rsa_key("signatures"),
    }


@pytest.mark.parametrize("name", SUITE_NAMES)
@pytest.mark.parametrize("other", SUITE_NAMES)
def test_a_scheme_neither_signs_nor_verifies_with_a_key_of_another_kind(
    keys: dict[str, SigningPrivateKey], name: str, other: str
) -> None:
    row, key = SUITES[name], keys[other]
    if name == other:
        row.check_signing_key(key.public_key())
        row.verify(key.public_key(), row.sign(key, b"x"), b"x")
        return
    with pytest.raises(KeyUnusable, match="private key"):
        row.sign(key, b"x")
    with pytest.raises(SecurityFailed, match=r"not an? .* key"):
        row.verify(key.public_key(), bytes(64), b"x")
    with pytest.raises(SecurityFailed, match=r"not an? .* key"):
        row.check_signing_key(key.public_key())


@pytest.mark.parametrize("name", SUITE_NAMES)
def test_a_value_with_an_octet_more_or_less_is_refused(keys: dict[str, SigningPrivateKey], name: str) -> None:
    row, key = SUITES[name], keys[name]
    good = row.sign(key, b"x")
    for value in (good[:-1], good + b"\0", b"\0" + good, b""):
        with pytest.raises(SecurityFailed):
            row.verify(key.public_key(), value, b"x")


@pytest.mark.parametrize(("bits", "octets"), [(3072, 384), (3073, 385), (3079, 385), (3080, 385), (3081, 386)])
def test_an_rsa_value_is_as_long_as_the_modulus(bits: int, octets: int) -> None:
    """The library would refuse another length too: the reason says who did."""
    key = rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key()
    with pytest.raises(SecurityFailed, match="signature is wrong"):
        SUITES["rsa"].verify(key, bytes(octets), b"x")
    for other in (octets - 1, octets + 1, 0):
        with pytest.raises(SecurityFailed, match="another length than the modulus"):
            SUITES["rsa"].verify(key, bytes(other), b"x")


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize(
    ("s", "good"), [(1, True), (2, True), (ORDER - 1, True), (0, False), (ORDER, False), (ORDER + 1, False)]
)
def test_an_ecdsa_value_at_the_edges_of_its_range(s: int, good: bool) -> None:  # noqa: FBT001
    """SEC 1, 4.1.3, solved for the private key: with one nonce, any s is that of a key made for it."""
    nonce, digest = 2, int.from_bytes(sha256(b"x").digest(), "big")
    r = ec.derive_private_key(nonce, ec.SECP256R1()).public_key().public_numbers().x % ORDER
    secret = (s * nonce - digest) * pow(r, -1, ORDER) % ORDER
    key = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
    value = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if good:
        SUITES["p256"].verify(key, value, b"x")
        return
    with pytest.raises(SecurityFailed, match="out of range"):
        SUITES["p256"].verify(key, value, b"x")


def test_an_rsa_key_with_a_small_exponent_is_refused(keys: dict[str, SigningPrivateKey]) -> None:
    key = keys["rsa"]
    assert isinstance(key, rsa.RSAPrivateKey)
    modulus = key.public_key().public_numbers().n
    check_rsa_key(rsa.RSAPublicNumbers(65537, modulus).public_key())
    with pytest.raises(SecurityFailed, match="exponent"):
        check_rsa_key(rsa.RSAPublicNumbers(3, modulus).public_key())


def test_a_generated_rsa_key_is_one_that_the_suite_takes() -> None:
    key = SUITES["rsa"].generate_signing_key()
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == MIN_RSA_BITS
    SUITES["rsa"].check_signing_key(key.public_key())
