"""Kept messages: unreadable in the files, bound to their entry, erasable by the day."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from adapter.audit.subjects import subject_key, subject_tag
from adapter.errors import KeyUnusable, RecordBroken, RecordUnavailable
from adapter.identifiers import SubjectId, pinfl_check_digit
from adapter.ports import KeptMessage, RecordWrite, Written
from adapter.store.archive import Archive, day_of, read_message
from adapter.store.kept_messages import check_messages
from tests.records import CONSUMER, CONTENT_KEY, NOW, a_claim, a_request, an_answer, an_entry

DAY = NOW.date()


def made_up_pinfl(first_thirteen):
    return f"{first_thirteen}{pinfl_check_digit(first_thirteen)}"


async def test_the_files_hold_no_identifier_and_no_key_in_clear(home, record):
    """The identifier is in the message, and the entry is found by it; neither it nor a key can be read out."""
    person = SubjectId("pinfl", made_up_pinfl("3010190123456"))
    tag = subject_tag(subject_key(home.archive_key), person.kind, person.value)
    claim = a_claim()
    request = replace(
        a_request(claim, f"<GetPerson><pinfl>{person.value}</pinfl></GetPerson>".encode()),
        entry=an_entry(str(claim.message_id), subjects=(tag,)),
    )
    await record.write(request)
    await record.write(an_answer(claim, f"<Person><pinfl>{person.value}</pinfl></Person>".encode()))
    files = sorted(home.database.path.parent.glob("adapter.sqlite*"))
    assert [path.name for path in files] == ["adapter.sqlite", "adapter.sqlite-shm", "adapter.sqlite-wal"]
    stored = b"".join(path.read_bytes() for path in files)
    assert str(claim.message_id).encode() in stored
    for secret in (person.value.encode(), b"<pinfl>", CONTENT_KEY, home.archive_key, home.key.private_bytes_raw()):
        assert secret not in stored
    kept = read_message(home.database, home.archive_key, 0, "request")
    assert kept is not None
    assert person.value.encode() in kept.octets


async def test_every_changed_octet_of_a_kept_message_is_found(home, record):
    await record.write(a_request(a_claim()))
    await record.close()
    connection = sqlite3.connect(home.database.path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    ((sealed,),) = connection.execute("SELECT sealed FROM messages").fetchall()
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        connection.execute("UPDATE messages SET sealed = ?", (changed,))
        with pytest.raises(RecordBroken, match="kept request of entry 0"):
            Archive(home.archive_key).read(connection.cursor(), 0, "request")
    connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE messages SET number = -1 WHERE number = 0; UPDATE messages SET number = 0 WHERE number = 1",
        "UPDATE messages SET direction = 'reply' WHERE number = 0",
        "UPDATE message_keys SET day = 'later'",
        "UPDATE message_keys SET service = 'another'",
        "UPDATE message_keys SET purpose = 'another'",
        "UPDATE message_keys SET generation = 1",
        "UPDATE messages SET key_name = 'none'",
        "UPDATE messages SET sealed = x'00' WHERE number = 0",
        "UPDATE messages SET sealed = '' WHERE number = 0",
    ],
)
async def test_a_message_that_was_moved_or_cut_is_found(home, record, change):
    await asyncio.gather(record.write(a_request(a_claim(), b"<one/>")), record.write(a_request(a_claim(), b"<two/>")))
    connection = sqlite3.connect(home.database.path)
    connection.executescript(change)
    connection.close()
    direction = "reply" if "reply" in change else "request"
    with pytest.raises(RecordBroken):
        read_message(home.database, home.archive_key, 0, direction)


async def test_a_changed_day_key_is_found(home, record):
    await record.write(a_request(a_claim()))
    home.change("UPDATE message_keys SET wrapped = randomblob(40)")
    with pytest.raises(KeyUnusable, match="2026-03-02"):
        read_message(home.database, home.archive_key, 0, "request")


async def test_another_archive_key_opens_nothing_and_seals_nothing(home, record):
    await record.write(a_request(a_claim()))
    with pytest.raises(KeyUnusable):
        read_message(home.database, bytes(32), 0, "request")
    home.archive_key = bytes(32)
    other = home.writer("run/2")
    await other.start()
    with pytest.raises(RecordUnavailable, match="archive key"):
        await other.write(a_request(a_claim()))
    await other.close()


async def test_a_changed_reply_is_not_given_out_and_disturbs_nobody_else(home, record):
    claim = a_claim()
    await record.write(a_request(claim))
    await record.write(an_answer(claim))
    home.change("UPDATE messages SET sealed = zeroblob(50)")
    with pytest.raises(RecordUnavailable, match="kept reply of entry 1"):
        await record.find(CONSUMER, claim.message_id)
    again = asyncio.create_task(record.write(a_request(claim)))
    assert isinstance(await record.write(a_request(a_claim())), Written)
    with pytest.raises(RecordUnavailable, match="kept reply of entry 1"):
        await again


@pytest.mark.parametrize("octets", [0, 16, 31, 33])
def test_an_archive_key_of_another_length_is_refused(octets):
    with pytest.raises(KeyUnusable):
        Archive(bytes(octets))


async def test_a_content_key_of_another_length_is_not_kept(home, record):
    kept = KeptMessage(direction="request", octets=b"", content_key=b"short")
    with pytest.raises(RecordUnavailable):
        await record.write(RecordWrite(entry=an_entry(), kept=(kept,)))


async def test_all_kept_messages_are_checked_and_the_bad_one_named(home, record):
    for days in range(3):
        write = a_request(a_claim())
        await record.write(replace(write, entry=replace(write.entry, at=NOW + timedelta(days=days))))
    told = []
    assert check_messages(home.database, home.archive_key, lambda done, of: told.append((done, of))) == 3
    assert told == [(1, 3), (2, 3), (3, 3)]
    home.change("UPDATE messages SET sealed = zeroblob(length(sealed)) WHERE number = 2")
    with pytest.raises(RecordBroken, match="kept request of entry 2"):
        check_messages(home.database, home.archive_key)


def test_days_are_utc():
    assert day_of(datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=UTC)) == "2026-03-02"
    assert date.fromisoformat(day_of(NOW)) == DAY


async def test_another_message_than_the_entrys_is_named_though_it_was_sealed_with_the_right_key(home, record):
    """What the holder of the archive key could do; the digest in the entry is what was signed."""
    kept = KeptMessage(direction="request", octets=b"<other/>", content_key=CONTENT_KEY)
    await record.write(RecordWrite(entry=an_entry(octets=b"<request/>"), kept=(kept,)))
    with pytest.raises(RecordBroken, match="kept request of entry 0 is not the message that the entry is about"):
        check_messages(home.database, home.archive_key)
    home.change("DELETE FROM entries")
    with pytest.raises(RecordBroken, match="kept request of entry 0 is of an entry that does not exist"):
        check_messages(home.database, home.archive_key)


async def test_messages_are_looked_at_page_by_page(home, record, monkeypatch):
    monkeypatch.setattr("adapter.store.kept_messages._PAGE_ROWS", 2)
    for _ in range(5):
        await record.write(a_request(a_claim()))
    assert check_messages(home.database, home.archive_key) == 5
