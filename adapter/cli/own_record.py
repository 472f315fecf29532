"""The adapter's own record, as commands open it: its name, its keys, its log."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import record_origin
from adapter.crypto.note import NoteSigner
from adapter.errors import KeyUnusable
from adapter.settings import Settings
from adapter.store.appending import Log
from adapter.store.keyfiles import KeyPurpose, load_archive_key, load_private_key

RECORD_KEY_FILE: Final = "record.key"
ARCHIVE_KEY_FILE: Final = "archive.key"


def record_signer(settings: Settings) -> NoteSigner:
    """The key that signs checkpoints. Raises KeyUnusable."""
    path = settings.adapter.keys_dir / RECORD_KEY_FILE
    return note_signer(record_origin(settings.member), path, KeyPurpose.RECORD, settings.adapter.passphrase_file)


def note_signer(name: str, path: Path, purpose: KeyPurpose, passphrase_file: Path | None) -> NoteSigner:
    """A signer of notes from a key file. Raises KeyUnusable."""
    key = load_private_key(path, purpose, passphrase_file=passphrase_file)
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(f"{path} is not an Ed25519 key, which this purpose needs")
    return NoteSigner(name, key)


def own_archive_key(settings: Settings) -> bytes:
    """The key over the keys of kept messages, and over the tags of subjects. Raises KeyUnusable."""
    return load_archive_key(settings.adapter.keys_dir / ARCHIVE_KEY_FILE)


def own_log(settings: Settings) -> Log:
    """The log, for an act of an officer to be entered. Raises KeyUnusable."""
    return Log(record_origin(settings.member), record_signer(settings))
