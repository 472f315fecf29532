"""After a crash, and when exchanges are long over."""

import fcntl
import os
import time
from datetime import timedelta

import pytest

from adapter.audit.document import milliseconds
from adapter.errors import StoreUnusable
from adapter.ports import ExchangeState, KnownExchange, Written
from adapter.store import recovery
from adapter.store.recovery import purge, recover_run, recover_worker
from tests.records import CONSUMER, NOW, a_claim, a_request, an_answer

SKEW_S = 60


async def release(home, owner, *claims):
    record = home.writer(owner)
    await record.start()
    for claim in claims:
        await record.write(a_request(claim))
    await record.close()


async def state_of(home, claim):
    record = home.writer("reader/1")
    known = await record.find(CONSUMER, claim.message_id)
    await record.close()
    return None if known is None else known.state


async def test_a_new_run_marks_what_earlier_runs_left_open(home):
    earlier, own, answered = a_claim(), a_claim(), a_claim()
    await release(home, "a1/17", earlier)
    await release(home, "b2/18", own)
    record = home.writer("a1/19")
    await record.start()
    await record.write(a_request(answered))
    await record.write(an_answer(answered))
    await record.close()
    interrupted = recover_run(home.database, "b2")
    assert [one.message_id for one in interrupted] == [earlier.message_id]
    assert await state_of(home, earlier) is ExchangeState.INTERRUPTED
    assert await state_of(home, own) is ExchangeState.RELEASED
    assert await state_of(home, answered) is ExchangeState.ANSWERED


async def test_a_token_that_begins_like_ours_is_another_run(home):
    claim = a_claim()
    await release(home, "b23/17", claim)
    assert len(recover_run(home.database, "b2")) == 1


async def test_a_token_is_no_pattern(home):
    claim = a_claim()
    await release(home, "abc/17", claim)
    assert len(recover_run(home.database, "a%")) == 1


async def test_a_dead_worker_is_told_from_the_living(home):
    of_the_dead, of_the_living = a_claim(), a_claim()
    await release(home, "run/17", of_the_dead)
    await release(home, "run/170", of_the_living)
    interrupted = recover_worker(home.database, "run/17")
    assert [one.message_id for one in interrupted] == [of_the_dead.message_id]
    assert await state_of(home, of_the_living) is ExchangeState.RELEASED
    assert recover_worker(home.database, "run/17") == ()


async def test_a_late_answer_of_a_process_taken_for_dead_counts(home):
    claim = a_claim()
    record = home.writer("run/17")
    await record.start()
    await record.write(a_request(claim))
    recover_worker(home.database, "run/17")
    await record.write(an_answer(claim, b"<late/>"))
    known = await record.find(CONSUMER, claim.message_id)
    assert (known.state, known.reply) == (ExchangeState.ANSWERED, b"<late/>")
    await record.close()


def test_two_runs_at_once_are_refused(home, monkeypatch):
    """The second would mark the exchanges of the first as interrupted while they are being answered."""
    monkeypatch.setattr(recovery, "WAIT_FOR_OTHER_RUN_S", 0.2)
    recover_run(home.database, "first")
    with pytest.raises(StoreUnusable, match="another adapter runs on this database"):
        recover_run(home.database, "second")


