"""Verifying a whole record: every entry, every stored hash, every checkpoint, against what is remembered elsewhere.

What this proves: nobody changed, removed, added or reordered anything since the checkpoints were signed, unless they
have the record's signing key. A checkpoint that somebody else remembers proves it against the holder of that key too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.document import IndexedValues, moment, read_document
from adapter.audit.entry import ADMIN
from adapter.audit.merkle import TILE_HEIGHT, CompactRange, TileHash, leaf_hash
from adapter.audit.reviews import tags_of
from adapter.audit.runs import CLOCK_SET_BACK
from adapter.audit.times import EarlierTime, Seen, TimeOrder
from adapter.crypto.note import NoteVerifier
from adapter.errors import RecordBroken

Progress = Callable[[int, int], None]
"""Told how many of how many are verified: entries, or rows of the index of subjects."""

_PROGRESS_EVERY = 1_000
_SUM_MODULUS = 1 << 256


class StoredEntry(NamedTuple):
    """A row of the record, as it is stored; nothing of it is believed."""

    number: int
    leaf_hash: bytes
    indexed: IndexedValues
    document: str


class StoredCheckpoint(NamedTuple):
    """A checkpoint as it is stored. size: what it is filed under."""

    size: int
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordEnd:
    """The end of the record at one instant: what verification goes up to while others go on appending.

    next_number: the highest entry number plus one. tile_hashes: how many are stored, of all levels.
    """

    next_number: int
    head_size: int
    head_hashes: bytes
    tile_hashes: int
    last_checkpoint: StoredCheckpoint | None


class RecordReader(Protocol):
    """The stored record. The iterators give what is stored below `size`, in order, whatever it is."""

    def end(self) -> RecordEnd:
        """The end of the record, read at one instant."""

    def entries(self, size: int) -> Iterator[StoredEntry]:
        """The entries with a number below `size`, by number."""

    def tile_hashes(self, level: int, size: int) -> Iterator[TileHash]:
        """The stored hashes of one level that are complete within `size` entries, by position."""

    def checkpoints(self, size: int) -> Iterator[StoredCheckpoint]:
        """The checkpoints filed under at most `size`, by size."""

    def subject_tags(self, size: int) -> Iterator[tuple[str, int]]:
        """The index of subjects: tag and entry number below `size`, in any order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedRecord:
    """What was verified: the newest checkpoint, how many entries and checkpoints.

    earlier_times: entries that say an earlier time than their place allows, the first of so many (audit.times). The
    record is whole all the same: nothing was changed, but what these say of when is not to be believed.
    """

    newest: Checkpoint | None
    entries: int
    checkpoints: int
    earlier_times: tuple[EarlierTime, ...] = ()
    earlier_times_count: int = 0


@dataclass(kw_only=True, slots=True)
class IndexFindings:
    """What of the search values and of the index of subjects is not what the entries say.

    entries: the numbers of those whose search values differ. rows: how many the index of subjects has to have.
    """

    entries: list[int] = field(default_factory=list)
    rows: int = 0
    subjects_differ: bool = False


def verify_record(
    reader: RecordReader,
    *,
    origin: str,
    verifiers: Sequence[NoteVerifier],
    remembered: Sequence[Checkpoint] = (),
    keepers: Mapping[Checkpoint, str] | None = None,
    seen: Iterable[Seen] = (),
    progress: Progress | None = None,
    index_progress: Progress | None = None,
    findings: IndexFindings | None = None,
) -> VerifiedRecord:
    """Verify the record from its first entry. Raises RecordBroken at the first thing that is wrong, naming it.

    verifiers: the record's keys, present and former. remembered: checkpoints that were kept elsewhere and whose
    signatures are verified; each must be what the record had at its size. keepers: who keeps them, for the words in
    which one that does not fit is named. seen: when others saw how many entries, such as time-stamps. progress: of
    the entries; index_progress: of the index of subjects, which is read when every entry was. findings: where what is
    wrong with indexes goes, which is then no reason to stop: all of them can be made again from the entries.
    """
    end = reader.end()
    size = _agreed_size(end)
    elsewhere = _Remembered(remembered, keepers or {}, origin)
    run = _Run(
        reader, size, _Expected(reader.checkpoints(size), elsewhere, origin, verifiers), TimeOrder(seen), findings
    )
    for entry in reader.entries(size):
        run.take(entry)
        if progress is not None and (run.tree.size % _PROGRESS_EVERY == 0 or run.tree.size == size):
            progress(run.tree.size, size)
    run.finish(end, index_progress)
    return VerifiedRecord(
        newest=run.expected.newest,
        entries=size,
        checkpoints=run.expected.count,
        earlier_times=run.times.named,
        earlier_times_count=run.times.count,
    )


