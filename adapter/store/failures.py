"""What goes wrong with a database, in words that say what to do. The only place that knows SQLite's error codes."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from adapter.errors import RecordUnavailable, StoreUnusable

_PRIMARY_CODE: Final = 0xFF

_ADVICE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: "the database is locked by another process (a backup, an open database shell); end it or wait",
    sqlite3.SQLITE_LOCKED: "the database is locked by another connection; wait and try again",
    sqlite3.SQLITE_FULL: "the disk (or its quota) is full; free space where the database is, then try again",
    sqlite3.SQLITE_READONLY: "the database cannot be written; let the adapter's user write to it and its folder",
    sqlite3.SQLITE_PERM: "the database may not be opened; let the adapter's user read and write it and its folder",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened; check that it and its folder exist and may be accessed",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; stop the adapter, keep the file, and restore the last backup",
    sqlite3.SQLITE_NOTADB: "the file is not a database; put the right file in its place or restore the last backup",
    sqlite3.SQLITE_IOERR: "the disk failed while the database was read or written; check the disk and its free space",
    sqlite3.SQLITE_NOMEM: "there is not enough memory for the database",
    sqlite3.SQLITE_TOOBIG: "a message is larger than the database can hold",
}


def advice(error: Exception) -> str:
    """One sentence about a database error: what is wrong and what to do. Never a value from the database."""
    cause: BaseException = error
    if isinstance(error, DBAPIError) and error.orig is not None:
        cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        if code is None:
            return f"the database refused an operation ({type(cause).__name__})"
        name = getattr(cause, "sqlite_errorname", "")
        if code & _PRIMARY_CODE in _ADVICE:
            return f"{_ADVICE[code & _PRIMARY_CODE]} ({name})"
        return f"the database refused an operation ({name}); its tables may be of another version"
    if isinstance(cause, OSError):
        if cause.errno in {errno.ENOSPC, errno.EDQUOT}:
            return _ADVICE[sqlite3.SQLITE_FULL]
        return f"the store's files cannot be used: {cause.strerror}"
    return f"the database could not be used ({type(cause).__name__})"


@contextmanager
def translated(kind: type[StoreUnusable | RecordUnavailable]) -> Iterator[None]:
    """Turn the errors of SQLite, SQLAlchemy and files that come out of the block into our own."""
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        raise kind(advice(error)) from error
