"""Verification against a store that gives whatever it likes: each thing that is wrong is found where it is.

What can be done to a database file is in tests/unit/store/test_tampering.py; here the reader itself is the liar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin, sign_checkpoint
from adapter.audit.document import document_of
from adapter.audit.merkle import CompactRange, TileHash, leaf_hash
from adapter.audit.verify import RecordEnd, StoredCheckpoint, StoredEntry, VerifiedRecord, verify_record
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import RecordBroken
from adapter.identifiers import MemberId
from adapter.ports import Entry
from tests.pki import NOW

ORIGIN = record_origin(MemberId.parse("UZ/GOV/200000001"))
SIGNER = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
VERIFIERS = (NoteVerifier.parse(SIGNER.vkey),)
SIZE, EVERY = 516, 172
"""Two complete tiles and something after them; three checkpoints."""


@dataclass
class Record:
    """audit.verify.RecordReader in memory, which gives whatever a test put into it."""

    entries_: list[StoredEntry] = field(default_factory=list)
    tiles: list[TileHash] = field(default_factory=list)
    checkpoints_: list[StoredCheckpoint] = field(default_factory=list)
    tags: list[tuple[str, int]] = field(default_factory=list)
    tree: CompactRange = field(default_factory=CompactRange)
    changed_end: dict[str, int] = field(default_factory=dict)

    def append(self, at: int) -> None:
        said = document_of(Entry(body={"n": at, "subjects": [f"tag-{at % 7}"]}, kind="admin", at=NOW, outcome="done"))
        self.entries_.append(StoredEntry(at, said.leaf_hash, said.indexed, said.text))
        self.tiles += self.tree.append(said.leaf_hash)
        self.tags += [(tag, at) for tag in said.subjects]

    def sign(self) -> Checkpoint:
        checkpoint = Checkpoint(origin=ORIGIN, size=self.tree.size, root=self.tree.root())
        self.checkpoints_.append(StoredCheckpoint(self.tree.size, sign_checkpoint(checkpoint, SIGNER)))
        return checkpoint

    def end(self) -> RecordEnd:
        good = RecordEnd(
            next_number=self.tree.size,
            head_size=self.tree.size,
            head_hashes=self.tree.to_bytes(),
            tile_hashes=len(self.tiles),
            last_checkpoint=self.checkpoints_[-1] if self.checkpoints_ else None,
        )
        return replace(good, **self.changed_end)  # type: ignore[arg-type]

    def entries(self, size: int) -> Iterator[StoredEntry]:
        assert size == self.end().next_number
        return iter(self.entries_)

    def tile_hashes(self, level: int, size: int) -> Iterator[TileHash]:
        return (tile for tile in self.tiles if tile.level == level and (tile.position + 1) << 8 * level <= size)

    def checkpoints(self, size: int) -> Iterator[StoredCheckpoint]:
        return iter(self.checkpoints_)

    def subject_tags(self, size: int) -> Iterator[tuple[str, int]]:
        return ((tag, number) for tag, number in self.tags if number < size)


@pytest.fixture
def record() -> Record:
    made = Record()
    for at in range(SIZE):
        made.append(at)
        if (at + 1) % EVERY == 0:
            made.sign()
    return made


def verified(record: Record, *remembered: Checkpoint) -> VerifiedRecord:
    return verify_record(record, origin=ORIGIN, verifiers=VERIFIERS, remembered=remembered)


def test_the_name_of_a_record_is_that_of_its_member() -> None:
    assert ORIGIN == "UZ/GOV/200000001"


def test_a_good_record_is_verified_whole(record: Record) -> None:
    told: list[tuple[int, int]] = []
    found = verify_record(record, origin=ORIGIN, verifiers=VERIFIERS, progress=lambda done, of: told.append((done, of)))
    assert (found.entries, found.checkpoints) == (SIZE, 3)
    assert found.newest == Checkpoint(origin=ORIGIN, size=SIZE, root=record.tree.root())
    assert told == [(SIZE, SIZE)]


def test_the_index_of_subjects_is_told_of_too(record: Record) -> None:
    """In a large record reading it takes a third of the time, after the last entry."""
    told: list[tuple[int, int]] = []
    verify_record(record, origin=ORIGIN, verifiers=VERIFIERS, index_progress=lambda done, of: told.append((done, of)))
    rows = sum(1 for _ in record.subject_tags(SIZE))
    assert told == [(rows, rows)]
    assert rows > 0


def test_an_empty_record_has_no_newest_checkpoint() -> None:
    assert verified(Record()) == VerifiedRecord(newest=None, entries=0, checkpoints=0)


def broken(record: Record, *remembered: Checkpoint) -> str:
    with pytest.raises(RecordBroken) as failure:
        verified(record, *remembered)
    return failure.value.reason


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"next_number": SIZE - 1}, f"entry {SIZE - 1} is missing: the last checkpoint has {SIZE} entries"),
        ({"next_number": SIZE + 1}, f"entry {SIZE} is after the last checkpoint"),
        ({"head_size": SIZE - 1}, f"the tree head has {SIZE - 1} entries, the last checkpoint {SIZE}"),
        ({"head_hashes": b""}, "the tree head was changed"),
        ({"tile_hashes": 3}, "there are 3 stored hashes, and 2 belong to the record"),
    ],
)
def test_an_end_that_does_not_fit(record: Record, changed: dict[str, int], reason: str) -> None:
    record.changed_end = changed
    assert reason in broken(record)


def test_entries_that_stop_before_the_end(record: Record) -> None:
    """As when they are removed after the end was read."""
    del record.entries_[-3:]
    assert broken(record) == f"entry {SIZE - 3} is missing"


@pytest.mark.parametrize(("at", "reason"), [(4, "entry 4 is missing"), (-1, "there is an entry numbered 4")])
def test_entries_with_a_gap_or_one_twice(record: Record, at: int, reason: str) -> None:
    if at < 0:
        record.entries_.insert(5, record.entries_[4])
    else:
        del record.entries_[at]
    assert broken(record) == reason


def changed(record: Record, number: int, **values: object) -> None:
    record.entries_[number] = record.entries_[number]._replace(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("document", ["\ud800", None, 17, b"{}"])
def test_an_entry_that_is_not_text(record: Record, document: object) -> None:
    changed(record, 3, document=document)
    assert broken(record) == "entry 3 was changed: it is not text"


def test_an_entry_whose_hash_does_not_fit(record: Record) -> None:
    changed(record, 3, document=record.entries_[3].document + " ")
    assert broken(record) == "entry 3 was changed: its text and its hash do not fit"


@pytest.mark.parametrize("document", ["", "{}", "[]", "17", "{" * 9, '{"at":"soon","kind":"admin"}'])
def test_an_entry_whose_hash_fits_a_text_that_no_entry_is(record: Record, document: str) -> None:
    changed(record, 3, document=document, leaf_hash=leaf_hash(document.encode()))
    assert broken(record) == "entry 3: an entry is not the JSON object that an entry is"


def test_a_search_value_that_the_text_does_not_say(record: Record) -> None:
    changed(record, 3, indexed=record.entries_[3].indexed._replace(outcome="refused"))
    assert broken(record) == "entry 3 was changed: its outcome is not what its text says"


def test_an_entry_made_anew_with_its_hash_does_not_fit_what_was_signed(record: Record) -> None:
    said = document_of(Entry(body={"n": -1, "subjects": ["tag-3"]}, kind="admin", at=NOW, outcome="done"))
    changed(record, 3, document=said.text, leaf_hash=said.leaf_hash)
    assert broken(record) == f"entries 0 to {EVERY - 1} are not what the checkpoint of size {EVERY} signed"


def test_a_stored_hash_of_something_else(record: Record) -> None:
    record.tiles[1] = replace(record.tiles[1], hash=bytes(32))
    assert broken(record) == "stored hash 1 of level 1 was changed, or entries 256 to 511 were"


def test_an_index_of_subjects_that_lists_something_else(record: Record) -> None:
    record.tags.pop()
    assert "the index of subjects was changed" in broken(record)


# --- checkpoints -----------------------------------------------------------------------------------------------------


def test_checkpoints_out_of_order(record: Record) -> None:
    """One that comes again behind the last: nothing was left to compare it with."""
    record.checkpoints_.append(record.checkpoints_[-1])
    assert broken(record) == f"there is a checkpoint filed under size {SIZE}, out of order"


def test_a_checkpoint_filed_under_a_size_that_is_past(record: Record) -> None:
    record.checkpoints_.insert(1, record.checkpoints_[0])
    assert broken(record) == f"there is a checkpoint filed under size {EVERY}, which no record has"


def test_a_checkpoint_filed_under_another_size(record: Record) -> None:
    record.checkpoints_[0] = record.checkpoints_[0]._replace(size=EVERY - 1)
    assert broken(record) == f"the checkpoint filed under size {EVERY - 1} is of size {EVERY}"


def test_a_checkpoint_that_nobody_signed(record: Record) -> None:
    stranger = NoteSigner(ORIGIN, Ed25519PrivateKey.generate())
    note = sign_checkpoint(Checkpoint(origin=ORIGIN, size=EVERY, root=bytes(32)), stranger)
    record.checkpoints_[0] = StoredCheckpoint(EVERY, note)
    assert f"the checkpoint of size {EVERY}: a checkpoint's signature is not good" in broken(record)


def test_what_somebody_else_remembers_has_to_fit(record: Record) -> None:
    fitting = Checkpoint(origin=ORIGIN, size=SIZE, root=record.tree.root())
    assert verified(record, fitting).entries == SIZE
    other = replace(fitting, root=bytes(32))
    assert broken(record, other) == (
        f"the first {SIZE} entries are not those of the remembered checkpoint of size {SIZE}: the record was written "
        f"anew from an entry between 0 and {SIZE - 1} on"
    )
    longer = replace(fitting, size=SIZE + 1)
    assert broken(record, longer) == (
        f"the record has shrunk: it has {SIZE} entries, and there is the remembered checkpoint of size {SIZE + 1}"
    )
    assert broken(record, replace(fitting, origin="other")) == "a remembered checkpoint is of another record"


def test_who_keeps_what_does_not_fit_is_named_and_from_where_the_record_is_another(record: Record) -> None:
    fitting = open_checkpoint(record.checkpoints_[0].note, VERIFIERS, origin=ORIGIN)
    forked = Checkpoint(origin=ORIGIN, size=SIZE, root=bytes(32))
    with pytest.raises(RecordBroken) as failure:
        verify_record(
            record,
            origin=ORIGIN,
            verifiers=VERIFIERS,
            remembered=(forked, fitting),
            keepers={forked: "UZ/GOV/200000003"},
        )
    assert failure.value.reason == (
        f"the first {SIZE} entries are not those of the remembered checkpoint of size {SIZE}, which UZ/GOV/200000003 "
        f"keeps: the record was written anew from an entry between {fitting.size} and {SIZE - 1} on"
    )
