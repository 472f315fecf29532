"""One look at the authority's repository, without a socket: asks for files, is given octets, says what to believe.

    refresh = Refresh(anchor, known, now=now, newest=directory)
    steps = refresh.steps()         # a generator: yields Wanted, is sent octets or None, returns Found
    wanted = next(steps)
    wanted = steps.send(octets)

The order is that of the TUF specification (1.0.33, 5.3 to 5.7), with one difference: time-stamp metadata that is octet
for octet what is believed already, and has not expired, ends the look before a newer root is asked for. The authority
writes a new time-stamp with every root (directory.repository), and whoever could hold the one back could hold back the
other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from tuf.api.exceptions import EqualVersionNumberError, ExpiredMetadataError, RepositoryError
from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from adapter.directory.anchor import Anchor, TrustedRoots
from adapter.directory.document import DIRECTORY_LIMITS
from adapter.directory.metadata import (
    DIRECTORY_TARGET,
    MAX_ROOT_BYTES,
    MAX_ROOTS,
    MAX_SNAPSHOT_BYTES,
    MAX_TARGETS_BYTES,
    MAX_TIMESTAMP_BYTES,
    TIMESTAMP_FILE,
    check_size,
    refusals,
    root_file,
    snapshot_file,
    target_file,
    targets_file,
)
from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, directory_target, read_document
from adapter.errors import DirectoryExpired, DirectoryRefused, RefusedBecause

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far in the future a directory may have been issued by our clock."""

