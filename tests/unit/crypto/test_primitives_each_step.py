"""Keys, signature values and key forms at the edges of what the profile allows."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from adapter.crypto import key_encryption, signatures
from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import HKDF_INFO, derive_wrapping_key, load_p256_point, load_x25519, unwrap_aes
from adapter.crypto.suites import (
    SUITES,
    by_signature_algorithm,
    suite,
    suite_of_agreement_key,
    suite_of_signing_key,
)
from adapter.envelope import names
from adapter.errors import KeyUnusable, SecurityFailed
from tests.pki import rsa_key

OCTETS = b"what is signed"


# --- signing keys ----------------------------------------------------------------------------------------------------


def rsa_public(bits: int, exponent: int = 65537) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(exponent, (1 << (bits - 1)) + 1).public_key()


@pytest.mark.parametrize(("bits", "exponent"), [(3072, 65537), (8192, 65537), (3072, (1 << 32) - 1)])
def test_an_rsa_key_just_allowed(bits: int, exponent: int) -> None:
    signatures.check_rsa_key(rsa_public(bits, exponent))


@pytest.mark.parametrize(
    ("bits", "exponent"), [(3071, 65537), (8193, 65537), (3072, 65535), (3072, 3), (3072, (1 << 32) + 1)]
)
def test_an_rsa_key_just_refused(bits: int, exponent: int) -> None:
    with pytest.raises(SecurityFailed):
        signatures.check_rsa_key(rsa_public(bits, exponent))


# RFC 8032, 5.1.3: y = 0, 1, -1, and those of order 8; also p and p + 1, which are 0 and 1 not reduced.
P = 2**255 - 19
ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
SMALL_ORDER = (0, 1, P - 1, P, P + 1, ORDER_8, P - ORDER_8)


@pytest.mark.parametrize("sign", [0, 1])
@pytest.mark.parametrize("y", SMALL_ORDER)
def test_an_ed25519_key_of_small_order_is_refused(y: int, sign: int) -> None:
    point = (y | sign << 255).to_bytes(32, "little")
    with pytest.raises(SecurityFailed):
        signatures.check_ed25519_key(ed25519.Ed25519PublicKey.from_public_bytes(point))


def test_an_ed25519_signature_that_says_nothing_of_its_message_is_refused() -> None:
    """Its R is the neutral point: the holder of the key can make it, and the library takes it."""
    order = 2**252 + 27742317777372353535851937790883648493
    seed = bytes(range(32))
    key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    scalar = int.from_bytes(sha512(seed).digest()[:32], "little") & ((1 << 254) - 8) | 1 << 254
    public = key.public_key().public_bytes_raw()
    neutral = (1).to_bytes(32, "little")
    challenge = int.from_bytes(sha512(neutral + public + OCTETS).digest(), "little") % order
    forged = neutral + (challenge * scalar % order).to_bytes(32, "little")
    key.public_key().verify(forged, OCTETS)
    with pytest.raises(SecurityFailed):
        signatures.verify_ed25519(key.public_key(), forged, OCTETS)


def test_a_key_of_another_kind_is_never_used() -> None:
    p256, edwards, big = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), rsa_key("any")
    keys: dict[str, PrivateKeyTypes] = {"p256": p256, "ed25519": edwards, "rsa": big}
    for row, own in keys.items():
        good = SUITES[row].sign(own, OCTETS)
        SUITES[row].verify(own.public_key(), good, OCTETS)
        SUITES[row].check_signing_key(own.public_key())
        assert suite_of_signing_key(own.public_key()).name == row
        for wrong in (good[:-1], good + b"\0", bytes(len(good)), good[::-1], b""):
            with pytest.raises(SecurityFailed):
                SUITES[row].verify(own.public_key(), wrong, OCTETS)
        with pytest.raises(SecurityFailed):
            SUITES[row].verify(own.public_key(), good, OCTETS + b".")
        for other in (key for key in keys.values() if key is not own):
            with pytest.raises(SecurityFailed):
                SUITES[row].verify(other.public_key(), good, OCTETS)
            with pytest.raises(SecurityFailed):
                SUITES[row].check_signing_key(other.public_key())
            with pytest.raises(KeyUnusable):
                SUITES[row].sign(other, OCTETS)
    with pytest.raises(SecurityFailed):
        signatures.check_p256_key(ec.generate_private_key(ec.SECP384R1()).public_key())


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "algorithm", "ends", "usage"),
    [
        ("p256", names.ECDSA_SHA256, datetime(2036, 1, 1, tzinfo=UTC), "key_agreement"),
        ("ed25519", names.EDDSA_ED25519, datetime(2036, 1, 1, tzinfo=UTC), "key_agreement"),
        ("rsa", names.RSA_SHA256, datetime(2031, 1, 1, tzinfo=UTC), "key_encipherment"),
    ],
)
def test_a_row_of_the_table(name: str, algorithm: str, ends: datetime, usage: str) -> None:
    row = suite(name)
    assert (row.name, row.signature_algorithm, row.ends, row.agreement_usage) == (name, algorithm, ends, usage)
    assert by_signature_algorithm(algorithm) is row
    row.check_in_force(ends - timedelta(microseconds=1))
    with pytest.raises(SecurityFailed):
        row.check_in_force(ends)


def test_the_table_has_three_rows() -> None:
    assert list(SUITES) == ["p256", "ed25519", "rsa"]
    for unknown in ("", "P256", "p384"):
        with pytest.raises(SecurityFailed):
            suite(unknown)
        with pytest.raises(SecurityFailed):
            by_signature_algorithm(unknown)


def test_an_agreement_key_belongs_to_one_row() -> None:
    keys: dict[str, PublicKeyTypes] = {
        "p256": ec.generate_private_key(ec.SECP256R1()).public_key(),
        "ed25519": x25519.X25519PrivateKey.generate().public_key(),
        "rsa": rsa_key("any").public_key(),
    }
    assert {name: suite_of_agreement_key(key).name for name, key in keys.items()} == {name: name for name in keys}
    strangers: tuple[PublicKeyTypes, ...] = (
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
    )
    for stranger in strangers:
        with pytest.raises(SecurityFailed):
            suite_of_agreement_key(stranger)


# --- the content key and what it opens -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 15, 17, 24, 32])
def test_a_content_key_has_16_octets(length: int) -> None:
    ContentCipher(bytes(16))
    with pytest.raises(SecurityFailed):
        ContentCipher(bytes(length))


def test_a_ciphertext_is_an_iv_the_text_and_a_tag() -> None:
    cipher, iv = ContentCipher(bytes(16)), bytes(range(12))
    sealed = cipher.encrypt(iv, b"")
    assert (sealed[:12], len(sealed), cipher.decrypt(sealed)) == (iv, 28, b"")
    assert cipher.decrypt(cipher.encrypt(iv, OCTETS)) == OCTETS
    for at in range(28):
        with pytest.raises(SecurityFailed):
            cipher.decrypt(sealed[:at])
        with pytest.raises(SecurityFailed):
            cipher.decrypt(sealed[:at] + bytes((sealed[at] ^ 1,)) + sealed[at + 1 :])


def test_a_wrapped_key_has_24_octets() -> None:
    wrapping, content_key = bytes(range(16)), bytes(range(16, 32))
    wrapped = aes_key_wrap(wrapping, content_key)
    assert unwrap_aes(wrapping, wrapped) == content_key
    for wrong in (aes_key_wrap(wrapping, bytes(24)), wrapped[:-1], wrapped[:-1] + bytes((wrapped[-1] ^ 1,)), b""):
        with pytest.raises(SecurityFailed):
            unwrap_aes(wrapping, wrong)


def test_the_wrapping_key_hangs_on_all_that_it_is_derived_from() -> None:
    """RFC 5869 with SHA-256, computed here with the standard library: extract, then the first block of expand."""
    derived = derive_wrapping_key(bytes(32), salt=bytes(32), info=HKDF_INFO)
    extracted = hmac.digest(bytes(32), bytes(32), "sha256")
    assert derived == hmac.digest(extracted, HKDF_INFO + b"\1", "sha256")[:16]
    others = {
        derive_wrapping_key(b"\1" * 32, salt=bytes(32), info=HKDF_INFO),
        derive_wrapping_key(bytes(32), salt=b"\1" * 32, info=HKDF_INFO),
        derive_wrapping_key(bytes(32), salt=bytes(32), info=b""),
    }
    assert len({derived, *others}) == 4
    assert HKDF_INFO == b"interagency-adapter:envelope:1:kw-aes128"


def test_a_point_is_uncompressed_and_lies_on_the_curve() -> None:
    generator = ec.derive_private_key(1, ec.SECP256R1()).public_key().public_numbers()
    point = b"\x04" + generator.x.to_bytes(32, "big") + generator.y.to_bytes(32, "big")
    assert load_p256_point(point).public_numbers() == generator
    hybrid = bytes((6 + generator.y % 2,)) + point[1:]
    compressed = bytes((2 + generator.y % 2,)) + point[1:33]
    for wrong in (
        hybrid,
        compressed,
        compressed + bytes(32),
        point + b"\0",
        point[:-1],
        point[:-1] + bytes((point[-1] ^ 1,)),
        b"\0",
        b"",
    ):
        with pytest.raises(SecurityFailed):
            load_p256_point(wrong)
    for length in (0, 31, 33):
        with pytest.raises(SecurityFailed):
            load_x25519(bytes(length))


def test_nothing_is_wrapped_for_a_key_of_another_kind() -> None:
    p384 = ec.generate_private_key(ec.SECP384R1()).public_key()
    x = x25519.X25519PrivateKey.generate().public_key()
    for wrap, wrong in (
        (key_encryption.wrap_p256, p384),
        (key_encryption.wrap_p256, x),
        (key_encryption.wrap_x25519, p384),
        (key_encryption.wrap_x25519, x25519.X25519PublicKey.from_public_bytes(bytes(32))),
        (key_encryption.wrap_rsa, x),
    ):
        with pytest.raises(SecurityFailed):
            wrap(wrong, bytes(16))


@pytest.mark.parametrize("name", ["p256", "ed25519"])
def test_every_wrapping_has_a_salt_and_a_key_of_its_own(name: str) -> None:
    recipient = SUITES[name].generate_agreement_key().public_key()
    first, second = (SUITES[name].wrap(recipient, bytes(16)) for _ in range(2))
    assert len({first.hkdf_salt, second.hkdf_salt, first.ephemeral_public, second.ephemeral_public}) == 4
    assert (len(first.hkdf_salt), first.hkdf_info, len(first.wrapped)) == (32, HKDF_INFO, 24)


def test_rsa_needs_nothing_but_the_wrapped_key() -> None:
    wrapped = SUITES["rsa"].wrap(rsa_key("primitives").public_key(), bytes(16))
    assert (len(wrapped.wrapped), wrapped.ephemeral_public, wrapped.hkdf_salt, wrapped.hkdf_info) == (
        384,
        b"",
        b"",
        b"",
    )
