"""SQL for the hot path: compiled once from the tables, executed on the driver's own cursor.

SQLAlchemy's execution costs 15 to 20 microseconds for each statement and the record runs seven for each batch; the text
that it compiles costs nothing once it is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import ClauseElement
from sqlalchemy.dialects import sqlite

_DIALECT = sqlite.dialect(paramstyle="qmark")


class Cursor(Protocol):
    """The part of a driver's cursor (PEP 249) that is used here."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""

    def execute(self, sql: str, parameters: tuple[Any, ...] = ..., /) -> object:
        """Run one statement."""

    def executemany(self, sql: str, rows: Sequence[tuple[Any, ...]], /) -> object:
        """Run one statement for each row."""

    def fetchone(self) -> Any:  # noqa: ANN401 - a row of whatever was selected
        """The next row or None."""

    def fetchall(self) -> list[Any]:
        """All remaining rows."""


def sql(statement: ClauseElement, *parameters: str) -> str:
    """The text of a statement whose parameters are given in this order.

    An insert names its columns in the order of the table. Raises ValueError at import when the order is another one.
    """
    compiled = statement.compile(dialect=_DIALECT, column_keys=None if not _inserts(statement) else list(parameters))
    found = tuple(getattr(compiled, "positiontup", ()) or ())
    if found != parameters:
        raise ValueError(f"the statement takes {found}, not {parameters}")
    return str(compiled)


def _inserts(statement: ClauseElement) -> bool:
    return bool(getattr(statement, "is_insert", False))
