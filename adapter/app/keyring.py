"""The adapter's own keys, loaded at start: what is missing or unsafe is said then, not at the first message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.app.own_token import TokenKeys, load_token_keys
from adapter.audit.checkpoint import record_origin
from adapter.audit.key_life import Lives, in_order_of_use, is_loaded
from adapter.crypto.certificates import public_key, sha256
from adapter.crypto.keys import DecryptionKeys, key_id
from adapter.crypto.note import NoteSigner
from adapter.directory.model import Directory
from adapter.errors import KeyUnusable
from adapter.identifiers import MemberId
from adapter.ports import SigningKey
from adapter.settings import Settings
from adapter.store.engine import database_path, open_database
from adapter.store.key_lives import KeyLives
from adapter.store.keyfiles import (
    KeyPurpose,
    certified_keys,
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
    version: int
    """The number of the last entry of the record about a key when these were read, -1 without one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Registered:
    """Which of these keys a version of the directory names."""

    of: tuple[SigningKey, ...]
    version: int
    keys: tuple[SigningKey, ...]


class SigningKeyChoice:
    """Which of our signing keys to use: registered for us by the directory, valid now, and not known to be revoked.

    Chosen once for each version of the directory; time and revocation are looked at for every message. May be shared
    between threads: a large message is signed in a thread of its own, and in another one keys are forgotten.
    """

    def __init__(self, keys: tuple[SigningKey, ...], own: MemberId, is_revoked: Callable[[bytes], bool]) -> None:
        """is_revoked: whether the certificate with this SHA-256 is known to be revoked (directory.status.StatusBook).

        What the record says of a revoked key is no matter here: such a key is not loaded (audit.key_life.LOADED).
        """
        self._is_revoked = is_revoked
        self._keys = keys
        self._own = own
        self._registered = _Registered(of=(), version=-1, keys=())

    def replace(self, keys: tuple[SigningKey, ...]) -> None:
        """Choose among these keys from now on."""
        self._keys = keys

    def keep_only(self, wanted: Callable[[x509.Certificate], bool]) -> None:
        """Forget the keys whose certificates are not wanted any more."""
        self.replace(tuple(key for key in self._keys if wanted(key.certificate)))

    def choose(self, directory: Directory, now: datetime) -> SigningKey:
        """The key for a message that is signed now. Raises KeyUnusable."""
        keys, registered = self._keys, self._registered
        # What is remembered says of which keys it was made: others may have taken their place in the meantime.
        if registered.of is not keys or registered.version != directory.version:
            certificates = {known.certificate for known in directory.member(self._own).signing}
            named = tuple(key for key in keys if key.certificate in certificates)
            self._registered = registered = _Registered(of=keys, version=directory.version, keys=named)
        for key in registered.keys:
            is_valid = key.certificate.not_valid_before_utc <= now <= key.certificate.not_valid_after_utc
            if is_valid and not self._is_revoked(sha256(key.certificate)):
                return key
        raise KeyUnusable(f"no signing key of this adapter is registered for {self._own}, valid now and not revoked")


def own_lives(settings: Settings) -> Lives:
    """What the record says of this adapter's keys; nothing before there is a database. Raises StoreUnusable."""
    if not database_path(settings.database_url).exists():
        return {}
    return KeyLives(open_database(settings.database_url)).all()


def load_keyring(settings: Settings, lives: Lives | None = None) -> Keyring:
    """Every key of the adapter that is in use, from folder and token; lives: when they were read already.

    Raises KeyUnusable with a sentence that says what to do, StoreUnusable.
    """
    lives = own_lives(settings) if lives is None else lives
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    record_key = load_private_key(folder / "record.key", KeyPurpose.RECORD, passphrase_file=passphrase_file)
    if not isinstance(record_key, Ed25519PrivateKey):
        raise KeyUnusable(f"{folder / 'record.key'} is not an Ed25519 key")
    in_token = load_token_keys(settings, lives)
    return Keyring(
        signing=own_signing_keys(settings, lives, in_token),
        decryption=own_decryption_keys(settings, lives, in_token),
        tls=own_tls_key(settings, lives),
        record=NoteSigner(record_origin(settings.member), record_key),
        archive_key=load_archive_key(folder / "archive.key"),
        version=max((life.entry for life in lives.values()), default=-1),
    )


def own_signing_keys(settings: Settings, lives: Lives, in_token: TokenKeys | None = None) -> tuple[SigningKey, ...]:
    """Those that may sign, the one to try first in front. in_token: when it is open already. Raises KeyUnusable."""
    held = (in_token or load_token_keys(settings, lives)).signing
    keys = load_signing_keys(
        settings.adapter.keys_dir,
        passphrase_file=settings.adapter.passphrase_file,
        in_token=held,
        wanted=wanted_by(lives),
    )
    by_id = {_key_id(key.certificate): key for key in keys}
    return tuple(by_id[one] for one in in_order_of_use(by_id, lives, KeyPurpose.SIGNING.value))


def own_decryption_keys(settings: Settings, lives: Lives, in_token: TokenKeys | None = None) -> DecryptionKeys:
    """Those of the token (in_token: when it is open already), and those of files. Raises KeyUnusable."""
    held = (in_token or load_token_keys(settings, lives)).decryption
    return load_decryption_keys(
        settings.adapter.keys_dir,
        passphrase_file=settings.adapter.passphrase_file,
        in_token=held,
        wanted=wanted_by(lives),
    )


def wanted_by(lives: Lives) -> Callable[[x509.Certificate], bool]:
    """Whether the key of a certificate may be held, by what the record says."""
    return lambda certificate: is_loaded(_key_id(certificate), lives)


def own_tls_key(settings: Settings, lives: Lives) -> TlsKey:
    """The one to show. Checked like the other keys before OpenSSL reads the files itself. Raises KeyUnusable."""
    folder, passphrase_file = settings.adapter.keys_dir, settings.adapter.passphrase_file
    paths = certified_keys(folder, KeyPurpose.TLS, wanted=wanted_by(lives))
    by_id = {_key_id(load_certificate(path.with_suffix(".pem"))): path for path in paths}
    usable = in_order_of_use(by_id, lives, KeyPurpose.TLS.value)
    if not usable:
        raise KeyUnusable("no TLS key was activated: `adapter keys list` shows what is missing")
    key_file = by_id[usable[0]]
    load_private_key(key_file, KeyPurpose.TLS, passphrase_file=passphrase_file)
    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file).decode()
    return TlsKey(certificate_file=key_file.with_suffix(".pem"), key_file=key_file, passphrase=passphrase)


def _key_id(certificate: x509.Certificate) -> str:
    return key_id(public_key(certificate))
