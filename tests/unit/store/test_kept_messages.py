"""A kept message that is gone is named, unless the record says that it was erased or moved to a file."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapter.audit.admin import admin_entry
from adapter.audit.retention import ARCHIVED, BY_OFFICER, RESTORED
from adapter.errors import RecordBroken
from adapter.ports import Keeping, RecordWrite
from adapter.store.appending import append_entries
from adapter.store.erasure import Eraser
from adapter.store.holds import Holds
from adapter.store.kept_messages import check_messages
from tests.records import NOW, SERVICE, RecordHome, a_claim, a_refusal, a_request, an_answer, an_entry

DAY = NOW.date()
LATER = NOW + timedelta(days=40)
BENEFITS = Keeping(SERVICE, "benefits")


def check(home: RecordHome) -> int:
    return check_messages(home.database, home.archive_key)


def erase(home: RecordHome) -> int:
    eraser = Eraser(home.database, home.archive_key, home.log)
    chosen = [one.compartment for one in eraser.of_day(DAY)]
    erased = eraser.erase(chosen, why=BY_OFFICER, officer="officer", now=LATER)
    eraser.finish()
    return erased.messages


@pytest.fixture
async def filled(home, record):
    """Entries 0 to 3: two exchanges, with all four messages. 4: a refusal, of which no message is kept."""
    for _ in range(2):
        claim = a_claim()
        await record.write(replace(a_request(claim), keeping=BENEFITS))
        await record.write(replace(an_answer(claim), keeping=BENEFITS))
    await record.write(RecordWrite(entry=an_entry(kind="refused")))
    assert check(home) == 4
    return home


@pytest.mark.parametrize(("number", "direction"), [(0, "request"), (1, "reply"), (2, "request"), (3, "reply")])
def test_a_message_that_was_dropped_is_named(filled, number, direction):
    filled.change("DELETE FROM messages WHERE number = ?", number)
    with pytest.raises(
        RecordBroken, match=rf"1 kept messages of 2026-03-02.* the {direction} of entry {number};.* 0 of"
    ):
        check(filled)


def test_dropping_the_key_with_its_messages_is_noticed(filled):
    filled.change("DELETE FROM messages")
    filled.change("DELETE FROM message_keys")
    with pytest.raises(
        RecordBroken, match=r"4 kept messages .*, benefits, are not here, the first is the request of e"
    ):
        check(filled)


def test_a_key_that_was_destroyed_in_silence_is_named(filled):
    filled.change("UPDATE message_keys SET wrapped = zeroblob(40)")
    with pytest.raises(RecordBroken, match=r"the key of 2026-03-02: .*, benefits, was destroyed, and no entry says so"):
        check(filled)


def test_a_key_that_came_back_after_its_erasure_is_named(filled):
    with filled.database.reading() as connection:
        (wrapped,) = connection.exec_driver_sql("SELECT wrapped FROM message_keys").scalars()
    erase(filled)
    filled.change("UPDATE message_keys SET wrapped = ?", wrapped)
    with pytest.raises(RecordBroken, match=r"says that the key of 2026-03-02: .* was destroyed, and it is here"):
        check(filled)


def test_a_destroyed_key_has_to_stay_as_such(filled):
    """A compartment without it would get another key, and messages of which somebody was told that they are gone."""
    erase(filled)
    filled.change("DELETE FROM message_keys")
    with pytest.raises(RecordBroken, match=r"nothing is left where the key of 2026-03-02: .* was destroyed"):
        check(filled)


def test_what_was_erased_is_gone_with_a_word(filled):
    assert erase(filled) == 4
    assert check(filled) == 0


def test_more_is_gone_than_was_erased(filled):
    """A message that was dropped before the day was erased is not covered by the erasure: it counted what it took."""
    filled.change("DELETE FROM messages WHERE number = 2")
    assert erase(filled) == 3
    with pytest.raises(RecordBroken, match=r"4 kept messages .* says that 3 of them were erased"):
        check(filled)


async def test_a_held_message_that_outlived_the_erasure_is_missed_too(home, record):
    claims = [a_claim(), a_claim()]
    for claim in claims:
        await record.write(replace(a_request(claim), keeping=BENEFITS))
    Holds(home.database).place(
        home.log, message_id=str(claims[1].message_id), incident=None, reason="court", officer="officer", now=NOW
    )
    assert erase(home) == 1
    assert check(home) == 1
    home.change("DELETE FROM messages")
    with pytest.raises(RecordBroken, match=r"2 kept messages .* says that 1 of them were erased"):
        check(home)


async def test_messages_of_the_time_of_one_key_for_a_day_are_erased_with_a_word_too(home, record):
    """Their key is of no service and no purpose (decision 144)."""
    for keeping in (Keeping(), BENEFITS):
        await record.write(replace(a_request(a_claim()), keeping=keeping))
    assert check(home) == 2
    assert erase(home) == 2
    assert check(home) == 0


async def test_what_was_refused_is_missed_when_the_refusal_was_signed(home, record):
    """Only a trusted sender is answered so, and only such a one's message is kept; once, if recorded before."""
    refusal = a_refusal(a_claim())
    await record.write(refusal)
    later = replace(refusal.entry, body=refusal.entry.body | {"request_entry": 0})
    await record.write(RecordWrite(entry=later, kept=refusal.kept[1:]))
    assert check(home) == 3
    home.change("DELETE FROM messages WHERE number = 0 AND direction = 'request'")
    with pytest.raises(RecordBroken, match=r"the request of entry 0"):
        check(home)


