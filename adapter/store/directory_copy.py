"""What this adapter believes of the directory, across restarts and workers: metadata in the database, documents beside.

The database holds what decides: the roots, the newest time-stamp and snapshot, and for every version that was ever
believed its targets metadata and the digest of its document. So an older directory is refused even when the files are
put back, and what proves a version is there as long as its record. All of it is verified again when it is loaded.

Several workers look at the repository side by side. `revision` grows with every change, and whoever keeps something
names the revision from which it started: another one in between means that a neighbour was faster, and is read instead.
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
from sqlalchemy import Connection, insert, select, update

from adapter.directory.proof import DirectoryProof
from adapter.directory.refresh import Found, Known
from adapter.errors import DirectoryRefused, RefusedBecause, StoreUnusable
from adapter.store.engine import Database
from adapter.store.failures import translated
from adapter.store.schema import directory_roots, directory_state, directory_versions

log = structlog.get_logger(__name__)

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PUBLIC: Final = 0o644


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptState:
    """What is known, and the revision of the copy that says so: 0 before anything was kept."""

    known: Known
    revision: int


class DirectoryCopy:
    """The adapter's own copy of the directory and of the service descriptions that it names. For any thread."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._descriptions = folder / "descriptions"
        self._database = database

    def revision(self) -> int:
        """Which state of the copy this is; 0 before anything was kept. Raises StoreUnusable."""
        with self._database.reading() as connection:
            return _revision(connection)

    def known(self) -> KeptState:
        """What was believed, of whatever worker. Raises StoreUnusable."""
        with self._database.reading() as connection:
            state = connection.execute(_STATE).one_or_none()
            roots = connection.execute(select(directory_roots.c.octets).order_by(directory_roots.c.version)).scalars()
            if state is None:
                return KeptState(known=Known(roots=tuple(roots)), revision=0)
            targets = connection.execute(
                select(directory_versions.c.targets).where(directory_versions.c.version == state.version)
            ).scalar_one_or_none()
            known = Known(
                roots=tuple(roots),
                timestamp=state.timestamp,
                snapshot=state.snapshot,
                targets=targets,
                version=state.version,
                sha256=state.sha256,
            )
            return KeptState(known=known, revision=state.revision)

    def load(self) -> DirectoryProof | None:
        """The newest directory, or None when there is none, or its file is damaged. Raises StoreUnusable."""
        known = self.known().known
        return None if known.sha256 is None else self.of_version(known.version)

    def of_version(self, version: int) -> DirectoryProof | None:
        """The directory by which a message was judged, for evidence; None when it is not here.

        Every version that was believed is kept: what it proves may be asked for years later.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                select(
                    directory_versions.c.sha256, directory_versions.c.targets, directory_versions.c.root_version
                ).where(directory_versions.c.version == version)
            ).one_or_none()
            if row is None:
                return None
            roots = connection.execute(
                select(directory_roots.c.octets)
                .where(directory_roots.c.version <= row.root_version)
                .order_by(directory_roots.c.version)
            ).scalars()
            proof_roots = tuple(roots)
        try:
            document = self._document(version).read_bytes()
        except OSError as error:
            log.warning("the copy of the directory is gone", version=version, because=error.strerror)
            return None
        if hashlib.sha256(document).digest() != row.sha256:
            log.warning("the copy of the directory is damaged", version=version)
            return None
        return DirectoryProof(document=document, targets=row.targets, roots=proof_roots)

    def keep(self, found: Found, *, since: int) -> bool:
        """Keep what was verified, unless another worker kept something since that revision: then False.

        Raises DirectoryRefused when it is older than what is kept, StoreUnusable.
        """
        known = found.known
        if found.document is not None:
            with translated(StoreUnusable):
                self._folder.mkdir(parents=True, exist_ok=True)
                _replace(self._document(known.version), found.document)
        with self._database.writing() as connection:
            if _revision(connection) != since:
                return False
            state = connection.execute(_STATE).one_or_none()
            if state is not None and known.version < state.version:
                raise DirectoryRefused(
                    f"version {known.version} is older than version {state.version}, which is known",
                    because=RefusedBecause.ROLLBACK,
                )
            if found.document is not None:
                _insert_version(connection, found)
            row = {
                "version": known.version,
                "sha256": known.sha256,
                "timestamp": known.timestamp,
                "snapshot": known.snapshot,
                "revision": since + 1,
            }
            if state is None:
                connection.execute(insert(directory_state).values(id=1, **row))
            else:
                connection.execute(update(directory_state).values(**row))
        return True

    def keep_roots(self, roots: dict[int, bytes]) -> None:
        """Keep roots that were verified, by version. Raises DirectoryRefused: another one of a version that is kept."""
        with self._database.writing() as connection:
            for version, octets in sorted(roots.items()):
                kept = connection.execute(
                    select(directory_roots.c.octets).where(directory_roots.c.version == version)
                ).scalar_one_or_none()
                if kept is None:
                    connection.execute(insert(directory_roots).values(version=version, octets=octets))
                elif kept != octets:
                    raise DirectoryRefused(f"another root of version {version}", because=RefusedBecause.FORK)

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
            raise DirectoryRefused(
                "a service description is not the one that the directory names", because=RefusedBecause.MISMATCH
            )
        with translated(StoreUnusable):
            self._descriptions.mkdir(parents=True, exist_ok=True)
            _replace(self._description(sha256), octets)

    def _document(self, version: int) -> Path:
        return self._folder / f"directory-{version}.xml"

    def _description(self, sha256: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise DirectoryRefused("a service description is named by 64 hexadecimal digits")
        return self._descriptions / f"{sha256}.zip"


_STATE: Final = select(
    directory_state.c.version,
    directory_state.c.sha256,
    directory_state.c.timestamp,
    directory_state.c.snapshot,
    directory_state.c.revision,
)


def _revision(connection: Connection) -> int:
    return connection.execute(select(directory_state.c.revision)).scalar_one_or_none() or 0


def _insert_version(connection: Connection, found: Found) -> None:
    """A document that was damaged on disk may come a second time: what proves it is here already."""
    known = connection.execute(
        select(directory_versions.c.sha256).where(directory_versions.c.version == found.known.version)
    ).scalar_one_or_none()
    if known is None:
        connection.execute(
            insert(directory_versions).values(
                version=found.known.version,
                sha256=found.known.sha256,
                targets=found.known.targets,
                root_version=found.root_version,
            )
        )


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
