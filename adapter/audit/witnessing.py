"""How a record gets its checkpoints cosigned by a neutral witness (C2SP tlog-witness, `add-checkpoint`).

    POST <submission prefix>/add-checkpoint
    old 17                                      how many entries the witness cosigned last; 0: none yet
    <hash>                                      the consistency proof from there, one hash in base64 on each line
    <empty line>
    <the checkpoint, a signed note>

    200  cosignature lines     409  the size that it did cosign     403, 404, 422  it will not

Both sides are here: what an adapter writes and reads, and what a witness of our own reads and decides. Everything that
comes from the other side is untrusted and bounded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final

from adapter.audit.checkpoint import Checkpoint
from adapter.audit.merkle import HASH_OCTETS, MAX_SIZE
from adapter.audit.proofs import verify_consistency
from adapter.crypto.cosignature import MAX_LINES_OCTETS
from adapter.crypto.note import NoteVerifier, open_note, split_note
from adapter.errors import AdapterError, PeerAnswerInvalid, RecordBroken, SecurityFailed

ADD_CHECKPOINT: Final = "add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
MAX_REQUEST_OCTETS: Final = 64 * 1024
MAX_ANSWER_OCTETS: Final = MAX_LINES_OCTETS
MAX_PROOF_HASHES: Final = 63
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A checkpoint on its way to a witness. old_size: what that witness cosigned last, as the sender knows it."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """What a witness answers: an HTTP status and a body. Untrusted."""

    status: int
    octets: bytes


def write_submission(submission: Submission) -> bytes:
    """The body of the request."""
    proof = "".join(f"{base64.b64encode(one).decode()}\n" for one in submission.proof)
    return f"old {submission.old_size}\n{proof}\n{submission.note}".encode()


# --- what a witness answers, as the adapter reads it -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cosigned:
    """It cosigned. lines: signature lines, not verified."""

    lines: bytes


@dataclass(frozen=True, slots=True)
class HoldsAnother:
    """Its last cosigned checkpoint is not of the size that it was told. size: of the one that it holds."""

    size: int


@dataclass(frozen=True, slots=True)
class ProofRefused:
    """The proof does not lead from the root that it holds to the new one."""


_REFUSALS: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "does not understand what it was sent",
    HTTPStatus.FORBIDDEN: "does not know the key of this record",
    HTTPStatus.NOT_FOUND: "does not know this record; whoever runs it has to enter the record's verifier key",
}


def read_answer(answer: Submitted) -> Cosigned | HoldsAnother | ProofRefused:
    """What the answer says. Raises PeerAnswerInvalid: another refusal, or none that the protocol has."""
    match answer.status:
        case HTTPStatus.OK:
            return Cosigned(answer.octets)
        case HTTPStatus.CONFLICT:
            size = _SIZE.fullmatch(answer.octets)
            if size is None or int(size[1]) > MAX_SIZE:
                raise PeerAnswerInvalid("the witness answers 409 and names no size")
            return HoldsAnother(int(size[1]))
        case HTTPStatus.UNPROCESSABLE_ENTITY:
            return ProofRefused()
        case _:
            why = _REFUSALS.get(answer.status, "does not answer as a witness does")
            raise PeerAnswerInvalid(f"the witness {why} (status {answer.status})")


# --- what a witness of our own does ----------------------------------------------------------------------------------


class WitnessVerdict(Enum):
    """Why a witness does not cosign, by the status that tlog-witness asks for."""

    MALFORMED = HTTPStatus.BAD_REQUEST
    UNKNOWN_KEY = HTTPStatus.FORBIDDEN
    UNKNOWN_LOG = HTTPStatus.NOT_FOUND
    CONFLICT = HTTPStatus.CONFLICT
    UNPROVEN = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(frozen=True, slots=True)
class Refused:
    """The witness does not cosign. held_size: with CONFLICT, of the checkpoint that it did cosign."""

    verdict: WitnessVerdict
    why: str
    held_size: int = 0


@dataclass(frozen=True, slots=True)
class Consistent:
    """A checkpoint that contains everything that the witness saw of its log. To be kept durably, then cosigned."""

    checkpoint: Checkpoint


def read_submission(octets: bytes) -> Submission | Refused:
    """A request's body, in the one form that `write_submission` writes. octets: untrusted."""
    head, parting, note = octets.partition(b"\n\n")
    malformed = Refused(WitnessVerdict.MALFORMED, "not an old size, a proof, an empty line and a checkpoint")
    if len(octets) > MAX_REQUEST_OCTETS or not parting:
        return malformed
    try:
        first, *proof = head.decode("ascii").split("\n")
        old, hashes, text = _OLD.fullmatch(first), tuple(map(_hash, proof)), note.decode()
    except ValueError:  # binascii.Error and UnicodeDecodeError are
        return malformed
    if old is None or int(old[1]) > MAX_SIZE or len(hashes) > MAX_PROOF_HASHES:
        return malformed
    return Submission(old_size=int(old[1]), proof=hashes, note=text)


