"""Alarms are what the record says: raised once while open, closed by their number, of both kinds in one list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapter.audit.admin import admin_entry
from adapter.errors import CommandRefused, StoreUnusable
from adapter.store.alarms import CLOSED, DISPUTED, FORGED, FORKED, OF_MEMBERS, OF_WITNESSES, Alarms, raise_alarm
from adapter.store.appending import append_entries
from tests.records import NOW, RecordHome

MEMBER = "UZ/GOV/200000002"


def raised(home: RecordHome, kind: str, details: dict[str, Any]) -> int | None:
    with home.database.writing() as connection:
        return raise_alarm(connection, home.log, kind, details, NOW)


def close(home: RecordHome, number: int, *kinds: str) -> int:
    alarms = Alarms(home.database, kinds) if kinds else Alarms(home.database)
    return alarms.close(home.log, number, officer="officer-1", note="letter 12", now=NOW + timedelta(hours=1))


def numbers(home: RecordHome, *kinds: str) -> list[int]:
    return [one.number for one in (Alarms(home.database, kinds) if kinds else Alarms(home.database)).open()]


def test_one_list_has_the_alarms_about_members_and_those_about_witnesses(home: RecordHome) -> None:
    assert numbers(home) == []
    assert raised(home, FORKED, {"member": MEMBER}) == 0
    assert raised(home, DISPUTED, {"witness": "w-1", "holds": 3}) == 1
    found = [(one.kind, one.about, one.details) for one in Alarms(home.database).all()]
    assert found[0] == (FORKED, MEMBER, {"member": MEMBER})
    assert found[1] == (DISPUTED, "w-1", {"witness": "w-1", "holds": 3})
    assert (numbers(home, *OF_MEMBERS), numbers(home, *OF_WITNESSES)) == ([0], [1])


def test_while_one_is_open_it_is_raised_again_only_as_another_kind_or_about_another(home: RecordHome) -> None:
    assert raised(home, FORKED, {"member": MEMBER}) == 0
    assert raised(home, FORKED, {"member": MEMBER}) is None
    assert raised(home, FORGED, {"member": MEMBER}) == 1
    assert raised(home, FORKED, {"member": "UZ/GOV/200000003"}) == 2
    close(home, 0)
    assert raised(home, FORKED, {"member": MEMBER}) == 4
    assert numbers(home) == [1, 2, 4]


def test_an_alarm_is_closed_once_by_its_number_and_the_entry_says_who_and_why(home: RecordHome) -> None:
    raised(home, DISPUTED, {"witness": "w-1", "holds": 3})
    raised(home, DISPUTED, {"witness": "w-2", "holds": 3})
    assert close(home, 0) == 2
    first, second = Alarms(home.database).all()
    assert first.closed is not None
    assert (first.closed.number, first.closed.officer, first.closed.note) == (2, "officer-1", "letter 12")
    assert (first.closed.at, second.closed) == (NOW + timedelta(hours=1), None)
    assert home.reader.show(2).body["details"] == {"witness": "w-1", "alarm": 0, "note": "letter 12"}
    for number in (0, 2, 17):
        with pytest.raises(CommandRefused, match=f"entry {number} is no open alarm"):
            close(home, number)
    assert numbers(home, *OF_MEMBERS) == [], "what closed an alarm of another kind is not looked at"
    with pytest.raises(CommandRefused, match="entry 1 is no open alarm"):
        close(home, 1, *OF_MEMBERS)
    assert home.verify().entries == 3


@pytest.mark.parametrize(
    ("kind", "details"), [(FORKED, {}), (CLOSED, {"note": "of nothing"}), (FORKED, {"witness": 1})]
)
def test_an_entry_about_alarms_that_says_not_what_it_is_about_stops_all(
    home: RecordHome, kind: str, details: dict[str, Any]
) -> None:
    append_entries(home.database, home.log, [admin_entry(kind, officer="adapter", at=NOW, details=details)])
    with pytest.raises(StoreUnusable, match="adapter log verify"):
        Alarms(home.database).open()
