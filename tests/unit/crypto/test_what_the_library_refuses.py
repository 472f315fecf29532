"""What the cryptographic library itself cannot or will not do is the same failure as any other, by the same error.

A build of OpenSSL may lack an algorithm, or have its use forbidden; then the library raises UnsupportedAlgorithm. For a
value that it cannot take it raises ValueError. Doubles of its keys do so here, of the types that the code asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import create_autospec

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.crypto.content import ContentCipher
from adapter.crypto.key_encryption import load_p256_point, load_x25519, unwrap_aes
from adapter.crypto.keys import FileDecryptionKey, FileSigningKey
from adapter.crypto.suites import SUITES
from adapter.errors import KeyUnusable, SecurityFailed
from tests.pki import Federation, FederationMember

RAISED = [UnsupportedAlgorithm("not in this build"), ValueError("not with this value")]
BY_TYPE = pytest.mark.parametrize("raised", RAISED, ids=lambda raised: type(raised).__name__)


def member_of(federation: Federation, suite: str) -> FederationMember:
    return next(one for one in federation.members.values() if one.suite == suite)


@BY_TYPE
@pytest.mark.parametrize(
    ("suite", "kind", "octets"),
    [
        ("p256", ec.EllipticCurvePublicKey, 64),
        ("ed25519", ed25519.Ed25519PublicKey, 64),
        ("rsa", rsa.RSAPublicKey, 384),
    ],
)
def test_a_signature_that_the_library_does_not_verify(raised: Exception, suite: str, kind: type, octets: int) -> None:
    key = create_autospec(kind, instance=True)
    key.key_size = 3072
    value = b"\x01" * octets
    SUITES[suite].verify(key, value, b"x")  # the double says yes, so whatever is refused below is refused for its error
    key.verify.side_effect = raised
    with pytest.raises(SecurityFailed, match="signature is wrong"):
        SUITES[suite].verify(key, value, b"x")


@BY_TYPE
def test_public_keys_that_the_library_does_not_load(raised: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: object) -> None:
        raise raised

    monkeypatch.setattr(ec.EllipticCurvePublicKey, "from_encoded_point", refusing)
    monkeypatch.setattr(x25519.X25519PublicKey, "from_public_bytes", refusing)
    with pytest.raises(SecurityFailed, match="P-256"):
        load_p256_point(b"\x04" + bytes(64))
    with pytest.raises(SecurityFailed, match="X25519"):
        load_x25519(bytes(32))


def test_a_ciphertext_that_the_library_does_not_decrypt() -> None:
    cipher = ContentCipher(bytes(16))
    for raised in (InvalidTag(), ValueError("not with this value")):
        unable = create_autospec(AESGCM, instance=True)
        unable.decrypt.side_effect = raised
        cipher._gcm = unable
        with pytest.raises(SecurityFailed, match="tag is wrong"):
            cipher.decrypt(bytes(40))


def test_a_wrapping_key_that_is_none() -> None:
    with pytest.raises(SecurityFailed, match="damaged"):
        unwrap_aes(bytes(15), bytes(24))


@BY_TYPE
@pytest.mark.parametrize("suite", ["p256", "ed25519"])
def test_an_agreement_that_the_library_does_not_make(
    mixed_federation: Federation, raised: Exception, suite: str
) -> None:
    member = member_of(mixed_federation, suite)
    key = FileDecryptionKey(member.agreement_key, member.agreement_certificate, suite)
    ephemeral = SUITES[suite].generate_agreement_key().public_key()
    assert len(key.agree(ephemeral)) == 32  # type: ignore[arg-type]
    kind = ec.EllipticCurvePrivateKey if suite == "p256" else x25519.X25519PrivateKey
    unable = create_autospec(kind, instance=True)
    unable.exchange.side_effect = raised
    key._private_key = unable
    with pytest.raises(SecurityFailed, match="agreement failed"):
        key.agree(ephemeral)  # type: ignore[arg-type]


@BY_TYPE
def test_a_wrapped_key_that_the_library_does_not_open(mixed_federation: Federation, raised: Exception) -> None:
    member = member_of(mixed_federation, "rsa")
    key = FileDecryptionKey(member.agreement_key, member.agreement_certificate, "rsa")
    unable = create_autospec(rsa.RSAPrivateKey, instance=True)
    unable.decrypt.side_effect = raised
    key._private_key = unable
    with pytest.raises(SecurityFailed, match="damaged or for another key"):
        key.decrypt_oaep(bytes(384))


@pytest.mark.parametrize("maker", [FileSigningKey, FileDecryptionKey])
def test_a_certificate_whose_point_is_not_on_its_curve(
    federation: Federation, maker: Callable[[object, x509.Certificate, str], object]
) -> None:
    """The library takes the certificate, and says ValueError when its key is asked for."""
    member = federation.social
    signing = maker is FileSigningKey
    certificate = member.signing_certificate if signing else member.agreement_certificate
    numbers = certificate.public_key().public_numbers()  # type: ignore[union-attr]
    y = numbers.y.to_bytes(32, "big")  # type: ignore[union-attr]
    der = certificate.public_bytes(Encoding.DER)
    assert der.count(y) == 1
    broken = x509.load_der_x509_certificate(der.replace(y, y[:-1] + bytes((y[-1] ^ 1,))))
    with pytest.raises(ValueError):  # noqa: PT011  whatever the library calls it
        broken.public_key()
    with pytest.raises(KeyUnusable, match="cannot be read"):
        maker(member.signing_key if signing else member.agreement_key, broken, "p256")
