"""Opening the database: connections that are durable, and a check that the file is ours, whole and of this version."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, QueuePool

from adapter.errors import StoreUnusable
from adapter.store.failures import translated
from adapter.store.schema import APPLICATION_ID, SCHEMA_REVISION

LOCK_TIMEOUT_S: Final = 10.0
CHECKED_AT_OPEN_BYTES: Final = 256 * 1024 * 1024
"""A larger database is not read through at every start; `Database.check_integrity` does it when asked."""

_CACHE_KIB: Final = 32 * 1024
_KEPT_CONNECTIONS: Final = 2
_CHECKPOINT_PAGES: Final = 4_096
"""The write-ahead log is copied into the database after this many pages (16 MiB): most pages are then copied once."""


@dataclass(frozen=True, slots=True)
class Database:
    """One SQLite file. Connections are opened where they are used; one that a worker keeps serves one thread at a time.

    None crosses a fork.
    """

    path: Path
    engine: Engine = field(repr=False)
    lock_timeout_s: float = LOCK_TIMEOUT_S

    def connect(self) -> sqlite3.Connection:
        """A bare connection for a hot path, in autocommit mode: BEGIN and COMMIT are written out by its user.

        Raises sqlite3.Error; the user translates.
        """
        return connect(self.path, lock_timeout_s=self.lock_timeout_s)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of what is committed. Raises StoreUnusable."""
        with translated(StoreUnusable), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def reading_as_stored(self) -> Iterator[Connection]:
        """The same for whoever judges what is stored: text that is no UTF-8 comes with surrogates, not as an error."""
        with self.reading() as connection:
            driver = connection.connection.driver_connection
            if not isinstance(driver, sqlite3.Connection):
                yield connection
                return
            driver.text_factory = text_as_stored
            try:
                yield connection
            finally:
                driver.text_factory = str

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its start; committed at the end, durably. StoreUnusable."""
        with translated(StoreUnusable), self.engine.connect() as connection:
            connection.execution_options(begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close the connections that were kept, so that the last one of all copies the write-ahead log back."""
        self.engine.dispose()

    def check_integrity(self) -> None:
        """Read the whole file and check its structure. Takes seconds per gigabyte. Raises StoreUnusable."""
        with self.reading() as connection:
            finding = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if finding != "ok":
            raise StoreUnusable("the database is damaged; stop the adapter, keep the file, and restore the last backup")


def text_as_stored(octets: bytes) -> str:
    """For `sqlite3.Connection.text_factory`: a changed octet may have made text something that is no UTF-8."""
    return octets.decode(errors="surrogateescape")


def connect(path: Path, *, lock_timeout_s: float) -> sqlite3.Connection:
    """A connection to an existing file whose commits are on disk when they return. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=lock_timeout_s,
        cached_statements=256,
        check_same_thread=False,
    )
    try:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
            "secure_delete = ON",  # what is erased (store.erasure) is overwritten, and so is what moves within the file
            f"cache_size = -{_CACHE_KIB}",
            f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def database_path(url: str) -> Path:
    """The file that an `sqlite:///…` address names. Raises StoreUnusable for any other address."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreUnusable("the database's address is malformed; write sqlite:///data/adapter.sqlite") from None
    if parsed.drivername not in {"sqlite", "sqlite+pysqlite"} or not parsed.database or parsed.query:
        raise StoreUnusable("the database's address must name an SQLite file: write sqlite:///data/adapter.sqlite")
    return Path(parsed.database)


def unchecked_database(
    path: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S, keeps_connections: bool = False
) -> Database:
    """The database in a file of which nothing is known yet: for making it, upgrading it, and for `open_database`.

    SQLAlchemy runs over `connect`, with the transactions that are asked for and no others.
    """

    def opened() -> sqlite3.Connection:
        return connect(path, lock_timeout_s=lock_timeout_s)

    if keeps_connections:
        # As many at a time as there is work for; the first few stay open.
        engine = create_engine(
            "sqlite://", creator=opened, poolclass=QueuePool, pool_size=_KEPT_CONNECTIONS, max_overflow=-1
        )
        _leave_what_was_replaced(engine, path)
    else:
        engine = create_engine("sqlite://", creator=opened, poolclass=NullPool)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return Database(path, engine, lock_timeout_s)


def _leave_what_was_replaced(engine: Engine, path: Path) -> None:
    """A kept connection goes on reading a file that was deleted or replaced: it is given up, and another one opened."""

    @event.listens_for(engine, "connect")
    def _note(_driver: sqlite3.Connection, kept: ConnectionPoolEntry) -> None:
        kept.info["file"] = _identity(path)

    @event.listens_for(engine, "checkout")
    def _look(_driver: sqlite3.Connection, kept: ConnectionPoolEntry, _handed_out: object) -> None:
        if kept.info["file"] != _identity(path):
            raise DisconnectionError


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file that is: its device and number there; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_database(url: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S, keeps_connections: bool = False) -> Database:
    """Open what `migrate.prepare` made, and check it. Raises StoreUnusable with a sentence that says what to do.

    lock_timeout_s: how long a write waits for others that write, and then fails. keeps_connections: for a process that
    reads all the time, and closes the database in the end; to open one takes ten times as long as a short question.
    """
    path = database_path(url)
    if not path.is_file():
        raise StoreUnusable(f"there is no database at {path}; run `adapter init`, or restore the last backup")
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreUnusable(f"{path} can be written by others, who could change the record; run: chmod 600 {path}")
    database = unchecked_database(path, lock_timeout_s=lock_timeout_s, keeps_connections=keeps_connections)
    with database.reading() as connection:
        check_identity(connection)
        known = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema WHERE name = 'alembic_version'")
        version = known.scalar_one() and connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if version != SCHEMA_REVISION:
        raise StoreUnusable(
            f"the database has version {version or 'none'} and this program needs {SCHEMA_REVISION}; "
            "run `adapter init` again to bring it up to date, or use the program that it belongs to"
        )
    if path.stat().st_size <= CHECKED_AT_OPEN_BYTES:
        database.check_integrity()
    return database


def check_identity(connection: Connection) -> None:
    """Refuse a database that another program made. An empty file is nobody's. Raises StoreUnusable."""
    application_id = connection.exec_driver_sql("PRAGMA application_id").scalar_one()
    tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    if application_id != APPLICATION_ID and (application_id or tables):
        raise StoreUnusable("the database belongs to another program; name another file in the settings")
