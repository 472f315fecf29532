"""Keyed hashes of subject identifiers: one person's entries can be found, the person cannot be read out of them."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from adapter.errors import KeyUnusable

ARCHIVE_KEY_OCTETS: Final = 32
_PURPOSE: Final = b"interagency-adapter/subject-tag/1"


def subject_key(archive_key: bytes) -> bytes:
    """The key of all subject tags of one adapter, 32 octets, secret, from its archive key (RFC 5869, 2.3).

    Raises KeyUnusable when the archive key does not have 32 octets.
    """
    if len(archive_key) != ARCHIVE_KEY_OCTETS:
        raise KeyUnusable(f"the archive key must have {ARCHIVE_KEY_OCTETS} octets")
    return HKDFExpand(algorithm=hashes.SHA256(), length=32, info=_PURPOSE).derive(archive_key)


def subject_tag(key: bytes, kind: str, value: str) -> str:
    """HMAC-SHA-256 of a subject identifier, in hexadecimal. Without the key, 10^14 PINFLs cannot be tried out.

    kind and value are of a checked SubjectId; the length of the kind keeps the two apart.
    """
    said = f"{len(kind)}:{kind}:{value}".encode()
    return hmac.digest(key, said, hashlib.sha256).hex()
