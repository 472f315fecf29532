"""Notes signed with ECDSA on P-256 (C2SP signed-note, signature type 0x02): for officers whose key is in a token.

Hardly a token knows Ed25519. Only officers' words are read in both kinds; checkpoints stay Ed25519, so that no second
algorithm can speak for a record.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from adapter.crypto.note import KEY_ID_OCTETS, NoteKey, NoteVerifier, check_name, signed_note, split_vkey
from adapter.errors import KeyUnusable, SecurityFailed

_ECDSA: Final = b"\x02"
_SHA256: Final = ec.ECDSA(SHA256())


class EcdsaNoteSigner:
    """Signs notes under a name with a P-256 key, wherever that is kept."""

    def __init__(self, name: str, public: ec.EllipticCurvePublicKey, sign: Callable[[bytes], bytes]) -> None:
        """sign: gives the DER ECDSA signature over the SHA-256 of the octets. Raises KeyUnusable: not a P-256 key."""
        self._name, self._sign, self._key_id = name, sign, _key_id(_spki(public))
        self._vkey = officer_vkey(name, public)

    @property
    def vkey(self) -> str:
        """The verifier key, as one line of text."""
        return self._vkey

    def sign(self, text: str) -> str:
        """The note: the text and our signature. Raises SecurityFailed for other text, KeyUnusable: it cannot sign."""
        return signed_note(text, self._name, self._key_id, self._sign)


@dataclass(frozen=True, slots=True)
class EcdsaNoteVerifier:
    """The public half of a signer."""

    name: str
    key_id: bytes
    _public: ec.EllipticCurvePublicKey

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key. Raises KeyUnusable.

        The key is written in one way only: under two spellings one key would count as two officers.
        """
        name, key_id, encoded = split_vkey(vkey)
        try:
            public = load_der_public_key(base64.b64decode(encoded, validate=True)[1:])
        except (ValueError, UnsupportedAlgorithm):
            raise KeyUnusable("the verifier key does not hold a P-256 key") from None
        if not isinstance(public, ec.EllipticCurvePublicKey) or _encoded(spki := _spki(public)) != encoded:
            raise KeyUnusable("the verifier key does not hold a P-256 key in its only form")
        if _key_id(spki).hex() != key_id:
            raise KeyUnusable("the id of the verifier key does not fit it")
        return cls(name, bytes.fromhex(key_id), public)

    def verify(self, text: str, signature: bytes) -> None:
        """Check one signature over the text. Raises SecurityFailed."""
        try:
            self._public.verify(signature, text.encode(), _SHA256)
        except InvalidSignature:
            raise SecurityFailed(f"the signature of {self.name} does not fit the note") from None


def officer_vkey(name: str, public: ec.EllipticCurvePublicKey) -> str:
    """The verifier key of a public key, as one line of text. Raises KeyUnusable."""
    spki = _spki(public)
    return f"{check_name(name)}+{_key_id(spki).hex()}+{_encoded(spki)}"


def read_officer_vkey(vkey: str) -> NoteKey:
    """An officer's verifier key, of a file (Ed25519) or of a token (ECDSA on P-256). Raises KeyUnusable."""
    try:
        kind = base64.b64decode(split_vkey(vkey)[2], validate=True)[:1]
    except ValueError:  # binascii.Error is one, and so is what is not ASCII
        raise KeyUnusable("a verifier key is written name+id+key") from None
    return EcdsaNoteVerifier.parse(vkey) if kind == _ECDSA else NoteVerifier.parse(vkey)


def _encoded(spki: bytes) -> str:
    return base64.b64encode(_ECDSA + spki).decode()


def _spki(public: ec.EllipticCurvePublicKey) -> bytes:
    if not isinstance(public.curve, ec.SECP256R1):
        raise KeyUnusable("an officer's key in a token is ECDSA on P-256")
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key_id(spki: bytes) -> bytes:
    """Of this signature type the SHA-256 of the key alone, without the name."""
    return hashlib.sha256(spki).digest()[:KEY_ID_OCTETS]
