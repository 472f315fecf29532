"""The adapter's own keys, loaded at start: what is missing or unsafe is said then, not at the first message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.note import NoteSigner
from adapter.directory.model import Directory
from adapter.errors import KeyUnusable
from adapter.identifiers import MemberId
from adapter.ports import SigningKey
from adapter.transport.tls import TlsKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyring:
    """Every secret of one adapter. Each has one use."""

    signing: tuple[SigningKey, ...]
    decryption: DecryptionKeys
    tls: TlsKey
    record: NoteSigner
    archive_key: bytes = field(repr=False)

    def signing_key(self, directory: Directory, own: MemberId, now: datetime) -> SigningKey:
        """The key whose certificate the directory has registered for us and that is valid now. Raises KeyUnusable."""
        registered = {known.certificate for known in directory.member(own).signing}
        for key in self.signing:
            certificate = key.certificate
            valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
            if certificate in registered and valid:
                return key
        raise KeyUnusable(f"no signing key of this adapter is registered for {own} and valid now")