_BEFORE_ANY: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of the repository. max_bytes: what is longer is not read to its end. optional: it may be absent."""

    path: str
    max_bytes: int
    optional: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What was believed before, from our own copy. The metadata is verified again, the rest is only compared.

    roots: after the anchor, in order. version, sha256: of the newest directory.xml that was ever believed.
    """

    roots: tuple[bytes, ...] = ()
    timestamp: bytes | None = None
    snapshot: bytes | None = None
    targets: bytes | None = None
    version: int = 0
    sha256: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What is believed after a look. Made by Refresh only.

    fresh_until: when the time-stamp, the snapshot or the directory expires, whichever is first.
    directory, document: None when the directory is the one that was known.
    """

    known: Known
    fresh_until: datetime
    root_version: int
    directory: Directory | None = None
    document: bytes | None = None

    @property
    def proof(self) -> DirectoryProof:
        """The new directory with what proves it."""
        return DirectoryProof(document=self.document or b"", targets=self.known.targets or b"", roots=self.known.roots)


Steps = Generator[Wanted, bytes | None, Found | None]


class Refresh:
    """One look. new_roots: roots that were verified, by version, also when the look ends in a refusal: keep them."""

    def __init__(
        self,
        anchor: Anchor,
        known: Known,
        *,
        now: datetime | None,
        has_document: bool = True,
        earlier: Directory | None = None,
        max_bytes: int = DIRECTORY_LIMITS.max_bytes,
    ) -> None:
        """now: None for who looks whatever the time: nothing counts as expired then, and nothing is adopted by it.

        has_document: whether the document of known.version is at hand; if not, it is asked for again.

        earlier: what was read before; what did not change since is taken from it (document.parse_directory).
        """
        self._earlier = earlier
        self._known = known
        self._now = now or _BEFORE_ANY
        self._has_document = has_document
        self._max_bytes = max_bytes
        self._anchor = anchor
        self.new_roots: dict[int, bytes] = {}

    def steps(self) -> Steps:
        """The generator. Its value is None when nothing changed at all.

        Raises DirectoryRefused, with why; DirectoryExpired: the newest directory is past its expiry.
        """
        timestamp = yield from _demand(Wanted(TIMESTAMP_FILE, MAX_TIMESTAMP_BYTES))
        trusted = self._trusted()
        if self._has_document and timestamp == self._known.timestamp and not self._is_stale(timestamp, trusted):
            return None
        yield from self._follow_roots(trusted)
        if trusted.root.is_expired(self._now):
            raise DirectoryRefused(f"root {trusted.root.version} has expired", because=RefusedBecause.ROOT_EXPIRED)
        self._take_timestamp(trusted, timestamp)
        snapshot = yield from self._snapshot(trusted)
        targets = yield from self._targets(trusted)
        found = Found(
            known=replace(
                self._known,
                roots=(*self._known.roots, *self.new_roots.values()),
                timestamp=timestamp,
                snapshot=snapshot,
                targets=targets,
            ),
            fresh_until=min(
                trusted.metadata.timestamp.expires, trusted.metadata.snapshot.expires, trusted.metadata.targets.expires
            ),
            root_version=trusted.root.version,
        )
        return (yield from self._directory(trusted.metadata.targets, found))

    def _trusted(self) -> TrustedRoots:
        trusted = TrustedRoots(self._anchor, self._known.roots)
        trusted.metadata.reference_time = self._now
        return trusted

    def _is_stale(self, timestamp: bytes, trusted: TrustedRoots) -> bool:
        """Of what was verified before."""
        with refusals(TIMESTAMP_FILE):
            read = Metadata[Timestamp].from_bytes(timestamp).signed
        return read.is_expired(self._now) or trusted.root.is_expired(self._now)

    def _follow_roots(self, trusted: TrustedRoots) -> Generator[Wanted, bytes | None, None]:
        for _ in range(MAX_ROOTS):
            path = root_file(trusted.root.version + 1)
            octets = yield Wanted(path, MAX_ROOT_BYTES, optional=True)
            if octets is None:
                return
            trusted.follow(octets)
            self.new_roots[trusted.root.version] = octets

    def _take_timestamp(self, trusted: TrustedRoots, octets: bytes) -> None:
        """After our own, against which it is no step back; ours does not count any more once its key was replaced."""
        check_size(TIMESTAMP_FILE, octets, MAX_TIMESTAMP_BYTES)
        if self._known.timestamp is not None:
            with suppress(RepositoryError):
                trusted.metadata.update_timestamp(self._known.timestamp)
        try:
            with refusals(TIMESTAMP_FILE):
                _update(trusted, octets)
        except _SameVersionError:
            if octets != self._known.timestamp:
                raise DirectoryRefused(
                    f"{TIMESTAMP_FILE}: another one of the version that is known", because=RefusedBecause.FORK
                ) from None
            if trusted.metadata.timestamp.is_expired(self._now):
                raise DirectoryRefused(
                    f"{TIMESTAMP_FILE}: it has expired, and there is no newer one", because=RefusedBecause.FREEZE
                ) from None

    def _snapshot(self, trusted: TrustedRoots) -> Generator[Wanted, bytes | None, bytes]:
        if self._known.snapshot is not None:
            with suppress(RepositoryError):
                trusted.metadata.update_snapshot(self._known.snapshot, trusted=True)
                return self._known.snapshot
        path = snapshot_file(trusted.metadata.timestamp.snapshot_meta.version)
        octets = yield from _demand(Wanted(path, MAX_SNAPSHOT_BYTES))
        with refusals(path):
            trusted.metadata.update_snapshot(octets)
        return octets

    def _targets(self, trusted: TrustedRoots) -> Generator[Wanted, bytes | None, bytes]:
        meta = trusted.metadata.snapshot.meta.get("targets.json")
        version = 0 if meta is None else meta.version
        path = targets_file(version)
        if version < self._known.version:
            raise DirectoryRefused(
                f"directory {version} is older than {self._known.version}, which is known",
                because=RefusedBecause.ROLLBACK,
            )
        if self._known.targets is not None and version == self._known.version:
            with suppress(RepositoryError):
                trusted.metadata.update_targets(self._known.targets)
                return self._known.targets
        octets = yield from _demand(Wanted(path, MAX_TARGETS_BYTES))
        with refusals(path):
            try:
                trusted.metadata.update_targets(octets)
            except ExpiredMetadataError:
                raise DirectoryExpired(f"directory {version}, the newest one, is past its expiry") from None
        return octets

    def _directory(self, targets: Targets, found: Found) -> Generator[Wanted, bytes | None, Found]:
        info, digest = directory_target(targets)
        if targets.version == self._known.version and self._known.sha256 is not None:
            if self._known.sha256.hex() != digest:
                raise DirectoryRefused(
                    f"another directory of version {targets.version}, which is known", because=RefusedBecause.FORK
                )
            if self._has_document:
                return found
        if info.length > self._max_bytes:
            raise DirectoryRefused(
                f"directory.xml: {info.length} octets, allowed {self._max_bytes}", because=RefusedBecause.OVERSIZED
            )
        document = yield from _demand(Wanted(target_file(DIRECTORY_TARGET, digest), info.length))
        directory = read_document(document, targets, self._earlier)
        if _BEFORE_ANY < self._now < directory.issued - CLOCK_SKEW:
            raise DirectoryRefused(
                f"issued in the future ({directory.issued:%Y-%m-%d %H:%M:%SZ}): is the clock right?",
                because=RefusedBecause.CLOCK,
            )
        sha256 = hashlib.sha256(document).digest()
        known = replace(found.known, version=directory.version, sha256=sha256)
        return replace(found, known=known, directory=directory, document=document)


def fresh_until(known: Known, anchor: Anchor, directory: Directory) -> datetime:
    """Until when our own copy is fresh: as Found.fresh_until. Raises DirectoryRefused: roots that do not follow.

    Where the online keys were replaced since, nobody vouches for the copy's freshness: it has to be confirmed first.
    """
    root = TrustedRoots(anchor, known.roots).root
    expiries = [directory.expires]
    for kind, octets in ((Timestamp, known.timestamp), (Snapshot, known.snapshot)):
        try:
            with refusals(kind.type):
                metadata = Metadata[kind].from_bytes(octets or b"")  # type: ignore[valid-type]
                root.verify_delegate(kind.type, metadata.signed_bytes, metadata.signatures)
                expiries.append(metadata.signed.expires)
        except DirectoryRefused:
            return directory.issued
    return min(expiries)


class _SameVersionError(Exception):
    """The time-stamp has the version of the one that is known."""


def _update(trusted: TrustedRoots, octets: bytes) -> None:
    try:
        trusted.metadata.update_timestamp(octets)
    except EqualVersionNumberError:
        raise _SameVersionError from None


def _demand(wanted: Wanted) -> Generator[Wanted, bytes | None, bytes]:
    octets = yield wanted
    if octets is None:
        raise DirectoryRefused(f"{wanted.path} is missing", because=RefusedBecause.MISMATCH)
    check_size(wanted.path, octets, wanted.max_bytes)
    return octets
