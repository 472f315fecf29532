"""Making the search indexes again from the entries: they hold nothing that the entries do not say.

Three things are searched by: the search values beside each entry's text, the index of subjects, and the database's own
indexes of the search values. No checkpoint is over any of them; it is over the text. So they are judged by the text,
and where they differ they follow it. Each step is a short transaction, and can be done again after one that was cut
off.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Index, bindparam, func, inspect, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex

from adapter.audit.document import read_document
from adapter.audit.reviews import tags_of
from adapter.audit.verify import IndexFindings, Progress, VerifiedRecord, verify_record
from adapter.crypto.note import NoteVerifier
from adapter.errors import RecordBroken, StoreUnusable
from adapter.store.engine import Database
from adapter.store.failures import translated
from adapter.store.log_reader import LogReader
from adapter.store.schema import entries, subjects

_AT_ONCE: Final = 1_000
"""Entries, or rows of the index of subjects, of one transaction: some ten milliseconds in which nobody else writes."""

_INDEXES: Final[dict[str, Index]] = {str(one.name): one for one in entries.indexes}
_DEFINED: Final = {name: str(CreateIndex(index).compile(dialect=sqlite.dialect())) for name, index in _INDEXES.items()}
_NAMED: Final = re.compile(r"(?:from|in) index (\w+)")
"""What SQLite says of an index: `row 7 missing from index …`, `wrong # of entries in index …`."""

_number = entries.c.number
_MEND_VALUES: Final = update(entries).where(_number == bindparam("wanted"))
_ADD_TAG: Final = "INSERT OR IGNORE INTO subjects (tag, number) VALUES (?, ?)"
_DAMAGED: Final = "the entries themselves are damaged; stop the adapter, keep the file, and restore the last backup"


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What a look at the search indexes found, of a record that is whole but for them.

    values: entries whose search values are not what their text says. are_subjects_wrong: of the index of subjects.
    indexes: the database's own that are missing or damaged.
    """

    record: VerifiedRecord
    values: tuple[int, ...]
    are_subjects_wrong: bool
    indexes: tuple[str, ...]

    @property
    def is_all_well(self) -> bool:
        """Whether there is nothing to mend."""
        return not (self.values or self.are_subjects_wrong or self.indexes)


@dataclass(frozen=True, kw_only=True, slots=True)
class MendedSubjects:
    """Rows of the index of subjects. missing: put in. foreign: taken out, for no entry says them."""

    missing: int
    foreign: int


def look_at_indexes(
    database: Database,
    *,
    origin: str,
    verifiers: Sequence[NoteVerifier],
    progress: Progress | None = None,
    index_progress: Progress | None = None,
) -> Looked:
    """Verify the record but for its search indexes, and judge these by it. Raises RecordBroken, StoreUnusable.

    From entries that are not what was signed no index may be made: it would make what was changed be found.
    """
    indexes, findings = wrong_indexes(database), IndexFindings()
    record = verify_record(
        _Reader(database),
        origin=origin,
        verifiers=verifiers,
        progress=progress,
        index_progress=index_progress,
        findings=findings,
    )
    return Looked(
        record=record,
        values=tuple(findings.entries),
        are_subjects_wrong=findings.subjects_differ or not _has_subjects(database),
        indexes=indexes,
    )


class _Reader(LogReader):
    """Reads a record whose index of subjects may be gone, table and all."""

    def subject_tags(self, size: int) -> Iterator[tuple[str, int]]:
        return super().subject_tags(size) if _has_subjects(self._database) else iter(())


def _has_subjects(database: Database) -> bool:
    with database.reading() as connection:
        return bool(inspect(connection).has_table(subjects.name))


def wrong_indexes(database: Database) -> tuple[str, ...]:
    """The database's own indexes of the entries that are missing, are of something else, or miss entries; by name.

    Reads the entries and all these indexes. Raises StoreUnusable: it is not the indexes alone that are damaged.
    """
    with database.reading() as connection:
        made = connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'entries' AND sql IS NOT NULL"
        )
        defined: dict[str, str] = {row.name: row.sql for row in made}
        found = connection.exec_driver_sql("PRAGMA integrity_check(entries)").scalars().all()
    wrong = {name for name, text in _DEFINED.items() if defined.get(name) != text}
    for said in found:
        if said == "ok":
            continue
        named = _NAMED.search(said)
        if named is None or named[1] not in _INDEXES:
            raise StoreUnusable(_DAMAGED)
        wrong.add(named[1])
    return tuple(sorted(wrong))


