"""Proofs: made like RFC 6962 defines them, verified like RFC 9162 says, and never fooled (W150 to W152)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.audit.merkle import MAX_SIZE, leaf_hash, node_hash
from adapter.audit.proofs import (
    HashReader,
    consistency_proof,
    inclusion_proof,
    range_root,
    verify_consistency,
    verify_inclusion,
)
from adapter.errors import RecordBroken
from tests.unit.audit.naive_tree import StoredHashes, naive_consistency, naive_path, naive_root
from tests.unit.audit.test_merkle import CT_LEAVES, CT_ROOTS

LEAVES = [leaf_hash(str(number).encode()) for number in range(1200)]
CT_HASHES = StoredHashes([leaf_hash(leaf) for leaf in CT_LEAVES])


def test_the_paths_are_those_of_certificate_transparency():
    assert [one.hex() for one in inclusion_proof(CT_HASHES, 0, 8)] == [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]
    assert [one.hex() for one in inclusion_proof(CT_HASHES, 5, 8)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [one.hex() for one in consistency_proof(CT_HASHES, 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert range_root(CT_HASHES, 7).hex() == CT_ROOTS[6]


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_inclusion_proofs_are_those_of_the_definition_and_verify(data):
    size = data.draw(st.integers(1, len(LEAVES)))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(StoredHashes(LEAVES), index, size)
    assert list(proof) == naive_path(index, LEAVES[:size])
    verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=naive_root(LEAVES[:size]))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_consistency_proofs_are_those_of_the_definition_and_verify(data):
    new_size = data.draw(st.integers(1, len(LEAVES)))
    old_size = data.draw(st.integers(1, new_size))
    proof = consistency_proof(StoredHashes(LEAVES), old_size, new_size)
    assert list(proof) == naive_consistency(old_size, LEAVES[:new_size])
    verify_consistency(
        old_size=old_size,
        old_root=naive_root(LEAVES[:old_size]),
        new_size=new_size,
        new_root=naive_root(LEAVES[:new_size]),
        proof=proof,
    )


def test_every_small_proof_verifies_and_no_other_number_fits_it():
    roots = [naive_root(LEAVES[:size]) for size in range(18)]
    stored = StoredHashes(LEAVES[:17])
    for size in range(1, 18):
        for index in range(size):
            proof = inclusion_proof(stored, index, size)
            for other in range(size):
                if other == index:
                    verify_inclusion(leaf=LEAVES[index], index=index, size=size, proof=proof, root=roots[size])
                    continue
                with pytest.raises(RecordBroken):
                    verify_inclusion(leaf=LEAVES[index], index=other, size=size, proof=proof, root=roots[size])


def test_a_proof_of_ten_million_entries_reads_few_hashes():
    class Counting(HashReader):
        asked = 0

        def hashes(self, level, start, count):
            self.asked += count
            return [bytes(32)] * count

    small, large = Counting(), Counting()
    inclusion_proof(small, 5_000, 10_001)
    inclusion_proof(large, 5_000_000, 10_000_001)
    assert large.asked < 2 * small.asked + 256 * 4
    assert large.asked < 2_000


def flipped(octets, at):
    return octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1 :]


SIZE, INDEX = 13, 6
ROOT = naive_root(LEAVES[:SIZE])
PATH = inclusion_proof(StoredHashes(LEAVES), INDEX, SIZE)


@pytest.mark.parametrize(
    "change",
    [
        {"index": SIZE},
        {"index": SIZE + 1},
        {"index": -1},
        {"index": 1 << 64},
        {"index": True},
        {"size": 0},
        {"size": (1 << 64) + SIZE},
        {"size": MAX_SIZE + 1},
        {"size": INDEX + 1},  # a size for which the path has another form; the checkpoint's signature binds the size
        {"size": 17},
        {"proof": PATH[:-1]},
        {"proof": PATH[1:]},
        {"proof": ()},
        {"proof": (*PATH, PATH[0])},
        {"proof": (*PATH, *[bytes(32)] * 100)},
        {"proof": (PATH[0][:31], *PATH[1:])},
        {"proof": (PATH[0] + b"\0", *PATH[1:])},
        {"proof": (PATH[1], PATH[0], *PATH[2:])},
        {"proof": (flipped(PATH[0], 9), *PATH[1:])},
        {"leaf": flipped(LEAVES[INDEX], 0)},
        {"leaf": b""},
        {"leaf": node_hash(LEAVES[6], LEAVES[7]), "proof": PATH[1:]},
        {"root": flipped(ROOT, 31)},
        {"root": ROOT[:31]},
    ],
    ids="-".join,
)
def test_a_wrong_inclusion_proof_is_refused(change):
    """W151: index at or above the size, extra or missing hashes, wrong lengths, numbers of 65 bits."""
    good = {"leaf": LEAVES[INDEX], "index": INDEX, "size": SIZE, "proof": PATH, "root": ROOT}
    verify_inclusion(**good)
    with pytest.raises(RecordBroken):
        verify_inclusion(**good | change)


def test_a_proof_that_is_longer_than_the_tree_is_high_is_refused_though_it_leads_to_the_root():
    root = node_hash(LEAVES[0], LEAVES[1])
    verify_inclusion(leaf=LEAVES[1], index=1, size=2, proof=(LEAVES[0],), root=root)
    with pytest.raises(RecordBroken):
        verify_inclusion(leaf=LEAVES[1], index=0, size=1, proof=(LEAVES[0],), root=root)


OLD_SIZE = 6
OLD_ROOT = naive_root(LEAVES[:OLD_SIZE])
LINK = consistency_proof(StoredHashes(LEAVES), OLD_SIZE, SIZE)


@pytest.mark.parametrize(
    "change",
    [
        {"old_size": 0},
        {"old_size": 0, "proof": ()},
        {"old_size": -1},
        {"old_size": SIZE},
        {"old_size": SIZE, "proof": ()},
        {"old_size": SIZE, "old_root": ROOT},
        {"old_size": SIZE + 1},
        {"old_size": OLD_SIZE + 1},
        {"old_size": (1 << 64) + OLD_SIZE},
        {"new_size": OLD_SIZE - 1},
        {"new_size": OLD_SIZE},
        {"new_size": 17},
        {"new_size": 1 << 65},
        {"proof": ()},
        {"proof": LINK[:-1]},
        {"proof": LINK[1:]},
        {"proof": (*LINK, bytes(32))},
        {"proof": (*LINK, *[bytes(32)] * 100)},
        {"proof": tuple(reversed(LINK))},
        {"proof": (LINK[0][:31], *LINK[1:])},
        {"proof": (flipped(LINK[0], 3), *LINK[1:])},
        {"old_root": flipped(OLD_ROOT, 0)},
        {"old_root": ROOT},
        {"new_root": flipped(ROOT, 0)},
        {"new_root": OLD_ROOT},
    ],
    ids="-".join,
)
def test_a_wrong_consistency_proof_is_refused(change):
    """W152: from size 0, equal sizes with a proof, shrinking sizes; and everything that does not lead to both roots."""
    good = {"old_size": OLD_SIZE, "old_root": OLD_ROOT, "new_size": SIZE, "new_root": ROOT, "proof": LINK}
    verify_consistency(**good)
    with pytest.raises(RecordBroken):
        verify_consistency(**good | change)


def test_equal_sizes_need_equal_roots_and_no_proof():
    verify_consistency(old_size=SIZE, old_root=ROOT, new_size=SIZE, new_root=ROOT, proof=())
    with pytest.raises(RecordBroken):
        verify_consistency(old_size=SIZE, old_root=ROOT, new_size=SIZE, new_root=OLD_ROOT, proof=())
    with pytest.raises(RecordBroken):
        verify_consistency(old_size=SIZE, old_root=ROOT, new_size=SIZE, new_root=ROOT, proof=(ROOT,))


def test_an_old_tree_of_a_power_of_two_is_not_repeated_in_its_proof():
    old_root = naive_root(LEAVES[:8])
    proof = consistency_proof(StoredHashes(LEAVES), 8, SIZE)
    good = {"old_size": 8, "old_root": old_root, "new_size": SIZE, "new_root": ROOT}
    verify_consistency(**good, proof=proof)
    with pytest.raises(RecordBroken):
        verify_consistency(**good, proof=(old_root, *proof))
    with pytest.raises(RecordBroken):
        verify_consistency(**good | {"old_root": flipped(old_root, 0)}, proof=proof)


@pytest.mark.parametrize(("index", "size"), [(5, 5), (-1, 5), (0, 0), (0, MAX_SIZE + 1)])
def test_there_is_no_inclusion_proof_for_what_is_not_there(index, size):
    with pytest.raises(RecordBroken):
        inclusion_proof(StoredHashes(LEAVES), index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (-1, 5), (1, MAX_SIZE + 1)])
def test_there_is_no_consistency_proof_from_nothing_or_backwards(old, new):
    with pytest.raises(RecordBroken):
        consistency_proof(StoredHashes(LEAVES), old, new)
    with pytest.raises(RecordBroken):
        range_root(StoredHashes(LEAVES), 0)
