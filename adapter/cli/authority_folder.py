"""The authority's folder: what is published, what waits for signatures, the online keys, and the draft that is edited.

<folder>/anchor.json     the first root: what every adapter gets on a safe way
<folder>/draft.xml       the next version of the directory
<folder>/online/         the keys of snapshot and time-stamp, for the machine that publishes
<folder>/pending/        what was proposed and is not signed by enough officers yet
<folder>/published/      the repository, as any web server can serve it
<folder>/record/         who proposed, signed, refused and published what (authority_record)
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography import x509
from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from adapter.cli.authority_record import AuthorityRecord
from adapter.cli.files import make_folder, read_octets, write_octets
from adapter.crypto.certificates import UNREADABLE, sha256
from adapter.directory.anchor import MAX_ANCHOR_BYTES, Anchor, read_anchor
from adapter.directory.document import DIRECTORY_LIMITS, REGISTRATION_LIMITS, read_draft, read_registration
from adapter.directory.draft import DirectoryDraft
from adapter.directory.metadata import (
    DESCRIPTIONS,
    DIRECTORY_TARGET,
    TIMESTAMP_FILE,
    description_target,
    read_root,
    root_file,
    snapshot_file,
    target_file,
    targets_file,
)
from adapter.directory.model import Registration
from adapter.directory.proof import DirectoryProof, directory_target
from adapter.directory.proposal import Proposal
from adapter.directory.rendering import render_directory
from adapter.directory.repository import OnlineSigners, online_keys_of, read_metadata
from adapter.errors import CommandRefused, DirectoryRefused
from adapter.store.keyfiles import KeyPurpose
from adapter.store.officer_keys import load_repository_signer

ANCHOR_FILE: Final = "anchor.json"
DRAFT_FILE: Final = "draft.xml"
PUBLISHED: Final = "published"
_MAX_CERTIFICATE_BYTES: Final = 1024 * 1024
_ONLINE: Final = "online"
_NEXT: Final = "next"
_ROOT, _TARGETS = "root.json", "targets.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorityFolder:
    """Where an authority keeps its directory. The draft's version is that of the next publication."""

    path: Path

    @property
    def anchor_file(self) -> Path:
        """The first root, which every adapter gets on a safe way."""
        return self.path / ANCHOR_FILE

    @property
    def draft_file(self) -> Path:
        """What the next version will contain."""
        return self.path / DRAFT_FILE

    @property
    def published(self) -> Path:
        """The folder that is published as it is."""
        return self.path / PUBLISHED

    @property
    def pending(self) -> Path:
        """What waits for signatures."""
        return self.path / "pending"

    @property
    def record(self) -> AuthorityRecord:
        """What was done, provably."""
        return AuthorityRecord(folder=self.path / "record")

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Alone at what is published: a time-stamp that is renewed at this moment would take back a publication."""
        with (self.path / "publishing.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # --- what is published --------------------------------------------------------------------------------------------

    def anchor(self) -> Anchor | None:
        """The first root; None before it was published. Raises SettingsInvalid, CommandRefused."""
        if not self.anchor_file.is_file():
            return None
        return read_anchor(read_octets(self.anchor_file, what="anchor", max_bytes=MAX_ANCHOR_BYTES))

    def roots(self) -> tuple[bytes, ...]:
        """All published roots, in order."""
        found: list[bytes] = []
        while (path := self.published / root_file(len(found) + 1)).is_file():
            found.append(read_octets(path, what="root"))
        return tuple(found)

    def root(self) -> Root:
        """The root that holds. Raises CommandRefused: none was published yet."""
        roots = self.roots()
        if not roots:
            raise CommandRefused(f"{self.path} has no root yet: the officers sign the first one, then publish")
        return read_root(roots[-1]).signed

    def timestamp(self) -> Timestamp | None:
        """The newest time-stamp; None before the first publication."""
        path = self.published / TIMESTAMP_FILE
        return read_metadata(read_octets(path), Timestamp).signed if path.is_file() else None

    def snapshot(self) -> Snapshot | None:
        """The snapshot that the time-stamp names."""
        timestamp = self.timestamp()
        if timestamp is None:
            return None
        octets = read_octets(self.published / snapshot_file(timestamp.snapshot_meta.version))
        return read_metadata(octets, Snapshot).signed

    def current(self) -> DirectoryProof | None:
        """The published directory with what proves it; None before the first publication. Raises CommandRefused."""
        snapshot = self.snapshot()
        if snapshot is None:
            return None
        targets = read_octets(self.published / targets_file(snapshot.meta[_TARGETS].version))
        _, digest = directory_target(read_metadata(targets, Targets).signed)
        document = read_octets(self.published / target_file(DIRECTORY_TARGET, digest))
        return DirectoryProof(document=document, targets=targets, roots=self.roots())

    # --- what waits ---------------------------------------------------------------------------------------------------

    def proposal(self) -> Proposal:
        """What waits for signatures, with what it follows from. Raises CommandRefused."""
        root, targets, document = (self._waiting(name) for name in (_ROOT, _TARGETS, DIRECTORY_TARGET))
        if root is None and targets is None:
            raise CommandRefused("nothing waits for signatures: `adapter authority propose` or `rotate` comes first")
        return Proposal(roots=self.roots(), current=self.current(), root=root, targets=targets, document=document)

    def wait_for(self, *, root: bytes | None, targets: bytes | None, document: bytes | None) -> None:
        """Put this in the place of whatever waited. Raises CommandRefused."""
        make_folder(self.pending, mode=0o700)
        for name, octets in ((_ROOT, root), (_TARGETS, targets), (DIRECTORY_TARGET, document)):
            if octets is None:
                (self.pending / name).unlink(missing_ok=True)
            else:
                write_octets(self.pending / name, octets)

    def _waiting(self, name: str) -> bytes | None:
        path = self.pending / name
        return read_octets(path) if path.is_file() else None

    # --- online keys --------------------------------------------------------------------------------------------------

    def online_key_file(self, purpose: KeyPurpose, *, following: bool = False) -> Path:
        """Where an online key is. following: the one that a root names that waits."""
        folder = self.path / _ONLINE
        return (folder / _NEXT if following else folder) / f"{purpose.value}.key"

    def online_signers(self, root: Root, passphrase_file: Path | None = None) -> OnlineSigners:
        """The signers that this root names. Raises KeyUnusable, CommandRefused: the folder has other keys."""
        named = online_keys_of(root)
        for following in (False, True):
            files = [
                self.online_key_file(one, following=following) for one in (KeyPurpose.SNAPSHOT, KeyPurpose.TIMESTAMP)
            ]
            if not all(file.is_file() for file in files):
                continue
            snapshot = load_repository_signer(files[0], KeyPurpose.SNAPSHOT, passphrase_file=passphrase_file)
            timestamp = load_repository_signer(files[1], KeyPurpose.TIMESTAMP, passphrase_file=passphrase_file)
            ours = (snapshot.public_key.keyid, timestamp.public_key.keyid)
            if ours == (named.snapshot.keyid, named.timestamp.keyid):
                return OnlineSigners(snapshot=snapshot, timestamp=timestamp)
        raise CommandRefused(f"{self.path / _ONLINE} does not hold the online keys that root {root.version} names")

    # --- the draft ----------------------------------------------------------------------------------------------------

    def draft(self) -> DirectoryDraft:
        """The draft. Raises CommandRefused."""
        octets = read_octets(self.draft_file, what="draft", max_bytes=DIRECTORY_LIMITS.max_bytes)
        try:
            return read_draft(octets)
        except DirectoryRefused as cause:
            raise CommandRefused(f"{self.draft_file} cannot be used: {cause.reason}") from None

    def keep_draft(self, draft: DirectoryDraft) -> None:
        """Write the draft. Raises CommandRefused."""
        write_octets(self.draft_file, render_directory(draft))

    def draft_follows(self, version: int) -> None:
        """Make the draft the one after a version that was proposed or published. Raises CommandRefused."""
        draft = self.draft()
        if draft.version <= version:
            self.keep_draft(replace(draft, version=version + 1))

    # --- descriptions -------------------------------------------------------------------------------------------------

    def bundle_file(self, sha256: str) -> Path:
        """Where a description bundle is published."""
        return self.published / target_file(description_target(sha256), sha256)

    def put_bundle(self, octets: bytes) -> None:
        """Publish a bundle; nobody takes it before a directory names it. Raises CommandRefused."""
        write_octets(self.bundle_file(hashlib.sha256(octets).hexdigest()), octets)

    def put_bundles(self, folder: Path, registration: Registration) -> list[str]:
        """Copy the bundles that lie beside a registration; gives the services whose bundle is missing or wrong."""
        missing = []
        for service in registration.services:
            digest = service.description_sha256
            source = folder / DESCRIPTIONS / f"{digest}.zip"
            octets = read_octets(source, what="bundle") if source.is_file() else b""
            if hashlib.sha256(octets).hexdigest() != digest:
                missing.append(str(service.service))
                continue
            self.put_bundle(octets)
        return missing

    def missing_bundles(self, draft: DirectoryDraft) -> list[str]:
        """Services whose description is not in the published folder."""
        return [
            str(service.service)
            for service in draft.services.values()
            if not self.bundle_file(service.description_sha256).is_file()
        ]

    def bundles(self, draft: DirectoryDraft) -> dict[str, bytes]:
        """The description bundles of a draft's services that are here, by SHA-256."""
        digests = {service.description_sha256 for service in draft.services.values()}
        files = {digest: self.bundle_file(digest) for digest in sorted(digests)}
        return {digest: read_octets(file, what="bundle") for digest, file in files.items() if file.is_file()}


def registration_from(file: Path) -> Registration:
    """Read what an agency handed in (untrusted). Raises CommandRefused."""
    octets = read_octets(file, what="registration", max_bytes=REGISTRATION_LIMITS.max_bytes)
    try:
        return read_registration(octets)
    except DirectoryRefused as cause:
        raise CommandRefused(f"{file} is no registration: {cause.reason}") from None


def certificates_from(files: list[Path]) -> tuple[x509.Certificate, ...]:
    """Every certificate of these PEM files. Raises CommandRefused."""
    found: list[x509.Certificate] = []
    for file in files:
        try:
            found += x509.load_pem_x509_certificates(
                read_octets(file, what="certificate", max_bytes=_MAX_CERTIFICATE_BYTES)
            )
        except UNREADABLE:
            raise CommandRefused(f"{file} holds no certificate in PEM") from None
    return tuple(found)


def fingerprint_of(text: str) -> str:
    """The SHA-256 of the certificate in this file (PEM), in small hexadecimal digits; else the text, so written.

    The first certificate counts: what follows it is its chain. Raises CommandRefused: the file holds none.
    """
    if not Path(text).is_file():
        return text.replace(":", "").lower()
    return sha256(certificates_from([Path(text)])[0]).hex()
