"""Erasing kept messages: their keys are in none of the files, and every proof of the record stays."""

import asyncio
import random
import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest

from adapter.audit.proofs import verify_inclusion
from adapter.audit.retention import BY_OFFICER, Compartment, Retention, RetentionRule
from adapter.errors import CommandRefused, RecordUnavailable, StoreUnusable
from adapter.ports import ExchangeState, Keeping, RecordWrite
from adapter.store.archive import Archive, read_message
from adapter.store.engine import open_database
from adapter.store.erasure import Eraser, what_became_of
from adapter.store.holds import Holds
from adapter.store.kept_messages import check_messages
from adapter.store.log_reader import LogFilter
from tests.records import CONSUMER, NOW, SERVICE, a_claim, a_request, an_answer, an_entry

DAY = NOW.date()
LATER = NOW + timedelta(days=40)
BENEFITS, PENSIONS = Keeping(SERVICE, "benefits"), Keeping(SERVICE, "pensions")


def eraser_of(home, database=None):
    return Eraser(database or home.database, home.archive_key, home.log)


def erase(home, day=DAY, *, now=LATER):
    eraser = eraser_of(home)
    found = [one.compartment for one in eraser.of_day(day)]
    erased = eraser.erase(found, why=BY_OFFICER, officer="officer", now=now)
    eraser.finish()
    return erased


def on_day(days, write, keeping=BENEFITS):
    return replace(write, entry=replace(write.entry, at=NOW + timedelta(days=days)), keeping=keeping)


def files_of(home):
    return b"".join(path.read_bytes() for path in home.database.path.parent.glob("adapter.sqlite*"))


def wrapped_keys(home):
    connection = sqlite3.connect(home.database.path)
    try:
        return {
            Compartment(*row[:4]): row[4]
            for row in connection.execute("SELECT day, service, purpose, generation, wrapped FROM message_keys")
        }
    finally:
        connection.close()


async def test_an_erased_day_is_gone_and_the_log_still_proves_everything(home, record):
    claim = a_claim()
    await record.write(on_day(0, a_request(claim)))
    await record.write(on_day(0, an_answer(claim)))
    await record.write(on_day(1, a_request(a_claim())))
    remembered = home.checkpoint()
    assert [(one.messages, one.archived, one.held) for one in eraser_of(home).of_day(DAY)] == [(2, 0, 0)]
    erased = erase(home)
    assert (erased.messages, erased.held, erased.left) == (2, 0, ())
    for number, direction in ((0, "request"), (1, "reply")):
        assert read_message(home.database, home.archive_key, number, direction) is None
    assert read_message(home.database, home.archive_key, 2, "request") is not None
    assert check_messages(home.database, home.archive_key) == 1
    assert home.verify(remembered).entries == 4
    for number in range(4):
        proved = home.reader.prove_entry(number)
        verify_inclusion(
            leaf=proved.entry.leaf_hash,
            index=number,
            size=proved.size,
            proof=proved.path,
            root=home.checkpoint().root,
        )
    known = await record.find(CONSUMER, claim.message_id)
    assert (known.state, known.reply, known.reply_number) == (ExchangeState.ANSWERED, None, 1)
    said = home.reader.show(erased.entries[0]).body
    assert (said["outcome"], said["officer"], said["details"]["day"]) == ("messages-erased", "officer", "2026-03-02")
    assert said["details"]["keys"] == [
        {"generation": 0, "held": 0, "messages": 2, "purpose": "benefits", "service": SERVICE}
    ]
    assert what_became_of(home.database, 0) == "was erased: entry 3 says so"
    assert what_became_of(home.database, 2) == "was not kept: it was refused"


async def test_erased_keys_and_messages_are_in_none_of_the_files(home):
    """Thousands of keys, on many pages, made and erased in any order, with the write-ahead log full of them."""
    chance = random.Random(7)
    archive, kept = Archive(home.archive_key), a_request(a_claim()).kept[0]
    days = [(DAY + timedelta(days=at)).isoformat() for at in range(30)]
    places = [Compartment(day, SERVICE, f"purpose-{at}") for day in days for at in range(70)]
    chance.shuffle(places)
    connection = home.database.connect()
    sealed: dict[Compartment, bytes] = {}
    for at in range(0, len(places), 50):
        connection.execute("BEGIN IMMEDIATE")
        rows = [archive.seal(connection.cursor(), number, places[number], kept) for number in range(at, at + 50)]
        archive.add(connection.cursor(), rows)
        connection.execute("COMMIT")
        sealed.update((places[row.number], row.sealed) for row in rows)
    connection.close()
    wrapped = wrapped_keys(home)
    before = files_of(home)
    assert all(key in before for key in wrapped.values())
    chance.shuffle(days)
    gone = set()
    for day in days[:12]:
        erase(home, date.fromisoformat(day))
        gone.add(day)
    stored = files_of(home)
    assert {place.day for place, key in wrapped.items() if key not in stored} == gone
    assert not any(key in stored for place, key in wrapped.items() if place.day in gone)
    assert {place.day for place, octets in sealed.items() if octets[:24] not in stored} == gone
    assert len(wrapped) == len(sealed) == 2100


