"""A small verifier of signed checkpoints and inclusion proofs, written from the standards and from nothing of ours.

C2SP signed-note and tlog-checkpoint; RFC 9162, 2.1.3.2. What a portal's developer would write.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def opened_checkpoint(note: bytes, vkey: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that the holder of vkey signed. Raises InvalidSignature, ValueError."""
    name, key_id, material = vkey.split("+", 2)
    public = base64.b64decode(material)
    text, _, signatures = note.decode().partition("\n\n")
    origin, size, root = text.split("\n")
    if origin != name or public[0] != 1:
        raise ValueError("another log, or another kind of key")
    for line in signatures.splitlines():
        _, signer, blob = line.split(" ")
        octets = base64.b64decode(blob)
        if signer == name and octets[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(public[1:]).verify(octets[4:], f"{text}\n".encode())
            return int(size), base64.b64decode(root)
    raise ValueError("not signed by this key")


def root_of(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root to which a leaf hash and its audit path lead. Raises ValueError: the path has another length."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    fn, sn, found = index, size - 1, leaf
    for other in path:
        if sn == 0:
            raise ValueError("the path is too long")
        if fn % 2 or fn == sn:
            found = hashlib.sha256(b"\x01" + other + found).digest()
            while fn % 2 == 0 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + other).digest()
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ValueError("the path is too short")
    return found
