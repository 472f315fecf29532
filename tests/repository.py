"""The authority's repository in memory: three officers, of whom two sign, two online keys, and files by their paths."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from adapter.directory.anchor import Anchor, read_anchor
from adapter.directory.document import parse_directory
from adapter.directory.metadata import (
    DIRECTORY_TARGET,
    TIMESTAMP_FILE,
    root_file,
    snapshot_file,
    target_file,
    targets_file,
)
from adapter.directory.proof import DirectoryProof
from adapter.directory.refresh import Found, Known, Refresh, Wanted
from adapter.directory.repository import (
    OnlineKeys,
    new_root,
    new_snapshot,
    new_targets,
    new_timestamp,
    public_key_of,
    read_metadata,
    sealed,
)

OFFICERS = ("karimova", "saidov", "usmonov")
YEARS = timedelta(days=10 * 365)


def new_signer(name: str = "") -> CryptoSigner:
    """A fresh key."""
    key = Ed25519PrivateKey.generate()
    return CryptoSigner(key, public_key_of(key.public_key(), name))  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Repository:
    """Keys and the first root."""

    officers: tuple[Signer, ...]
    snapshot: Signer
    timestamp: Signer
    now: datetime
    roots: tuple[bytes, ...] = ()

    @classmethod
    def make(cls, now: datetime) -> Repository:
        """Keys and a root, all in order."""
        made = cls(
            officers=tuple(new_signer(name) for name in OFFICERS),
            snapshot=new_signer(),
            timestamp=new_signer(),
            now=now,
        )
        return replace(made, roots=(sealed(made.new_root(), *made.officers[:2]),))

    @property
    def root(self) -> bytes:
        """The first root: the anchor."""
        return self.roots[0]

    @property
    def anchor(self) -> Anchor:
        """What every adapter was handed over out of band."""
        return read_anchor(self.root)

    def new_root(self, *, version: int = 1, threshold: int = 2, valid_for: timedelta = YEARS) -> Root:
        """A root of these keys, unsigned."""
        return new_root(
            dict(zip(OFFICERS, (one.public_key for one in self.officers), strict=False)),
            threshold,
            OnlineKeys(snapshot=self.snapshot.public_key, timestamp=self.timestamp.public_key),
            now=self.now,
            valid_for=valid_for,
            version=version,
        )

    def signed(
        self, xml: bytes, *, version: int | None = None, expires: datetime | None = None, by: Sequence[Signer] = ()
    ) -> DirectoryProof:
        """The document with two officers' signatures. version and expires: where the document is none."""
        if version is None or expires is None:
            directory = parse_directory(xml)
            version, expires = directory.version, directory.expires
        targets = sealed(new_targets(version, expires, xml, {}), *(by or self.officers[:2]))
        return DirectoryProof(document=xml, targets=targets, roots=self.roots)

    def publish(self, proof: DirectoryProof, at: Published | None = None, *, valid_for: timedelta = YEARS) -> Published:
        """The repository with this directory, after the one that was there before."""
        before = at or Published()
        version = read_metadata(proof.targets, Targets).signed.version
        digest = hashlib.sha256(proof.document).hexdigest()
        files = dict(before.files)
        files |= {root_file(number): octets for number, octets in enumerate(self.roots, 1)}
        files[target_file(DIRECTORY_TARGET, digest)] = proof.document
        files[targets_file(version)] = proof.targets
        snapshot = new_snapshot(proof.targets, before.snapshot, targets_version=version, now=self.now)
        snapshot.expires = self.now.replace(microsecond=0) + valid_for
        files[snapshot_file(snapshot.version)] = sealed(snapshot, self.snapshot)
        return self.stamp(replace(before, files=files, snapshot=snapshot), valid_for=valid_for)

    def stamp(self, at: Published, *, valid_for: timedelta = YEARS, signer: Signer | None = None) -> Published:
        """A new time-stamp over what is there."""
        snapshot = at.snapshot
        assert snapshot is not None
        octets = at.files[snapshot_file(snapshot.version)]
        timestamp = new_timestamp(
            octets, at.timestamp, snapshot_version=snapshot.version, now=self.now, valid_for=valid_for
        )
        files = {**at.files, TIMESTAMP_FILE: sealed(timestamp, signer or self.timestamp)}
        return replace(at, files=files, timestamp=timestamp)

    def write(self, folder: Path, proof: DirectoryProof) -> None:
        """The published files, below a folder."""
        self.publish(proof).write(folder)


@dataclass(frozen=True, kw_only=True)
class Published:
    """Files by their paths, and the metadata that the next ones follow."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    timestamp: Timestamp | None = None

    def but(self, **files: bytes | None) -> Published:
        """With other files; keys: `timestamp`, `root_2`, `snapshot_1`, `targets_3`. None takes one away."""
        changed = dict(self.files)
        for name, octets in files.items():
            kind, _, number = name.partition("_")
            path = TIMESTAMP_FILE if kind == "timestamp" else f"metadata/{number}.{kind}.json"
            if octets is None:
                changed.pop(path, None)
            else:
                changed[path] = octets
        return replace(self, files=changed)

    def write(self, folder: Path) -> None:
        """As a web server would serve them."""
        for path, octets in self.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(octets)

    def look(
        self,
        anchor: Anchor,
        known: Known | None = None,
        *,
        now: datetime,
        asked: Callable[[Wanted], None] = lambda _: None,
        has_document: bool = True,
    ) -> Found | None:
        """What an adapter believes after one look at these files."""
        return look_at(Refresh(anchor, known or Known(), now=now, has_document=has_document), self.files, asked)


def look_at(
    refresh: Refresh, files: Mapping[str, bytes], asked: Callable[[Wanted], None] = lambda _: None
) -> Found | None:
    """Run one look against files in memory."""
    steps = refresh.steps()
    try:
        wanted = next(steps)
        while True:
            asked(wanted)
            wanted = steps.send(files.get(wanted.path))
    except StopIteration as end:
        found: Found | None = end.value
        return found


def utc(year: int, month: int, day: int) -> datetime:
    """A day."""
    return datetime(year, month, day, tzinfo=UTC)
