"""A directory with what proves that the authority published it: for the copy on disk, for evidence, for a reader.

Proves authenticity at whatever time. Whether it was the newest is what a refresh is for (directory.refresh).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime

from tuf.api.metadata import Root, TargetFile, Targets

from adapter.directory.anchor import Anchor, TrustedRoots
from adapter.directory.document import DIRECTORY_LIMITS, parse_directory
from adapter.directory.metadata import DIRECTORY_TARGET, check_size, read_root, read_targets, refusals
from adapter.directory.model import Directory
from adapter.directory.rendering import write_instant
from adapter.directory.repository import OfRole, read_metadata, render
from adapter.errors import DirectoryExpired, DirectoryRefused, RefusedBecause

SHA256_HEX_CHARS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryProof:
    """Untrusted octets. roots: each follows the one before; the last one is the root that targets were judged by."""

    document: bytes
    targets: bytes
    roots: tuple[bytes, ...] = ()


def authenticate_directory(proof: DirectoryProof, anchor: Anchor) -> Directory:
    """The directory, if enough officers signed it, at whatever time: for evidence and for our own copy.

    proof.roots may begin before the anchor, as the anchor of whoever made the proof may be an older one; where they
    begin after it, or end before it, there is no way from the anchor to the directory.

    Raises DirectoryRefused.
    """
    root = _last_root(proof.roots, anchor)
    targets = read_targets(proof.targets, root)
    directory = read_document(proof.document, targets)
    if root.is_expired(directory.issued):
        raise DirectoryRefused(f"issued after root {root.version} had expired", because=RefusedBecause.ROOT_EXPIRED)
    return directory


def _last_root(roots: tuple[bytes, ...], anchor: Anchor) -> Root:
    versions = [version_of(octets) for octets in roots]
    if versions != list(range(versions[0], versions[0] + len(versions)) if versions else ()):
        raise DirectoryRefused("the roots do not follow each other", because=RefusedBecause.MISMATCH)
    if versions and versions[-1] < anchor.version:
        raise DirectoryRefused(
            f"it was signed under root {versions[-1]}, and the anchor is root {anchor.version}: take the older anchor",
            because=RefusedBecause.SIGNATURE,
        )
    return TrustedRoots(anchor, roots).root


def version_of(root: bytes) -> int:
    """The version that a root claims. Raises DirectoryRefused."""
    return read_root(root).signed.version


def in_one_form(octets: bytes, kind: type[OfRole]) -> bytes:
    """Metadata as this program writes it: what is signed is the content, and not how the file is laid out.

    Raises DirectoryRefused.
    """
    return render(read_metadata(octets, kind))


def with_anchor(proof: DirectoryProof, anchor: Anchor) -> DirectoryProof:
    """The same, beginning with our own anchor: for somebody whose anchor is the root before it, or the same."""
    later = tuple(octets for octets in proof.roots if version_of(octets) > anchor.version)
    return replace(proof, roots=(anchor.octets, *later))


def directory_target(targets: Targets) -> tuple[TargetFile, str]:
    """Which directory.xml the targets metadata names: its length, and its SHA-256 in hexadecimal."""
    return named_target(targets, DIRECTORY_TARGET)


def named_target(targets: Targets, path: str) -> tuple[TargetFile, str]:
    """A target and its SHA-256 in hexadecimal. Raises DirectoryRefused when there is none."""
    info = targets.targets.get(path)
    digest = "" if info is None else info.hashes.get("sha256", "")
    if info is None or len(digest) != SHA256_HEX_CHARS or digest.strip("0123456789abcdef"):
        raise DirectoryRefused(f"targets.json: names no {path} by SHA-256", because=RefusedBecause.MISMATCH)
    return info, digest


def read_document(document: bytes, targets: Targets, earlier: Directory | None = None) -> Directory:
    """directory.xml, if it is the one that verified targets metadata names; nothing is parsed before that.

    Raises DirectoryRefused.
    """
    check_size(DIRECTORY_TARGET, document, DIRECTORY_LIMITS.max_bytes)
    info, digest = directory_target(targets)
    if not hmac.compare_digest(hashlib.sha256(document).hexdigest(), digest):
        raise DirectoryRefused("directory.xml: not the document that was signed", because=RefusedBecause.MISMATCH)
    with refusals(DIRECTORY_TARGET):
        info.verify_length_and_hashes(document)
    directory = parse_directory(document, earlier)
    if (directory.version, directory.expires) != (targets.version, targets.expires):
        raise DirectoryRefused(
            "directory.xml and targets.json name different versions or times", because=RefusedBecause.MISMATCH
        )
    return directory


def check_current(directory: Directory, now: datetime) -> None:
    """Past its expiry and the grace that it names nobody can be trusted by it. Raises DirectoryExpired."""
    if now >= directory.expires + directory.grace:
        raise DirectoryExpired(f"version {directory.version} expired at {write_instant(directory.expires)}")
