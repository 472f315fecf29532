"""The record as a port: durable when it returns, at most once, bounded, and group-committed."""

import asyncio
import sqlite3

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.document import read_document
from adapter.audit.verify import verify_record
from adapter.errors import InternalError, Overloaded, RecordBroken, RecordUnavailable
from adapter.identifiers import MessageId, RecordNumber
from adapter.ports import ExchangeState, KeptMessage, KnownExchange, RecordWrite, Written
from adapter.store.archive import read_message
from adapter.store.record import RecordLimits
from tests.records import CONSUMER, CONTENT_KEY, ORIGIN, a_claim, a_refusal, a_request, an_answer, an_entry


def count(home, table):
    connection = sqlite3.connect(home.database.path)
    try:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        connection.close()


async def test_what_was_written_is_there_for_any_other_process(home, record):
    written = await record.write(RecordWrite(entry=an_entry("urn:uuid:the-first-message")))
    assert written == Written(number=RecordNumber(0))
    stored = home.reader.show(0)
    assert stored.body["message_id"] == "urn:uuid:the-first-message"
    assert read_document(stored.document)[1] == stored.indexed
    assert home.verify().entries == 1


async def test_numbers_count_up_and_every_batch_has_one_checkpoint(home, record):
    first = await asyncio.gather(*(record.write(RecordWrite(entry=an_entry())) for _ in range(10)))
    second = await asyncio.gather(*(record.write(RecordWrite(entry=an_entry())) for _ in range(5)))
    assert [written.number for written in first + second] == list(range(15))
    assert [stored.size for stored in home.reader.checkpoints(15)] == [10, 15]


async def test_commits_reach_the_disk(home):
    """Promise 1 rests on these two: a commit in the write-ahead log that is synced before it returns."""
    connection = home.database.connect()
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


async def test_a_write_is_acknowledged_only_after_its_commit(home, record):
    """While somebody else holds the lock nothing is acknowledged, and nothing of it can be read."""
    blocker = home.database.connect()
    blocker.execute("BEGIN IMMEDIATE")
    claim = a_claim()
    waiting = asyncio.create_task(record.write(a_request(claim)))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    assert await record.find(claim.consumer, claim.message_id) is None
    blocker.execute("ROLLBACK")
    blocker.close()
    assert await waiting == Written(number=RecordNumber(0))
    assert (await record.find(claim.consumer, claim.message_id)).state is ExchangeState.RELEASED


# --- at most once ----------------------------------------------------------------------------------------------------


async def test_an_exchange_is_reserved_answered_and_its_reply_found(record):
    claim = a_claim()
    assert await record.find(CONSUMER, claim.message_id) is None
    assert await record.write(a_request(claim)) == Written(number=RecordNumber(0))
    released = KnownExchange(
        state=ExchangeState.RELEASED, content_digest=claim.content_digest, reply=None, reply_number=None
    )
    assert await record.find(CONSUMER, claim.message_id) == released
    assert await record.write(a_request(claim)) == released
    assert await record.write(an_answer(claim, b"<the-reply/>")) == Written(number=RecordNumber(1))
    answered = KnownExchange(
        state=ExchangeState.ANSWERED,
        content_digest=claim.content_digest,
        reply=b"<the-reply/>",
        reply_number=RecordNumber(1),
    )
    assert await record.find(CONSUMER, claim.message_id) == answered
    assert await record.write(a_request(claim)) == answered


async def test_a_refused_claim_leaves_no_trace(home, record):
    claim = a_claim()
    await record.write(a_request(claim))
    before = {table: count(home, table) for table in ("entries", "messages", "exchanges", "checkpoints")}
    assert isinstance(await record.write(a_request(claim)), KnownExchange)
    assert {table: count(home, table) for table in before} == before


async def test_another_content_under_the_same_id_gets_the_first_ones_digest(record):
    claim = a_claim(digest=b"1" * 32)
    await record.write(a_request(claim))
    known = await record.write(a_request(a_claim(claim.message_id, digest=b"2" * 32)))
    assert isinstance(known, KnownExchange)
    assert known.content_digest == b"1" * 32


async def test_a_refusal_can_reserve_and_answer_at_once(record):
    claim = a_claim()
    assert await record.write(a_refusal(claim, b"<fault/>")) == Written(number=RecordNumber(0))
    known = await record.find(CONSUMER, claim.message_id)
    assert (known.state, known.reply, known.reply_number) == (ExchangeState.ANSWERED, b"<fault/>", 0)


