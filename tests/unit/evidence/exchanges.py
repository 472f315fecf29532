"""Evidence of exchanges that really took place between two adapters in memory, and ways to spoil it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from adapter.audit.checkpoint import Checkpoint, record_origin, sign_checkpoint
from adapter.audit.document import document_of
from adapter.audit.merkle import CompactRange, leaf_hash
from adapter.audit.proofs import HashReader, consistency_proof, inclusion_proof
from adapter.crypto.keys import FileSigningKey
from adapter.directory.proof import DirectoryProof, with_anchor
from adapter.evidence.asic import open_asic, render_asic, sign_files
from adapter.evidence.cosigned import CosignedCheckpoint
from adapter.evidence.export import ExportedMessage, ProvedEntry, gather_evidence
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
    cosign: Callable[[str], str] | None = None
    """What makes a cosigned note of the checkpoint of `cosigned_size` entries, if it is witnessed."""
    cosigned_size: int = 0
    exporter_directory: DirectoryProof | None = None
    request_status: bytes | None = None
    exported: datetime = NOW

    def container(self, *, change_entry: Callable[[str], str] = lambda text: text) -> bytes:
        """The container at level B. change_entry: applied to the text before it is hashed: what a lying record says."""
        return sealed(self.files(change_entry=change_entry), self.member, self.exported)

    def files(self, *, change_entry: Callable[[str], str] = lambda text: text) -> dict[str, bytes]:
        """What is signed."""
        record = (*OTHERS, *self.entries, *OTHERS)
        texts = [change_entry(document_of(entry).text) for entry in record]
        leaves = [leaf_hash(text.encode()) for text in texts]
        note = self._note(leaves)
        numbers = range(len(OTHERS), len(OTHERS) + len(self.entries))
        return gather_evidence(
            exporter=self.member.id,
            exported=self.exported,
            message_id=self.message_id,
            request=ExportedMessage(kept=self.request, status=self.request_status),
            reply=None if self.reply is None else ExportedMessage(kept=self.reply),
            entries=[
                ProvedEntry(number=at, text=texts[at], proof=inclusion_proof(Leaves(leaves), at, len(leaves)))
                for at in numbers
            ],
            checkpoint=note,
            stamp=None if self.stamp is None else self.stamp(note.encode()),
            cosigned=self._cosigned(leaves),
            directory=self.directory,
            exporter_directory=self.exporter_directory,
        )

    def _note(self, leaves: Sequence[bytes]) -> str:
        tree = CompactRange()
        for leaf in leaves:
            tree.append(leaf)
        checkpoint = Checkpoint(origin=self.origin, size=len(leaves), root=tree.root())
        return sign_checkpoint(checkpoint, self.record_signer.record_signer)

    def _cosigned(self, leaves: Sequence[bytes]) -> CosignedCheckpoint | None:
        if self.cosign is None:
            return None
        seen = self.cosigned_size or len(leaves)
        proof = () if seen == len(leaves) else consistency_proof(Leaves(leaves), seen, len(leaves))
        return CosignedCheckpoint(note=self.cosign(self._note(leaves[:seen])), proof=proof)

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


def signing_key_of(member: FederationMember) -> FileSigningKey:
    """The key that signs containers in a member's name."""
    return FileSigningKey(member.signing_key, member.signing_certificate, member.suite)


def sealed(files: Mapping[str, bytes], member: FederationMember, at: datetime = NOW) -> bytes:
    """A container with whatever files, signed by a member."""
    return render_asic(files, sign_files(files, signing_key_of(member), at))


def repacked(container: bytes, changes: Mapping[str, bytes | None], member: FederationMember) -> bytes:
    """The container with other files in it, signed anew: what an exporter who lies would make. None removes."""
    opened = open_asic(container)
    changed = {path: octets for path, octets in {**opened.files, **changes}.items() if octets is not None}
    return sealed(changed, member, opened.signature.signed.signed_at)