def _agreed_size(end: RecordEnd) -> int:
    """How many entries there are: three places must say the same, or something was cut off or put on."""
    size = 0 if end.last_checkpoint is None else end.last_checkpoint.size
    if end.next_number < size:
        raise RecordBroken(f"entry {end.next_number} is missing: the last checkpoint has {size} entries")
    if end.next_number > size:
        raise RecordBroken(f"entry {size} is after the last checkpoint, which has {size} entries")
    if end.head_size != size:
        raise RecordBroken(f"the tree head has {end.head_size} entries, the last checkpoint {size}")
    return size


class _Remembered:
    """What is remembered elsewhere, smallest first."""

    def __init__(self, checkpoints: Iterable[Checkpoint], keepers: Mapping[Checkpoint, str], origin: str) -> None:
        self._left = sorted(set(checkpoints), key=lambda checkpoint: checkpoint.size, reverse=True)
        self._keepers = keepers
        self._fits_until = 0
        if any(checkpoint.origin != origin for checkpoint in self._left):
            raise RecordBroken("a remembered checkpoint is of another record")

    def check(self, tree: CompactRange) -> None:
        """Compare with whatever is remembered of exactly this size."""
        while self._left and self._left[-1].size == tree.size:
            checkpoint = self._left.pop()
            if checkpoint.root != tree.root():
                raise RecordBroken(
                    f"the first {tree.size} entries are not those of {self._named(checkpoint)}: the record was written "
                    f"anew from an entry between {self._fits_until} and {tree.size - 1} on"
                )
            self._fits_until = tree.size

    def finish(self, size: int) -> None:
        if self._left:
            raise RecordBroken(
                f"the record has shrunk: it has {size} entries, and there is {self._named(self._left[0])}"
            )

    def _named(self, checkpoint: Checkpoint) -> str:
        keeper = self._keepers.get(checkpoint)
        return f"the remembered checkpoint of size {checkpoint.size}" + (f", which {keeper} keeps" if keeper else "")


class _Expected:
    """The roots that the record must have, in order of size: of its own checkpoints and of remembered ones."""

    def __init__(
        self,
        stored: Iterator[StoredCheckpoint],
        remembered: _Remembered,
        origin: str,
        verifiers: Sequence[NoteVerifier],
    ) -> None:
        self._stored = stored
        self._remembered = remembered
        self._origin = origin
        self._verifiers = verifiers
        self._next = next(stored, None)
        self._good_until = 0
        self.newest: Checkpoint | None = None
        self.count = 0

    def check(self, tree: CompactRange) -> None:
        """Compare with whatever checkpoint there is of exactly this size."""
        size = tree.size
        self._remembered.check(tree)
        if self._next is None or self._next.size > size:
            return
        stored, self._next = self._next, next(self._stored, None)
        if stored.size != size:
            raise RecordBroken(f"there is a checkpoint filed under size {stored.size}, which no record has")
        signed = _opened(stored, self._verifiers, self._origin)
        if signed.root != tree.root():
            raise RecordBroken(
                f"entries {self._good_until} to {size - 1} are not what the checkpoint of size {size} signed"
            )
        self._good_until, self.newest, self.count = size, signed, self.count + 1

    def finish(self, size: int) -> None:
        self._remembered.finish(size)
        if self._next is not None:
            raise RecordBroken(f"there is a checkpoint filed under size {self._next.size}, out of order")


def _opened(stored: StoredCheckpoint, verifiers: Sequence[NoteVerifier], origin: str) -> Checkpoint:
    try:
        signed = open_checkpoint(stored.note, verifiers, origin=origin)
    except RecordBroken as error:
        raise RecordBroken(f"the checkpoint of size {stored.size}: {error.reason}") from error
    if signed.size != stored.size:
        raise RecordBroken(f"the checkpoint filed under size {stored.size} is of size {signed.size}")
    return signed


