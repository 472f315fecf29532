"""Search indexes that were changed, emptied or taken away are made again, and are then what they were to the octet."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import AdapterError, RecordBroken, StoreUnusable
from adapter.store import log_reader, reindexing
from adapter.store.appending import append_entries
from adapter.store.engine import unchecked_database
from adapter.store.log_reader import LogFilter
from adapter.store.migrate import prepare
from adapter.store.reindexing import (
    Looked,
    MendedSubjects,
    look_at_indexes,
    make_index_again,
    mend_subjects,
    mend_values,
    wrong_indexes,
)
from tests.records import ORIGIN, RecordHome, an_entry

SIZE = 90
COLUMNS = ("kind", "at_ms", "message_id", "consumer", "service", "outcome", "incident", "official", "purpose")
INDEXES = tuple(sorted(f"entries_{name}" for name in COLUMNS if name != "outcome"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> RecordHome:
    """Ninety entries, each about two of ten persons; a tenth of them are refusals with an incident."""
    home = RecordHome.make(tmp_path_factory.mktemp("original"))
    for batch in range(0, SIZE, 30):
        append_entries(home.database, home.log, [_entry(number) for number in range(batch, batch + 30)])
    home.change("PRAGMA wal_checkpoint(TRUNCATE)")
    return home


def _entry(number: int) -> Any:
    made = an_entry(f"urn:uuid:{number:04d}", subjects=(f"person-{number % 10}", f"person-{number * 7 % 10 + 10}"))
    if number % 10:
        return made
    refused: dict[str, Any] = {"kind": "refused", "outcome": "AccessDenied", "incident": f"{number:012x}"}
    return replace(made, body=made.body | refused, **refused)


@pytest.fixture
def home(original: RecordHome, tmp_path: Path) -> RecordHome:
    shutil.copy(original.database.path, tmp_path / "adapter.sqlite")
    return replace(original, database=prepare(f"sqlite:///{tmp_path / 'adapter.sqlite'}"))


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindexing, "_AT_ONCE", 7)
    monkeypatch.setattr(log_reader, "_PAGE_ROWS", 7)


def content(home: RecordHome) -> tuple[list[Any], list[Any], list[Any]]:
    """Everything that is searched by."""
    with closing(sqlite3.connect(home.database.path)) as connection:
        connection.text_factory = bytes
        values = connection.execute(f"SELECT number, {', '.join(COLUMNS)} FROM entries ORDER BY number").fetchall()
        tags = connection.execute("SELECT tag, number, typeof(tag) FROM subjects ORDER BY tag, number").fetchall()
        made = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [(b"ok",)]
    return values, tags, made


def look(home: RecordHome) -> Looked:
    return look_at_indexes(home.database, origin=ORIGIN, verifiers=home.verifiers)


def mend(home: RecordHome) -> tuple[Looked, MendedSubjects | None]:
    """What `adapter log reindex` does, without its entry."""
    looked = look(home)
    for name in looked.indexes:
        make_index_again(home.database, name)
    mend_values(home.database, looked.values, lambda done, total: None)
    mended = mend_subjects(home.database, lambda done, total: None) if looked.are_subjects_wrong else None
    return looked, mended


def test_there_is_nothing_to_mend_where_nothing_was_changed(home: RecordHome) -> None:
    looked = look(home)
    assert looked.is_all_well
    assert (looked.record.entries, looked.values, looked.indexes) == (SIZE, (), ())
    before = content(home)
    assert mend_subjects(home.database, lambda done, total: None) == MendedSubjects(missing=0, foreign=0)
    assert content(home) == before


# --- search values ---------------------------------------------------------------------------------------------------


VALUES = ("NULL", "'x'", "x'ff'", "CAST(x'ff' AS TEXT)", "17")
NEVER_NULL = ("kind", "at_ms")


@pytest.mark.parametrize(
    ("column", "value"),
    [(one, value) for one in COLUMNS for value in VALUES if value != "NULL" or one not in NEVER_NULL],
)
def test_search_values_follow_the_text(home: RecordHome, column: str, value: str) -> None:
    before = content(home)
    home.change(f"UPDATE entries SET {column} = {value} WHERE number IN (10, 20, 50)")
    looked, _ = mend(home)
    assert looked.values == (10, 20, 50)
    assert (looked.are_subjects_wrong, looked.indexes) == (False, ())
    assert content(home) == before
    home.verify()


# --- the index of subjects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "missing", "foreign"),
    [
        ("DELETE FROM subjects WHERE tag = 'person-3'", 9, 0),
        ("DELETE FROM subjects", 2 * SIZE, 0),
        ("DROP TABLE subjects", 2 * SIZE, 0),
        ("INSERT INTO subjects VALUES ('person-3', 4)", 0, 1),
        ("INSERT INTO subjects VALUES ('nobody', 4), ('nobody', 5), ('zz', 6)", 0, 3),
        ("INSERT INTO subjects SELECT 'nobody', number FROM entries", 0, SIZE),
        ("UPDATE subjects SET tag = 'person-4' WHERE tag = 'person-3' AND number = 13", 1, 1),
        ("UPDATE subjects SET number = 7000000000 WHERE number = 13", 2, 2),
        ("UPDATE subjects SET number = -1 WHERE number = 13", 2, 2),
        ("UPDATE subjects SET number = 'thirteen' WHERE number = 13", 2, 2),
        ("UPDATE subjects SET tag = CAST(tag AS BLOB) WHERE number = 13", 2, 2),
        ("UPDATE subjects SET tag = CAST(x'ff' || tag AS TEXT) WHERE number < 40", 80, 80),
        ("UPDATE subjects SET tag = CAST(tag || x'00' AS TEXT) WHERE number < 40", 80, 80),
    ],
)
def test_the_index_of_subjects_lists_what_the_entries_say(
    home: RecordHome, change: str, missing: int, foreign: int
) -> None:
    before = content(home)
    home.change(change)
    with pytest.raises(AdapterError, match="tables may be of" if "DROP" in change else "the index of subjects was"):
        home.verify()
    looked, mended = mend(home)
    assert (looked.are_subjects_wrong, looked.values, looked.indexes) == (True, (), ())
    assert mended == MendedSubjects(missing=missing, foreign=foreign)
    assert content(home)[:2] == before[:2]
    home.verify()
    assert look(home).is_all_well


def test_a_row_of_an_entry_that_is_yet_to_come_is_taken_out(home: RecordHome) -> None:
    """Else that entry could not be written."""
    home.change("INSERT INTO subjects VALUES ('person-1', ?)", SIZE)
    home.change("DELETE FROM subjects WHERE number = 3")
    with pytest.raises(StoreUnusable):
        append_entries(home.database, home.log, [an_entry(subjects=("person-1",))])
    _, mended = mend(home)
    assert mended == MendedSubjects(missing=2, foreign=1)
    append_entries(home.database, home.log, [an_entry(subjects=("person-1",))])
    home.verify()


def test_what_was_cut_off_is_gone_on_with(home: RecordHome) -> None:
    before = content(home)
    home.change("DELETE FROM subjects WHERE number % 3 = 0")
    home.change("INSERT INTO subjects SELECT 'nobody', number FROM entries")
    calls: Iterator[int] = iter(range(5))

    def cut_off(_done: int, _total: int) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mend_subjects(home.database, cut_off)
    assert look(home).are_subjects_wrong
    _, mended = mend(home)
    assert mended is not None
    assert 0 < mended.missing < 2 * SIZE // 3
    assert mended.foreign == SIZE
    assert content(home) == before


def test_an_adapter_may_go_on_writing_meanwhile(home: RecordHome) -> None:
    home.change("DELETE FROM subjects")
    stop, written = threading.Event(), [0]

    def write() -> None:
        while not stop.is_set():
            append_entries(home.database, home.log, [an_entry(subjects=("somebody", "else"))])
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while written[0] < 2:
            pass
        mend(home)
    finally:
        stop.set()
        writer.join()
    assert home.verify().entries == SIZE + written[0]
    assert look(home).is_all_well


# --- the database's own indexes --------------------------------------------------------------------------------------


def spoil(home: RecordHome, name: str, how: str) -> None:
    """Taken away; made over fewer entries; or the same, and the schema says that it is over all."""
    with closing(sqlite3.connect(home.database.path, isolation_level=None)) as connection:
        (said,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
        connection.execute(f"DROP INDEX {name}")
        if how == "gone":
            return
        column = said.partition("(")[2].partition(")")[0]
        connection.execute(f"CREATE INDEX {name} ON entries ({column}) WHERE kind = 'refused' AND number > 30")
        if how == "hidden":
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (said, name))


@pytest.mark.parametrize("how", ["gone", "of fewer", "hidden"])
@pytest.mark.parametrize("name", INDEXES)
def test_an_index_of_the_database_is_made_again(home: RecordHome, name: str, how: str) -> None:
    before = content(home)
    spoil(home, name, how)
    looked, _ = mend(home)
    assert looked.indexes == (name,)
    assert (looked.values, looked.are_subjects_wrong) == ((), False)
    assert content(home) == before
    assert wrong_indexes(home.database) == ()


def test_a_search_finds_again_what_it_missed(home: RecordHome) -> None:
    wanted = LogFilter(incident=f"{20:012x}")
    assert [one.number for one in home.reader.search(wanted)] == [20]
    spoil(home, "entries_incident", "hidden")
    assert home.reader.search(wanted) == []
    mend(home)
    assert [one.number for one in home.reader.search(wanted)] == [20]


def test_where_an_index_is_not_all_that_is_damaged_nothing_is_made(
    home: RecordHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "_INDEXES", {})
    spoil(home, "entries_incident", "hidden")
    with pytest.raises(StoreUnusable, match="restore the last backup"):
        look(home)


# --- all at once, and the entries themselves -------------------------------------------------------------------------


def test_any_damage_to_all_of_it_is_mended(home: RecordHome) -> None:
    before = content(home)
    for seed in range(25):
        source = random.Random(seed)
        for column in source.sample(COLUMNS, 3):
            number = source.randrange(SIZE)
            home.change(f"UPDATE entries SET {column} = ? WHERE number = ?", source.choice(["17", 0, b"\xfe"]), number)
        home.change("DELETE FROM subjects WHERE number % ? = 0", source.randrange(1, 9))
        home.change("INSERT OR IGNORE INTO subjects VALUES (?, ?)", source.randbytes(3).hex(), source.randrange(200))
        for name in source.sample(INDEXES, 2):
            spoil(home, name, source.choice(["gone", "of fewer", "hidden"]))
        mend(home)
        assert content(home) == before, seed
    home.verify()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE entries SET document = replace(document, 'benefits', 'pensions') WHERE number = 8", "entry 8"),
        ("UPDATE entries SET leaf_hash = zeroblob(32) WHERE number = 8", "entry 8"),
        ("DELETE FROM entries WHERE number = 8", "entry 8 is missing"),
        ("UPDATE checkpoints SET note = replace(note, 'A', 'B') WHERE size = 60", "checkpoint"),
        ("UPDATE tree_head SET hashes = zeroblob(length(hashes))", "tree head"),
    ],
)
def test_no_index_is_made_from_entries_that_are_not_what_was_signed(home: RecordHome, change: str, said: str) -> None:
    home.change("DELETE FROM subjects")
    home.change("UPDATE entries SET official = 'x' WHERE number = 20")
    home.change(change)
    with pytest.raises(RecordBroken, match=said):
        look(home)
    with unchecked_database(home.database.path).reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM subjects").scalar_one() == 0
