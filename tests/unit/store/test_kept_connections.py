"""A worker's database keeps connections open: no question sees a file that was replaced, nor what another one set."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text

from adapter.errors import StoreUnusable
from adapter.store.engine import Database, open_database
from adapter.store.migrate import prepare


def driver_of(database: Database) -> object:
    with database.reading() as connection:
        return connection.connection.driver_connection


@pytest.fixture
def path(tmp_path: Path) -> Path:
    prepare(f"sqlite:///{tmp_path / 'a.sqlite'}")
    return tmp_path / "a.sqlite"


@pytest.fixture
def database(path: Path) -> Database:
    return open_database(f"sqlite:///{path}", keeps_connections=True)


def version_in(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(text("SELECT version FROM policy")).scalar_one())


def test_the_next_question_is_asked_over_the_same_connection(database: Database, path: Path) -> None:
    assert driver_of(database) is driver_of(database)
    other = open_database(f"sqlite:///{path}")
    assert driver_of(other) is not driver_of(other)


def test_what_others_committed_is_seen(database: Database, path: Path) -> None:
    before = version_in(database)
    with open_database(f"sqlite:///{path}").writing() as connection:
        connection.execute(text("UPDATE policy SET version = version + 1"))
    assert version_in(database) == before + 1


def test_two_at_a_time_have_a_connection_each(database: Database) -> None:
    with database.reading() as one, database.reading() as other:
        assert one.connection.driver_connection is not other.connection.driver_connection


def test_a_file_that_was_put_in_its_place_is_read_and_not_the_old_one(database: Database, path: Path) -> None:
    before = version_in(database)
    database.close()  # the write-ahead log is copied back, so that the file alone is all of it
    shutil.copy(path, path.with_name("copy.sqlite"))
    version_in(database)
    with open_database(f"sqlite:///{path.with_name('copy.sqlite')}").writing() as connection:
        connection.execute(text("UPDATE policy SET version = version + 7"))
    path.with_name("copy.sqlite").replace(path)
    assert version_in(database) == before + 7


def test_a_file_that_is_gone_is_said_to_be(database: Database, path: Path) -> None:
    driver_of(database)
    path.unlink()
    with pytest.raises(StoreUnusable):
        version_in(database)


def test_how_text_is_read_is_as_before_after_it_was_read_as_stored(database: Database) -> None:
    with database.reading_as_stored() as connection:
        assert connection.execute(text("SELECT CAST(x'ff' AS TEXT)")).scalar_one() == "\udcff"
    with pytest.raises(StoreUnusable), database.reading() as connection:
        connection.execute(text("SELECT CAST(x'ff' AS TEXT)")).scalar_one()


def test_a_closed_database_leaves_one_file(database: Database, path: Path) -> None:
    version_in(database)
    assert path.with_name("a.sqlite-wal").exists()
    database.close()
    assert [found.name for found in path.parent.iterdir()] == ["a.sqlite"]
