"""Evidence of exchanges that really took place between two adapters in memory, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from adapter.audit.checkpoint import Checkpoint, record_origin, sign_checkpoint
from adapter.audit.document import document_of
from adapter.audit.merkle import CompactRange, leaf_hash
from adapter.audit.proofs import HashReader, inclusion_proof
from adapter.directory.proof import DirectoryProof, with_anchor
from adapter.evidence.container import MIMETYPE, read_container, render_container
from adapter.evidence.export import ProvedEntry, export_evidence
from adapter.evidence.manifest import MANIFEST, MIMETYPE_CONTENT, Manifest, check_manifest, render_manifest
from adapter.identifiers import MessageId
from adapter.ports import Entry, KeptMessage
from tests.memory_parts import MemoryRecord
from tests.pki import NOW, FederationMember
from tests.two_sides import TwoSides

OTHERS = tuple(
    Entry(body={"v": 1, "kind": "admin", "by": "x", "at": "2026-03-02T09:00:00.000Z"}, kind="admin", at=NOW)
    for _ in range(5)
)
"""Entries that have nothing to do with the exchange: before and after it."""


class Leaves(HashReader):
    """audit.proofs.HashReader over a record of fewer than 256 entries."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._leaves = leaves

    def hashes(self, level: int, start: int, count: int) -> Sequence[bytes]:
        assert level == 0
        return self._leaves[start : start + count]


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export works from. `change` of a part, then `container`."""

    member: FederationMember
    message_id: MessageId
    request: KeptMessage
    reply: KeptMessage | None
    entries: tuple[Entry, ...]
    directory: DirectoryProof
    origin: str
    record_signer: FederationMember
    stamp: Callable[[bytes], bytes] | None = None
    """What gives the token over the checkpoint, if it is time-stamped."""

    def container(self, *, change_entry: Callable[[str], str] = lambda text: text) -> bytes:
        """The container. change_entry: applied to the text before it is hashed: what a lying record could say."""
        record = (*OTHERS, *self.entries, *OTHERS)
        texts = [change_entry(document_of(entry).text) for entry in record]
        leaves = [leaf_hash(text.encode()) for text in texts]
        tree = CompactRange()
        for leaf in leaves:
            tree.append(leaf)
        checkpoint = Checkpoint(origin=self.origin, size=len(leaves), root=tree.root())
        note = sign_checkpoint(checkpoint, self.record_signer.record_signer)
        numbers = range(len(OTHERS), len(OTHERS) + len(self.entries))
        return export_evidence(
            exporter=self.member.id,
            exported=NOW,
            message_id=self.message_id,
            request=self.request,
            reply=self.reply,
            entries=[
                ProvedEntry(number=at, text=texts[at], proof=inclusion_proof(Leaves(leaves), at, len(leaves)))
                for at in numbers
            ],
            checkpoint=note,
            stamp=None if self.stamp is None else self.stamp(note.encode()),
            directory=self.directory,
        )

    def but(self, **changes: object) -> Exported:
        """The same with something else in it."""
        return replace(self, **changes)  # type: ignore[arg-type]


def exported_by(sides: TwoSides, member: FederationMember, record: MemoryRecord) -> Exported:
    """What this side's record holds of the only exchange in it."""
    kept = {one.direction: one for write in record.log for one in write.kept}
    message_id = next(write.entry.message_id for write in record.log if write.entry.message_id)
    return Exported(
        member=member,
        message_id=MessageId(message_id),
        request=kept["request"],
        reply=kept.get("reply"),
        entries=tuple(write.entry for write in record.log),
        directory=with_anchor(sides.federation.signed(), sides.federation.anchor),
        origin=record_origin(member.id),
        record_signer=member,
    )


def repacked(container: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """The container with other files in it and a manifest that fits them: what a forger would make. None removes."""
    files = read_container(container)
    manifest, _ = check_manifest(files)
    return packed(manifest, {**files, **changes})


def packed(manifest: Manifest, files: Mapping[str, bytes | None]) -> bytes:
    """A container with a manifest that fits."""
    content = {
        path: octets for path, octets in files.items() if octets is not None and path not in (MIMETYPE, MANIFEST)
    }
    return render_container({MIMETYPE: MIMETYPE_CONTENT, MANIFEST: render_manifest(manifest, content), **content})
