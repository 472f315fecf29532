"""Alarms: entries which say that a record is not what it was, and the entries by which officers closed them.

The watch over other members' records raises some (store.peer_checkpoints), the handing of our own to neutral witnesses
the others (store.cosignatures). All of them are listed and closed in one way.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from adapter.audit.admin import admin_entry
from adapter.errors import CommandRefused, RecordBroken, StoreUnusable
from adapter.identifiers import RecordNumber
from adapter.store.acts import read_acts
from adapter.store.appending import Log, append
from adapter.store.engine import Database

FORKED: Final = "peer-record-forked"
FORGED: Final = "peer-checkpoint-forged"
UNPROVEN: Final = "peer-record-unproven"
SHRUNK: Final = "peer-record-shrunk"
OF_MEMBERS: Final = (FORKED, FORGED, UNPROVEN, SHRUNK)
"""The outcomes of entries which say that another member's record is not what it was."""

DISPUTED: Final = "witness-disputes-record"
AHEAD: Final = "witness-holds-more"
OF_WITNESSES: Final = (DISPUTED, AHEAD)
"""The outcomes of entries which say that a witness holds another record of ours."""

CLOSED: Final = "alarm-closed"
"""The outcome of an entry that names the alarm which it closes."""

ALARMS: Final = (*OF_MEMBERS, *OF_WITNESSES)
_ABOUT: Final = dict.fromkeys(OF_MEMBERS, "member") | dict.fromkeys(OF_WITNESSES, "witness")
"""By the kind of an alarm the detail that says whom it is about."""
_WATCH: Final = "adapter"


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """The entry by which an officer closed an alarm, and what was found out."""

    number: RecordNumber
    at: datetime
    officer: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """An entry that is an alarm. about: the member, or the witness by its name in the directory.

    details: with what proves it, as recorded. closed: None as long as it is open.
    """

    number: RecordNumber
    at: datetime
    kind: str
    about: str
    details: Mapping[str, Any]
    closed: Closing | None = None


class Alarms:
    """The alarms of one record, of these kinds. For any thread; every method raises StoreUnusable."""

    def __init__(self, database: Database, kinds: Collection[str] = ALARMS) -> None:
        self._database = database
        self._kinds = kinds

    def all(self) -> list[Alarm]:
        """All there ever were, oldest first."""
        with self._database.reading() as connection:
            return list(_read(connection, self._kinds).values())

    def open(self) -> list[Alarm]:
        """Those that no later entry closed, oldest first."""
        return [alarm for alarm in self.all() if alarm.closed is None]

    def close(self, log: Log, number: int, *, officer: str, note: str, now: datetime) -> RecordNumber:
        """An officer has looked into it. Raises CommandRefused: no open alarm has this number; RecordBroken."""
        with self._database.writing() as connection:
            alarm = _read(connection, self._kinds).get(number)
            if alarm is None or alarm.closed is not None:
                raise CommandRefused(f"entry {number} is no open alarm; `adapter log alarms` lists them")
            details = {_ABOUT[alarm.kind]: alarm.about, "alarm": number, "note": note}
            return append(connection, log, (admin_entry(CLOSED, officer=officer, at=now, details=details),))[0]


def raise_alarm(
    connection: Connection, log: Log, kind: str, details: Mapping[str, Any], now: datetime
) -> RecordNumber | None:
    """Enter an alarm in this transaction. None: one of this kind is open about the same. Raises RecordBroken.

    details: whom it is about (`member` or `witness`, by the kind), and what proves it.
    """
    about = details[_ABOUT[kind]]
    if any(alarm.about == about and alarm.closed is None for alarm in _read(connection, (kind,)).values()):
        return None
    return append(connection, log, (admin_entry(kind, officer=_WATCH, at=now, details=details),))[0]


def _read(connection: Connection, kinds: Collection[str]) -> dict[int, Alarm]:
    """By the number of their entry, oldest first. Raises StoreUnusable."""
    found: dict[int, Alarm] = {}
    try:
        for act in read_acts(connection, (*kinds, CLOSED)):
            number, details = RecordNumber(act.number), act.body["details"]
            if act.outcome != CLOSED:
                about = details[_ABOUT[act.outcome]]
                found[number] = Alarm(number=number, at=act.at, kind=act.outcome, about=about, details=details)
            elif details["alarm"] in found:  # one of another kind is not asked for here
                closing = Closing(number=number, at=act.at, officer=act.body["officer"], note=details["note"])
                found[details["alarm"]] = replace(found[details["alarm"]], closed=closing)
    except (KeyError, TypeError, RecordBroken) as error:
        raise StoreUnusable("the record's entries about alarms are unreadable; run `adapter log verify`") from error
    return found
