"""Promise 6: whatever somebody with the database file changes, verification finds and names it."""

import random
import shutil
import sqlite3

import pytest

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.document import document_of
from adapter.audit.merkle import CompactRange, leaf_hash
from adapter.audit.verify import verify_record
from adapter.errors import RecordBroken
from adapter.store.appending import append_entries
from adapter.store.log_reader import LogReader
from adapter.store.migrate import prepare
from tests.records import ORIGIN, RecordHome, an_entry

BATCHES, PER_BATCH = 33, 20
SIZE = BATCHES * PER_BATCH
"""Two complete tiles, and something after them."""


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A record that is never changed; each test changes a copy."""
    home = RecordHome.make(tmp_path_factory.mktemp("original"))
    for batch in range(BATCHES):
        entries = [an_entry(f"urn:uuid:{batch:04d}-{one:04d}", subjects=(f"tag-{one}",)) for one in range(PER_BATCH)]
        append_entries(home.database, home.log, entries)
    home.change("PRAGMA wal_checkpoint(TRUNCATE)")
    assert home.verify().entries == SIZE
    return home


@pytest.fixture
def home(original, tmp_path):
    shutil.copy(original.database.path, tmp_path / "adapter.sqlite")
    database = prepare(f"sqlite:///{tmp_path / 'adapter.sqlite'}")
    return RecordHome(database=database, key=original.key, archive_key=original.archive_key)


def rows_of(home, sql, *parameters):
    connection = sqlite3.connect(home.database.path)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def flipped(value, at):
    """The value with one bit of one octet changed."""
    if isinstance(value, int):
        return value ^ (1 << at % 12)
    octets = bytearray(value.encode() if isinstance(value, str) else value)
    octets[at % len(octets)] ^= 1
    return octets.decode() if isinstance(value, str) else bytes(octets)


# --- changed octets --------------------------------------------------------------------------------------------------


ENTRY_COLUMNS = ["leaf_hash", "kind", "at_ms", "message_id", "consumer", "service", "outcome", "document"]


@pytest.mark.parametrize("column", ENTRY_COLUMNS)
@pytest.mark.parametrize("number", [0, 255, 256, 300, SIZE - 1])
def test_a_changed_octet_of_an_entry_is_found_and_the_entry_named(home, column, number):
    ((value,),) = rows_of(home, f"SELECT {column} FROM entries WHERE number = ?", number)
    changed = flipped(value, random.Random(f"{column}{number}").randrange(1000))
    assert home.change(f"UPDATE entries SET {column} = ? WHERE number = ?", changed, number) == 1
    with pytest.raises(RecordBroken, match=rf"entry {number}\b"):
        home.verify()


@pytest.fixture
def small(tmp_path):
    home = RecordHome.make(tmp_path)
    home.fill(3, 2)
    return home


def test_every_octet_of_an_entrys_text_counts(small):
    ((text,),) = rows_of(small, "SELECT document FROM entries WHERE number = 3")
    for at in range(len(text)):
        small.change("UPDATE entries SET document = ? WHERE number = 3", flipped(text, at))
        with pytest.raises(RecordBroken, match=r"entry 3\b"):
            small.verify()


def test_every_octet_of_a_checkpoint_counts(small):
    ((note,),) = rows_of(small, "SELECT note FROM checkpoints WHERE size = 4")
    for at in range(len(note)):
        changed = note[:at] + chr(ord(note[at]) ^ 1) + note[at + 1 :]
        small.change("UPDATE checkpoints SET note = ? WHERE size = 4", changed)
        with pytest.raises(RecordBroken, match="checkpoint of size 4"):
            small.verify()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("incident", "'admin'"),
        ("incident", "x'00'"),
        ("incident", "17"),
        ("consumer", "NULL"),
        ("consumer", "x'00'"),
        ("document", "x'00'"),
        ("document", "17"),
        ("leaf_hash", "17"),
        ("leaf_hash", "'text'"),
        ("at_ms", "'text'"),
    ],
)
def test_a_value_of_another_kind_is_found(home, column, value):
    home.change(f"UPDATE entries SET {column} = {value} WHERE number = 5")
    with pytest.raises(RecordBroken, match=r"entry 5\b"):
        home.verify()


def test_a_changed_entry_with_a_fitting_hash_is_found_by_the_checkpoint_that_signed_it(home):
    """Whoever changes the text and computes the hash again is stopped by the root that was signed."""
    text = document_of(an_entry("urn:uuid:another-message")).text
    home.change(
        "UPDATE entries SET document = ?, leaf_hash = ?, message_id = 'urn:uuid:another-message' WHERE number = 45",
        text,
        leaf_hash(text.encode()),
    )
    home.change("DELETE FROM subjects WHERE number = 45")
    with pytest.raises(RecordBroken, match="entries 40 to 59 are not what the checkpoint of size 60 signed"):
        home.verify()


@pytest.mark.parametrize("position", [0, 1])
def test_a_changed_stored_hash_is_found_and_named(home, position):
    ((value,),) = rows_of(home, "SELECT hash FROM tile_hashes WHERE position = ?", position)
    for at in range(32):
        home.change("UPDATE tile_hashes SET hash = ? WHERE position = ?", flipped(value, at), position)
        with pytest.raises(RecordBroken, match=f"stored hash {position} of level 1"):
            home.verify()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DELETE FROM tile_hashes WHERE position = 0", "stored hash 0 of level 1"),
        ("DELETE FROM tile_hashes WHERE position = 1", "stored hash 1 of level 1"),
        ("UPDATE tile_hashes SET level = 2", "stored hash 0 of level 1"),
        ("INSERT INTO tile_hashes VALUES (1, 2, zeroblob(32))", "3 stored hashes, and 2 belong"),
        ("INSERT INTO tile_hashes VALUES (2, 0, zeroblob(32))", "3 stored hashes, and 2 belong"),
        ("INSERT INTO tile_hashes VALUES (1, -1, zeroblob(32))", "stored hash 0 of level 1"),
    ],
)
def test_stored_hashes_too_few_or_too_many_are_found(home, change, named):
    home.change(change)
    with pytest.raises(RecordBroken, match=named):
        home.verify()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE checkpoints SET size = 41 WHERE size = 40", "filed under size 41 is of size 40"),
        ("UPDATE checkpoints SET size = -1 WHERE size = 40", "size -1"),
        ("UPDATE checkpoints SET size = 0 WHERE size = 40", "size 0"),
        ("UPDATE checkpoints SET size = 100000 WHERE size = 40", "entry 660 is missing"),
        ("DELETE FROM checkpoints WHERE size = 660", "entry 640 is after the last checkpoint"),
        ("DELETE FROM checkpoints", "entry 0 is after the last checkpoint"),
        ("UPDATE tree_head SET size = 659", "tree head has 659"),
        ("UPDATE tree_head SET hashes = zeroblob(length(hashes))", "tree head was changed"),
        ("UPDATE tree_head SET hashes = x''", "tree head was changed"),
        ("DELETE FROM tree_head", "tree head is missing"),
        ("UPDATE subjects SET tag = 'tag-x' WHERE number = 3", "index of subjects"),
        ("UPDATE subjects SET number = 658 WHERE number = 657 AND tag = 'tag-17'", "index of subjects"),
        ("DELETE FROM subjects WHERE number = 3", "index of subjects"),
        ("INSERT INTO subjects VALUES ('tag-x', 3)", "index of subjects"),
    ],
)
def test_whatever_else_is_changed_is_found(home, change, named):
    assert home.change(change) != 0
    with pytest.raises(RecordBroken, match=named):
        home.verify()


# --- removed, added, reordered ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1, 255, 256, 400, SIZE - 1])
def test_a_removed_entry_is_found_and_named(home, number):
    home.change("DELETE FROM entries WHERE number = ?", number)
    with pytest.raises(RecordBroken, match=f"entry {number} is missing"):
        home.verify()


def test_a_removed_tail_is_found(home):
    home.change("DELETE FROM entries WHERE number >= 600")
    with pytest.raises(RecordBroken, match="entry 600 is missing"):
        home.verify()


def renumber(home, first, step):
    """Move all entries from `first` up or down by one."""
    home.change("UPDATE entries SET number = -number - ? WHERE number >= ?", step, first)
    home.change("UPDATE entries SET number = -number WHERE number < 0")


def test_a_removed_entry_is_found_when_the_gap_is_closed(home):
    home.change("DELETE FROM entries WHERE number = 25")
    renumber(home, 26, -1)
    with pytest.raises(RecordBroken, match="entry 659 is missing"):
        home.verify()


def test_an_inserted_entry_is_found(home):
    renumber(home, 25, 1)
    document = document_of(an_entry("urn:uuid:smuggled-in-message"))
    home.change(
        "INSERT INTO entries (number, leaf_hash, kind, at_ms, message_id, consumer, service, outcome, official, "
        "purpose, document) SELECT 25, ?, kind, at_ms, 'urn:uuid:smuggled-in-message', consumer, service, outcome, "
        "official, purpose, ? FROM entries WHERE number = 0",
        document.leaf_hash,
        document.text,
    )
    with pytest.raises(RecordBroken, match="entry 660 is after the last checkpoint"):
        home.verify()
    home.change("DELETE FROM entries WHERE number = 660")
    with pytest.raises(RecordBroken, match="entries 20 to 39 are not what the checkpoint of size 40 signed"):
        home.verify()


def test_an_appended_entry_is_found(home):
    home.change(
        "INSERT INTO entries (number, leaf_hash, kind, at_ms, document) "
        "SELECT 660, leaf_hash, kind, at_ms, document FROM entries WHERE number = 0"
    )
    with pytest.raises(RecordBroken, match="entry 660 is after the last checkpoint"):
        home.verify()


def test_an_entry_before_the_first_is_found(home):
    home.change(
        "INSERT INTO entries (number, leaf_hash, kind, at_ms, document) "
        "SELECT -1, leaf_hash, kind, at_ms, document FROM entries WHERE number = 0"
    )
    with pytest.raises(RecordBroken, match="numbered -1"):
        home.verify()


def test_two_entries_that_changed_places_are_found(home):
    for number, other in ((21, -1), (22, 21), (-1, 22)):
        home.change("UPDATE entries SET number = ? WHERE number = ?", other, number)
        home.change("UPDATE subjects SET number = ? WHERE number = ?", other, number)
    with pytest.raises(RecordBroken, match="entries 20 to 39 are not what the checkpoint of size 40 signed"):
        home.verify()


# --- against the operator who has the signing key --------------------------------------------------------------------


def rewritten(home, folder, size, *, changed=None):
    """The whole record made anew with the real key, as its operator could."""
    other = RecordHome(
        database=prepare(f"sqlite:///{folder / 'rewritten.sqlite'}"), key=home.key, archive_key=home.archive_key
    )
    texts = rows_of(home, "SELECT message_id FROM entries WHERE number < ? ORDER BY number", size)
    entries = [an_entry("urn:uuid:not-what-it-was" if at == changed else text) for at, (text,) in enumerate(texts)]
    append_entries(other.database, other.log, entries)
    return other


def test_a_rewritten_record_does_not_fit_a_remembered_checkpoint(home, tmp_path):
    remembered = home.checkpoint()
    other = rewritten(home, tmp_path, SIZE, changed=600)
    other.verify()
    with pytest.raises(RecordBroken, match=f"remembered checkpoint of size {SIZE}"):
        other.verify(remembered)


def test_a_record_that_was_cut_off_does_not_fit_a_remembered_checkpoint(home, tmp_path):
    remembered = home.checkpoint()
    other = rewritten(home, tmp_path, SIZE - 1)
    other.verify()
    with pytest.raises(RecordBroken, match="has shrunk"):
        other.verify(remembered)


def test_an_older_checkpoint_fits_the_record_that_grew(home):
    remembered = home.checkpoint()
    home.fill(3, 7)
    assert home.verify(remembered).entries == SIZE + 21


def test_a_remembered_checkpoint_between_two_of_ours_is_compared(home):
    """Somebody may have been shown a checkpoint that is not among the stored ones."""
    tree = CompactRange()
    for (leaf,) in rows_of(home, "SELECT leaf_hash FROM entries WHERE number < 33 ORDER BY number"):
        tree.append(leaf)
    home.verify(Checkpoint(origin=ORIGIN, size=33, root=tree.root()))
    with pytest.raises(RecordBroken, match="remembered checkpoint of size 33"):
        home.verify(Checkpoint(origin=ORIGIN, size=33, root=bytes(32)))


def test_a_remembered_checkpoint_of_another_record_is_refused(home):
    with pytest.raises(RecordBroken, match="another record"):
        home.verify(Checkpoint(origin="other", size=20, root=bytes(32)))


def test_a_checkpoint_that_shrinks_is_found(home):
    """W154: an older checkpoint, signed with the right key, filed where the newest should be."""
    ((old,),) = rows_of(home, "SELECT note FROM checkpoints WHERE size = 40")
    home.change("UPDATE checkpoints SET note = ? WHERE size = 660", old)
    with pytest.raises(RecordBroken, match="filed under size 660 is of size 40"):
        home.verify()


def test_a_second_history_signed_with_the_right_key_is_found(home):
    """The operator signs another root for the same size: the entries themselves contradict it."""
    forged = sign_checkpoint(Checkpoint(origin=ORIGIN, size=40, root=bytes(32)), home.signer)
    home.change("UPDATE checkpoints SET note = ? WHERE size = 40", forged)
    with pytest.raises(RecordBroken, match="entries 20 to 39 are not what the checkpoint of size 40 signed"):
        home.verify()


# --- verification itself ---------------------------------------------------------------------------------------------


def test_an_empty_record_verifies(tmp_path):
    verified = RecordHome.make(tmp_path).verify()
    assert (verified.entries, verified.checkpoints, verified.newest) == (0, 0, None)


def test_progress_is_told_up_to_the_end(home):
    home.fill(1, 1500)
    told = []
    verify_record(
        home.reader, origin=ORIGIN, verifiers=home.verifiers, progress=lambda done, of: told.append((done, of))
    )
    assert told == [(1000, SIZE + 1500), (2000, SIZE + 1500), (SIZE + 1500, SIZE + 1500)]


def test_a_record_that_grows_meanwhile_is_verified_up_to_where_it_was(home):
    class Growing(LogReader):
        def entries(self, size):
            for entry in super().entries(size):
                if entry.number in {0, 500}:
                    home.fill(2, 150, prefix=f"meanwhile-{entry.number}")
                yield entry

    reader = Growing(home.database)
    verified = verify_record(reader, origin=ORIGIN, verifiers=home.verifiers)
    assert verified.entries == SIZE
    assert home.verify().entries == SIZE + 600


def test_the_newest_checkpoint_is_handed_out(home):
    verified = home.verify()
    assert verified.newest == home.checkpoint()
    assert verified.checkpoints == BATCHES
