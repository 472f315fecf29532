"""Whose turn it is: one address after the other, those that are known first, strangers not too often."""

from __future__ import annotations

from adapter.transport.queue_outside import KnownAddresses, QueueOutside


def queue(*known: str, strangers_per_s: float = 2) -> QueueOutside[str]:
    addresses = KnownAddresses()
    for address in known:
        addresses.add(address)
    return QueueOutside(addresses, 0.0, strangers_per_s=strangers_per_s)


def taken(outside: QueueOutside[str], now: float) -> list[str]:
    """Everybody whose turn it is now."""
    found = []
    while chosen := outside.next(now):
        found.append(chosen[0])
    return found


def test_addresses_take_turns_however_many_connections_one_of_them_makes() -> None:
    outside = queue(strangers_per_s=100)
    for at in range(50):
        outside.join("flood", f"flood {at}")
    outside.join("other", "other 0")
    outside.join("other", "other 1")
    assert taken(outside, 0.0)[:4] == ["flood 0", "other 0", "flood 1", "other 1"]
    assert len(outside) == 0


def test_strangers_together_have_so_many_turns_in_a_second() -> None:
    outside = queue(strangers_per_s=2)
    for at in range(100):
        outside.join(f"address {at}", str(at))
    assert len(taken(outside, 0.0)) == 2
    assert outside.wait_s(0.0) == 0.5
    assert outside.next(0.4) is None
    assert len(taken(outside, 0.5)) == 1
    assert len(taken(outside, 60.0)) == 2, "what nobody used is not saved up"


def test_known_addresses_come_first_and_wait_for_no_stranger() -> None:
    outside = queue("known", strangers_per_s=1)
    for at in range(100):
        outside.join(f"address {at}", str(at))
    assert len(taken(outside, 0.0)) == 1
    for at in range(5):
        outside.join("known", f"known {at}")
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
    outside.join("one", "one 0")
    for at in range(3):
        outside.join("many", f"many {at}")
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
