"""Proofs read the hashes that they need, and the roots of large subtrees once in a process."""

import sqlite3

import pytest

from adapter.audit.merkle import CompactRange, leaf_hash
from adapter.audit.proofs import consistency_proof, inclusion_proof, range_root
from adapter.errors import RecordBroken
from adapter.store.stored_hashes import KeptRoots, StoredHashes
from tests.unit.audit.naive_tree import StoredHashes as HashesOfTheDefinition

SIZE = 9_000
LEAVES = [leaf_hash(str(number).encode()) for number in range(SIZE)]
DEFINITION = HashesOfTheDefinition(LEAVES)


class CountedCursor(sqlite3.Cursor):
    """How many hashes were read."""

    rows = 0

    def fetchall(self):
        found = super().fetchall()
        self.rows += len(found)
        return found


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE entries (number INTEGER PRIMARY KEY, leaf_hash BLOB)")
    connection.execute("CREATE TABLE tile_hashes (level INT, position INT, hash BLOB, PRIMARY KEY (level, position))")
    connection.executemany("INSERT INTO entries VALUES (?, ?)", enumerate(LEAVES))
    tree = CompactRange()
    completed = [one for leaf in LEAVES for one in tree.append(leaf)]
    rows = [(one.level, one.position, one.hash) for one in completed]
    connection.executemany("INSERT INTO tile_hashes VALUES (?, ?, ?)", rows)
    yield connection
    connection.close()


def test_proofs_from_kept_roots_are_those_from_stored_hashes(connection):
    kept = KeptRoots()
    for size in (SIZE, SIZE - 1, 8_192, 4_097, 300):
        for index in range(0, size, 997):
            stored = StoredHashes(connection.cursor(), kept)
            assert inclusion_proof(stored, index, size) == inclusion_proof(DEFINITION, index, size)
            assert consistency_proof(stored, index + 1, size) == consistency_proof(DEFINITION, index + 1, size)
            assert range_root(stored, size) == range_root(DEFINITION, size)
    assert len(kept) > 0


def test_the_root_of_a_large_subtree_is_read_once(connection):
    kept = KeptRoots()
    first, again = CountedCursor(connection), CountedCursor(connection)
    path = inclusion_proof(StoredHashes(first, kept), 8_999, SIZE)  # its tree's left half are 8,192 leaves, 32 tiles
    assert inclusion_proof(StoredHashes(again, kept), 8_999, SIZE) == path
    assert first.rows - again.rows == 32
    assert len(kept) == 1


def test_within_a_transaction_no_hash_is_read_twice(connection):
    cursor = CountedCursor(connection)
    stored = StoredHashes(cursor, KeptRoots())
    path = inclusion_proof(stored, 8_999, SIZE)
    once = cursor.rows
    assert inclusion_proof(stored, 8_999, SIZE) == path
    assert cursor.rows == once


def test_what_costs_little_is_not_kept(connection):
    kept = KeptRoots()
    stored = StoredHashes(connection.cursor(), kept)
    for height in range(12):
        stored.root(height, 0)
    assert len(kept) == 0


def test_no_more_roots_are_kept_than_there_is_room_for(connection):
    kept = KeptRoots(most=1)
    stored = StoredHashes(connection.cursor(), kept)
    roots = [stored.root(12, 0), stored.root(12, 4_096)]
    assert roots == [DEFINITION.root(12, 0), DEFINITION.root(12, 4_096)]
    assert len(kept) == 1


@pytest.mark.parametrize(("level", "table", "key"), [(0, "entries", "number"), (1, "tile_hashes", "position")])
def test_nothing_is_kept_of_a_subtree_that_a_hash_is_missing_of(connection, level, table, key):
    connection.execute(f"DELETE FROM {table} WHERE {key} = 3")
    kept = KeptRoots()
    with pytest.raises(RecordBroken, match=f"stored hash 3 of level {level} is missing"):
        StoredHashes(connection.cursor(), kept).root(8 * level + 5, 0)
    assert len(kept) == 0