async def test_of_equal_claims_in_one_batch_exactly_one_wins(home, record):
    claim = a_claim()
    outcomes = await asyncio.gather(*(record.write(a_request(claim)) for _ in range(20)))
    assert sum(isinstance(outcome, Written) for outcome in outcomes) == 1
    assert count(home, "entries") == count(home, "messages") == 1


async def test_of_equal_claims_from_two_writers_exactly_one_wins(home, record):
    other = home.writer("run/2")
    await other.start()
    try:
        for _ in range(30):
            claim = a_claim()
            outcomes = await asyncio.gather(record.write(a_request(claim)), other.write(a_request(claim)))
            assert sorted(type(outcome).__name__ for outcome in outcomes) == ["KnownExchange", "Written"]
    finally:
        await other.close()
    assert count(home, "exchanges") == count(home, "entries") == 30
    home.verify()


async def test_an_answer_without_a_reservation_is_not_written(home, record):
    with pytest.raises(RecordUnavailable, match="not open"):
        await record.write(an_answer(a_claim()))
    assert count(home, "entries") == 0


async def test_an_exchange_is_answered_once(home, record):
    claim = a_claim()
    await record.write(a_request(claim))
    await record.write(an_answer(claim, b"<first/>"))
    with pytest.raises(RecordUnavailable):
        await record.write(an_answer(claim, b"<second/>"))
    assert (await record.find(CONSUMER, claim.message_id)).reply == b"<first/>"


async def test_an_answer_to_another_content_is_not_written(record):
    claim = a_claim(digest=b"1" * 32)
    await record.write(a_request(claim))
    with pytest.raises(RecordUnavailable):
        await record.write(an_answer(a_claim(claim.message_id, digest=b"2" * 32)))


async def test_a_mistake_in_one_write_does_not_fail_its_neighbours(home, record):
    good, bad = a_claim(), a_claim()
    outcomes = await asyncio.gather(
        record.write(a_request(good)),
        record.write(an_answer(bad)),
        record.write(a_request(bad)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Written, RecordUnavailable, Written]
    assert count(home, "entries") == 2
    home.verify()


async def test_a_write_that_the_database_cannot_hold_fails_alone(home, record):
    huge = KeptMessage(direction="x\ud800", octets=b"", content_key=CONTENT_KEY)  # half a surrogate has no UTF-8 form
    outcomes = await asyncio.gather(
        record.write(RecordWrite(entry=an_entry())),
        record.write(RecordWrite(entry=an_entry(), kept=(huge,))),
        record.write(RecordWrite(entry=an_entry())),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Written, RecordUnavailable, Written]
    assert home.verify().entries == 2


# --- what is kept ----------------------------------------------------------------------------------------------------


async def test_kept_messages_are_read_back_by_entry_and_direction(home, record):
    both = (
        KeptMessage(direction="request", octets=b"<request/>", content_key=CONTENT_KEY),
        KeptMessage(direction="reply", octets=b"<fault/>", content_key=CONTENT_KEY[::-1]),
    )
    await record.write(RecordWrite(entry=an_entry(), kept=both))
    for kept in both:
        assert read_message(home.database, home.archive_key, 0, kept.direction) == kept
    assert read_message(home.database, home.archive_key, 1, "request") is None


async def test_a_large_message_is_kept_whole(home, record):
    octets = bytes(range(256)) * 40_000
    claim = a_claim()
    await record.write(a_request(claim))
    await record.write(an_answer(claim, octets))
    assert (await record.find(CONSUMER, claim.message_id)).reply == octets


@pytest.mark.parametrize(
    "write",
    [
        RecordWrite(entry=an_entry(), claim=a_claim(), answers=a_claim()),
        RecordWrite(entry=an_entry(), answers=a_claim()),
        RecordWrite(entry=an_entry(), answers=a_claim(), kept=a_request(a_claim()).kept),
        RecordWrite(entry=an_entry(), kept=a_request(a_claim()).kept * 2),
    ],
    ids=["claims-one-answers-another", "answer-without-reply", "answer-ends-with-request", "two-requests"],
)
async def test_a_write_that_makes_no_sense_is_refused(home, record, write):
    with pytest.raises(InternalError):
        await record.write(write)
    assert count(home, "entries") == 0


# --- bounds and the end ----------------------------------------------------------------------------------------------


async def test_when_too_many_wait_the_next_is_told_so(home):
    record = home.writer(limits=RecordLimits(max_waiting_writes=3))
    await record.start()
    blocker = home.database.connect()
    blocker.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(record.write(RecordWrite(entry=an_entry())))
    await asyncio.sleep(0.05)  # the thread has this one and waits for the lock
    waiting = [asyncio.create_task(record.write(RecordWrite(entry=an_entry()))) for _ in range(3)]
    await asyncio.sleep(0.05)
    with pytest.raises(Overloaded):
        await record.write(RecordWrite(entry=an_entry()))
    blocker.execute("ROLLBACK")
    blocker.close()
    assert [written.number for written in await asyncio.gather(first, *waiting)] == [0, 1, 2, 3]
    await record.write(RecordWrite(entry=an_entry()))
    await record.close()


async def test_when_too_many_octets_wait_the_next_is_told_so(home):
    record = home.writer(limits=RecordLimits(max_waiting_bytes=100_000))
    await record.start()
    with pytest.raises(Overloaded):
        await record.write(a_request(a_claim(), bytes(100_001)))
    assert await record.write(a_request(a_claim(), bytes(50_000))) == Written(number=RecordNumber(0))
    assert await record.write(a_request(a_claim(), bytes(50_000))) == Written(number=RecordNumber(1))
    await record.close()


async def test_a_batch_has_a_bound(home):
    record = home.writer(limits=RecordLimits(max_batch_writes=4))
    await record.start()
    await asyncio.gather(*(record.write(RecordWrite(entry=an_entry())) for _ in range(10)))
    await record.close()
    assert [stored.size for stored in home.reader.checkpoints(10)] == [4, 8, 10]


async def test_closing_writes_what_is_waiting_and_takes_nothing_more(home):
    record = home.writer()
    await record.start()
    waiting = [asyncio.create_task(record.write(RecordWrite(entry=an_entry()))) for _ in range(200)]
    await asyncio.sleep(0)
    await record.close()
    assert sorted(written.number for written in await asyncio.gather(*waiting)) == list(range(200))
    with pytest.raises(RecordUnavailable, match="closed"):
        await record.write(RecordWrite(entry=an_entry()))
    await record.close()


async def test_whoever_stops_waiting_does_not_disturb_the_others(home, record):
    leaving = asyncio.create_task(record.write(RecordWrite(entry=an_entry())))
    staying = asyncio.create_task(record.write(RecordWrite(entry=an_entry())))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).number == 1
    assert count(home, "entries") == 2


