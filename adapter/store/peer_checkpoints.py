"""What other members showed of their records: kept with the entry of the message, judged later (app.record_watch)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from adapter.audit.document import milliseconds, moment
from adapter.audit.peer_checkpoints import TRANSITIONS, Fork, ShownState
from adapter.errors import InternalError
from adapter.identifiers import MemberId, RecordNumber
from adapter.ports import Shown
from adapter.store.alarms import FORGED, FORKED, OF_MEMBERS, Alarm, Alarms, raise_alarm
from adapter.store.appending import Log
from adapter.store.engine import Database
from adapter.store.schema import peer_checkpoints
from adapter.store.statements import Cursor, sql

MAX_PENDING: Final = 1_000
"""Of one member. A peer that proves nothing for long is kept by fewer: every second one between first and last goes."""

_table = peer_checkpoints.c
_KEEP: Final = sql(
    insert(peer_checkpoints)
    .values({name: bindparam(name) for name in ("member", "size", "root", "note", "seen_ms", "state")})
    .on_conflict_do_nothing(),
    *("member", "size", "root", "note", "seen_ms", "state"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptCheckpoint:
    """A checkpoint that a member showed, as it is kept."""

    shown: Shown
    seen: datetime
    state: ShownState


def keep_shown(cursor: Cursor, *seen: tuple[Shown, datetime]) -> None:
    """Keep what messages showed, and when, in the transaction of their entries. What is known already stays."""
    pending = ShownState.PENDING.value
    rows = [(str(one.member), one.size, one.root, one.note, milliseconds(at), pending) for one, at in seen]
    cursor.executemany(_KEEP, rows)


class PeerCheckpoints:
    """The kept checkpoints. For any thread; every method raises StoreUnusable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self) -> list[MemberId]:
        """Of whom there are checkpoints that nobody has judged yet."""
        pending = select(_table.member).where(_table.state == ShownState.PENDING.value).distinct()
        with self._database.reading() as connection:
            return [MemberId.parse(row[0]) for row in connection.execute(pending)]

    def of(self, member: MemberId, *states: ShownState, limit: int) -> list[KeptCheckpoint]:
        """The kept ones of a member in these states, by size."""
        wanted = [state.value for state in states]
        found = (
            select(_table.size, _table.root, _table.note, _table.seen_ms, _table.state)
            .where(_table.member == str(member), _table.state.in_(wanted))
            .order_by(_table.size)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [
                KeptCheckpoint(
                    shown=Shown(member=member, size=row.size, root=row.root, note=row.note),
                    seen=moment(row.seen_ms),
                    state=ShownState(row.state),
                )
                for row in connection.execute(found)
            ]

    def newest(self, member: MemberId) -> KeptCheckpoint | None:
        """The largest of a member that fits what was there before; None when there is none."""
        fitting = select(func.max(_table.size)).where(
            _table.member == str(member), _table.state == ShownState.FITS.value
        )
        with self._database.reading() as connection:
            size = connection.execute(fitting).scalar()
        kept = [] if size is None else self.of(member, ShownState.FITS, limit=-1)
        return kept[-1] if kept else None

    def counts(self) -> dict[str, int]:
        """How many there are, by state."""
        counted = select(_table.state, func.count()).group_by(_table.state)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    # --- judging -----------------------------------------------------------------------------------------------------

    def settle(self, newest: Shown, fitting: Iterable[KeptCheckpoint], now: datetime) -> None:
        """These are contained in the newest, which is kept; of the others the newest of each day stays."""
        days: dict[object, Shown] = {}
        known = sorted(fitting, key=lambda kept: kept.shown.size)
        for kept in known:
            days[kept.seen.date()] = kept.shown
        days.pop(now.date(), None)
        stay = {(shown.size, shown.root) for shown in days.values()} | {(newest.size, newest.root)}
        with self._database.writing() as connection:
            for kept in known:
                where = _row(kept.shown)
                if (kept.shown.size, kept.shown.root) in stay:
                    _move(connection, kept, ShownState.FITS)
                else:
                    connection.execute(delete(peer_checkpoints).where(*where))
            connection.execute(
                insert(peer_checkpoints)
                .values(
                    member=str(newest.member),
                    size=newest.size,
                    root=newest.root,
                    note=newest.note,
                    seen_ms=milliseconds(now),
                    state=ShownState.FITS.value,
                )
                .on_conflict_do_nothing()
            )

    def raise_alarm(
        self, log: Log, kind: str, kept: KeptCheckpoint, *, fork: Fork | None, now: datetime
    ) -> RecordNumber | None:
        """Enter an alarm about a kept checkpoint, with its proof. None: one of this kind is open for this member.

        Raises RecordBroken.
        """
        state = {FORKED: ShownState.FORKED, FORGED: ShownState.FORGED}.get(kind)
        member = kept.shown.member
        details: dict[str, Any] = {"member": str(member), "kept": kept.shown.note, "seen_ms": milliseconds(kept.seen)}
        if fork is not None:
            details |= {"newer": fork.newer}
            if fork.past is not None:
                proof = [octets.hex() for octets in fork.past.proof]
                details |= {"claimed": {"size": fork.past.size, "root": fork.past.root.hex(), "proof": proof}}
        with self._database.writing() as connection:
            if state is not None:
                _move(connection, kept, state)
            return raise_alarm(connection, log, kind, details, now)

    def thin(self, member: MemberId) -> int:
        """Keep fewer of what nobody can judge. How many went."""
        pending = self.of(member, ShownState.PENDING, limit=-1)
        if len(pending) <= MAX_PENDING:
            return 0
        surplus = pending[1:-1:2]
        with self._database.writing() as connection:
            for kept in surplus:
                connection.execute(delete(peer_checkpoints).where(*_row(kept.shown)))
        return len(surplus)

    # --- alarms ------------------------------------------------------------------------------------------------------

    def open_alarms(self) -> list[Alarm]:
        """The alarms about other members' records that nobody closed, oldest first."""
        return Alarms(self._database, OF_MEMBERS).open()


def _row(shown: Shown) -> Sequence[Any]:
    return (_table.member == str(shown.member), _table.size == shown.size, _table.root == shown.root)


def _move(connection: Connection, kept: KeptCheckpoint, state: ShownState) -> None:
    if state is kept.state:
        return
    if state not in TRANSITIONS[kept.state]:
        raise InternalError(f"a kept checkpoint that is {kept.state.value} does not become {state.value}")
    connection.execute(update(peer_checkpoints).where(*_row(kept.shown)).values(state=state.value))
