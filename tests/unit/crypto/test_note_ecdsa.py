"""Officers' keys on P-256 (signed-note 0x02): each key is written in one way, and everything else is refused."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.crypto.note_ecdsa import EcdsaNoteSigner, EcdsaNoteVerifier, officer_vkey, read_officer_vkey
from adapter.errors import KeyUnusable, SecurityFailed
from tests.pki import rsa_key

KEY = ec.derive_private_key(17, ec.SECP256R1())
OTHER = ec.derive_private_key(18, ec.SECP256R1())
SIGNER = EcdsaNoteSigner("karimova", KEY.public_key(), lambda octets: KEY.sign(octets, ec.ECDSA(SHA256())))
TEXT = "an act\nof two officers\n"


def spki(public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def written(key: bytes) -> str:
    """A verifier key of kind 0x02 that holds these octets, with the id that fits them."""
    return f"karimova+{hashlib.sha256(key).hexdigest()[:8]}+{base64.b64encode(bytes([2]) + key).decode()}"


def refused(vkey: str) -> str:
    with pytest.raises(KeyUnusable) as refusal:
        read_officer_vkey(vkey)
    return refusal.value.reason


def test_a_note_is_opened_by_its_key_and_by_no_other() -> None:
    verifier = read_officer_vkey(SIGNER.vkey)
    assert isinstance(verifier, EcdsaNoteVerifier)
    assert SIGNER.vkey == officer_vkey("karimova", KEY.public_key()) == written(spki(KEY.public_key()))
    assert open_note(SIGNER.sign(TEXT).encode(), [verifier]) == TEXT
    signature = KEY.sign(TEXT.encode(), ec.ECDSA(SHA256()))
    verifier.verify(TEXT, signature)
    for text, one in ((TEXT + "more\n", signature), (TEXT, OTHER.sign(TEXT.encode(), ec.ECDSA(SHA256()))), (TEXT, b"")):
        with pytest.raises(SecurityFailed, match="the signature of karimova does not fit the note"):
            verifier.verify(text, one)


def test_an_ed25519_key_is_read_by_its_own_kind() -> None:
    vkey = NoteSigner("karimova", ed25519.Ed25519PrivateKey.generate()).vkey
    assert read_officer_vkey(vkey) == NoteVerifier.parse(vkey)


@pytest.mark.parametrize("encoded", ["?", "AAA", "ключ", "", "AA=="])
def test_what_is_no_key_in_base64(encoded: str) -> None:
    assert "verifier key" in refused(f"karimova+00000000+{encoded}")


def test_what_holds_no_p256_key() -> None:
    assert refused(written(b"nothing")) == "the verifier key does not hold a P-256 key"
    rsa_spki = spki(rsa_key("officer").public_key())
    assert refused(written(rsa_spki)) == "the verifier key does not hold a P-256 key in its only form"
    p384 = ec.derive_private_key(17, ec.SECP384R1()).public_key()
    assert refused(written(spki(p384))) == "an officer's key in a token is ECDSA on P-256"
    with pytest.raises(KeyUnusable, match="is ECDSA on P-256"):
        officer_vkey("karimova", p384)


def test_a_key_is_written_in_one_way_only() -> None:
    public = KEY.public_key()
    start = spki(public)[:26]
    assert start + public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) == spki(public)
    # The same point, compressed: the bit string and the sequence around it are shorter by 32 octets.
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes([0x30, start[1] - 32, *start[2:24], start[24] - 32, *start[25:]]) + point
    assert refused(written(compressed)) == "the verifier key does not hold a P-256 key in its only form"


def test_an_id_that_is_not_the_keys() -> None:
    name, key_id, encoded = SIGNER.vkey.split("+", 2)
    other = officer_vkey("karimova", OTHER.public_key()).split("+", 2)[1]
    assert key_id != other
    assert refused(f"{name}+{other}+{encoded}") == "the id of the verifier key does not fit it"
