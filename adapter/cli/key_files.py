"""The keys folder as the commands see it: which files there are, and in what state."""

from __future__ import annotations

from contextlib import suppress
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
from adapter.cli.trust_faults import TrustFault
from adapter.crypto.certificates import Purpose, check_purpose
from adapter.crypto.keys import AGREEMENT_PURPOSES, generate_agreement_key, generate_signing_key, key_id
from adapter.crypto.suites import suite, suite_of_agreement_key, suite_of_signing_key
from adapter.directory.model import Member
from adapter.errors import AdapterError
from adapter.secret_files import is_credential
from adapter.store.keyfiles import (
    KeyPurpose,
    load_archive_key,
    load_certificate,
    load_private_key,
    marked_purpose,
    save_archive_key,
)
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
    life: what the record says of it, None: nothing. fault: the kind of what is wrong, when it is unusable.
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
    fault: TrustFault | None = None

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
        case (
            KeyPurpose.RECORD
            | KeyPurpose.AUTHORITY
            | KeyPurpose.OFFICER
            | KeyPurpose.SNAPSHOT
            | KeyPurpose.TIMESTAMP
            | KeyPurpose.WITNESS
        ):
            return ed25519.Ed25519PrivateKey.generate()


def fits(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Whether the certificate is for this key."""
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)


def _look(path: Path, purpose: KeyPurpose, now: datetime, passphrase_file: Path | None) -> KeyFile:
    found = KeyFile(path=path, purpose=purpose.value, state=KeyState.UNUSABLE)
    try:
        key = load_private_key(path, purpose, passphrase_file=passphrase_file)
    except AdapterError as error:
        return replace(found, reason=error.reason, fault=_kind_of(path, purpose))
    try:
        suite_name = _suite(key, purpose)
    except AdapterError as error:
        return replace(found, reason=f"{path}: {error.reason} ({_described(key)})", fault=TrustFault.KEY_WEAK)
    if purpose not in CERTIFIED:
        return replace(found, suite=suite_name, state=KeyState.READY)
    found = replace(found, suite=suite_name, key_id=key_id(key.public_key()))
    if not path.with_suffix(".pem").exists():
        return replace(found, state=KeyState.WAITING)
    return _with_certificate(found, key, purpose, now)


def _with_certificate(found: KeyFile, key: PrivateKeyTypes, purpose: KeyPurpose, now: datetime) -> KeyFile:
    file = found.path.with_suffix(".pem")
    try:
        certificate = load_certificate(file)
    except AdapterError as error:
        return replace(found, reason=error.reason, fault=TrustFault.KEY_UNREADABLE)
    if not fits(key, certificate):
        return replace(found, reason=f"{file} is for another key", fault=TrustFault.CERTIFICATE_OF_OTHER_KEY)
    try:
        check_purpose(certificate, _use(purpose, found.suite))
    except AdapterError as error:
        return replace(found, reason=f"{file}: {error.reason}", fault=TrustFault.KEY_OF_OTHER_USE)
    return replace(found, certificate=certificate, state=state_of(certificate, now))


def _use(purpose: KeyPurpose, suite_name: str) -> Purpose:
    if purpose is KeyPurpose.AGREEMENT:
        return AGREEMENT_PURPOSES[suite(suite_name).agreement_usage]
    return Purpose.TLS if purpose is KeyPurpose.TLS else Purpose.SIGNING


def use_of(key: KeyFile, member: Member) -> Purpose:
    """What the certificate of a key has to be for."""
    if key.purpose == "agreement":
        return AGREEMENT_PURPOSES[suite(member.suite).agreement_usage]
    return Purpose.TLS if key.purpose == "tls" else Purpose.SIGNING


def _kind_of(path: Path, purpose: KeyPurpose) -> TrustFault:
    """Why a key file was not read: what can be seen of it without reading a key."""
    with suppress(OSError):
        if path.stat().st_mode & 0o077 and not is_credential(path):
            return TrustFault.KEY_OPEN
        if marked_purpose(path.read_bytes()) not in (None, purpose.value):
            return TrustFault.KEY_OF_OTHER_USE
    return TrustFault.KEY_UNREADABLE


def _described(key: PrivateKeyTypes) -> str:
    """`RSA of 2048 bits`."""
    size = getattr(key, "key_size", None)
    kind = type(key).__name__.removesuffix("PrivateKey").strip("_")
    return kind if size is None else f"{kind} of {size} bits"


def _look_at_archive(path: Path) -> KeyFile:
    try:
        load_archive_key(path)
    except AdapterError as error:
        return KeyFile(
            path=path,
            purpose="archive",
            state=KeyState.UNUSABLE,
            reason=error.reason,
            fault=_kind_of(path, KeyPurpose.RECORD),
        )
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
