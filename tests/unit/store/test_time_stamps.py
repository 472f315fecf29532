"""Stamps beside the checkpoints: what is covered, what waits, since when."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from adapter.store.time_stamps import TimeStamps
from tests.records import NOW, RecordHome

HOUR = timedelta(hours=1)


@pytest.fixture
def home(tmp_path: Path) -> RecordHome:
    return RecordHome.make(tmp_path)


def test_an_entry_waits_until_a_stamp_covers_it(home: RecordHome) -> None:
    stamps = TimeStamps(home.database)
    assert stamps.unstamped() is None
    assert (stamps.state().size, stamps.state().waiting_since) == (0, None)
    home.fill(2, 3)
    newest = stamps.unstamped()
    assert newest is not None
    assert newest.size == 6
    assert stamps.state().waiting_since == NOW
    stamps.add(size=6, at=NOW, authority="one", directory_version=4, token=b"first")
    stamps.add(size=6, at=NOW + HOUR, authority="two", directory_version=5, token=b"second")
    assert stamps.unstamped() is None
    assert (stamps.state().stamped, stamps.state().waiting_since) == (6, None)
    assert [(one.size, one.token, one.note) for one in stamps.all()] == [(6, b"first", newest.note)]


def test_the_deadline_is_that_of_the_oldest_entry_that_waits(home: RecordHome) -> None:
    stamps = TimeStamps(home.database)
    home.fill(1, 1)
    assert stamps.state().deadline(HOUR) is None, "nobody wants stamps yet"
    stamps.want(NOW + 2 * HOUR, wanted=True)
    stamps.want(NOW + 3 * HOUR, wanted=True)
    assert stamps.state().deadline(HOUR) == NOW + 3 * HOUR, "an old record does not wait longer than it is asked to"
    assert stamps.state().deadline(None) is None
    stamps.want(NOW, wanted=False)
    assert stamps.state().wanted_since is None
    stamps.want(NOW - HOUR, wanted=True)
    assert stamps.state().deadline(HOUR) == NOW + HOUR


def test_the_oldest_stamp_that_covers_an_entry_is_found(home: RecordHome) -> None:
    stamps = TimeStamps(home.database)
    home.fill(3, 2)
    for size in (2, 6):
        stamps.add(size=size, at=NOW, authority="one", directory_version=1, token=bytes((size,)))
    assert [getattr(stamps.covering(number), "size", None) for number in range(7)] == [2, 2, 6, 6, 6, 6, None]
    assert [one.size for one in stamps.newest(5)] == [6, 2]