async def test_an_erasure_that_could_not_be_finished_says_so_and_can_be_repeated(home, record):
    """As long as somebody reads the state before, the old copy of the key cannot be overwritten."""
    await record.write(on_day(0, a_request(a_claim())))
    (key,) = wrapped_keys(home).values()
    eraser = eraser_of(home, open_database(f"sqlite:///{home.database.path}", lock_timeout_s=0.1))
    reading = home.database.connect()
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM entries").fetchall()
    eraser.erase([one.compartment for one in eraser.of_day(DAY)], why=BY_OFFICER, officer="officer", now=LATER)
    with pytest.raises(StoreUnusable, match="erase again"):
        eraser.finish()
    assert key in files_of(home)
    reading.close()
    eraser.finish()
    assert key not in files_of(home)
    assert read_message(home.database, home.archive_key, 0, "request") is None


async def test_an_erased_day_gets_no_second_key(home, record):
    """A clock that was set back must not bring a day back of which its officer was told that it is gone.

    Neither for a writer that began later, nor for one that had the key in use when somebody else destroyed it.
    """
    await record.write(on_day(0, a_request(a_claim())))
    erase(home)
    fresh = home.writer("run/2")
    await fresh.start()
    for writer in (fresh, record):
        with pytest.raises(RecordUnavailable, match="erased"):
            await writer.write(on_day(0, a_request(a_claim())))
        await writer.write(RecordWrite(entry=an_entry()))
    await fresh.close()
    assert home.verify().entries == 4


@pytest.mark.parametrize("day", [DAY, DAY + timedelta(days=1)])
async def test_a_day_that_is_not_over_cannot_be_erased(home, record, day):
    await record.write(on_day((day - DAY).days, a_request(a_claim())))
    with pytest.raises(CommandRefused, match="past day"):
        erase(home, day, now=NOW)
    assert read_message(home.database, home.archive_key, 0, "request") is not None
    assert home.verify().entries == 1


def test_a_day_without_messages_has_nothing_to_erase(home):
    assert erase(home).entries == ()


