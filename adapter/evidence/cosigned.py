"""Neutral witnesses in evidence: a checkpoint that they cosigned, of the same record as the exporter's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapter.audit.checkpoint import Checkpoint
from adapter.audit.proofs import verify_consistency
from adapter.crypto.cosignature import Cosignature, CosignatureVerifier, open_cosignatures
from adapter.crypto.note import split_note
from adapter.directory.model import Directory
from adapter.errors import RecordBroken, SecurityFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class CosignedCheckpoint:
    """A checkpoint as a signed note with the lines of witnesses, and the proof between it and the other checkpoint.

    proof: of consistency, from the smaller one to the larger one (RFC 6962, 2.1.2); 32 octets each.
    """

    note: str
    proof: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedCosignatures:
    """What witnesses of the directory cosigned. size: of that checkpoint, in entries."""

    size: int
    cosignatures: tuple[Cosignature, ...]


def witnesses_of(directory: Directory) -> tuple[CosignatureVerifier, ...]:
    """The keys of the witnesses that the directory names. Raises KeyUnusable."""
    return tuple(CosignatureVerifier.parse(one.vkey) for one in directory.witnesses.values())


def judge_cosigned(
    octets: bytes,
    proof: Sequence[bytes],
    *,
    cosigned: Checkpoint,
    checkpoint: Checkpoint,
    entries: Sequence[int],
    directory: Directory,
) -> ProvedCosignatures:
    """What a cosigned note shows. octets: untrusted. cosigned: the same, which the record's key has signed.

    1. Every line but the record's own is the good cosignature of a witness of the directory; there is at least one.
    2. One of the two checkpoints continues the other.
    3. The entries are among those that the witnesses saw.
    Raises SecurityFailed, RecordBroken, KeyUnusable.
    """
    _, good = open_cosignatures(octets, witnesses_of(directory))
    _, lines = split_note(octets)
    if not good or len(lines) != 1 + len(good):
        raise SecurityFailed("a line of the checkpoint is not the cosignature of a witness that the directory names")
    old, new = sorted((cosigned, checkpoint), key=lambda one: one.size)
    verify_consistency(old_size=old.size, old_root=old.root, new_size=new.size, new_root=new.root, proof=proof)
    if any(number >= cosigned.size for number in entries):
        raise RecordBroken("the witnesses cosigned a record without these entries")
    return ProvedCosignatures(size=cosigned.size, cosignatures=good)
