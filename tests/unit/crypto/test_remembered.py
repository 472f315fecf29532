"""What is said of an object is asked once, and never taken for what is said of another."""

from __future__ import annotations

import gc

import pytest

from adapter.crypto.remembered import remembered
from adapter.errors import SecurityFailed


class Thing:
    """Equal to every other one: what is remembered goes by the object."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Thing)

    __hash__ = None  # type: ignore[assignment]


def test_asked_once_for_each_object() -> None:
    asked: list[str] = []

    @remembered(10)
    def name_of(thing: Thing) -> str:
        asked.append(thing.name)
        return thing.name

    one, other = Thing("one"), Thing("other")
    assert [name_of(one), name_of(other), name_of(one), name_of(other)] == ["one", "other", "one", "other"]
    assert asked == ["one", "other"]


def test_nothing_is_an_answer_too() -> None:
    asked: list[Thing] = []

    @remembered(10)
    def check(thing: Thing) -> None:
        asked.append(thing)

    thing = Thing("good")
    check(thing)
    check(thing)
    assert len(asked) == 1


def test_a_refusal_is_not_remembered() -> None:
    refused = True

    @remembered(10)
    def name_of(thing: Thing) -> str:
        if refused:
            raise SecurityFailed("not now")
        return thing.name

    thing = Thing("late")
    with pytest.raises(SecurityFailed):
        name_of(thing)
    refused = False
    assert name_of(thing) == "late"


def test_an_object_that_came_in_the_place_of_one_that_went() -> None:
    """Python gives the identity of an object that is no more to a new one: what is remembered is therefore held."""

    @remembered(3)
    def name_of(thing: Thing) -> str:
        return thing.name

    for at in range(1_000):
        assert name_of(Thing(str(at))) == str(at)


def test_bounded() -> None:
    @remembered(3)
    def name_of(thing: Thing) -> str:
        return thing.name

    for at in range(10):
        name_of(Thing(str(at)))
    gc.collect()
    assert sum(isinstance(one, Thing) for one in gc.get_objects()) <= 3
