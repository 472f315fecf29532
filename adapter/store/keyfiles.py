"""Private keys and certificates as files: the only place that reads or writes them.

A key file that is missing, readable by others, for another use, or not for its certificate is refused when it is
loaded, with a sentence on what to do. Nothing of a key ever stands in an error.
"""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adapter.crypto.certificates import UNREADABLE
from adapter.crypto.keys import DecryptionKeys, FileDecryptionKey, FileSigningKey
from adapter.crypto.suites import suite_of_agreement_key, suite_of_signing_key
from adapter.errors import KeyUnusable, SecurityFailed
from adapter.ports import DecryptionKey, SigningKey
from adapter.secret_files import read_secret

ARCHIVE_KEY_OCTETS: Final = 32
PROMPT: Final = Path("prompt")
"""In place of a file: a person types it (settings.types.SecretPlace)."""
_PURPOSE: Final = re.compile(rb"^Purpose: ([a-z]{1,32})$", re.MULTILINE)


Wanted = Callable[[x509.Certificate], bool]


class KeyPurpose(Enum):
    """What a private key is for; written above the key and checked when it is read."""

    SIGNING = "signing"
    AGREEMENT = "agreement"
    TLS = "tls"
    RECORD = "record"
    AUTHORITY = "authority"
    OFFICER = "officer"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"
    ACCOUNT = "account"
    WITNESS = "witness"


# --- one file --------------------------------------------------------------------------------------------------------


def write_secret(path: Path, octets: bytes) -> None:
    """A new file that only its owner may read, durable when this returns. Raises KeyUnusable: there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise KeyUnusable(f"{path} exists already; a key is never overwritten") from None
    except OSError as cause:
        raise KeyUnusable(f"{path} cannot be written: {cause.strerror}") from None


def save_private_key(
    path: Path, key: PrivateKeyTypes, purpose: KeyPurpose, *, passphrase_file: Path | None = None
) -> None:
    """PKCS #8 in PEM below a line with the purpose, encrypted when there is a passphrase file. Raises KeyUnusable."""
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase_file is not None:
        encryption = BestAvailableEncryption(read_passphrase(passphrase_file))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    write_secret(path, f"Purpose: {purpose.value}\n".encode() + pem)


