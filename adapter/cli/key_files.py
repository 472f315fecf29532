"""The keys folder as the commands see it: which files there are, and in what state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.audit.key_life import KeyLife, LifeState
from adapter.cli.own_record import ARCHIVE_KEY_FILE
from adapter.crypto.keys import generate_agreement_key, generate_signing_key, key_id
from adapter.crypto.suites import suite_of_agreement_key, suite_of_signing_key
from adapter.errors import AdapterError
from adapter.store.keyfiles import KeyPurpose, load_archive_key, load_certificate, load_private_key, save_archive_key
from adapter.store.keyfiles import save_private_key as save

EXPIRES_SOON: Final = timedelta(days=30)
CERTIFIED: Final = (KeyPurpose.SIGNING, KeyPurpose.AGREEMENT, KeyPurpose.TLS)
"""The purposes whose keys need a certificate."""


OVER: Final = frozenset({LifeState.RETIRED, LifeState.REVOKED, LifeState.DESTROYED})
"""States in which no adapter uses a key."""


class KeyState(Enum):
    """What can be said of a key's file and certificate today; its life is another matter (audit.key_life)."""

    READY = "ready"
    EXPIRES_SOON = "expires soon"
    WAITING = "no certificate yet"
    NOT_YET = "not valid yet"
    EXPIRED = "expired"
    UNUSABLE = "unusable"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyFile:
    """One key. path: its file, or for one in a token its certificate's. in_token: which token and key, else empty.

    reason: what is wrong, when it is unusable. key_id: see audit.key_life, empty where there is no public key.
    life: what the record says of it, None: nothing.
    """

    path: Path
    purpose: str
    state: KeyState
    suite: str = ""
    certificate: x509.Certificate | None = None
    reason: str = ""
    in_token: str = ""
    label: str = ""
    key_id: str = ""
    life: KeyLife | None = None

    @property
    def name(self) -> str:
        """What to call it in a table."""
        return self.in_token or self.path.name

    @property
    def title(self) -> str:
        """What an officer types for it: signing-2027."""
        return self.label or self.path.stem

    @property
    def is_over(self) -> bool:
        """Whether nothing is to be expected of it any more."""
        return self.life is not None and self.life.state in OVER

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate (DER), hexadecimal; empty without one."""
        return "" if self.certificate is None else self.certificate.fingerprint(hashes.SHA256()).hex()


def survey(folder: Path, now: datetime, *, passphrase_file: Path | None) -> list[KeyFile]:
    """Every key file of the folder, by purpose and name. Never raises: what cannot be read is in the list too."""
    found = [
        _look(path, purpose, now, passphrase_file)
        for purpose in KeyPurpose
        for path in key_paths(folder, purpose.value)
    ]
    archive = folder / ARCHIVE_KEY_FILE
    if archive.exists():
        found.append(_look_at_archive(archive))
    return found


def key_paths(folder: Path, purpose: str) -> list[Path]:
    """The key files of one purpose: signing.key, signing-2027.key and so on."""
    return sorted([*folder.glob(f"{purpose}.key"), *folder.glob(f"{purpose}-*.key")])


def key_path(folder: Path, purpose: str, name: str) -> Path:
    """Where a key of this purpose and name lies. name: empty for the first one."""
    return folder / (f"{purpose}-{name}.key" if name else f"{purpose}.key")


def create_key(path: Path, purpose: KeyPurpose | None, suite: str, *, passphrase_file: Path | None) -> None:
    """Make and keep a fresh key; None for the archive key. Raises KeyUnusable, for one that exists too."""
    if purpose is None:
        save_archive_key(path)
        return
    save(path, _generate(purpose, suite), purpose, passphrase_file=passphrase_file)


def _generate(purpose: KeyPurpose, suite: str) -> PrivateKeyTypes:
    match purpose:
        case KeyPurpose.SIGNING:
            return generate_signing_key(suite)
        case KeyPurpose.AGREEMENT:
            return generate_agreement_key(suite)
        case KeyPurpose.TLS | KeyPurpose.ACCOUNT:
            return ec.generate_private_key(ec.SECP256R1())
        case KeyPurpose.RECORD | KeyPurpose.AUTHORITY | KeyPurpose.OFFICER | KeyPurpose.SNAPSHOT | KeyPurpose.TIMESTAMP:
            return ed25519.Ed25519PrivateKey.generate()


def fits(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Whether the certificate is for this key."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)


def _look(path: Path, purpose: KeyPurpose, now: datetime, passphrase_file: Path | None) -> KeyFile:
    try:
        key = load_private_key(path, purpose, passphrase_file=passphrase_file)
        suite = _suite(key, purpose)
        if purpose not in CERTIFIED:
            return KeyFile(path=path, purpose=purpose.value, suite=suite, state=KeyState.READY)
        found = KeyFile(
            path=path,
            purpose=purpose.value,
            suite=suite,
            state=KeyState.WAITING,
            key_id=key_id(key.public_key()),
        )
        if not path.with_suffix(".pem").exists():
            return found
        certificate = load_certificate(path.with_suffix(".pem"))
    except AdapterError as error:
        return KeyFile(path=path, purpose=purpose.value, state=KeyState.UNUSABLE, reason=error.reason)
    if not fits(key, certificate):
        return replace(found, state=KeyState.UNUSABLE, reason=f"{path.with_suffix('.pem')} is for another key")
    return replace(found, certificate=certificate, state=state_of(certificate, now))


def _look_at_archive(path: Path) -> KeyFile:
    try:
        load_archive_key(path)
    except AdapterError as error:
        return KeyFile(path=path, purpose="archive", state=KeyState.UNUSABLE, reason=error.reason)
    return KeyFile(path=path, purpose="archive", state=KeyState.READY)


def _suite(key: PrivateKeyTypes, purpose: KeyPurpose) -> str:
    match purpose:
        case KeyPurpose.SIGNING:
            return suite_of_signing_key(key.public_key()).name
        case KeyPurpose.AGREEMENT:
            return suite_of_agreement_key(key.public_key()).name
        case _:
            return ""


def state_of(certificate: x509.Certificate, now: datetime) -> KeyState:
    """What a certificate's period says of it now."""
    if now < certificate.not_valid_before_utc:
        return KeyState.NOT_YET
    if now > certificate.not_valid_after_utc:
        return KeyState.EXPIRED
    return KeyState.EXPIRES_SOON if certificate.not_valid_after_utc - now < EXPIRES_SOON else KeyState.READY
