"""RFC 6962 hashing, against the vectors that Certificate Transparency implementations share."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.audit.merkle import EMPTY_ROOT, MAX_SIZE, CompactRange, TileHash, leaf_hash, node_hash
from adapter.errors import RecordBroken
from tests.unit.audit.naive_tree import naive_root

# The eight leaves and the roots of the first one to eight of them, as in the tests of Certificate Transparency logs.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree_of(leaves):
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree


def test_the_roots_are_those_of_certificate_transparency():
    assert tree_of([]).root() == EMPTY_ROOT == hashlib.sha256().digest()
    for size, root in enumerate(CT_ROOTS, start=1):
        assert tree_of([leaf_hash(leaf) for leaf in CT_LEAVES[:size]]).root().hex() == root


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=600))
def test_a_grown_tree_has_the_root_of_the_definition(octets):
    leaves = [leaf_hash(one) for one in octets]
    assert tree_of(leaves).root() == naive_root(leaves)


@settings(deadline=None)
@given(st.integers(0, 700), st.integers(0, 300))
def test_a_tree_goes_on_from_its_stored_form(before, after):
    leaves = [leaf_hash(str(number).encode()) for number in range(before + after)]
    stored = tree_of(leaves[:before])
    loaded = CompactRange.from_bytes(stored.size, stored.to_bytes())
    for leaf in leaves[before:]:
        loaded.append(leaf)
    assert loaded.size == before + after
    assert loaded.root() == naive_root(leaves)


def test_complete_tiles_are_given_out_once_each():
    leaves = [leaf_hash(str(number).encode()) for number in range(256 * 256 + 255)]
    tree = CompactRange()
    completed = [tile for leaf in leaves for tile in tree.append(leaf)]
    first = [tile for tile in completed if tile.level == 1]
    assert [tile.position for tile in first] == list(range(256))
    assert first[3].hash == naive_root(leaves[3 * 256 : 4 * 256])
    assert [tile for tile in completed if tile.level > 1] == [TileHash(2, 0, naive_root(leaves[: 256 * 256]))]


def test_a_leaf_is_never_a_node():
    """W150: leaf data that is two node hashes side by side has another hash than their parent."""
    left, right = leaf_hash(b"left"), leaf_hash(b"right")
    assert leaf_hash(left + right) != node_hash(left, right)
    forged = leaf_hash(b"\x01" + left + right)
    assert tree_of([forged]).root() != tree_of([left, right]).root()


@pytest.mark.parametrize(("size", "octets"), [(3, 32), (3, 63), (3, 65), (0, 32), (-1, 0), (MAX_SIZE + 1, 32)])
def test_a_stored_form_that_does_not_fit_its_size_is_refused(size, octets):
    with pytest.raises(RecordBroken):
        CompactRange.from_bytes(size, bytes(octets))
