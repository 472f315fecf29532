"""Accounts of callers: what is at hand, what may come, and that everything is given back."""

from __future__ import annotations

import pytest

from adapter.errors import LimitExceeded, Overloaded, PeerTooManyRequests, TooManyRequests
from adapter.transport.quotas import Bucket, Caller, Ledger, Quota, address_block
from adapter.transport.turned_away import TurnedAway

MANY = Quota(in_flight=100, bytes_in_flight=1000, requests_per_second=10**9, refusals_per_minute=10**9)
SMALL = Quota(in_flight=2, bytes_in_flight=100, requests_per_second=10, refusals_per_minute=60)
STRANGERS = Quota(in_flight=3, bytes_in_flight=150, requests_per_second=1000, refusals_per_minute=100)


def ledger() -> Ledger:
    return Ledger(quota=SMALL, everyone=MANY, strangers=STRANGERS, limit=TooManyRequests)


def known(name: str) -> Caller:
    return Caller(kind="client", name=name, identified=True)


def stranger(address: str) -> Caller:
    return Caller(kind="address", name=address, identified=False)


def test_one_caller_has_so_many_requests_at_hand_and_others_are_not_hindered() -> None:
    accounts = ledger()
    first = accounts.account(known("a"), 0)
    shares = [accounts.enter(first, 0) for _ in range(2)]
    with pytest.raises(Overloaded) as refused:
        accounts.enter(first, 0)
    assert refused.value.retry_after_s == 1
    accounts.enter(accounts.account(known("b"), 0), 0)
    shares[0].give_back()
    accounts.enter(first, 0)


def test_requests_of_one_caller_in_a_time_and_when_to_come_again() -> None:
    accounts = ledger()
    account = accounts.account(known("a"), 0)
    for _ in range(20):
        accounts.enter(account, 0).give_back()
    with pytest.raises(TooManyRequests) as refused:
        accounts.enter(account, 0)
    assert refused.value.retry_after_s == 1
    accounts.enter(account, 0.11)


def test_whoever_is_refused_too_often_waits_whole_seconds_until_the_next_is_read() -> None:
    accounts = Ledger(quota=SMALL, everyone=MANY, strangers=STRANGERS, limit=PeerTooManyRequests)
    account = accounts.account(known("a"), 0)
    for _ in range(65):
        account.refused(0, octets=0)
    with pytest.raises(PeerTooManyRequests) as refused:
        accounts.enter(account, 0)
    assert refused.value.retry_after_s == 6
    accounts.enter(account, 6)


def test_octets_are_held_until_the_answer_and_given_back() -> None:
    accounts = ledger()
    account = accounts.account(known("a"), 0)
    one, other = accounts.enter(account, 0), accounts.enter(account, 0)
    one.hold(60)
    with pytest.raises(Overloaded):
        other.hold(41)
    with pytest.raises(LimitExceeded):
        account.room_for(101)
    one.give_back()
    other.hold(100)
    other.give_back()
    assert (account.in_flight, account.octets) == (0, 0)


def test_unidentified_addresses_together_are_bounded_and_do_not_hinder_who_is_known() -> None:
    accounts = ledger()
    for at in range(3):
        accounts.enter(accounts.account(stranger(f"10.0.0.{at}"), 0), 0)
    with pytest.raises(Overloaded):
        accounts.enter(accounts.account(stranger("10.0.0.9"), 0), 0)
    accounts.enter(accounts.account(known("a"), 0), 0)


def test_refusals_of_many_addresses_are_those_of_one() -> None:
    accounts = ledger()
    for at in range(101):
        accounts.account(stranger(f"10.0.0.{at}"), 0).refused(0, octets=0)
    with pytest.raises(TooManyRequests):
        accounts.enter(accounts.account(stranger("10.0.1.1"), 0), 0)


def test_a_large_message_that_is_refused_counts_as_many() -> None:
    """60 a minute: 3 MiB are 48 more than one, so that a second message of that size is the last one."""
    accounts = ledger()
    account = accounts.account(known("a"), 0)
    account.refused(0, octets=3 * 1024 * 1024)
    accounts.enter(account, 0).give_back()
    account.refused(0, octets=3 * 1024 * 1024)
    with pytest.raises(TooManyRequests) as refused:
        accounts.enter(account, 0)
    assert refused.value.retry_after_s == 39
    accounts.enter(account, 39)


def test_every_small_refusal_counts_once_however_fast_they_come() -> None:
    """60 a minute are 60 at one instant: what little each of them has to read takes none of the later ones' places."""
    accounts = ledger()
    account = accounts.account(known("a"), 0)
    for _ in range(59):
        account.refused(0, octets=1000)
    accounts.enter(account, 0).give_back()
    account.refused(0, octets=1000)
    with pytest.raises(TooManyRequests):
        accounts.enter(account, 0)


def test_accounts_are_forgotten_but_none_that_holds_something() -> None:
    accounts = ledger()
    held = accounts.account(known("held"), 0)
    share = accounts.enter(held, 0)
    for at in range(10_000):
        accounts.account(stranger(str(at)), 0)
    assert accounts.account(known("held"), 0) is held
    assert len(accounts._accounts) <= 4097
    share.give_back()


def test_tokens_do_not_grow_past_the_bucket_nor_when_a_clock_goes_back() -> None:
    bucket = Bucket(2, 1, 100)
    bucket.take(100)
    assert bucket.wait_s(50) == 0
    bucket.take(50)
    assert bucket.wait_s(50) == 1
    assert bucket.wait_s(10_000) == 0
    for _ in range(2):
        bucket.take(10_000)
    assert bucket.wait_s(10_000) == 1


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, block: str) -> None:
    assert address_block(address) == block


def test_a_flood_is_one_summary_however_many_came() -> None:
    turned_away = TurnedAway()
    for at in range(10_000):
        turned_away.count("TooManyRequests", stranger(f"10.0.{at // 250}.{at % 250}"))
    turned_away.count("Overloaded", known("a"))
    summary = turned_away.summary()
    assert summary is not None
    assert summary.total == 10_001
    assert summary.by_reason == {"Overloaded": 1, "TooManyRequests": 10_000}
    assert len(summary.most) <= 50
    assert summary.others + sum(count for _, count in summary.most) == 10_001
    assert turned_away.summary() is None
    assert turned_away.total["TooManyRequests"] == 10_000