def load_private_key(path: Path, purpose: KeyPurpose, *, passphrase_file: Path | None = None) -> PrivateKeyTypes:
    """The private key of a file, refused when the file says that it is for another purpose. Raises KeyUnusable."""
    octets = read_secret(path)
    marked = marked_purpose(octets)
    if marked is not None and marked != purpose.value:
        raise KeyUnusable(f"{path} holds a key for {marked}, not for {purpose.value}")
    passphrase = None if passphrase_file is None else read_passphrase(passphrase_file)
    try:
        return load_pem_private_key(octets[octets.find(b"-----BEGIN") :], passphrase)
    except TypeError:
        wanted = "is encrypted: name its passphrase file" if passphrase is None else "is not encrypted"
        raise KeyUnusable(f"{path} {wanted}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(f"{path} is not a private key in PEM, or its passphrase is wrong") from None


def marked_purpose(octets: bytes) -> str | None:
    """What a key file says that its key is for; None: it says nothing."""
    marked = _PURPOSE.search(octets)
    return None if marked is None else marked.group(1).decode()


def read_passphrase(path: Path, *, what: str = "passphrase") -> bytes:
    """What a file says, without white space around it, or for the path `prompt` what a person types at the terminal.

    The person is asked once for each process. Raises KeyUnusable.
    """
    if path == PROMPT:
        return _asked_for(what)
    secret = read_secret(path).strip()
    if not secret:
        raise KeyUnusable(f"{path} is empty; it must hold the {what}")
    return secret


def ask_passphrase(what: str, *, twice: bool) -> bytes:
    """What a person types now; twice: and once more, to be sure. Raises KeyUnusable."""
    typed = _typed(what)
    if twice and _typed(f"{what} again") != typed:
        raise KeyUnusable(f"the {what} was not typed the same twice")
    return typed


@cache
def _asked_for(what: str) -> bytes:
    return _typed(what)


def _typed(what: str) -> bytes:
    """What a person types, unseen. Raises KeyUnusable: nobody is there, or nothing was typed."""
    if not sys.stdin.isatty():
        raise KeyUnusable(f"the {what} is to be typed, and there is no terminal: name a file")
    try:
        typed = getpass.getpass(f"{what[0].upper()}{what[1:]}: ")
    except (EOFError, KeyboardInterrupt):
        typed = ""
    if not typed.strip():
        raise KeyUnusable(f"no {what} was typed")
    return typed.strip().encode()


def load_certificate(path: Path) -> x509.Certificate:
    """The first certificate of a PEM file. Raises KeyUnusable."""
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        raise KeyUnusable(f"{path} is missing: the certificate of the key beside it") from None
    except OSError as cause:
        raise KeyUnusable(f"{path} cannot be read: {cause.strerror}") from None
    try:
        return x509.load_pem_x509_certificate(octets)
    except UNREADABLE:
        raise KeyUnusable(f"{path} is not a certificate in PEM") from None


# --- an adapter's folder ---------------------------------------------------------------------------------------------


def _every(_certificate: x509.Certificate) -> bool:
    return True


def load_signing_keys(
    folder: Path,
    *,
    passphrase_file: Path | None = None,
    in_token: Sequence[SigningKey] = (),
    wanted: Wanted = _every,
) -> tuple[SigningKey, ...]:
    """Those of the token, then every key of the folder that has its certificate: signing.key, signing-*.key.

    wanted: says of a certificate whether its key is to be loaded; the file of one that is not is left alone.
    Raises KeyUnusable, also when there is none at all.
    """
    paths = certified_keys(folder, KeyPurpose.SIGNING, needed=not in_token, wanted=wanted)
    return (*in_token, *(_load_signing_key(path, passphrase_file) for path in paths))


def _load_signing_key(path: Path, passphrase_file: Path | None) -> FileSigningKey:
    private_key = load_private_key(path, KeyPurpose.SIGNING, passphrase_file=passphrase_file)
    certificate = load_certificate(path.with_suffix(".pem"))
    try:
        return FileSigningKey(private_key, certificate, suite_of_signing_key(private_key.public_key()).name)
    except (KeyUnusable, SecurityFailed) as cause:
        raise KeyUnusable(f"{path}: {cause.reason}") from None


def load_decryption_keys(
    folder: Path,
    *,
    passphrase_file: Path | None = None,
    in_token: Sequence[DecryptionKey] = (),
    wanted: Wanted = _every,
) -> DecryptionKeys:
    """Those of the token, then every key of the folder with its certificate: agreement.key, agreement-*.key.

    wanted: as for signing keys. Raises KeyUnusable, also when there is none at all.
    """
    paths = certified_keys(folder, KeyPurpose.AGREEMENT, needed=not in_token, wanted=wanted)
    return DecryptionKeys((*in_token, *(_load_decryption_key(path, passphrase_file) for path in paths)))


def _load_decryption_key(path: Path, passphrase_file: Path | None) -> FileDecryptionKey:
    private_key = load_private_key(path, KeyPurpose.AGREEMENT, passphrase_file=passphrase_file)
    certificate = load_certificate(path.with_suffix(".pem"))
    try:
        return FileDecryptionKey(private_key, certificate, suite_of_agreement_key(private_key.public_key()).name)
    except (KeyUnusable, SecurityFailed) as cause:
        raise KeyUnusable(f"{path}: {cause.reason}") from None


def certified_keys(folder: Path, purpose: KeyPurpose, *, needed: bool = True, wanted: Wanted = _every) -> list[Path]:
    """The key files of one purpose that have a certificate and are wanted; one without is waiting for it.

    Raises KeyUnusable: none, and one is needed; a certificate that cannot be read.
    """
    name = purpose.value
    found = sorted([*folder.glob(f"{name}.key"), *folder.glob(f"{name}-*.key")])
    certified = [path for path in found if path.with_suffix(".pem").exists()]
    chosen = [path for path in certified if wanted(load_certificate(path.with_suffix(".pem")))]
    if needed and not found:
        raise KeyUnusable(f"{folder / name}.key is missing")
    if needed and not certified:
        raise KeyUnusable(f"{found[0].with_suffix('.pem')} is missing: import the certificate that the CA issued")
    if needed and not chosen:
        raise KeyUnusable(f"every {name} key was retired or revoked: `adapter keys create --purpose {name}` makes one")
    return chosen


def load_archive_key(path: Path) -> bytes:
    """The 32 octets that seal the day keys of the archive. Raises KeyUnusable."""
    octets = read_secret(path)
    if len(octets) != ARCHIVE_KEY_OCTETS:
        raise KeyUnusable(f"{path} must have exactly {ARCHIVE_KEY_OCTETS} octets")
    return octets


def save_archive_key(path: Path) -> None:
    """A fresh random archive key. Raises KeyUnusable: there is one already."""
    write_secret(path, os.urandom(ARCHIVE_KEY_OCTETS))


def destroy_file(path: Path) -> None:
    """Overwrite a key file where it lies, and remove it, durably. Raises KeyUnusable.

    On a disk that writes elsewhere (flash, copy on write, snapshots) octets may be left; encrypt the key or the disk.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.write(os.urandom(os.fstat(descriptor).st_size))
            os.fsync(descriptor)
        path.unlink()
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as cause:
        raise KeyUnusable(f"{path} cannot be destroyed: {cause.strerror}") from None
