"""The migrations make exactly the tables that the code works with."""

import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from adapter.store.migrate import alembic_config
from adapter.store.schema import APPLICATION_ID, SCHEMA_REVISION, metadata


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
