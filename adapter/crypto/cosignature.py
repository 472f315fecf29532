"""Cosignatures: a witness says that a checkpoint is consistent with all it saw of that log, and when (Ed25519).

C2SP tlog-cosignature. The signed message begins with a line of its own, so that a cosignature is never taken for the
signature of a log, nor the other way round; the kind of the key (0x04) parts them once more.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from adapter.crypto.note import KEY_ID_OCTETS, check_name, split_note, split_vkey
from adapter.errors import KeyUnusable, SecurityFailed

_KIND: Final = b"\x04"
_TIME_OCTETS: Final = 8
_OCTETS: Final = _TIME_OCTETS + 64
_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
MAX_LINES_OCTETS: Final = 16_384
"""Of what a witness answers: a few lines of about 150 octets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cosignature:
    """A verified one. at: what the witness's clock said. line: as it stands in a note, with its line feed."""

    witness: str
    at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """The public half of a witness. Fits `note.NoteKey`."""

    name: str
    key_id: bytes
    _public: Ed25519PublicKey

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key (signed-note "vkey", kind 0x04). Raises KeyUnusable.

        The key is written in one way only: under two spellings one key would count as two witnesses.
        """
        name, key_id, encoded = split_vkey(vkey)
        try:
            key = base64.b64decode(encoded, validate=True)
            if key[:1] != _KIND:
                raise KeyUnusable("the verifier key is not of the kind that cosigns (Ed25519, 0x04)")
            public = Ed25519PublicKey.from_public_bytes(key[1:])
        except ValueError as error:
            raise KeyUnusable("the verifier key does not hold an Ed25519 key") from error
        if vkey.strip() != _vkey(name, key[1:]):
            raise KeyUnusable("the id of the verifier key does not fit it")
        return cls(name, bytes.fromhex(key_id), public)

    def verify(self, text: str, signature: bytes) -> None:
        """Check one cosignature over the text of a checkpoint. Raises SecurityFailed."""
        self.time_of(text, signature)

    def time_of(self, text: str, signature: bytes) -> datetime:
        """When the witness cosigned this text. signature: without the key id, untrusted. Raises SecurityFailed."""
        if len(signature) != _OCTETS:
            raise SecurityFailed(f"a cosignature of {self.name} has {_OCTETS} octets")
        seconds = int.from_bytes(signature[:_TIME_OCTETS])
        try:
            self._public.verify(signature[_TIME_OCTETS:], _message(text, seconds))
        except InvalidSignature:
            raise SecurityFailed(f"the cosignature of {self.name} does not fit the checkpoint") from None
        if seconds > _LAST.timestamp():
            raise SecurityFailed(f"the cosignature of {self.name} has no time that can be")
        return datetime.fromtimestamp(seconds, UTC)


class Cosigner:
    """Cosigns under a name: for a witness of our own. One key for one witness (tlog-cosignature)."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self._name = check_name(name)
        self._private = private
        self._public = private.public_key().public_bytes_raw()

    @property
    def vkey(self) -> str:
        """The verifier key, as one line of text."""
        return _vkey(self._name, self._public)

    def cosign(self, text: str, at: datetime) -> str:
        """The signature line over the text of a checkpoint. at: now, by the witness's clock."""
        seconds = int(at.timestamp())
        signature = seconds.to_bytes(_TIME_OCTETS) + self._private.sign(_message(text, seconds))
        value = base64.b64encode(_key_id(self._name, self._public) + signature).decode()
        return f"— {self._name} {value}\n"


def open_cosignatures(note: bytes, verifiers: Sequence[CosignatureVerifier]) -> tuple[str, tuple[Cosignature, ...]]:
    """The text of a cosigned checkpoint and the good cosignatures of these witnesses, one of each at most.

    note: untrusted, whole. Lines of other keys are ignored (tlog-witness). That the log itself signed it is for
    `audit.checkpoint` to see. Raises SecurityFailed: no note, or a line by one of these keys that does not fit.
    """
    text, lines = split_note(note)
    known = {(one.name, one.key_id): one for one in verifiers}
    found: dict[tuple[str, bytes], Cosignature] = {}
    for name, value in lines:
        key = (name, value[:KEY_ID_OCTETS])
        if key not in known or key in found:
            continue
        at = known[key].time_of(text, value[KEY_ID_OCTETS:])
        found[key] = Cosignature(witness=name, at=at, line=f"— {name} {base64.b64encode(value).decode()}\n")
    return text, tuple(found.values())


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _KIND + public).digest()[:KEY_ID_OCTETS]


def _vkey(name: str, public: bytes) -> str:
    return f"{name}+{_key_id(name, public).hex()}+{base64.b64encode(_KIND + public).decode()}"
