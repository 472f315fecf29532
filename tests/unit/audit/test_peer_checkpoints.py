"""The proof of a fork: two checkpoints that cannot both be of one record, and whatever proves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.held import HeldCheckpoints, HeldNote
from adapter.audit.merkle import leaf_hash
from adapter.audit.peer_checkpoints import ClaimedPast, Fork, fits, verify_fork
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import RecordBroken
from adapter.identifiers import MemberId
from tests.unit.audit.naive_tree import naive_consistency, naive_root

ORIGIN = "UZ/GOV/200000001"
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
VERIFIERS = (NoteVerifier.parse(SIGNER.vkey),)
LEAVES = [leaf_hash(b"%d" % number) for number in range(9)]
OTHERS = [leaf_hash(b"other %d" % number) for number in range(9)]


def checkpoint(size: int, leaves: list[bytes]) -> Checkpoint:
    return Checkpoint(origin=ORIGIN, size=size, root=naive_root(leaves[:size]))


def note(size: int, leaves: list[bytes]) -> str:
    return sign_checkpoint(checkpoint(size, leaves), SIGNER)


def past(size: int, leaves: list[bytes], of: int) -> ClaimedPast:
    """What a record with these leaves proves of its first entries, up to a size."""
    proof = tuple(naive_consistency(size, leaves[:of]))
    return ClaimedPast(size=size, root=naive_root(leaves[:size]), proof=proof)


def judged(fork: Fork) -> str:
    """Why it is no fork; empty when it is one."""
    try:
        verify_fork(fork, VERIFIERS, origin=ORIGIN)
    except RecordBroken as none:
        return none.reason
    return ""


def test_two_records_of_one_size_are_a_fork() -> None:
    assert judged(Fork(kept=note(5, LEAVES), newer=note(5, OTHERS), past=None)) == ""


@pytest.mark.parametrize("newer", [note(5, LEAVES), note(6, OTHERS)])
def test_the_same_root_or_another_size_alone_proves_nothing(newer: str) -> None:
    assert judged(Fork(kept=note(5, LEAVES), newer=newer, past=None)) == "the two checkpoints may be of one record"


def test_a_past_that_the_newer_proves_and_the_kept_one_denies_is_a_fork() -> None:
    assert judged(Fork(kept=note(5, LEAVES), newer=note(9, OTHERS), past=past(5, OTHERS, 9))) == ""


def test_a_record_that_grew_is_no_fork() -> None:
    said = judged(Fork(kept=note(5, LEAVES), newer=note(9, LEAVES), past=past(5, LEAVES, 9)))
    assert said == "the newer checkpoint contains the older one"


def test_an_answer_about_another_size_is_no_answer() -> None:
    kept, newer = checkpoint(5, LEAVES), checkpoint(9, LEAVES)
    assert fits(kept, newer, past(5, LEAVES, 9))
    with pytest.raises(RecordBroken, match="the answer is about another size"):
        fits(kept, newer, past(4, LEAVES, 9))
    with pytest.raises(RecordBroken):
        fits(kept, newer, replace(past(5, LEAVES, 9), proof=()))


def test_a_file_of_held_checkpoints_is_read_back_and_one_of_another_version_is_refused() -> None:
    member = MemberId.parse(ORIGIN)
    held = HeldCheckpoints(of=member, holder=MemberId.parse("UZ/GOV/200000002"), notes=())
    assert HeldCheckpoints.parse(held.text.encode()) == held
    with pytest.raises(RecordBroken, match="of a version that this program does not know"):
        HeldCheckpoints.parse(held.text.replace('"v": 1', '"v": 2').encode())
    for other in (b"", b"[]", b"{}", held.text.replace(ORIGIN, "nobody").encode()):
        with pytest.raises(RecordBroken, match="is not one of checkpoints"):
            HeldCheckpoints.parse(other)


def held_with(*seen: str) -> HeldCheckpoints:
    """Checkpoints of five, six ... entries, and when their holder says that it saw each."""
    notes = tuple(HeldNote(at, note(size, LEAVES)) for size, at in enumerate(seen, start=5))
    return HeldCheckpoints(of=MemberId.parse(ORIGIN), holder=MemberId.parse("UZ/GOV/200000002"), notes=notes)


def test_a_file_of_held_checkpoints_says_when_each_was_seen() -> None:
    held = held_with("2026-03-02T09:00:00Z", "2026-03-02T15:00:00+05:00")
    first, second = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert held.seen(VERIFIERS, origin=ORIGIN) == [(first, checkpoint(5, LEAVES)), (second, checkpoint(6, LEAVES))]


@pytest.mark.parametrize("seen", ["", "yesterday", "2026-03-02", "2026-03-02T09:00:00"])
def test_one_that_does_not_say_when_is_refused(seen: str) -> None:
    with pytest.raises(RecordBroken, match="does not say when one was seen"):
        held_with("2026-03-02T09:00:00Z", seen).seen(VERIFIERS, origin=ORIGIN)
