"""The protocol of witnesses (C2SP tlog-witness): every step of the decision, and every answer as it is read."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.merkle import CompactRange, leaf_hash
from adapter.audit.witnessing import (
    MAX_PROOF_HASHES,
    MAX_REQUEST_OCTETS,
    Consistent,
    Cosigned,
    HoldsAnother,
    ProofRefused,
    Refused,
    Submission,
    Submitted,
    WitnessVerdict,
    judge,
    log_of,
    read_answer,
    read_submission,
    write_submission,
)
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import PeerAnswerInvalid
from tests.unit.audit.naive_tree import naive_consistency, naive_root

ORIGIN = "UZ/GOV/200000001"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
VERIFIERS = (NoteVerifier.parse(SIGNER.vkey),)
LEAVES = [leaf_hash(b"%d" % number) for number in range(20)]


def checkpoint(size: int, leaves: list[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=naive_root(leaves[:size]))


def submission(old: int, new: int) -> Submission:
    proof = tuple(naive_consistency(old, LEAVES[:new])) if 0 < old < new else ()
    return Submission(old_size=old, proof=proof, note=sign_checkpoint(checkpoint(new), SIGNER))


def verdict(sent: Submission, held: Checkpoint | None) -> WitnessVerdict:
    judged = judge(sent, VERIFIERS, held)
    assert isinstance(judged, Refused)
    return judged.verdict


@pytest.mark.parametrize(("old", "new"), [(0, 7), (7, 8), (8, 20), (7, 20), (20, 20), (1, 2)])
def test_what_grows_is_cosigned(old: int, new: int) -> None:
    held = checkpoint(old) if old else None
    assert judge(submission(old, new), VERIFIERS, held) == Consistent(checkpoint(new))


def test_each_step_of_the_decision() -> None:
    held = checkpoint(7)
    good = submission(7, 20)
    assert judge(good, (), held) == Refused(WitnessVerdict.UNKNOWN_LOG, "no log that this witness looks at")
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    assert verdict(replace(good, note=sign_checkpoint(checkpoint(20), stranger)), held) is WitnessVerdict.UNKNOWN_KEY
    assert verdict(replace(good, note=SIGNER.sign("three\nlines\nnot\n")), held) is WitnessVerdict.MALFORMED
    assert verdict(submission(20, 20), checkpoint(20, LEAVES[::-1])) is WitnessVerdict.CONFLICT
    assert verdict(replace(submission(7, 7), old_size=8), checkpoint(8)) is WitnessVerdict.MALFORMED
    for wrong in (good, submission(0, 20)):
        judged = judge(wrong, VERIFIERS, checkpoint(8))
        assert isinstance(judged, Refused)
        assert (judged.verdict, judged.held_size) == (WitnessVerdict.CONFLICT, 8)
    conflict = judge(good, VERIFIERS, None)
    assert isinstance(conflict, Refused)
    assert (conflict.verdict, conflict.held_size) == (WitnessVerdict.CONFLICT, 0)
    assert verdict(good, checkpoint(7, LEAVES[::-1])) is WitnessVerdict.UNPROVEN
    for proof in ((), good.proof[:-1], (*good.proof, bytes(32)), tuple(reversed(good.proof))):
        assert verdict(replace(good, proof=proof), held) is WitnessVerdict.UNPROVEN
    assert verdict(replace(submission(0, 7), proof=(bytes(32),)), None) is WitnessVerdict.UNPROVEN
    assert verdict(replace(submission(7, 7), proof=(bytes(32),)), held) is WitnessVerdict.UNPROVEN


def test_an_empty_log_is_contained_in_every_other() -> None:
    empty = Checkpoint(origin=ORIGIN, size=0, root=CompactRange().root())
    sent = Submission(old_size=0, proof=(), note=sign_checkpoint(empty, SIGNER))
    assert judge(sent, VERIFIERS, None) == Consistent(empty)
    assert judge(submission(0, 7), VERIFIERS, empty) == Consistent(checkpoint(7))


def test_what_is_written_is_read() -> None:
    sent = submission(7, 20)
    octets = write_submission(sent)
    assert octets.startswith(b"old 7\n" + base64.b64encode(sent.proof[0]) + b"\n")
    assert read_submission(octets) == sent
    assert log_of(sent) == ORIGIN
    assert read_submission(write_submission(submission(0, 3))) == submission(0, 3)


def test_nothing_else_is_a_submission() -> None:
    note = submission(0, 7).note
    line = base64.b64encode(bytes(32)).decode()
    for text in (
        "",
        note,
        f"old 7\n{note}",
        f"old 07\n\n{note}",
        f"old -1\n\n{note}",
        f"old 99999999999999999999\n\n{note}",
        f"new 7\n\n{note}",
        f"old 7 \n\n{note}",
        f"old 7\r\n\n{note}",
        f"old 7\n{line[:-1]}\n\n{note}",
        f"old 7\n{base64.b64encode(bytes(31)).decode()}\n\n{note}",
        f"old 7\n{line[:-2]}B=\n\n{note}",  # base64 in another spelling
        f"old 7\n{(line + chr(10)) * (MAX_PROOF_HASHES + 1)}\n{note}",
        f"old 7\n\n{'x' * MAX_REQUEST_OCTETS}",
    ):
        read = read_submission(text.encode())
        assert isinstance(read, Refused), text[:40]
        assert read.verdict is WitnessVerdict.MALFORMED
    broken = read_submission(b"old 7\n\nno note\n")
    assert isinstance(broken, Submission)
    assert isinstance(log_of(broken), Refused)


def test_answers_are_read_as_they_are_meant() -> None:
    assert read_answer(Submitted(status=200, octets=b"lines")) == Cosigned(b"lines")
    assert read_answer(Submitted(status=409, octets=b"17\n")) == HoldsAnother(17)
    assert read_answer(Submitted(status=422, octets=b"whatever")) == ProofRefused()
    for octets in (b"", b"17", b"017\n", b"-1\n", b"9223372036854775808\n", b"many\n"):
        with pytest.raises(PeerAnswerInvalid, match="names no size"):
            read_answer(Submitted(status=409, octets=octets))
    for status, words in {400: "understand", 403: "key of this record", 404: "does not know this record"}.items():
        with pytest.raises(PeerAnswerInvalid, match=words):
            read_answer(Submitted(status=status, octets=b""))
    for status in (301, 500, 503):
        with pytest.raises(PeerAnswerInvalid, match=f"status {status}"):
            read_answer(Submitted(status=status, octets=b""))