async def test_an_erasure_that_fails_destroys_nothing(home, record, monkeypatch):
    """The keys and the entry about them are one transaction."""
    await record.write(on_day(0, a_request(a_claim())))
    eraser = eraser_of(home)
    monkeypatch.setattr("adapter.store.erasure.append", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        eraser.erase([one.compartment for one in eraser.of_day(DAY)], why=BY_OFFICER, officer="officer", now=LATER)
    assert read_message(home.database, home.archive_key, 0, "request") is not None


# --- retention -------------------------------------------------------------------------------------------------------


async def test_what_is_over_its_time_is_found_by_service_and_purpose(home, record):
    refused = on_day(0, a_request(a_claim()), Keeping())
    writes = [on_day(days, a_request(a_claim()), keeping) for days in (0, 9) for keeping in (BENEFITS, PENSIONS)]
    await asyncio.gather(*(record.write(one) for one in [*writes, refused]))
    rule = RetentionRule(service="UZ/GOV/200000001/*", purpose="pensions", keep_days=5)
    eraser = eraser_of(home)

    def due(retention, days):
        return [one.compartment[:3] for one in eraser.due(retention, DAY + timedelta(days=days))]

    both = Retention(keep_days=30, rules=(rule,))
    assert due(both, 5) == []
    assert due(both, 6) == [("2026-03-02", SERVICE, "pensions")]
    assert due(both, 15) == [("2026-03-02", SERVICE, "pensions"), ("2026-03-11", SERVICE, "pensions")]
    assert due(Retention(rules=(rule,)), 3650)[-1] == ("2026-03-11", SERVICE, "pensions")
    assert due(Retention(), 3650) == []
    assert len(due(both, 31)) == 4  # also the refused message, which no rule speaks of
    erased = eraser.erase(
        [one.compartment for one in eraser.due(both, DAY + timedelta(days=31))], why="x", officer="x", now=LATER
    )
    assert [home.reader.show(number).body["details"]["day"] for number in erased.entries] == [
        "2026-03-02",
        "2026-03-11",
    ]
    kept = [read_message(home.database, home.archive_key, number, "request") for number in range(5)]
    assert sum(one is not None for one in kept) == 1


@pytest.mark.parametrize(
    ("rule", "keeping", "fits"),
    [
        (("UZ/GOV/1/a/S/v1", None), ("UZ/GOV/1/a/S/v1", "p"), True),
        (("UZ/GOV/1/a/S/v1", None), ("UZ/GOV/1/a/S/v1", ""), True),
        (("UZ/GOV/1/a/S/v1", "p"), ("UZ/GOV/1/a/S/v1", "p"), True),
        (("UZ/GOV/1/a/S/v1", "p"), ("UZ/GOV/1/a/S/v1", "q"), False),
        (("UZ/GOV/1/a/S/v1", "p"), ("UZ/GOV/1/a/S/v1", ""), False),
        (("UZ/GOV/1/a/S/v1", None), ("UZ/GOV/1/a/S/v10", "p"), False),
        (("UZ/GOV/1/a/*", None), ("UZ/GOV/1/a/S/v1", "p"), True),
        (("UZ/GOV/1/b/*", None), ("UZ/GOV/1/a/S/v1", "p"), False),
        (("*", None), ("UZ/GOV/1/a/S/v1", ""), True),
        (("*", None), ("", ""), False),
    ],
)
def test_which_messages_a_rule_speaks_of(rule, keeping, fits):
    service, purpose = rule
    assert RetentionRule(service=service, purpose=purpose, keep_days=1).fits(Keeping(*keeping)) is fits


def test_the_first_rule_that_fits_counts():
    rules = tuple(RetentionRule(service="*", purpose=None, keep_days=days) for days in (7, 3))
    assert Retention(keep_days=1, rules=rules).keep_days_of(BENEFITS) == 7
    assert Retention(keep_days=1, rules=rules).keep_days_of(Keeping()) == 1


# --- holds -----------------------------------------------------------------------------------------------------------


def hold(home, *, message_id=None, incident=None):
    return Holds(home.database).place(
        home.log, message_id=message_id, incident=incident, reason="court order 17", officer="officer", now=NOW
    )


async def test_a_held_exchange_outlives_the_key_of_its_day(home, record):
    claims = [a_claim() for _ in range(3)]
    for claim in claims:
        await record.write(on_day(0, a_request(claim, b"<one/>")))
        await record.write(on_day(0, an_answer(claim, b"<two/>")))
    (key,) = wrapped_keys(home).values()
    placed = hold(home, message_id=str(claims[1].message_id))
    assert Holds(home.database).messages(placed) == 2
    erased = erase(home)
    assert (erased.messages, erased.held) == (4, 2)
    assert key not in files_of(home)
    kept = {
        (number, direction): read_message(home.database, home.archive_key, number, direction)
        for number, direction in enumerate(["request", "reply"] * 3)
    }
    assert {place for place, message in kept.items() if message is not None} == {(2, "request"), (3, "reply")}
    assert [message.octets for message in kept.values() if message is not None] == [b"<one/>", b"<two/>"]
    # Erasing the day again changes nothing while the hold is there, and takes the rest once it is lifted.
    assert eraser_of(home).due(Retention(keep_days=1), LATER.date()) == []
    _, number = Holds(home.database).lift(
        home.log, placed.number, reason="closed", officer="officer", now=NOW, details={}
    )
    assert home.reader.show(number).body["details"] == {"hold": placed.number, "reason": "closed"}
    assert Holds(home.database).open() == []
    assert [one.compartment.generation for one in eraser_of(home).due(Retention(keep_days=1), LATER.date())] == [1]
    assert erase(home).messages == 2
    assert read_message(home.database, home.archive_key, 2, "request") is None
    assert home.verify().entries == 6 + 4


async def test_an_exchange_is_held_by_an_incident_too(home, record):
    claim, other = a_claim(), a_claim()
    await record.write(on_day(0, a_request(claim)))
    await record.write(on_day(0, a_request(other)))
    refused = replace(an_entry(str(claim.message_id), kind="call-refused"), incident="7KQ2M-XR4TB")
    await record.write(RecordWrite(entry=refused))
    assert Holds(home.database).messages(hold(home, incident="7KQ2M-XR4TB")) == 1
    assert erase(home).held == 1
    assert read_message(home.database, home.archive_key, 0, "request") is not None


async def test_what_the_record_does_not_know_is_not_held(home, record):
    await record.write(on_day(0, a_request(a_claim())))
    for about in ({"message_id": str(a_claim().message_id)}, {"incident": "7KQ2M-XR4TB"}):
        with pytest.raises(CommandRefused, match="no entry about"):
            hold(home, **about)
    assert home.verify().entries == 1
    with pytest.raises(CommandRefused, match="no open hold 0"):
        Holds(home.database).lift(home.log, 0, reason="x", officer="officer", now=NOW, details={})


async def test_a_hold_lifted_twice_is_refused(home, record):
    claim = a_claim()
    await record.write(on_day(0, a_request(claim)))
    first, second = (hold(home, message_id=str(claim.message_id)) for _ in range(2))

    def lift():
        Holds(home.database).lift(home.log, first.number, reason="x", officer="officer", now=NOW, details={})

    lift()
    with pytest.raises(CommandRefused):
        lift()
    assert [one.number for one in Holds(home.database).open()] == [second.number]
    outcomes = Counter(one.indexed.outcome for one in home.reader.search(LogFilter(kind="admin")))
    assert outcomes == {"hold-placed": 2, "hold-lifted": 1}
