"""The migrations make exactly the tables that the code works with, and lose nothing of what was in older ones."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from adapter.audit.admin import admin_entry
from adapter.audit.retention import BY_OFFICER, Compartment
from adapter.errors import RecordUnavailable
from adapter.store.appending import append_entries
from adapter.store.archive import read_message
from adapter.store.engine import unchecked_database
from adapter.store.erasure import Eraser
from adapter.store.kept_messages import check_messages
from adapter.store.log_reader import LogFilter, LogReader
from adapter.store.migrate import alembic_config, prepare
from adapter.store.schema import APPLICATION_ID, SCHEMA_REVISION, metadata
from tests.records import CONSUMER, NOW, RecordHome, a_claim, a_request, an_answer


def test_the_code_and_the_migrations_agree(home):
    with home.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def test_the_newest_migration_is_the_one_that_the_code_needs():
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [SCHEMA_REVISION]


def test_the_migrated_indexes_are_those_of_the_schema(home):
    connection = sqlite3.connect(home.database.path)
    made = dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"))
    connection.close()
    named = {index.name: index for table in metadata.tables.values() for index in table.indexes}
    assert made.keys() == named.keys()
    for name, index in named.items():
        partial = index.dialect_options["sqlite"]["where"] is not None
        assert ("WHERE" in made[str(name)]) == partial


@pytest.mark.parametrize("table", ["subjects", "tile_hashes", "exchanges"])
def test_tables_that_are_one_index_have_no_rows_beside_it(home, table):
    connection = sqlite3.connect(home.database.path)
    ((sql,),) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
    connection.close()
    assert "WITHOUT ROWID" in sql


def test_the_file_is_marked_as_ours(home):
    connection = sqlite3.connect(home.database.path)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_the_tables_can_be_made_elsewhere_too(table):
    """The next database is PostgreSQL; nothing in a table may be of SQLite only."""
    assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=postgresql.dialect()))


# --- what an older database held -------------------------------------------------------------------------------------

BEFORE_THIS_CHANGE = "0006"
OLDER: Mapping[str, str] = {
    "entries": "number, leaf_hash, kind, at_ms, message_id, consumer, service, outcome, incident, document",
    "subjects": "tag, number",
    "tree_head": "id, size, hashes",
    "checkpoints": "size, note",
    "exchanges": "consumer, message_id, state, content_digest, request_number, reply_number, expires_ms, owner",
    "messages": "number, direction, key_name, sealed",
    "message_keys": "day, wrapped",
}
"""What those tables had of today's columns."""
RENAMED = {"message_keys": "day_keys"}


@pytest.fixture
async def older(home: RecordHome, tmp_path: Path) -> RecordHome:
    """A database of before, with an exchange on each of three days.

    Its messages were sealed under a key for each day: as today those of no service and no purpose are.
    """
    writer = home.writer()
    await writer.start()
    for days in range(3):
        claim = a_claim()
        for write in (a_request(claim), an_answer(claim)):
            await writer.write(replace(write, entry=replace(write.entry, at=NOW + timedelta(days=days))))
    await writer.close()
    append_entries(home.database, home.log, [admin_entry("access-granted", officer="o", at=NOW, details={"n": 1})])
    path = tmp_path / "older.sqlite"
    path.touch(0o600)
    with unchecked_database(path).writing() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        command.upgrade(alembic_config(connection), BEFORE_THIS_CHANGE)
    copying = sqlite3.connect(path, isolation_level=None)
    copying.execute("ATTACH ? AS today", (str(home.database.path),))
    copying.execute("DELETE FROM tree_head")
    copying.execute("UPDATE today.message_keys SET name = day")
    copying.execute("UPDATE today.messages SET key_name = substr(key_name, 1, 10)")
    for table, columns in OLDER.items():
        before = columns.replace("key_name", "day")
        copying.execute(f"INSERT INTO {RENAMED.get(table, table)} ({before}) SELECT {columns} FROM today.{table}")
    copying.close()
    return replace(home, database=unchecked_database(path))


async def test_an_older_database_is_brought_up_to_date_with_all_that_it_held(older: RecordHome) -> None:
    older.database = prepare(f"sqlite:///{older.database.path}")
    assert older.verify().entries == 7
    assert check_messages(older.database, older.archive_key) == 6
    kept = read_message(older.database, older.archive_key, 1, "reply")
    assert kept is not None
    assert kept.octets == b"<reply/>"
    found = LogReader(older.database).search(LogFilter(official="A-1234", purpose="benefits"))
    assert [one.number for one in found] == [5, 4, 3, 2, 1, 0]
    # The key of a day that is there already seals what is written next; a purpose gets a key of its own.
    writer = older.writer("run/2")
    await writer.start()
    known = await writer.find(CONSUMER, found[-1].body["message_id"])
    assert known is not None
    assert known.reply == b"<reply/>"
    await writer.write(a_request(a_claim()))
    await writer.close()
    assert check_messages(older.database, older.archive_key) == 7


async def test_messages_of_an_older_database_are_erased_by_the_day(older: RecordHome) -> None:
    older.database = prepare(f"sqlite:///{older.database.path}")
    eraser = Eraser(older.database, older.archive_key, older.log)
    chosen = [one.compartment for one in eraser.of_day(NOW.date())]
    assert chosen == [Compartment(NOW.date().isoformat(), "", "")]
    erased = eraser.erase(chosen, why=BY_OFFICER, officer="officer", now=NOW + timedelta(days=40))
    eraser.finish()
    assert erased.messages == 2
    assert read_message(older.database, older.archive_key, 0, "request") is None
    assert check_messages(older.database, older.archive_key) == 4
    assert older.verify().entries == 8


async def test_a_day_whose_key_was_destroyed_before_stays_erased(older: RecordHome) -> None:
    """An older database had no wrapped key where one was destroyed."""
    older.change("UPDATE day_keys SET wrapped = NULL WHERE day = '2026-03-02'")
    older.database = prepare(f"sqlite:///{older.database.path}")
    assert read_message(older.database, older.archive_key, 0, "request") is None
    assert read_message(older.database, older.archive_key, 2, "request") is not None
    writer = older.writer("run/2")
    await writer.start()
    with pytest.raises(RecordUnavailable, match="erased"):
        await writer.write(a_request(a_claim()))
    await writer.close()
