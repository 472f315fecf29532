"""Content encryption: AES-128-GCM as XML Encryption 1.1 (5.2.4) has it: IV (12 octets), ciphertext, tag (16 octets)."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapter.errors import SecurityFailed

KEY_OCTETS: Final = 16
IV_OCTETS: Final = 12
TAG_OCTETS: Final = 16


class ContentCipher:
    """One content key. Whoever encrypts gives each plaintext an IV of its own."""

    def __init__(self, content_key: bytes) -> None:
        """content_key: exactly 16 octets, secret. Raises SecurityFailed for any other length."""
        if len(content_key) != KEY_OCTETS:
            raise SecurityFailed("a content key that has not 16 octets")
        self._gcm = AESGCM(content_key)

    def encrypt(self, iv: bytes, plaintext: bytes) -> bytes:
        """IV, ciphertext and tag, one after the other."""
        return iv + self._gcm.encrypt(iv, plaintext, None)

    def decrypt(self, octets: bytes) -> bytes:
        """The plaintext, whole, after the tag was found good; nothing before that. Raises SecurityFailed."""
        if len(octets) < IV_OCTETS + TAG_OCTETS:
            raise SecurityFailed("too short for an IV and a tag")
        try:
            return self._gcm.decrypt(octets[:IV_OCTETS], octets[IV_OCTETS:], None)
        except (InvalidTag, ValueError):
            raise SecurityFailed("the tag is wrong") from None
