"""A request for a key that cannot sign (X25519): a signed note of the member's signing key (adapter.crypto.requests).

The note shows that the member wants this key certified. It does not show possession of the private half; whoever has
a key certified that is not theirs only makes messages to themselves unreadable.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import NameOID

from adapter.crypto.note import NoteVerifier, open_note
from adapter.errors import InvalidIdentifier, KeyUnusable
from adapter.identifiers import MemberId

_TITLE: Final = "interagency-adapter certificate request"
_ED25519: Final = b"\x01"


@dataclass(frozen=True, kw_only=True, slots=True)
class VouchedRequest:
    """A request whose signature is good, by the signing key that this authority certified for the same member."""

    subject: x509.Name
    public_key: x25519.X25519PublicKey


def read_vouched_request(octets: bytes, signing_certificates: Sequence[x509.Certificate]) -> VouchedRequest:
    """Read a note (untrusted). signing_certificates: what this authority issued. Raises KeyUnusable, SecurityFailed."""
    member, organisation, encoded = _lines(octets)
    verifiers = [_verifier(member, key) for key in _keys_of(member, signing_certificates)]
    open_note(octets, verifiers)  # the lines above were claims until here
    try:
        public_key = load_der_public_key(base64.b64decode(encoded, validate=True))
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, f"{member} agreement"),
            ]
        )
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise KeyUnusable("the key or the names in the request cannot be read") from None
    if not isinstance(public_key, x25519.X25519PublicKey):
        raise KeyUnusable("a key that can sign asks with PKCS #10")
    return VouchedRequest(subject=subject, public_key=public_key)


def _lines(octets: bytes) -> tuple[MemberId, str, str]:
    """Member, organisation and key, as the note claims."""
    try:
        title, purpose, member, organisation, encoded, *_ = octets.decode().split("\n")
        claimed = MemberId.parse(member)
    except (ValueError, InvalidIdentifier):
        raise KeyUnusable("the request is neither PKCS #10 nor a signed note") from None
    if title != _TITLE or purpose != "agreement":
        raise KeyUnusable("the note is no request for an agreement certificate")
    return claimed, organisation, encoded


def _keys_of(member: MemberId, certificates: Iterable[x509.Certificate]) -> Iterable[ed25519.Ed25519PublicKey]:
    for certificate in certificates:
        key = certificate.public_key()
        common_names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        is_theirs = any(str(name.value).split(" ")[0] == str(member) for name in common_names)
        if is_theirs and isinstance(key, ed25519.Ed25519PublicKey):
            yield key


def _verifier(member: MemberId, key: ed25519.Ed25519PublicKey) -> NoteVerifier:
    """The key as a note's verifier key (C2SP signed-note) under the member's id."""
    octets = _ED25519 + key.public_bytes_raw()
    key_id = sha256(f"{member}\n".encode() + octets).digest()[:4]
    return NoteVerifier.parse(f"{member}+{key_id.hex()}+{base64.b64encode(octets).decode()}")
