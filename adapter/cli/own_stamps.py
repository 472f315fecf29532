"""The time-stamps of our own record, and the certificates that they are judged by: of the directories kept here."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509

from adapter.audit.stamps import Trusted
from adapter.cli.directory_source import COPY_FOLDER, anchor_from
from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, authenticate_directory
from adapter.errors import AdapterError
from adapter.settings import Settings
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import Database


def trusted_authorities(settings: Settings, database: Database) -> Trusted:
    """By the directory that a stamp was accepted by, or the newest one where that is not here any more.

    A directory that cannot be read, or that the anchor did not sign, vouches for nobody. Each is read once.
    """
    copy = DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, database)
    read: dict[int, Directory | None] = {}

    def trusted(version: int, authority: str) -> Sequence[x509.Certificate] | None:
        if version not in read:
            read[version] = _opened(settings, copy.of_version(version) or copy.load())
        directory = read[version]
        listed = None if directory is None else directory.time_stamp_authorities.get(authority)
        return None if listed is None else listed.certificates

    return trusted


def newest_directory(settings: Settings, database: Database) -> Directory | None:
    """The newest directory that is kept here; None when it cannot be read, or the anchor did not sign it."""
    return _opened(settings, DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, database).load())


def _opened(settings: Settings, stored: DirectoryProof | None) -> Directory | None:
    if stored is None:
        return None
    try:
        return authenticate_directory(stored, anchor_from(settings.directory.anchor))
    except AdapterError:
        return None
