"""Cosignatures of neutral witnesses beside the checkpoints that they are over, and alarms about what a witness holds.

Adding a cosignature touches nothing of the record itself. An alarm is an entry of the record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.dialects.sqlite import insert

from adapter.audit.document import moment
from adapter.crypto.cosignature import Cosignature
from adapter.errors import RecordBroken
from adapter.identifiers import RecordNumber
from adapter.store.alarms import OF_WITNESSES, Alarm, Alarms, raise_alarm
from adapter.store.appending import Log
from adapter.store.engine import Database
from adapter.store.schema import checkpoints, cosignatures, entries, tree_head

_PAGE_ROWS: Final = 1_000
_table = cosignatures.c


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredCosignature:
    """A cosignature as it is kept. note: of the checkpoint of that size as it is stored now; None: there is none."""

    size: int
    vkey: str
    at: datetime
    line: str
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CosignedNote:
    """A checkpoint with the lines of those who cosigned it: one note (C2SP) of the log and its witnesses."""

    size: int
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WitnessState:
    """How far the record is witnessed, at one instant.

    size: entries there are. witnessed: how many of them are in a checkpoint with enough cosignatures. waiting_since:
    when the first of the others was made.
    """

    size: int
    witnessed: int
    waiting_since: datetime | None


class Cosignatures:
    """The cosignatures over one record. For any thread; each method raises StoreUnusable; RecordBroken: no time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, size: int, vkey: str, cosignature: Cosignature) -> None:
        """Keep one that was verified, durably. A witness that cosigns a size again is kept as it was first."""
        row = {"size": size, "vkey": vkey, "at_s": int(cosignature.at.timestamp()), "line": cosignature.line}
        with self._database.writing() as connection:
            connection.execute(insert(cosignatures).values(row).on_conflict_do_nothing())

    def newest_of(self, vkey: str) -> StoredCosignature | None:
        """Over the most entries by this witness; None: it has cosigned nothing yet."""
        newest = _stored().where(_table.vkey == vkey).order_by(_table.size.desc()).limit(1)
        with self._database.reading() as connection:
            return next(_read(connection, newest), None)

    def state(self, vkeys: Collection[str], threshold: int) -> WitnessState:
        """How far the record is witnessed by enough of these witnesses."""
        enough = _enough(vkeys, threshold).order_by(_table.size.desc()).limit(1)
        with self._database.reading() as connection:
            witnessed = connection.execute(enough).scalar() or 0
            first = connection.execute(select(entries.c.at_ms).where(entries.c.number == witnessed)).scalar()
            return WitnessState(
                size=connection.execute(select(tree_head.c.size)).scalar() or 0,
                witnessed=witnessed,
                waiting_since=None if first is None else moment(first),
            )

    def cosigned(self, size: int) -> CosignedNote | None:
        """The checkpoint of this size with every cosignature that is kept; None: nobody cosigned it, or it is none."""
        of_size = _stored().where(_table.size == size).order_by(_table.at_s, _table.vkey)
        with self._database.reading() as connection:
            found = list(_read(connection, of_size))
        if not found or found[0].note is None:
            return None
        return CosignedNote(size=size, note=found[0].note + "".join(one.line for one in found))

    def covering(self, number: int, vkeys: Collection[str], threshold: int) -> CosignedNote | None:
        """The oldest checkpoint with an entry that enough of these witnesses cosigned: it proves the most."""
        first = _enough(vkeys, threshold).where(_table.size > number).order_by(_table.size).limit(1)
        with self._database.reading() as connection:
            size = connection.execute(first).scalar()
        return None if size is None else self.cosigned(size)

    def newest_witnessed(self, vkeys: Collection[str], threshold: int) -> CosignedNote | None:
        """The newest checkpoint that enough of these witnesses cosigned."""
        witnessed = self.state(vkeys, threshold).witnessed
        return self.cosigned(witnessed) if witnessed else None

    def around(self, number: int) -> list[StoredCosignature]:
        """The newest one over a checkpoint without an entry and the oldest over one with it, where there are such."""
        below = _stored().where(_table.size <= number).order_by(_table.size.desc(), _table.at_s.desc()).limit(1)
        above = _stored().where(_table.size > number).order_by(_table.size, _table.at_s).limit(1)
        with self._database.reading() as connection:
            return [found for one in (below, above) for found in _read(connection, one)]

    def all(self) -> Iterator[StoredCosignature]:
        """Every cosignature as it is stored, by size, in pages: also of a size that no record has."""
        beyond: tuple[ColumnElement[bool], ...] = ()
        while True:
            sizes = select(_table.size).where(*beyond).distinct().order_by(_table.size).limit(_PAGE_ROWS)
            with self._database.reading_as_stored() as connection:
                page = connection.execute(sizes).scalars().all()
                if not page:
                    return
                within = _stored().where(*beyond, _table.size <= page[-1]).order_by(_table.size)
                rows = list(_read(connection, within))
            yield from rows
            beyond = (_table.size > page[-1],)

    # --- alarms ------------------------------------------------------------------------------------------------------

    def raise_alarm(
        self, log: Log, kind: str, witness: str, details: Mapping[str, Any], now: datetime
    ) -> RecordNumber | None:
        """Enter an alarm. witness: its name in the directory. None: one of this kind is open for it.

        Raises RecordBroken.
        """
        with self._database.writing() as connection:
            return raise_alarm(connection, log, kind, {"witness": witness, **details}, now)

    def open_alarms(self) -> list[Alarm]:
        """The alarms about what a witness holds that nobody closed, oldest first."""
        return Alarms(self._database, OF_WITNESSES).open()


def _stored() -> Select[Any]:
    return select(_table.size, _table.vkey, _table.at_s, _table.line, checkpoints.c.note).select_from(
        cosignatures.outerjoin(checkpoints, checkpoints.c.size == _table.size)
    )


def _read(connection: Connection, statement: Select[Any]) -> Iterator[StoredCosignature]:
    for row in connection.execute(statement):
        try:
            at = datetime.fromtimestamp(row.at_s, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            raise RecordBroken(f"the cosignature over {row.size} entries is kept under a time that cannot be") from None
        yield StoredCosignature(size=row.size, vkey=row.vkey, at=at, line=row.line, note=row.note)


def _enough(vkeys: Collection[str], threshold: int) -> Select[Any]:
    """Sizes that as many of these witnesses cosigned. Ordered by size it stops at the first."""
    wanted: Sequence[str] = sorted(set(vkeys))
    return select(_table.size).where(_table.vkey.in_(wanted)).group_by(_table.size).having(func.count() >= threshold)