class _Run:
    """One pass over the entries, from the first."""

    def __init__(
        self, reader: RecordReader, size: int, expected: _Expected, times: TimeOrder, findings: IndexFindings | None
    ) -> None:
        self._reader = reader
        self._size = size
        self._subjects = 0
        self._tags = 0
        self._findings = findings
        self._tile_hashes = 0
        self._stored_tiles: dict[int, Iterator[TileHash]] = {}
        self.expected = expected
        self.times = times
        self.tree = CompactRange()

    def take(self, entry: StoredEntry) -> None:
        """Verify the next entry and all that is complete with it."""
        number = self.tree.size
        if entry.number != number:
            raise RecordBroken(
                f"entry {number} is missing" if entry.number > number else f"there is an entry numbered {entry.number}"
            )
        try:
            document = entry.document.encode()
        except (UnicodeEncodeError, AttributeError):
            raise RecordBroken(f"entry {number} was changed: it is not text") from None
        if leaf_hash(document) != entry.leaf_hash:
            raise RecordBroken(f"entry {number} was changed: its text and its hash do not fit")
        indexed = self._check_index(entry)
        for tile in self.tree.append(entry.leaf_hash):
            self._check_tile_hash(tile)
        set_back = indexed.outcome == CLOCK_SET_BACK and indexed.kind == ADMIN
        self.times.take(number, moment(indexed.at_ms), clock_set_back=set_back)
        self.expected.check(self.tree)

    def finish(self, end: RecordEnd, progress: Progress | None) -> None:
        """Check what can only be judged at the end. progress: of the index of subjects."""
        if self.tree.size != self._size:
            raise RecordBroken(f"entry {self.tree.size} is missing")
        self.expected.finish(self._size)
        if end.head_hashes != self.tree.to_bytes():
            raise RecordBroken(f"the tree head was changed: it is not that of the {self._size} entries")
        if end.tile_hashes != self._tile_hashes:
            raise RecordBroken(
                f"there are {end.tile_hashes} stored hashes, and {self._tile_hashes} belong to the record"
            )
        self._check_subjects(progress)

    def _check_subjects(self, progress: Progress | None) -> None:
        stored = 0
        for row, (tag, number) in enumerate(self._reader.subject_tags(self._size), start=1):
            stored += _subject_digest(tag, number)
            if progress is not None and (row % _PROGRESS_EVERY == 0 or row == self._tags):
                progress(row, self._tags)
        differ = stored % _SUM_MODULUS != self._subjects % _SUM_MODULUS
        if self._findings is not None:
            self._findings.rows, self._findings.subjects_differ = self._tags, differ
        elif differ:
            raise RecordBroken(
                "the index of subjects was changed: it does not list what the entries say; `adapter log reindex` "
                "makes it again"
            )

    def _check_tile_hash(self, tile: TileHash) -> None:
        if tile.level not in self._stored_tiles:
            self._stored_tiles[tile.level] = self._reader.tile_hashes(tile.level, self._size)
        self._tile_hashes += 1
        if next(self._stored_tiles[tile.level], None) != tile:
            first = tile.position << tile.level * TILE_HEIGHT
            raise RecordBroken(
                f"stored hash {tile.position} of level {tile.level} was changed, or entries {first} to "
                f"{self.tree.size - 1} were"
            )

    def _check_index(self, entry: StoredEntry) -> IndexedValues:
        """The search values that the text says."""
        try:
            body, indexed = read_document(entry.document)
        except RecordBroken as error:
            raise RecordBroken(f"entry {entry.number}: {error.reason}") from error
        for name, said, stored in zip(IndexedValues._fields, indexed, entry.indexed, strict=True):
            if said == stored:
                continue
            if self._findings is None:
                raise RecordBroken(f"entry {entry.number} was changed: its {name} is not what its text says")
            self._findings.entries.append(entry.number)
            break
        for tag in tags_of(body):
            self._subjects += _subject_digest(tag, entry.number)
            self._tags += 1
        return indexed


def _subject_digest(tag: str, number: int) -> int:
    """Digests that are added up: two lists have the same sum when they hold the same, in whatever order."""
    return int.from_bytes(hashlib.sha256(f"{number}:{tag}".encode(errors="surrogateescape")).digest())