@pytest.mark.parametrize(
    ("details", "by"),
    [
        ({"first_entry": 1, "last_entry": 3, "messages": 9}, 5),
        ({"first_entry": 0, "last_entry": 2, "messages": 9}, 5),
        ({"first_entry": 0, "last_entry": 3, "messages": 3}, 5),
        ({}, 5),
        ({"first_entry": 0, "last_entry": 3, "messages": 4}, 4),
        ({"first_entry": 0, "last_entry": 3, "messages": 4}, 99),
    ],
)
def test_what_is_said_to_be_in_a_file_has_to_be_said_by_the_entry_about_the_file(filled, details, by):
    append_entries(filled.database, filled.log, [admin_entry(ARCHIVED, officer="o", at=NOW, details=details)])
    filled.change("UPDATE messages SET sealed = x'', archived_in = ?", by)
    with pytest.raises(
        RecordBroken, match=rf"4 kept messages, of entries 0 to 3, .* by entry {by}, which does not say"
    ):
        check(filled)


def test_what_is_in_a_file_is_not_missed(filled):
    details = {"first_entry": 0, "last_entry": 3, "messages": 4}
    append_entries(filled.database, filled.log, [admin_entry(ARCHIVED, officer="o", at=NOW, details=details)])
    filled.change("UPDATE messages SET sealed = x'', archived_in = 5")
    assert check(filled) == 0
    filled.change("UPDATE messages SET archived_in = NULL WHERE number = 1")
    with pytest.raises(RecordBroken, match=r"the kept reply of entry 1"):
        check(filled)


def test_progress_reaches_the_end_though_a_message_is_in_a_file(filled):
    details = {"first_entry": 0, "last_entry": 3, "messages": 4}
    append_entries(filled.database, filled.log, [admin_entry(ARCHIVED, officer="o", at=NOW, details=details)])
    filled.change("UPDATE messages SET sealed = x'', archived_in = 5 WHERE number = 3")
    places, asked = [], []
    opened = check_messages(
        filled.database,
        filled.archive_key,
        lambda done, of: places.append((done, of)),
        lambda done, of: asked.append((done, of)),
    )
    assert opened == 3
    assert places == [(at, 4) for at in range(1, 5)]
    assert asked == [(6, 6)]


def test_what_was_put_back_from_a_file_cannot_be_said_to_be_in_it(filled):
    """Of whoever may only write to the database: an empty message, with the mark that it once had rightly."""
    file: dict[str, Any] = {"first_entry": 0, "last_entry": 3, "messages": 4, "sha256": "of the file"}
    acts = [(ARCHIVED, file), (RESTORED, file | {"sha256": "of another"}), (RESTORED, file), (ARCHIVED, file)]
    new = [admin_entry(what, officer="o", at=NOW, details=details) for what, details in acts]
    append_entries(filled.database, filled.log, new[:2])
    filled.change("UPDATE messages SET sealed = x'', archived_in = 5 WHERE number = 1")
    assert check(filled) == 3
    append_entries(filled.database, filled.log, new[2:])
    with pytest.raises(RecordBroken, match=r"of entries 1 to 1, .* by entry 5, and entry 7 says .* put back"):
        check(filled)
    filled.change("UPDATE messages SET archived_in = 8 WHERE number = 1")
    assert check(filled) == 3


def test_what_is_put_back_while_it_is_looked_at_is_not_missed(filled):
    file = {"first_entry": 0, "last_entry": 3, "messages": 4, "sha256": "of the file"}
    append_entries(filled.database, filled.log, [admin_entry(ARCHIVED, officer="o", at=NOW, details=file)])
    filled.change("UPDATE messages SET sealed = x'', archived_in = 5 WHERE number = 0")

    def between(opened: int, _of: int) -> None:
        if opened == 1:
            entry = admin_entry(RESTORED, officer="o", at=NOW, details=file)
            append_entries(filled.database, filled.log, [entry])

    assert check_messages(filled.database, filled.archive_key, between) == 3


def test_what_is_erased_while_it_is_looked_at_is_not_missed(filled):
    erased: list[int] = []

    def between(_done: int, _of: int) -> None:
        if not erased:
            erased.append(erase(filled))

    assert check_messages(filled.database, filled.archive_key, between) == 1
    assert erased == [4]


async def test_entries_are_gone_through_in_parts(home, record, monkeypatch):
    monkeypatch.setattr("adapter.store.kept_messages._ENTRIES_AT_ONCE", 2)
    for _ in range(5):
        await record.write(a_request(a_claim()))
    assert check(home) == 5
    home.change("DELETE FROM messages WHERE number = 4")
    with pytest.raises(RecordBroken, match=r"the request of entry 4"):
        check(home)