def test_a_run_waits_for_one_that_is_about_to_end(home, monkeypatch):
    held = os.open(home.database.path.with_name("adapter.sqlite.run"), os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    monkeypatch.setattr(time, "sleep", lambda _seconds: os.close(held))
    assert recover_run(home.database, "next") == ()


# --- forgetting ------------------------------------------------------------------------------------------------------


async def test_only_what_expired_longer_ago_than_the_skew_is_forgotten(home):
    """W125: an unexpired id is never dropped."""
    record = home.writer()
    await record.start()
    claims = {lives_s: a_claim(lives_s=lives_s) for lives_s in (100, 200, 300)}
    for claim in claims.values():
        await record.write(a_request(claim))
        await record.write(an_answer(claim))
    await record.close()
    assert purge(home.database, NOW + timedelta(seconds=100 + SKEW_S), clock_skew_s=SKEW_S) == 0
    assert purge(home.database, NOW + timedelta(seconds=200 + SKEW_S), clock_skew_s=SKEW_S) == 1
    assert await state_of(home, claims[100]) is None
    assert await state_of(home, claims[200]) is ExchangeState.ANSWERED
    assert purge(home.database, NOW + timedelta(days=1), clock_skew_s=SKEW_S) == 2
    assert home.verify().entries == 6


async def test_an_open_exchange_is_kept_until_nobody_can_answer_it(home):
    claim = a_claim(lives_s=100)
    await release(home, "run/1", claim)
    assert purge(home.database, NOW + timedelta(hours=5), clock_skew_s=SKEW_S) == 0
    assert purge(home.database, NOW + timedelta(days=1, seconds=100 + SKEW_S), clock_skew_s=SKEW_S) == 0
    assert purge(home.database, NOW + timedelta(days=1, seconds=101 + SKEW_S), clock_skew_s=SKEW_S) == 1


async def test_an_interrupted_exchange_is_forgotten_like_an_answered_one(home):
    claim = a_claim(lives_s=100)
    await release(home, "run/1", claim)
    recover_worker(home.database, "run/1")
    assert purge(home.database, NOW + timedelta(seconds=101 + SKEW_S), clock_skew_s=SKEW_S) == 1


async def test_very_many_are_forgotten_in_parts(home, monkeypatch):
    monkeypatch.setattr(recovery, "_PURGED_AT_ONCE", 7)
    await release(home, "run/1", *(a_claim() for _ in range(20)))
    assert purge(home.database, NOW + timedelta(days=2), clock_skew_s=SKEW_S) == 20
    assert purge(home.database, NOW + timedelta(days=2), clock_skew_s=SKEW_S) == 0


# --- a clock that was wrong ------------------------------------------------------------------------------------------


async def test_a_clock_that_was_ahead_and_is_set_back_makes_no_old_message_new(home):
    """Its id was forgotten too early; what could be that message again is not run, and what is later is."""
    record = home.writer()
    await record.start()
    claim = a_claim(lives_s=300)
    await record.write(a_request(claim))
    await record.write(an_answer(claim))
    assert purge(home.database, NOW + timedelta(days=1), clock_skew_s=SKEW_S) == 1
    again = await record.write(a_request(claim))
    assert isinstance(again, KnownExchange)
    assert (again.state, again.content_digest, again.reply) == (ExchangeState.INTERRUPTED, claim.content_digest, None)
    assert isinstance(await record.write(a_request(a_claim(lives_s=300))), KnownExchange), "to the millisecond"
    assert isinstance(await record.write(a_request(a_claim(lives_s=300.001))), Written)
    await record.close()


async def test_how_far_was_forgotten_only_grows(home):
    earlier, later = a_claim(lives_s=100), a_claim(lives_s=300)
    await release(home, "run/1", earlier, later)
    recover_worker(home.database, "run/1")
    home.change(
        "UPDATE exchanges SET expires_ms = expires_ms + 864000000 WHERE message_id = ?", str(earlier.message_id)
    )
    assert purge(home.database, NOW + timedelta(days=1), clock_skew_s=SKEW_S) == 1
    home.change(
        "UPDATE exchanges SET expires_ms = expires_ms - 864000000 WHERE message_id = ?", str(earlier.message_id)
    )
    assert purge(home.database, NOW + timedelta(days=1), clock_skew_s=SKEW_S) == 1
    with home.database.reading() as connection:
        found = connection.exec_driver_sql("SELECT expires_ms FROM forgotten").scalars().all()
    assert found == [milliseconds(later.expires) + 1]


async def test_an_id_that_is_still_known_is_found_all_the_same(home):
    """What was answered gets its reply, however far was forgotten."""
    record = home.writer()
    await record.start()
    known = a_claim(lives_s=200)
    await record.write(a_request(known))
    await record.write(an_answer(known))
    home.change("INSERT INTO forgotten VALUES (9999999999999)")
    again = await record.write(a_request(known))
    assert isinstance(again, KnownExchange)
    assert (again.state, again.reply) == (ExchangeState.ANSWERED, b"<reply/>")
    await record.close()
