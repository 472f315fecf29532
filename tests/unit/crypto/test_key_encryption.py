"""What stands in an EncryptedKey: points, wrapped keys and recipients of exactly the suite's kind."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import load_p256_point, load_x25519, unwrap_aes, wrap_x25519
from adapter.crypto.suites import SUITES
from adapter.errors import SecurityFailed
from tests.pki import SUITE_NAMES, new_agreement_key


@pytest.mark.parametrize("octets", [0, 16, 23, 25, 32, 40])
def test_a_wrapped_key_has_24_octets(octets: int) -> None:
    with pytest.raises(SecurityFailed, match="24 octets"):
        unwrap_aes(bytes(16), bytes(octets))


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (b"", "uncompressed"),
        (b"\x00", "uncompressed"),
        (b"\x02" + bytes(32), "uncompressed"),
        (b"\x06" + bytes(64), "uncompressed"),
        (b"\x04" + bytes(65), "uncompressed"),
        (b"\x04" + bytes(64), "not lie on"),
    ],
    ids=["nothing", "infinity", "compressed", "hybrid", "an octet more", "off the curve"],
)
def test_a_point_that_is_none_of_p256(point: bytes, reason: str) -> None:
    with pytest.raises(SecurityFailed, match=reason):
        load_p256_point(point)


@pytest.mark.parametrize("octets", [0, 31, 33])
def test_an_x25519_key_has_32_octets(octets: int) -> None:
    with pytest.raises(SecurityFailed, match="not an X25519 key"):
        load_x25519(bytes(octets))


@pytest.mark.parametrize("name", SUITE_NAMES)
@pytest.mark.parametrize("other", SUITE_NAMES)
def test_nothing_is_encrypted_to_a_key_of_another_kind(name: str, other: str) -> None:
    recipient = new_agreement_key(other, "key encryption").public_key()
    if name == other:
        assert len(SUITES[name].wrap(recipient, bytes(16)).wrapped) in {24, 384}
        return
    with pytest.raises(SecurityFailed, match="recipient's key"):
        SUITES[name].wrap(recipient, bytes(16))


def test_nothing_is_encrypted_to_a_key_on_another_curve() -> None:
    with pytest.raises(SecurityFailed, match="P-256"):
        SUITES["p256"].wrap(ec.generate_private_key(ec.SECP384R1()).public_key(), bytes(16))


def test_nothing_is_encrypted_to_a_low_order_key() -> None:
    with pytest.raises(SecurityFailed, match="low order"):
        wrap_x25519(x25519.X25519PublicKey.from_public_bytes(bytes(32)), bytes(16))


@pytest.mark.parametrize("octets", [0, 12, 27])
def test_a_ciphertext_has_room_for_an_iv_and_a_tag(octets: int) -> None:
    with pytest.raises(SecurityFailed, match="too short"):
        ContentCipher(bytes(16)).decrypt(bytes(octets))
