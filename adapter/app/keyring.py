"""The adapter's own keys, loaded at start: what is missing or unsafe is said then, not at the first message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.app.own_token import TokenKeys, load_token_keys
from adapter.audit.checkpoint import record_origin
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.note import NoteSigner
from adapter.directory.model import Directory
from adapter.errors import KeyUnusable
from adapter.identifiers import MemberId
from adapter.ports import SigningKey
from adapter.settings import Settings
from adapter.store.keyfiles import (
    KeyPurpose,
    load_archive_key,
    load_certificate,
    load_decryption_keys,
    load_private_key,
    load_signing_keys,
    read_passphrase,
)
from adapter.transport.tls import TlsKey


@dataclass(frozen=True, kw_only=True, slots=True)
class Keyring:
    """Every secret of one adapter. Each has one use."""

    signing: tuple[SigningKey, ...]
    decryption: DecryptionKeys
    tls: TlsKey
    record: NoteSigner
    archive_key: bytes = field(repr=False)


class SigningKeyChoice:
    """Which of our signing keys to use: one that the directory has registered for us and that is valid now.

    Chosen once for each version of the directory; the time is looked at for every message.
    """

    def __init__(self, keys: tuple[SigningKey, ...], own: MemberId) -> None:
        self._keys = keys
        self._own = own
        self._version = -1
        self._registered: tuple[SigningKey, ...] = ()

    def choose(self, directory: Directory, now: datetime) -> SigningKey:
        """The key for a message that is signed now. Raises KeyUnusable."""
        if directory.version != self._version:
            certificates = {known.certificate for known in directory.member(self._own).signing}
            self._registered = tuple(key for key in self._keys if key.certificate in certificates)
            self._version = directory.version
        for key in self._registered:
            if key.certificate.not_valid_before_utc <= now <= key.certificate.not_valid_after_utc:
                return key
        raise KeyUnusable(f"no signing key of this adapter is registered for {self._own} and valid now")


def load_keyring(settings: Settings) -> Keyring:
    """Every key of the adapter, from folder and token. Raises KeyUnusable with a sentence that says what to do."""
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    record_key = load_private_key(folder / "record.key", KeyPurpose.RECORD, passphrase_file=passphrase_file)
    if not isinstance(record_key, Ed25519PrivateKey):
        raise KeyUnusable(f"{folder / 'record.key'} is not an Ed25519 key")
    in_token = load_token_keys(settings)
    return Keyring(
        signing=own_signing_keys(settings, in_token),
        decryption=own_decryption_keys(settings, in_token),
        tls=_tls_key(settings),
        record=NoteSigner(record_origin(settings.member), record_key),
        archive_key=load_archive_key(folder / "archive.key"),
    )


def own_signing_keys(settings: Settings, in_token: TokenKeys | None = None) -> tuple[SigningKey, ...]:
    """Those of the token (in_token: when it is open already), then those of files. Raises KeyUnusable."""
    held = (in_token or load_token_keys(settings)).signing
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    return load_signing_keys(folder, passphrase_file=passphrase_file, in_token=held)


def own_decryption_keys(settings: Settings, in_token: TokenKeys | None = None) -> DecryptionKeys:
    """Those of the token (in_token: when it is open already), and those of files. Raises KeyUnusable."""
    held = (in_token or load_token_keys(settings)).decryption
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    return load_decryption_keys(folder, passphrase_file=passphrase_file, in_token=held)


def _tls_key(settings: Settings) -> TlsKey:
    """Checked like the other keys before OpenSSL reads the files itself."""
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    key_file, certificate_file = folder / "tls.key", folder / "tls.pem"
    load_private_key(key_file, KeyPurpose.TLS, passphrase_file=passphrase_file)
    load_certificate(certificate_file)
    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file).decode()
    return TlsKey(certificate_file=certificate_file, key_file=key_file, passphrase=passphrase)
