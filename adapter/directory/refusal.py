"""An officer's refusal of what is proposed, signed, so that nobody but an officer ends a round of signatures.

What is signed names exactly what is refused, by the digests of what officers would sign, and can be taken for no
signature of a directory: its first line is its form's name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Key, Signature, Signer

from adapter.directory.metadata import check_size
from adapter.directory.proposal import MAX_SIGNATURES_BYTES, Reviewed
from adapter.directory.repository import AnyMetadata, name_of
from adapter.errors import CommandRefused, DirectoryRefused, RefusedBecause

REFUSAL_FORMAT: Final = "interagency-adapter/refusal/1"
MAX_REASON_CHARS: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A refusal whose signature is verified. officer: the name in the root. Made by read_refusal."""

    officer: str
    reason: str
    refused: Mapping[str, str]
    signature: str


def digest_of(metadata: AnyMetadata) -> str:
    """SHA-256 of what officers sign of it, hexadecimal: the same whoever has signed."""
    return hashlib.sha256(metadata.signed_bytes).hexdigest()


def digests_of(reviewed: Reviewed) -> dict[str, str]:
    """What is proposed: its digests, by kind."""
    return {
        metadata.signed.type: digest_of(metadata)
        for metadata in (reviewed.new_root, reviewed.new_targets)
        if metadata is not None
    }


def refuse_proposal(reviewed: Reviewed, signer: Signer, reason: str) -> bytes:
    """The file that the officer brings back. Raises CommandRefused: no officer's key, or no reason that can be kept."""
    if signer.public_key.keyid not in _officers(reviewed):
        raise CommandRefused("this key is no officer's: neither of the root that holds nor of the one that is proposed")
    reason = reason.strip()
    if not _can_be_kept(reason):
        raise CommandRefused(f"a reason is one line of at most {MAX_REASON_CHARS} characters")
    refused = digests_of(reviewed)
    signature = signer.sign(_signed_octets(refused, reason))
    said = {"refused": refused, "reason": reason, "keyid": signature.keyid, "sig": signature.signature}
    return json.dumps({"format": REFUSAL_FORMAT, **said}, indent=1, sort_keys=True).encode() + b"\n"


def is_refusal(octets: bytes) -> bool:
    """Whether a file that was brought says that it is one (untrusted)."""
    try:
        said = json.loads(octets)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("format") == REFUSAL_FORMAT


def read_refusal(reviewed: Reviewed, octets: bytes) -> Refusal:
    """A refusal (untrusted octets) of exactly what is proposed, by one of its officers. Raises DirectoryRefused."""
    check_size("refusal", octets, MAX_SIGNATURES_BYTES)
    try:
        said = json.loads(octets)
        refused, reason = dict(said["refused"]), str(said["reason"])
        signature = Signature(str(said["keyid"]), str(said["sig"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DirectoryRefused("refusal: cannot be read") from None
    if refused != digests_of(reviewed):
        raise DirectoryRefused("refusal: of something else than what waits")
    key = _officers(reviewed).get(signature.keyid)
    if key is None:
        raise DirectoryRefused("refusal: by a key that is no officer's", because=RefusedBecause.SIGNATURE)
    try:
        key.verify_signature(signature, _signed_octets(refused, reason))
    except (UnverifiedSignatureError, VerificationError):
        raise DirectoryRefused(
            f"refusal: the signature of {name_of(key)} is wrong", because=RefusedBecause.SIGNATURE
        ) from None
    if not _can_be_kept(reason):
        raise DirectoryRefused("refusal: its reason is none")
    return Refusal(officer=name_of(key), reason=reason, refused=refused, signature=signature.signature)


def _officers(reviewed: Reviewed) -> dict[str, Key]:
    return {keyid: key for kind in digests_of(reviewed) for keyid, key in reviewed.keys_for(kind).items()}


def _can_be_kept(reason: str) -> bool:
    return bool(reason) and reason.isprintable() and len(reason) <= MAX_REASON_CHARS


def _signed_octets(refused: Mapping[str, str], reason: str) -> bytes:
    said = json.dumps({"refused": dict(refused), "reason": reason}, sort_keys=True, separators=(",", ":"))
    return f"{REFUSAL_FORMAT}\n{said}\n".encode()