async def test_a_writer_goes_on_where_another_stopped(home):
    for expected in range(3):
        record = home.writer(f"run/{expected}")
        await record.start()
        assert (await record.write(RecordWrite(entry=an_entry()))).number == expected
        await record.close()
    assert home.verify().entries == 3


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM entries; DELETE FROM tree_head",
        "UPDATE tree_head SET size = 0, hashes = x''",
        "UPDATE tree_head SET hashes = zeroblob(32 * 2)",
        "DELETE FROM checkpoints",
        "DELETE FROM checkpoints WHERE size = 3",
        "UPDATE checkpoints SET note = replace(note, 'interagency', 'other')",
    ],
)
async def test_a_record_whose_end_was_changed_is_not_continued(home, change):
    home.fill(3, 1)
    connection = sqlite3.connect(home.database.path)
    connection.executescript(change)
    connection.close()
    record = home.writer()
    with pytest.raises(RecordBroken):
        await record.start()


async def test_a_record_of_another_adapter_is_not_continued(home):
    home.fill(1, 1)
    home.key = Ed25519PrivateKey.generate()
    with pytest.raises(RecordBroken, match="signature"):
        await home.writer().start()


async def test_after_a_change_of_the_record_key_the_log_goes_on(home):
    home.fill(2, 1)
    former, home.key = home.verifiers, Ed25519PrivateKey.generate()
    record = home.writer(former_keys=former)
    await record.start()
    await record.write(RecordWrite(entry=an_entry()))
    await record.close()
    verified = verify_record(home.reader, origin=ORIGIN, verifiers=(*home.verifiers, *former))
    assert (verified.entries, verified.checkpoints) == (3, 3)


async def test_messages_ids_of_other_consumers_do_not_collide(record):
    claim = a_claim(MessageId("urn:uuid:the-same-id-for-both"))
    other = type(claim.consumer).parse("UZ/GOV/200000004/health")
    await record.write(a_request(claim))
    assert await record.find(other, claim.message_id) is None
