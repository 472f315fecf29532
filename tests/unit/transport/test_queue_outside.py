"""Whose turn it is: one address after the other, those that are known first, strangers not too often."""

from __future__ import annotations

from collections.abc import Sequence

from adapter.transport.queue_outside import FRUITLESS_PER_S, FruitlessAddresses, KnownAddresses, QueueOutside

FORGIVEN = 4
"""Connections of one address that may come to nothing."""


def queue(*known: str, strangers_per_s: float = 2, fruitless: Sequence[str] = ()) -> QueueOutside[str]:
    addresses, nothing = KnownAddresses(), FruitlessAddresses()
    for address in known:
        addresses.add(address)
    for address in fruitless:
        for _ in range(FORGIVEN):
            nothing.add(address, 0.0)
    return QueueOutside(addresses, 0.0, strangers_per_s=strangers_per_s, fruitless=nothing)


def taken(outside: QueueOutside[str], now: float) -> list[str]:
    """Everybody whose turn it is now."""
    found = []
    while chosen := outside.next(now):
        found.append(chosen[0])
    return found


def test_addresses_take_turns_however_many_connections_one_of_them_makes() -> None:
    outside = queue(strangers_per_s=100)
    for at in range(50):
        outside.join("flood", f"flood {at}", 0.0)
    outside.join("other", "other 0", 0.0)
    outside.join("other", "other 1", 0.0)
    assert taken(outside, 0.0)[:4] == ["flood 0", "other 0", "flood 1", "other 1"]
    assert len(outside) == 0


def test_strangers_together_have_so_many_turns_in_a_second() -> None:
    outside = queue(strangers_per_s=2)
    for at in range(100):
        outside.join(f"address {at}", str(at), 0.0)
    assert len(taken(outside, 0.0)) == 2
    assert outside.wait_s(0.0) == 0.5
    assert outside.next(0.4) is None
    assert len(taken(outside, 0.5)) == 1
    assert len(taken(outside, 60.0)) == 2, "what nobody used is not saved up"


def test_known_addresses_come_first_and_wait_for_no_stranger() -> None:
    outside = queue("known", strangers_per_s=1)
    for at in range(100):
        outside.join(f"address {at}", str(at), 0.0)
    assert len(taken(outside, 0.0)) == 1
    for at in range(5):
        outside.join("known", f"known {at}", 0.0)
    assert outside.wait_s(0.0) == 0
    assert taken(outside, 0.0) == [f"known {at}" for at in range(5)]
    assert outside.wait_s(0.0) == 1


def test_nobody_outside_nobodys_turn() -> None:
    outside = queue()
    assert outside.next(0.0) is None
    assert outside.wait_s(0.0) is None
    assert outside.give_up_one() is None


def test_whoever_has_most_outside_gives_up_a_place() -> None:
    outside = queue()
    outside.join("one", "one 0", 0.0)
    for at in range(3):
        outside.join("many", f"many {at}", 0.0)
    assert outside.give_up_one() == ("many 0", "many")
    assert outside.give_up_one() == ("many 1", "many")
    assert len(outside) == 2


def test_who_used_up_what_it_may_have_is_a_stranger_again() -> None:
    known = KnownAddresses()
    known.add("address")
    known.forget("address")
    known.forget("nobody")
    assert "address" not in known


def test_a_bounded_number_of_addresses_is_remembered() -> None:
    known = KnownAddresses()
    for at in range(4096):
        known.add(str(at))
    known.add("0")  # seen again
    known.add("one more")
    assert "0" in known
    assert "1" not in known
    assert "one more" in known


def test_from_where_connections_came_to_nothing_one_waits_apart_and_strangers_wait_for_none_of_them() -> None:
    flood = [f"flood {at}" for at in range(20)]
    outside = queue(strangers_per_s=30, fruitless=flood)
    for address in flood:
        outside.join(address, address, 0.0)
    for at in range(5):
        outside.join("other", f"other {at}", 0.0)
    first = taken(outside, 0.0)
    assert first == [f"other {at}" for at in range(5)] + flood[:FRUITLESS_PER_S], "strangers first, and all of them"
    assert outside.wait_s(0.0) == 1 / FRUITLESS_PER_S
    assert taken(outside, 5.0) == flood[FRUITLESS_PER_S : 2 * FRUITLESS_PER_S], "what nobody used is not saved up"


def test_who_waits_apart_takes_no_turn_of_the_strangers() -> None:
    outside = queue(strangers_per_s=1, fruitless=["flood"])
    for at in range(3):
        outside.join("flood", f"flood {at}", 0.0)
    outside.join("other", "other", 0.0)
    assert taken(outside, 0.0) == ["other", "flood 0", "flood 1"]
    assert outside.wait_s(0.0) == 1 / FRUITLESS_PER_S


def test_who_is_known_never_waits_apart() -> None:
    outside = queue("known", fruitless=["known"])
    for at in range(10):
        outside.join("known", str(at), 0.0)
    assert outside.give_up_fruitless(0.0) is None
    assert len(taken(outside, 0.0)) == 10


def test_some_connections_that_come_to_nothing_are_forgiven_and_one_more_every_half_minute() -> None:
    nothing = FruitlessAddresses()
    for at in range(FORGIVEN):
        assert not nothing.has("address", 0.0), at
        nothing.add("address", 0.0)
    assert nothing.has("address", 29.9)
    assert not nothing.has("address", 30.1)
    nothing.add("address", 30.1)
    assert nothing.has("address", 30.1)
    assert not nothing.has("another", 0.0)


def test_however_many_came_to_nothing_it_is_forgiven_in_minutes() -> None:
    nothing = FruitlessAddresses()
    for _ in range(100_000):
        nothing.add("address", 0.0)
    assert nothing.has("address", 149.0)
    assert not nothing.has("address", 151.0)


def test_where_somebody_was_answered_nothing_is_held_against_others() -> None:
    nothing = FruitlessAddresses()
    for _ in range(10):
        nothing.add("address", 0.0)
    nothing.forget("address")
    nothing.forget("nobody")
    assert not nothing.has("address", 0.0)


def test_a_bounded_number_of_fruitless_addresses_is_remembered() -> None:
    nothing = FruitlessAddresses()
    for at in range(4096):
        for _ in range(FORGIVEN):
            nothing.add(str(at), 0.0)
    nothing.add("0", 0.0)  # seen again
    nothing.add("one more", 0.0)
    assert nothing.has("0", 0.0)
    assert not nothing.has("1", 0.0)
    assert nothing.has("2", 0.0)


def test_who_waited_too_long_is_found_one_after_the_other() -> None:
    outside = queue()
    outside.join("one", "early", 0.0)
    outside.join("one", "late", 20.0)
    outside.join("other", "in between", 10.0)
    assert outside.overdue(0.0) is None, "not those of that very instant"
    assert outside.overdue(15.0) == ("early", "one")
    assert outside.overdue(15.0) == ("in between", "other")
    assert outside.overdue(15.0) is None
    assert len(outside) == 1


def test_of_those_apart_whoever_has_most_outside_gives_up_a_place() -> None:
    outside = queue(fruitless=["flood", "more"])
    for at in range(3):
        outside.join("stranger", f"stranger {at}", 0.0)
    outside.join("flood", "flood 0", 0.0)
    for at in range(2):
        outside.join("more", f"more {at}", 0.0)
    given_up = [outside.give_up_fruitless(0.0) for _ in range(4)]
    assert given_up == [("more 0", "more"), ("flood 0", "flood"), ("more 1", "more"), None]
