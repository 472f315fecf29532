"""`adapter log reindex` over a real record: what it says, what it enters, and that searches find again."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from adapter.audit.search_indexes import SEARCH_INDEXES_REBUILT
from adapter.store.engine import open_database
from tests.unit.cli import record_scene
from tests.unit.cli.dialogue import Run
from tests.unit.cli.record_scene import settings_of

BY_SUBJECT = ("log", "list", "--settings", "register", "--subject-file", "person", "--json")
REINDEX = ("log", "reindex", "--settings", "register", "--officer", "r.officer")
VERIFY = ("log", "verify", "--settings", "register")


@pytest.fixture
def record(place: Path) -> Path:
    return record_scene.build(place)


def change(record: Path, *statements: str) -> None:
    """What somebody with access to the database file could do."""
    with closing(open_database(settings_of(record / "register").database_url).connect()) as connection:
        for statement in statements:
            connection.execute(statement)


def found(run: Run) -> list[int]:
    return [one["record"] for one in json.loads(run(*BY_SUBJECT).out)]


def test_what_was_taken_from_the_indexes_is_found_again_and_entered(run: Run, record: Path) -> None:
    before = found(run)
    assert len(before) == 3
    change(
        record,
        "DELETE FROM subjects WHERE number = 2",
        "INSERT INTO subjects VALUES ('nobody', 3)",
        "UPDATE entries SET outcome = 'released' WHERE number = 6",
        "DROP INDEX entries_incident",
    )
    assert found(run) != before
    assert run(*VERIFY).code == 6
    done = run(*REINDEX, "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "entries": 8,
        "mended": True,
        "values": 1,
        "subjects": {"wrong": True, "missing": 1, "foreign": 1},
        "indexes": ["entries_incident"],
        "record": 8,
    }
    assert found(run) == before
    assert run(*VERIFY).code == 0
    shown = json.loads(run("log", "show", "8", "--settings", "register", "--json").out)["entry"]
    assert (shown["outcome"], shown["officer"]) == (SEARCH_INDEXES_REBUILT, "r.officer")
    assert shown["details"] == {"values": 1, "subjects": True, "indexes": ["entries_incident"], "entries": 8}


def test_what_was_found_is_said_in_words(run: Run, record: Path) -> None:
    change(
        record,
        "DROP TABLE subjects",
        "UPDATE entries SET purpose = 'x' WHERE number IN (0, 2)",
        "DROP INDEX entries_kind",
        "DROP INDEX entries_at_ms",
    )
    done = run(*REINDEX)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "Mended: the search indexes are what 8 entries say",
        "Entries whose search values were not those of their text: 2",
        "Index of subjects: 4 missing, 0 that no entry says",
        "Made again: entries_at_ms, entries_kind",
        "Searches may have missed entries before. Entry 8 says what was found.",
    ]
    again = run(*REINDEX)
    assert again.out.splitlines() == ["Nothing to mend: the search indexes are what 9 entries say"]


def test_verify_names_an_index_that_misses_entries(run: Run, record: Path) -> None:
    change(record, "DROP INDEX entries_purpose", "CREATE INDEX entries_purpose ON entries (purpose) WHERE number > 3")
    done = run(*VERIFY)
    assert (done.code, done.out) == (6, "")
    assert "these indexes are missing or damaged: entries_purpose; `adapter log reindex` makes them again" in done.err
    assert run(*REINDEX).code == 0
    assert run(*VERIFY).code == 0


def test_where_there_is_nothing_to_mend_nothing_is_entered(run: Run, record: Path) -> None:
    said = json.loads(run(*REINDEX, "--json").out)
    assert (said["mended"], said["record"], said["entries"]) == (False, None, 8)
    assert json.loads(run(*REINDEX, "--json").out)["entries"] == 8


def test_of_a_record_that_was_changed_itself_nothing_is_made(run: Run, record: Path) -> None:
    change(
        record,
        "DELETE FROM subjects",
        "UPDATE entries SET document = replace(document, 'benefit', 'pension') WHERE number = 2",
    )
    done = run(*REINDEX)
    assert (done.code, done.out) == (6, "")
    assert "entry 2 was changed: its text and its hash do not fit" in done.err
    assert found(run) == []
    with open_database(settings_of(record / "register").database_url).reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM entries").scalar_one() == 8


def test_another_records_key_is_no_judge(run: Run, record: Path) -> None:
    assert run("witness", "init", "w", "--name", "w.example").code == 0
    done = run(*REINDEX, "--vkey", "w/witness.vkey")
    assert (done.code != 0, done.out) == (True, "")
