"""The last good directory on disk, and the highest version ever accepted in the database.

The row in the database names the files, so that document and note change together whatever crashes in between, and an
older directory is refused even when the files are put back.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import insert, select, update

from adapter.errors import DirectoryRefused, StoreUnusable
from adapter.store.engine import Database
from adapter.store.failures import translated
from adapter.store.schema import directory_state

log = structlog.get_logger(__name__)

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PUBLIC: Final = 0o644


@dataclass(frozen=True, slots=True)
class KnownDirectory:
    """The highest version that was ever accepted; 0 and None when there was none."""

    version: int
    sha256: bytes | None


@dataclass(frozen=True, slots=True)
class StoredDirectory:
    """The last good directory as it was published. Its signature has to be checked again."""

    version: int
    document: bytes
    note: bytes


class DirectoryCopy:
    """The adapter's own copy of the directory and of the service descriptions that it names. For any thread."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._descriptions = folder / "descriptions"
        self._database = database

    def known(self) -> KnownDirectory:
        """The version and the SHA-256 of the newest document that was ever kept. Raises StoreUnusable."""
        with self._database.reading() as connection:
            row = connection.execute(select(directory_state.c.version, directory_state.c.sha256)).one_or_none()
        return KnownDirectory(0, None) if row is None else KnownDirectory(row.version, row.sha256)

    def load(self) -> StoredDirectory | None:
        """The last good directory, or None when there is none, or its files are damaged. Raises StoreUnusable."""
        known = self.known()
        if known.sha256 is None:
            return None
        try:
            document = self._document(known.version).read_bytes()
            note = self._note(known.version).read_bytes()
        except OSError as error:
            log.warning("the copy of the directory is gone", version=known.version, because=error.strerror)
            return None
        if hashlib.sha256(document).digest() != known.sha256:
            log.warning("the copy of the directory is damaged", version=known.version)
            return None
        return StoredDirectory(known.version, document, note)

    def of_version(self, version: int) -> StoredDirectory | None:
        """The directory by which a message was judged, for evidence; None when it is not here any more.

        Every version that was believed is kept: what it proves may be asked for years later.
        """
        try:
            document, note = self._document(version).read_bytes(), self._note(version).read_bytes()
        except OSError:
            return None
        return StoredDirectory(version, document, note)

    def keep(self, document: bytes, note: bytes, version: int) -> None:
        """Keep a directory that was verified. Several workers may keep the same one.

        Raises DirectoryRefused for an older version, or another document of the same version; StoreUnusable.
        """
        sha256 = hashlib.sha256(document).digest()
        self._refuse_rollback(self.known(), version, sha256)
        with translated(StoreUnusable):
            self._folder.mkdir(parents=True, exist_ok=True)
            _replace(self._document(version), document)
            _replace(self._note(version), note)
        with self._database.writing() as connection:
            row = connection.execute(select(directory_state.c.version, directory_state.c.sha256)).one_or_none()
            if row is None:
                connection.execute(insert(directory_state).values(id=1, version=version, sha256=sha256))
            else:
                self._refuse_rollback(KnownDirectory(row.version, row.sha256), version, sha256)
                connection.execute(update(directory_state).values(version=version, sha256=sha256))

    def description(self, sha256: str) -> bytes | None:
        """The bundle of a service's description by its digest, or None when it is not here (or damaged)."""
        try:
            octets = self._description(sha256).read_bytes()
        except OSError:
            return None
        return octets if hashlib.sha256(octets).hexdigest() == sha256 else None

    def keep_description(self, sha256: str, octets: bytes) -> None:
        """Keep a fetched bundle. Raises DirectoryRefused when it is not what the directory names, StoreUnusable."""
        if hashlib.sha256(octets).hexdigest() != sha256:
            raise DirectoryRefused("a service description is not the one that the directory names")
        with translated(StoreUnusable):
            self._descriptions.mkdir(parents=True, exist_ok=True)
            _replace(self._description(sha256), octets)

    def _document(self, version: int) -> Path:
        return self._folder / f"directory-{version}.xml"

    def _note(self, version: int) -> Path:
        return self._folder / f"directory-{version}.note"

    def _description(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise DirectoryRefused("a service description is named by 64 hexadecimal digits")
        return self._descriptions / f"{sha256}.zip"

    @staticmethod
    def _refuse_rollback(known: KnownDirectory, version: int, sha256: bytes) -> None:
        if version < known.version:
            raise DirectoryRefused(f"version {version} is older than version {known.version}, which is known already")
        if version == known.version and known.sha256 not in {None, sha256}:
            raise DirectoryRefused(f"there is another document of version {version}")


def _replace(path: Path, octets: bytes) -> None:
    """Put a whole file in its place, durably, or leave what was there. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fchmod(descriptor, _PUBLIC)
            os.fsync(descriptor)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
