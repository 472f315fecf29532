"""The life of a key is a table, and what the record's entries say follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapter.audit.key_life import (
    ACTIONS,
    LEFT_DIRECTORY,
    LOADED,
    TRANSITIONS,
    KeyFacts,
    KeyLife,
    LifeState,
    action,
    check_step,
    details_of,
    in_order_of_use,
    inferred,
    is_loaded,
    read_lives,
)
from adapter.errors import CommandRefused, RecordBroken

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
FACTS = KeyFacts(key_id="aa" * 32, purpose="signing", name="signing-2027", place="file")
THE_WHOLE_LIFE = (
    LifeState.MADE,
    LifeState.REQUESTED,
    LifeState.CERTIFIED,
    LifeState.REGISTERED,
    LifeState.ACTIVE,
    LifeState.RETIRING,
    LifeState.RETIRED,
    LifeState.DESTROYED,
)


Row = tuple[int, datetime, str, dict[str, str]]


def row(number: int, word: LifeState | str, at: datetime = AT) -> Row:
    details = {"key": FACTS.key_id, "purpose": FACTS.purpose, "name": FACTS.name, "place": FACTS.place}
    return (number, at, action(word), details)


def life(key: str, state: LifeState, entry: int, purpose: str = "signing") -> KeyLife:
    facts = KeyFacts(key_id=key, purpose=purpose, name=key, place="file")
    return KeyLife(facts=facts, state=state, since=AT, entry=entry)


def test_every_state_is_in_the_table_and_has_an_action() -> None:
    assert set(TRANSITIONS) == {None, *LifeState}
    assert set(ACTIONS) == {f"key-{state.value}" for state in LifeState} | {f"key-{LEFT_DIRECTORY}"}


def test_the_whole_life_is_one_way_through_the_table() -> None:
    before: LifeState | None = None
    for after in THE_WHOLE_LIFE:
        assert after in TRANSITIONS[before]
        before = after


@pytest.mark.parametrize("state", [state for state in LifeState if state is not LifeState.DESTROYED])
def test_a_key_may_be_revoked_from_anywhere(state: LifeState) -> None:
    assert state is LifeState.REVOKED or LifeState.REVOKED in TRANSITIONS[state]


def test_nothing_leads_back_from_an_end() -> None:
    assert TRANSITIONS[LifeState.DESTROYED] == frozenset()
    assert TRANSITIONS[LifeState.REVOKED] == {LifeState.DESTROYED}
    assert not TRANSITIONS[LifeState.RETIRED] & LOADED


@pytest.mark.parametrize("before", [None, *LifeState])
@pytest.mark.parametrize("after", LifeState)
def test_a_step_is_taken_exactly_when_the_table_has_it(before: LifeState | None, after: LifeState) -> None:
    if after in TRANSITIONS[before]:
        check_step(FACTS, before, after)
        return
    with pytest.raises(CommandRefused, match=f"not {after.value}"):
        check_step(FACTS, before, after)


@pytest.mark.parametrize("state", LifeState)
def test_a_key_is_held_exactly_while_the_directory_may_name_it(state: LifeState) -> None:
    held = state in {LifeState.CERTIFIED, LifeState.REGISTERED, LifeState.ACTIVE, LifeState.RETIRING}
    assert is_loaded("aa", {"aa": life("aa", state, 1)}) is held


def test_a_key_that_no_entry_is_about_is_judged_by_what_is_seen() -> None:
    assert is_loaded("aa", {})
    assert inferred(certified=False, registered=False) is LifeState.MADE
    assert inferred(certified=True, registered=False) is LifeState.CERTIFIED
    assert inferred(certified=True, registered=True) is LifeState.ACTIVE


def test_the_key_activated_last_is_used_then_the_older_ones() -> None:
    lives = {
        "retiring": life("retiring", LifeState.RETIRING, 9),
        "first": life("first", LifeState.ACTIVE, 3),
        "last": life("last", LifeState.ACTIVE, 7),
        "waiting": life("waiting", LifeState.REGISTERED, 10),
        "gone": life("gone", LifeState.REVOKED, 11),
    }
    keys = ["unknown", "retiring", "first", "waiting", "last", "gone"]
    assert in_order_of_use(keys, lives, "signing") == ["last", "first", "unknown", "retiring"]


@pytest.mark.parametrize("state", [LifeState.CERTIFIED, LifeState.REGISTERED])
def test_the_first_key_ever_needs_no_activation_and_the_second_does(state: LifeState) -> None:
    first = {"new": life("new", state, 1), "of TLS": life("of TLS", LifeState.ACTIVE, 2, purpose="tls")}
    assert in_order_of_use(["new"], first, "signing") == ["new"]
    second = {**first, "old": life("old", LifeState.REVOKED, 3)}
    assert in_order_of_use(["new", "old"], second, "signing") == []


@pytest.mark.parametrize("second", [LifeState.CERTIFIED, LifeState.REGISTERED])
def test_a_second_key_does_not_take_the_place_of_the_first_before_it_is_activated(second: LifeState) -> None:
    """Peers that do not know it yet would refuse whatever comes over it. Files are found by name, the new one first."""
    lives = {"tls": life("tls", LifeState.REGISTERED, 9, "tls"), "tls-2028": life("tls-2028", second, 12, "tls")}
    assert in_order_of_use(["tls-2028", "tls"], lives, "tls") == ["tls", "tls-2028"]


def test_entries_tell_the_life() -> None:
    later = AT + timedelta(hours=1)
    rows = [row(at, state) for at, state in enumerate(THE_WHOLE_LIFE[:6])]
    rows.append(row(6, LEFT_DIRECTORY, at=later))
    told = read_lives(rows)[FACTS.key_id]
    assert told.state is LifeState.RETIRING
    assert (told.in_directory_since, told.left_directory, told.entry, told.facts) == (AT, later, 6, FACTS)
    ended = read_lives([*rows, row(7, LifeState.RETIRED, at=later)])[FACTS.key_id]
    assert (ended.state, ended.since, ended.left_directory) == (LifeState.RETIRED, later, later)


def test_what_an_entry_says_is_read_again() -> None:
    said = details_of(FACTS, LifeState.MADE, {"certificate": "bb"})
    assert (said["before"], said["certificate"]) == ("made", "bb")
    assert details_of(FACTS, None, {})["before"] is None
    assert read_lives([(0, AT, action(LifeState.REQUESTED), said)])[FACTS.key_id].facts == FACTS


@pytest.mark.parametrize(
    "bad",
    [
        (0, AT, "key-frozen", {"key": "aa", "purpose": "signing", "name": "n", "place": "file"}),
        (0, AT, "key-made", {"key": "aa"}),
        (0, AT, "key-left-directory", {"key": "aa", "purpose": "signing", "name": "n", "place": "file"}),
    ],
)
def test_an_entry_that_cannot_be_read_is_not_passed_over(bad: tuple[int, datetime, str, dict[str, str]]) -> None:
    with pytest.raises(RecordBroken, match="entry 0"):
        read_lives([bad])
