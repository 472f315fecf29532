"""What other adapters show of their records: the checkpoints in their messages, and the proof when two do not fit.

A checkpoint in a message is signed twice: by the message, and by the key of its sender's record. The second signature
is looked at off the path of messages, when it is known whether the checkpoint fits what was kept before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin
from adapter.audit.proofs import verify_consistency
from adapter.crypto.note import NoteVerifier, only_signer
from adapter.errors import AdapterError, EnvelopeRefused, RecordBroken
from adapter.identifiers import MemberId
from adapter.ports import Shown
from adapter.stages import TrustedMessage

MAX_SIZES: Final = 64
"""For how many sizes a proof is asked at once."""


class ShownState(Enum):
    """Where a checkpoint that a peer showed stands."""

    PENDING = "pending"
    FITS = "fits"
    FORKED = "forked"
    FORGED = "forged"


TRANSITIONS: Final[Mapping[ShownState | None, frozenset[ShownState]]] = {
    None: frozenset({ShownState.PENDING, ShownState.FITS}),
    ShownState.PENDING: frozenset({ShownState.FITS, ShownState.FORKED, ShownState.FORGED}),
    # What fitted yesterday may not fit what is shown today.
    ShownState.FITS: frozenset({ShownState.FORKED}),
    ShownState.FORKED: frozenset(),
    ShownState.FORGED: frozenset(),
}


@lru_cache(maxsize=512)
def shown_checkpoint(octets: bytes, member: MemberId) -> Shown:
    """The checkpoint in a message of this member. octets: untrusted; a busy peer shows each in several messages.

    Raises EnvelopeRefused: no checkpoint, of another record than the sender's, or not of one signature in its name.
    """
    try:
        text, signer = only_signer(octets)
        checkpoint = Checkpoint.parse(text)
    except AdapterError as wrong:
        raise EnvelopeRefused(f"Checkpoint: {wrong.reason}") from None
    if not checkpoint.origin == signer == record_origin(member):
        raise EnvelopeRefused("Checkpoint is of another record than the sender's")
    return Shown(member=member, size=checkpoint.size, root=checkpoint.root, note=octets.decode())


def shown_in(message: TrustedMessage) -> Shown | None:
    """The checkpoint in a trusted message; None when its sender shows none. Raises EnvelopeRefused."""
    octets = message.verified.header.checkpoint
    return None if octets is None else shown_checkpoint(octets, message.sender)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedPast:
    """What a peer says of the first `size` entries of its record. Untrusted."""

    size: int
    root: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fork:
    """Two checkpoints that one key signed and that cannot both be of one record: a proof for anybody.

    past: what the holder of the record proved of itself at the size of the kept one, when the sizes differ.
    """

    kept: str
    newer: str
    past: ClaimedPast | None


def fits(kept: Checkpoint, newer: Checkpoint, past: ClaimedPast) -> bool:
    """Whether the newer checkpoint contains the kept one, by what the peer proves of its own past.

    newer: its signature is verified. Raises RecordBroken when the peer proves nothing: that is no fork yet, and no
    answer either.
    """
    if past.size != kept.size:
        raise RecordBroken("the answer is about another size")
    verify_consistency(
        old_size=past.size, old_root=past.root, new_size=newer.size, new_root=newer.root, proof=past.proof
    )
    return past.root == kept.root


def verify_fork(fork: Fork, verifiers: Sequence[NoteVerifier], *, origin: str) -> None:
    """Judge the proof of a fork, with nothing but the record's verifier keys. Raises RecordBroken when it is none."""
    kept, newer = (open_checkpoint(note, verifiers, origin=origin) for note in (fork.kept, fork.newer))
    if fork.past is None:
        if kept.size != newer.size or kept.root == newer.root:
            raise RecordBroken("the two checkpoints may be of one record")
        return
    if fits(kept, newer, fork.past):
        raise RecordBroken("the newer checkpoint contains the older one")