def log_of(submission: Submission) -> str | Refused:
    """The origin of the log that a submission says it is of. Not verified."""
    try:
        return Checkpoint.parse(split_note(submission.note.encode())[0]).origin
    except AdapterError as wrong:
        return Refused(WitnessVerdict.MALFORMED, wrong.reason)


def judge(submission: Submission, verifiers: Sequence[NoteVerifier], held: Checkpoint | None) -> Consistent | Refused:
    """Whether to cosign. verifiers: the log's keys; empty: it is unknown. held: what was cosigned of it last.

    The steps of tlog-witness, in their order:
    1. the log is known; 2. it signed the checkpoint; 3. the old size is none beyond the new one; 4. it is that of the
    checkpoint held; 5. of equal sizes the roots are equal; 6. the proof leads from the root held to the new one.
    """
    checkpoint = _signed(submission, verifiers)
    return checkpoint if isinstance(checkpoint, Refused) else _following(submission, checkpoint, held)


def _signed(submission: Submission, verifiers: Sequence[NoteVerifier]) -> Checkpoint | Refused:
    """Steps 1 and 2."""
    if not verifiers:
        return Refused(WitnessVerdict.UNKNOWN_LOG, "no log that this witness looks at")
    try:
        return Checkpoint.parse(open_note(submission.note.encode(), verifiers))
    except SecurityFailed as wrong:
        return Refused(WitnessVerdict.UNKNOWN_KEY, wrong.reason)
    except RecordBroken as wrong:
        return Refused(WitnessVerdict.MALFORMED, wrong.reason)


def _following(submission: Submission, checkpoint: Checkpoint, held: Checkpoint | None) -> Consistent | Refused:
    """Steps 3 to 6."""
    if submission.old_size > checkpoint.size:
        return Refused(WitnessVerdict.MALFORMED, "the old size is beyond the new one")
    held_size = 0 if held is None else held.size
    if submission.old_size != held_size:
        return Refused(WitnessVerdict.CONFLICT, "the old size is not that of the checkpoint held", held_size)
    if held is not None and checkpoint.size == held_size and checkpoint.root != held.root:
        return Refused(WitnessVerdict.CONFLICT, "another root of the same size", held_size)
    try:
        _check_proof(submission, checkpoint, held)
    except RecordBroken as wrong:
        return Refused(WitnessVerdict.UNPROVEN, wrong.reason)
    return Consistent(checkpoint)


def _check_proof(submission: Submission, checkpoint: Checkpoint, held: Checkpoint | None) -> None:
    if held is None or held.size == 0:
        if submission.proof:  # an empty log is contained in every other one
            raise RecordBroken("there is no proof from an empty log")
        return
    verify_consistency(
        old_size=held.size,
        old_root=held.root,
        new_size=checkpoint.size,
        new_root=checkpoint.root,
        proof=submission.proof,
    )


def _hash(line: str) -> bytes:
    octets = base64.b64decode(line, validate=True)
    if len(octets) != HASH_OCTETS or base64.b64encode(octets).decode() != line:
        raise ValueError
    return octets
