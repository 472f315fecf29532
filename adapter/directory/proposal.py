"""What officers are asked to sign: the next root, the next directory, or both, with all that is needed to judge them.

An officer's machine has never seen the repository. It gets the roots from the first one on, the directory that is
current, and what is to follow; everything is verified from the officer's own anchor before a word of it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from securesystemslib.signer import Key, Signature, Signer
from tuf.api.metadata import Metadata, Root, Targets

from adapter.directory.anchor import Anchor, TrustedRoots
from adapter.directory.metadata import check_size, read_root
from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, authenticate_directory, read_document
from adapter.directory.repository import AnyMetadata, add_signature, officers_of, read_metadata, render
from adapter.errors import CommandRefused, DirectoryRefused, RefusedBecause

SIGNATURES_FORMAT: Final = "interagency-adapter/signatures/1"
MAX_SIGNATURES_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """Octets, untrusted. roots: that were published, from the first one on. current: the published directory.

    root, targets and document are what is proposed: root alone, targets with document, or all three.
    """

    roots: tuple[bytes, ...] = ()
    current: DirectoryProof | None = None
    root: bytes | None = None
    targets: bytes | None = None
    document: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewed:
    """A proposal that follows from what is published. Made by review.

    before, current: what holds now; None where nothing was published. root: the root that will hold, proposed or not.
    """

    before: Root | None
    current: Directory | None
    root: Root
    directory: Directory | None
    new_root: Metadata[Root] | None
    new_targets: Metadata[Targets] | None

    def keys_for(self, kind: str) -> dict[str, Key]:
        """Whose signature counts on the root (by the one before it, or by itself) or on the targets, by key id."""
        roots = [self.root] if kind == Targets.type or self.before is None else [self.before, self.root]
        return {key.keyid: key for root in roots for key in officers_of(root).values()}


def review(proposal: Proposal, anchor: Anchor | None) -> Reviewed:
    """Check that the proposal follows from the anchor and from what is published, step by step.

    anchor: None only where the officer has none yet, for the very first root. Raises DirectoryRefused.
    """
    if anchor is None and proposal.roots:
        raise DirectoryRefused("an anchor is needed: without it nobody knows what this follows from")
    before, current = None, None
    if anchor is not None:
        before = TrustedRoots(anchor, proposal.roots).root
        if proposal.current is not None:
            current = authenticate_directory(proposal.current, anchor)
    new_root = _next_root(proposal.root, before)
    root = before if new_root is None else new_root.signed
    if root is None:
        raise DirectoryRefused("nothing is proposed that could be signed")
    new_targets, directory = _next_directory(proposal, current)
    if new_root is None and new_targets is None:
        raise DirectoryRefused("nothing is proposed that could be signed")
    return Reviewed(
        before=before, current=current, root=root, directory=directory, new_root=new_root, new_targets=new_targets
    )


def _next_root(octets: bytes | None, before: Root | None) -> Metadata[Root] | None:
    if octets is None:
        return None
    proposed = read_root(octets)
    expected = 1 if before is None else before.version + 1
    if proposed.signed.version != expected:
        raise DirectoryRefused(
            f"root.json: version {proposed.signed.version} does not follow {expected - 1}",
            because=RefusedBecause.ROLLBACK,
        )
    return proposed


def _next_directory(proposal: Proposal, current: Directory | None) -> tuple[Metadata[Targets] | None, Directory | None]:
    if proposal.targets is None:
        return None, None
    targets = read_metadata(proposal.targets, Targets)
    directory = read_document(proposal.document or b"", targets.signed)
    known = 0 if current is None else current.version
    if directory.version <= known:
        raise DirectoryRefused(
            f"directory {directory.version} does not follow {known}", because=RefusedBecause.ROLLBACK
        )
    return targets, directory


# --- signatures on the way back --------------------------------------------------------------------------------------


def sign_proposal(reviewed: Reviewed, signer: Signer) -> bytes:
    """The file that the officer brings back. Raises CommandRefused when this key's signature counts on nothing."""
    signatures = {}
    for metadata in (reviewed.new_root, reviewed.new_targets):
        if metadata is not None and signer.public_key.keyid in reviewed.keys_for(metadata.signed.type):
            signature = signer.sign(metadata.signed_bytes)
            signatures[metadata.signed.type] = {"keyid": signature.keyid, "sig": signature.signature}
    if not signatures:
        raise CommandRefused("this key is no officer's: neither of the root that holds nor of the one that is proposed")
    return (
        json.dumps({"format": SIGNATURES_FORMAT, "signatures": signatures}, indent=1, sort_keys=True).encode() + b"\n"
    )


def merge_signatures(reviewed: Reviewed, files: Iterable[bytes]) -> tuple[bytes | None, bytes | None]:
    """Root and targets of the proposal with the signatures that were brought back (untrusted octets), each verified.

    Raises DirectoryRefused: a file that is none, a signature of something else, or by a key that does not count.
    """
    for octets in files:
        for kind, signature in _read_signatures(octets).items():
            asked: dict[str, AnyMetadata | None] = {Root.type: reviewed.new_root, Targets.type: reviewed.new_targets}
            metadata = asked.get(kind)
            key = None if metadata is None else reviewed.keys_for(kind).get(signature.keyid)
            if metadata is None or key is None:
                raise DirectoryRefused(
                    f"a signature on {kind[:20]} that is not asked for", because=RefusedBecause.SIGNATURE
                )
            add_signature(metadata, key, signature)
    root, targets = reviewed.new_root, reviewed.new_targets
    return None if root is None else render(root), None if targets is None else render(targets)


def _read_signatures(octets: bytes) -> dict[str, Signature]:
    check_size("signatures", octets, MAX_SIGNATURES_BYTES)
    try:
        said = json.loads(octets)
        if said["format"] != SIGNATURES_FORMAT:
            raise DirectoryRefused(f"signatures: of another format than {SIGNATURES_FORMAT}")
        return {str(kind): Signature(one["keyid"], one["sig"]) for kind, one in said["signatures"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DirectoryRefused("signatures: cannot be read") from None
