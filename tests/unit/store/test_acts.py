"""Administrative acts are found by the index, in their order, and no other entries with them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from adapter.audit.admin import admin_entry
from adapter.errors import RecordBroken
from adapter.store.acts import Act, read_acts
from adapter.store.appending import append_entries
from tests.records import NOW, RecordHome, an_entry


@pytest.fixture
def filled(home: RecordHome) -> RecordHome:
    """Entries 1, 3 and 5 are acts; the others are about exchanges, one of them with the outcome of an act."""
    acts = [admin_entry(kind, officer="o", at=NOW, details={"of": kind}) for kind in ("opened", "other", "closed")]
    others = (an_entry(), replace(an_entry(), outcome="opened"), an_entry())
    append_entries(home.database, home.log, [one for pair in zip(others, acts, strict=True) for one in pair])
    return home


def read(home: RecordHome, *outcomes: str, newest_first: bool = False) -> list[Act]:
    with home.database.reading() as connection:
        return list(read_acts(connection, outcomes, newest_first=newest_first))


def test_acts_of_these_outcomes_are_read_and_nothing_else(filled: RecordHome) -> None:
    found = read(filled, "closed", "opened")
    assert [(act.number, act.at, act.outcome) for act in found] == [(1, NOW, "opened"), (5, NOW, "closed")]
    assert [(act.body["officer"], act.body["details"]) for act in found] == [
        ("o", {"of": "opened"}),
        ("o", {"of": "closed"}),
    ]
    assert read(filled, "closed", "opened", newest_first=True) == found[::-1]


@pytest.mark.parametrize("outcomes", [("opened",), ("opened", "closed"), tuple("abcdefgh")])
def test_acts_are_found_by_the_index_of_kind_and_outcome(filled: RecordHome, outcomes: tuple[str, ...]) -> None:
    """Those of one outcome also in their order, so that the newest is found at once."""
    plans: list[str] = []

    def explain(connection: object, _cursor: object, sql: str, parameters: object, *_: object) -> None:
        asked = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {sql}", parameters)  # type: ignore[attr-defined]
        plans.append("; ".join(row[3] for row in asked))

    event.listen(filled.database.engine, "before_cursor_execute", explain)
    try:
        read(filled, *outcomes, newest_first=True)
    finally:
        event.remove(filled.database.engine, "before_cursor_execute", explain)
    found = "SEARCH entries USING INDEX entries_kind (kind=? AND outcome=?)"
    assert [plan for plan in plans if "entries" in plan] == [
        found if len(outcomes) == 1 else f"{found}; USE TEMP B-TREE FOR ORDER BY"
    ]


def test_an_act_that_cannot_be_read_is_named_as_broken(filled: RecordHome) -> None:
    filled.change("UPDATE entries SET document = 'x' WHERE number = 3")
    assert [act.number for act in read(filled, "opened")] == [1]
    with pytest.raises(RecordBroken):
        read(filled, "other")