def check_search_indexes(database: Database) -> None:
    """That a search by any value finds what is there. Raises RecordBroken, StoreUnusable."""
    wrong = wrong_indexes(database)
    if wrong:
        raise RecordBroken(
            f"searches may miss entries, for these indexes are missing or damaged: {', '.join(wrong)}; "
            "`adapter log reindex` makes them again"
        )


def make_index_again(database: Database, name: str) -> None:
    """One of the database's own. Nobody else writes meanwhile: seconds for a million entries. Raises StoreUnusable."""
    with database.writing() as connection:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")
        connection.execute(CreateIndex(_INDEXES[name]))


def mend_values(database: Database, numbers: Sequence[int], progress: Progress) -> None:
    """Write beside these entries what their texts say. Raises StoreUnusable, RecordBroken."""
    for start in range(0, len(numbers), _AT_ONCE):
        page = numbers[start : start + _AT_ONCE]
        with database.writing() as connection:
            for number, document in _documents(connection, page):
                _, indexed = read_document(document)
                connection.execute(_MEND_VALUES, {"wanted": number, **indexed._asdict()})
        progress(start + len(page), len(numbers))


def mend_subjects(database: Database, progress: Progress) -> MendedSubjects:
    """Make the index of subjects list what the entries say, and nothing else. Raises StoreUnusable, RecordBroken."""
    with database.writing() as connection:
        subjects.create(connection, checkfirst=True)
        size = (connection.execute(select(func.max(_number))).scalar() or 0) + 1
    missing = wanted = start = 0
    while start < size:
        with database.writing() as connection:
            page = _documents(connection, range(start, start + _AT_ONCE))
            rows = [(tag, number) for number, document in page for tag in tags_of(read_document(document)[0])]
            cursor = connection.connection.cursor()
            if rows:
                cursor.executemany(_ADD_TAG, rows)
                missing += cursor.rowcount
        wanted, start = wanted + len(rows), start + _AT_ONCE
        progress(min(start, size), size)
    with database.reading() as connection:
        stored = connection.execute(select(func.count()).select_from(subjects)).scalar_one()
    return MendedSubjects(missing=missing, foreign=0 if stored == wanted else _take_out_foreign(database))


def _documents(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, str]]:
    """The texts of these entries, as far as they exist."""
    if isinstance(numbers, range):
        which = (_number >= numbers.start, _number < numbers.stop)
        return [(row[0], row[1]) for row in connection.execute(select(_number, entries.c.document).where(*which))]
    found = connection.execute(select(_number, entries.c.document).where(_number.in_(numbers)))
    return [(row[0], row[1]) for row in found]


# --- rows that no entry says -----------------------------------------------------------------------------------------


class _Text(bytes):
    """Text as its octets, which somebody may have changed to what is no UTF-8."""

    __slots__ = ()


def _take_out_foreign(database: Database) -> int:
    """Go through the index of subjects, and take out each row that its entry does not say. How many they were."""
    taken, last = 0, None
    with translated(StoreUnusable), closing(database.connect()) as connection:
        connection.text_factory = _Text
        while page := _rows_after(connection, last):
            foreign = _foreign(connection, page)
            connection.execute("BEGIN IMMEDIATE")
            for tag, number in foreign:
                where = f"tag IS {_place(tag)} AND number IS {_place(number)}"
                connection.execute(f"DELETE FROM subjects WHERE {where}", (tag, number))  # noqa: S608  two constants
            connection.execute("COMMIT")
            taken, last = taken + len(foreign), page[-1]
    return taken


def _rows_after(connection: sqlite3.Connection, last: tuple[Any, Any] | None) -> list[tuple[Any, Any]]:
    after = "" if last is None else f"WHERE (tag, number) > ({_place(last[0])}, {_place(last[1])})"
    page = f"SELECT tag, number FROM subjects {after} ORDER BY tag, number LIMIT {_AT_ONCE}"  # noqa: S608  constants
    return connection.execute(page, last or ()).fetchall()


def _foreign(connection: sqlite3.Connection, rows: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    numbers = sorted({number for _, number in rows if isinstance(number, int)})
    marks = ", ".join("?" * len(numbers))
    texts = f"SELECT number, document FROM entries WHERE number IN ({marks})"  # noqa: S608  question marks
    said: set[tuple[bytes, int]] = set()
    for number, document in connection.execute(texts, numbers):
        try:
            body, _ = read_document(document.decode())
        except UnicodeDecodeError:
            raise RecordBroken(f"entry {number} was changed: it is not text") from None
        said.update((tag.encode(), number) for tag in tags_of(body))
    return [row for row in rows if not (isinstance(row[0], _Text) and (bytes(row[0]), row[1]) in said)]


def _place(value: object) -> str:
    return "CAST(? AS TEXT)" if isinstance(value, _Text) else "?"
