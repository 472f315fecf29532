"""Signed notes (C2SP signed-note, v1.0.0): text, a blank line, and one signature line for each signer. Ed25519.

The directory and the record's checkpoints are signed in this form, so that existing witnesses and tools can read them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapter.errors import KeyUnusable, SecurityFailed

MAX_NOTE_OCTETS: Final = 1_000_000
MAX_SIGNATURES: Final = 100

_ED25519: Final = b"\x01"
KEY_ID_OCTETS: Final = 4
_SIGNATURE_OCTETS: Final = 64
_NAME: Final = re.compile(r"[^\s+]{1,256}")
_SIGNATURE_LINE: Final = re.compile(r"— ([^\s+]{1,256}) ([A-Za-z0-9+/]+={0,2})")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteKey(Protocol):
    """What verifies the signatures of one signer."""

    @property
    def name(self) -> str:
        """Whose they are."""

    @property
    def key_id(self) -> bytes:
        """Which key of that name."""

    def verify(self, text: str, signature: bytes) -> None:
        """Raises SecurityFailed."""


class SignsNotes(Protocol):
    """What signs notes under a name."""

    @property
    def vkey(self) -> str:
        """The verifier key, as one line of text."""

    def sign(self, text: str) -> str:
        """The note. Raises SecurityFailed, KeyUnusable."""


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:KEY_ID_OCTETS]


class NoteSigner:
    """Signs notes under a name. The name says whose key it is and stands in every signature line."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._name = check_name(name)
        self._private = private
        self._public = private.public_key().public_bytes_raw()
        self._key_id = _key_id(name, self._public)

    @classmethod
    def parse(cls, skey: str) -> Self:
        """Read a signer key (`PRIVATE+KEY+name+key id+seed`, as Go's note package writes it). Raises KeyUnusable."""
        parts = skey.strip().split("+", 4)
        if len(parts) != 5 or parts[:2] != ["PRIVATE", "KEY"]:
            raise KeyUnusable("a signer key is written PRIVATE+KEY+name+id+key")
        try:
            key = base64.b64decode(parts[4], validate=True)
            if key[:1] != _ED25519:
                raise KeyUnusable("the signer key is of an unknown kind")
            signer = cls(parts[2], Ed25519PrivateKey.from_private_bytes(key[1:]))
        except ValueError:
            raise KeyUnusable("the signer key does not hold an Ed25519 key") from None
        if signer._key_id.hex() != parts[3]:
            raise KeyUnusable("the id of the signer key does not fit it")
        return signer

    def skey(self) -> str:
        """The signer key as one line of text: the private key itself, to be kept like one."""
        encoded = base64.b64encode(_ED25519 + self._private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self._name}+{self._key_id.hex()}+{encoded}"

    @property
    def vkey(self) -> str:
        """The verifier key: what others need to check the signatures, as one line of text."""
        encoded = base64.b64encode(_ED25519 + self._public).decode()
        return f"{self._name}+{self._key_id.hex()}+{encoded}"

    def sign(self, text: str) -> str:
        """The note: the text, which ends with a line feed, and our signature. Raises SecurityFailed for other text."""
        return signed_note(text, self._name, self._key_id, self._private.sign)


def check_name(name: str) -> str:
    """The name of a signer. Raises KeyUnusable."""
    if not _NAME.fullmatch(name):
        raise KeyUnusable("the name of a note's signer has no space and no plus sign")
    return name


def signed_note(text: str, name: str, key_id: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The text with one signature line. Raises SecurityFailed: text that no note can have."""
    _check_text(text)
    signature = base64.b64encode(key_id + sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def split_vkey(vkey: str) -> tuple[str, str, str]:
    """Name, id and encoded key of a verifier key, nothing of it checked but the name. Raises KeyUnusable."""
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3 or not _NAME.fullmatch(parts[0]):
        raise KeyUnusable("a verifier key is written name+id+key")
    return parts[0], parts[1], parts[2]


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """A signer's public half."""

    name: str
    key_id: bytes
    _public: Ed25519PublicKey

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key (`name+key id+key`). Raises KeyUnusable."""
        name, key_id, encoded = split_vkey(vkey)
        try:
            key = base64.b64decode(encoded, validate=True)
            if key[:1] != _ED25519 or _key_id(name, key[1:]).hex() != key_id:
                raise KeyUnusable("the verifier key is of an unknown kind, or its id does not fit it")
            return cls(name, bytes.fromhex(key_id), Ed25519PublicKey.from_public_bytes(key[1:]))
        except ValueError as error:
            raise KeyUnusable("the verifier key does not hold an Ed25519 key") from error

    def verify(self, text: str, signature: bytes) -> None:
        """Check one signature over the text. Raises SecurityFailed."""
        try:
            self._public.verify(signature, text.encode())
        except InvalidSignature:
            raise SecurityFailed(f"the signature of {self.name} does not fit the note") from None


def open_note(octets: bytes, verifiers: Sequence[NoteKey]) -> str:
    """The text of a note that at least one of the verifiers signed, and that none of them signed wrongly.

    octets: untrusted, whole. Signatures by keys that are not among the verifiers are ignored, as C2SP asks.
    Raises SecurityFailed.
    """
    text, signatures = split_note(octets)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    verified: set[tuple[str, bytes]] = set()
    for name, signature in signatures:
        key = (name, signature[:KEY_ID_OCTETS])
        if key not in known or key in verified:
            continue
        known[key].verify(text, signature[KEY_ID_OCTETS:])
        verified.add(key)
    if not verified:
        raise SecurityFailed("the note has no signature by a known key")
    return text


def only_signer(octets: bytes) -> tuple[str, str]:
    """The text of a note with one Ed25519 signature, and the name in its line; not verified. Raises SecurityFailed."""
    text, signatures = split_note(octets)
    if len(signatures) != 1 or len(signatures[0][1]) != KEY_ID_OCTETS + _SIGNATURE_OCTETS:
        raise SecurityFailed("the note is not signed once")
    return text, signatures[0][0]


def split_note(octets: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note, and name, key id and signature of each line; nothing is verified. Raises SecurityFailed."""
    if len(octets) > MAX_NOTE_OCTETS:
        raise SecurityFailed("the note is too large")
    try:
        note = octets.decode()
    except UnicodeDecodeError:
        raise SecurityFailed("the note is not UTF-8") from None
    text, parting, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not parting or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise SecurityFailed("the note is not text, a blank line and signature lines")
    text += "\n"
    _check_text(text)
    return text, [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise SecurityFailed("a signature line of the note is malformed")
    try:
        value = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise SecurityFailed("a signature line of the note is malformed") from None
    # The unused bits of the last character have to be zero: one note, one text of it.
    if len(value) <= KEY_ID_OCTETS or base64.b64encode(value).decode() != match[2]:
        raise SecurityFailed("a signature line of the note is malformed")
    return match[1], value


def _check_text(text: str) -> None:
    if not text.endswith("\n") or _CONTROL.search(text):
        raise SecurityFailed("the text of a note ends with a line feed and has no other control character")
