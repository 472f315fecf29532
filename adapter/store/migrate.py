"""Making the database and bringing it up to date (Alembic; the migrations are packaged beside this file)."""

from __future__ import annotations

import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import Connection

from adapter.errors import StoreUnusable
from adapter.store.engine import Database, check_identity, database_path, open_database, unchecked_database
from adapter.store.failures import translated
from adapter.store.schema import APPLICATION_ID

_OWNER_ONLY = 0o600


def prepare(url: str) -> Database:
    """Make the database if there is none, upgrade it to this program's version, and open it. Raises StoreUnusable."""
    path = database_path(url)
    with translated(StoreUnusable):
        path.parent.mkdir(parents=True, exist_ok=True)
        # The files that SQLite puts beside the database take its permissions.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _OWNER_ONLY))
    with unchecked_database(path).writing() as connection:
        check_identity(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        _upgrade(connection)
    return open_database(url)


def alembic_config(connection: Connection | None = None) -> Config:
    """Where the migrations are, and the connection that they run on."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise StoreUnusable("the database was made by a newer version of this program; install that one") from error
