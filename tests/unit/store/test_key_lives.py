"""The lives of keys in the record: one step at a time, whoever wants it, and found without reading the whole record."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.key_life import KeyFacts, LifeState
from adapter.audit.verify import verify_record
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import CommandRefused, StoreUnusable
from adapter.store import key_lives
from adapter.store.appending import Log
from adapter.store.engine import Database
from adapter.store.key_lives import KeyLives, Step
from adapter.store.log_reader import LogReader
from adapter.store.migrate import prepare
from tests.pki import NOW

FACTS = KeyFacts(key_id="aa" * 32, purpose="agreement", name="agreement-2027", place="file")
OTHER = KeyFacts(key_id="bb" * 32, purpose="agreement", name="agreement", place="token agency")
SIGNER = NoteSigner("UZ/GOV/200000001", Ed25519PrivateKey.generate())
LOG = Log("UZ/GOV/200000001", SIGNER)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return prepare(f"sqlite:///{tmp_path / 'adapter.sqlite'}")


def enter(database: Database, *steps: Step, **more: int) -> int:
    return KeyLives(database).enter(steps, officer="officer", log=LOG, now=NOW, **more)


def made(database: Database, *states: LifeState) -> KeyLives:
    for state in states:
        enter(database, Step(facts=FACTS, to=state))
    return KeyLives(database)


def test_steps_are_entries_of_the_verified_record(database: Database) -> None:
    lives = made(database, LifeState.MADE, LifeState.REQUESTED, LifeState.CERTIFIED)
    assert lives.version() == 2
    assert lives.all()[FACTS.key_id].state is LifeState.CERTIFIED
    verifier = NoteVerifier.parse(SIGNER.vkey)
    assert verify_record(LogReader(database), origin="UZ/GOV/200000001", verifiers=(verifier,)).entries == 3


def test_steps_of_one_key_follow_one_another_in_one_act(database: Database) -> None:
    """A key in a token is made and has its request at once; a step that the second would need is not skipped."""
    enter(database, Step(facts=FACTS, to=LifeState.MADE), Step(facts=FACTS, to=LifeState.REQUESTED))
    assert KeyLives(database).all()[FACTS.key_id].state is LifeState.REQUESTED
    with pytest.raises(CommandRefused, match="agreement is made"):
        enter(database, Step(facts=OTHER, to=LifeState.MADE), Step(facts=OTHER, to=LifeState.ACTIVE))


def test_a_step_that_the_table_does_not_have_changes_nothing(database: Database) -> None:
    lives = made(database, LifeState.MADE)
    with pytest.raises(CommandRefused, match="agreement-2027 is made"):
        enter(database, Step(facts=OTHER, to=LifeState.MADE), Step(facts=FACTS, to=LifeState.ACTIVE))
    assert set(lives.all()) == {FACTS.key_id}, "all steps or none"
    assert lives.version() == 0


def test_a_key_from_before_the_record_goes_on_from_what_is_seen_of_it(database: Database) -> None:
    with pytest.raises(CommandRefused, match="is unknown"):
        enter(database, Step(facts=FACTS, to=LifeState.RETIRING))
    enter(database, Step(facts=FACTS, to=LifeState.RETIRING, inferred=LifeState.ACTIVE))
    assert KeyLives(database).all()[FACTS.key_id].state is LifeState.RETIRING


def test_of_two_who_want_the_same_step_one_takes_it(database: Database) -> None:
    made(database, LifeState.MADE, LifeState.CERTIFIED)
    KeyLives(database).note_directory([FACTS.key_id], version=1, officer="adapter", log=LOG, now=NOW)
    outcomes: list[str] = []

    def activate() -> None:
        try:
            enter(database, Step(facts=FACTS, to=LifeState.ACTIVE))
            outcomes.append("taken")
        except CommandRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=activate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "refused", "taken"]


def test_the_version_that_was_looked_at_must_still_be_there(database: Database) -> None:
    made(database, LifeState.MADE)
    with pytest.raises(StoreUnusable, match="somebody else"):
        enter(database, Step(facts=FACTS, to=LifeState.REQUESTED), expected=-1)


def test_a_directory_is_entered_once_for_each_change(database: Database) -> None:
    lives = made(database, LifeState.MADE, LifeState.CERTIFIED)

    def note(*named: str, hours: int = 0) -> list[str]:
        now = NOW + timedelta(hours=hours)
        noted = lives.note_directory(named, version=7, officer="adapter", log=LOG, now=now)
        return [life.facts.name for life in noted]

    assert note() == []
    assert note(FACTS.key_id, hours=1) == ["agreement-2027"]
    assert note(FACTS.key_id, hours=2) == []
    life = lives.all()[FACTS.key_id]
    assert (life.state, life.in_directory_since) == (LifeState.REGISTERED, NOW + timedelta(hours=1))
    enter(database, Step(facts=FACTS, to=LifeState.ACTIVE))
    assert note(hours=3) == [], "an active key that left is the directory's mistake, not the end of the key"
    enter(database, Step(facts=FACTS, to=LifeState.RETIRING))
    assert note(hours=4) == ["agreement-2027"]
    assert note(hours=5) == []
    assert lives.all()[FACTS.key_id].left_directory == NOW + timedelta(hours=4)


def test_the_version_is_found_by_the_index_alone(database: Database) -> None:
    """Every worker asks once a second, whatever the record holds."""
    made(database, LifeState.MADE)
    text = str(
        key_lives._VERSION.compile(database.engine, compile_kwargs={"literal_binds": True, "render_postcompile": True})
    )
    with database.reading() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()
    assert "SEARCH entries USING COVERING INDEX entries_kind" in str(plan)
