"""Databases that are only read: SQLite files, and others through SQLAlchemy. Foreign errors end here."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from adapter.backends.sql_reply import Rows
from adapter.errors import ProviderSystemDown, ProviderSystemInvalid, ProviderSystemTimeout, SettingsInvalid

_READ_ONLY_TRANSACTION: Final = frozenset({"postgresql", "mysql", "mariadb", "oracle"})
_ALLOWED_IN_SQLITE: Final = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
# How many of SQLite's instructions run between two looks at the clock: some tens of microseconds.
_PROGRESS_INSTRUCTIONS: Final = 5000
_COMMENT_OR_STRING: Final = re.compile(r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"(?:[^"]|"")*\"""", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseConfig:
    """database: a SQLite file, or a SQLAlchemy address without a password. pool: connections at a time."""

    database: str
    password: str | None = field(default=None, repr=False)
    pool: int = 4
    max_rows: int = 1000


def check_query(query: str) -> None:
    """Refuse what is not one SELECT. The database refuses to write anyway; this says it early.

    Raises SettingsInvalid.
    """
    bare = _COMMENT_OR_STRING.sub(lambda found: "''" if found.group()[0] in "'\"" else " ", query).strip()
    first = bare.split(None, 1)[0].lower() if bare else ""
    if first not in ("select", "with") or ";" in bare.rstrip("; \n\t"):
        raise SettingsInvalid("a query must be one SELECT")


class ReadOnlyDatabase:
    """A bounded pool of connections that cannot write. Used from threads; every call blocks."""

    def __init__(self, config: DatabaseConfig) -> None:
        self._config = config
        self._engine = _open_engine(config)

    @contextmanager
    def reading(self, deadline: float) -> Iterator[Callable[[str, Mapping[str, object]], Rows]]:
        """A function that runs one query, within one read-only transaction.

        deadline: time.monotonic() after which a running query is stopped. Raises ProviderSystemDown,
        ProviderSystemTimeout, ProviderSystemInvalid.
        """
        try:
            with self._engine.connect() as connection, connection.begin(), _stopped_at(deadline, connection):
                yield lambda query, parameters: self._run(connection, query, parameters)
        except DBAPIError as cause:
            raise _translated(cause, late=time.monotonic() >= deadline) from None
        except SQLAlchemyError as cause:
            raise ProviderSystemDown(f"no database connection: {type(cause).__name__}") from None

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _run(self, connection: Connection, query: str, parameters: Mapping[str, object]) -> Rows:
        result = connection.execute(_statement(query), dict(parameters))
        rows = result.fetchmany(self._config.max_rows + 1)
        if len(rows) > self._config.max_rows:
            raise ProviderSystemInvalid(f"a query gave more than {self._config.max_rows} rows")
        return Rows(tuple(result.keys()), [tuple(row) for row in rows])


@contextmanager
def _stopped_at(deadline: float, connection: Connection) -> Iterator[None]:
    """One snapshot for all queries of a request, nothing written, and nothing running after the deadline."""
    dialect = connection.dialect.name
    if dialect == "sqlite":
        raw = cast("sqlite3.Connection", connection.connection.dbapi_connection)
        connection.exec_driver_sql("BEGIN")
        raw.set_progress_handler(lambda: time.monotonic() >= deadline, _PROGRESS_INSTRUCTIONS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)
        return
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    if dialect == "postgresql":
        left_ms = max(1, int((deadline - time.monotonic()) * 1000))
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {left_ms}")
    yield


@cache
def _statement(query: str) -> sqlalchemy.TextClause:
    """The query with its named parameters found; queries come from the settings, so there are few."""
    return sqlalchemy.text(query)


def _open_engine(config: DatabaseConfig) -> Engine:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": config.pool,
        "max_overflow": 0,
        "hide_parameters": True,
    }
    if "://" not in config.database:
        return _open_sqlite(Path(config.database), options)
    try:
        url = make_url(config.database)
        if config.password is not None:
            url = url.set(password=config.password)
        if url.get_backend_name() == "sqlite":
            return _open_sqlite(Path(url.database or ""), options)
        engine = sqlalchemy.create_engine(url, pool_pre_ping=True, **options)
    except (SQLAlchemyError, ImportError, ValueError) as cause:
        raise SettingsInvalid(f"the database address cannot be used: {type(cause).__name__}") from None
    if engine.dialect.name not in _READ_ONLY_TRANSACTION:
        raise SettingsInvalid(f"a {engine.dialect.name} database cannot be opened for reading only")
    return engine


def _open_sqlite(path: Path, options: dict[str, Any]) -> Engine:
    """SQLite three times over: the file opened read-only, queries only, and an authorizer that allows nothing else."""
    address = f"file:{quote(str(path.absolute()))}?mode=ro"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, check_same_thread=False, timeout=1.0)

    engine = sqlalchemy.create_engine("sqlite://", creator=connect, **options)

    def restrict(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_authorize)

    event.listen(engine, "connect", restrict)
    return engine


def _authorize(action: int, *_: object) -> int:
    if action in _ALLOWED_IN_SQLITE or action == sqlite3.SQLITE_TRANSACTION:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _translated(cause: DBAPIError, *, late: bool) -> ProviderSystemDown | ProviderSystemTimeout | ProviderSystemInvalid:
    """What a database error means. Its message may quote values, so only its kind is kept."""
    original = cause.orig
    kind = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None) or type(original).__name__
    if late or kind in ("SQLITE_INTERRUPT", "57014"):
        return ProviderSystemTimeout(f"the query was stopped when its time was over ({kind})")
    if isinstance(cause, sqlalchemy.exc.OperationalError) and kind != "SQLITE_ERROR":
        return ProviderSystemDown(f"the database cannot be read: {kind}")
    return ProviderSystemInvalid(f"the database refused a query: {kind}")
