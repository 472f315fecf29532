"""AES-128-GCM over octets that come in pieces, for what is too large to be held whole (SwA Profile 1.1, 5.5)."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from adapter.attachments import Measured
from adapter.crypto.content import IV_OCTETS, KEY_OCTETS, TAG_OCTETS
from adapter.errors import LimitExceeded, SecurityFailed

# NIST SP 800-38D, 5.2.1.1: 2^39 - 256 bits of plaintext under one IV.
MAX_PLAINTEXT_OCTETS: Final = (1 << 36) - 32


def _cipher(content_key: bytes, iv: bytes) -> Cipher[GCM]:
    if len(content_key) != KEY_OCTETS or len(iv) != IV_OCTETS:
        raise SecurityFailed("a content key that has not 16 octets, or an IV that has not 12")
    return Cipher(AES(content_key), GCM(iv))


class StreamSealer:
    """Encrypts pieces and measures what they were. The IV goes before the first piece, the tag after the last one."""

    def __init__(self, content_key: bytes, iv: bytes) -> None:
        """content_key: 16 octets, secret. iv: 12 octets, never used before under this key."""
        self._encryptor = _cipher(content_key, iv).encryptor()
        self._digest = sha256()
        self._size = 0

    def update(self, plaintext: bytes) -> bytes:
        """The ciphertext of the next piece. Raises LimitExceeded past what one IV may encrypt."""
        self._size += len(plaintext)
        if self._size > MAX_PLAINTEXT_OCTETS:
            raise LimitExceeded("an attachment longer than AES-GCM may encrypt")
        self._digest.update(plaintext)
        return self._encryptor.update(plaintext)

    def finish(self) -> tuple[bytes, Measured]:
        """The tag, and what was encrypted."""
        rest = self._encryptor.finalize()
        return rest + self._encryptor.tag, Measured(size=self._size, sha256=self._digest.digest())


class StreamOpener:
    """Decrypts pieces. What it gives before `finish` returned is not known to be what the sender encrypted."""

    def __init__(self, content_key: bytes, iv: bytes) -> None:
        self._decryptor = _cipher(content_key, iv).decryptor()

    def update(self, ciphertext: bytes) -> bytes:
        """The plaintext of the next piece, unproven."""
        return self._decryptor.update(ciphertext)

    def finish(self, tag: bytes) -> None:
        """Raises SecurityFailed when the tag (16 octets) is not that of everything that was decrypted."""
        if len(tag) != TAG_OCTETS:
            raise SecurityFailed("a tag that has not 16 octets")
        try:
            self._decryptor.finalize_with_tag(tag)
        except (InvalidTag, ValueError):
            raise SecurityFailed("the tag of an attachment is wrong") from None


def same_octets(measured: Measured, size: int, digest: bytes) -> bool:
    """Whether what was measured is what was said."""
    return measured.size == size and hmac.compare_digest(measured.sha256, digest)
