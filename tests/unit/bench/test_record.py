"""The record that is made in bulk is one that the adapter could have written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from adapter.audit.document import document_of
from adapter.store.log_reader import LogFilter
from bench import record_filling
from bench.record import Found, missed
from bench.record_filling import INCIDENT_EVERY, MadeUp, fill, incident_of, is_filled
from tests.records import RecordHome


@pytest.fixture
def filled(tmp_path: Path) -> RecordHome:
    home = RecordHome.make(tmp_path)
    told: list[int] = []
    fill(home.database, home.log, MadeUp(size=2_100), told.append)
    assert told == [2_100]
    return home


def test_what_is_made_in_bulk_verifies_and_is_found(filled: RecordHome) -> None:
    assert filled.verify().entries == 2_100
    (refused,) = filled.reader.search(LogFilter(incident=incident_of(2 * INCIDENT_EVERY)))
    (tag,) = refused.body["subjects"]
    assert refused.number in [entry.number for entry in filled.reader.search(LogFilter(subject=tag))]


def test_filling_goes_on_where_it_had_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one transaction of three its minute is over; the call after that makes the rest, and the indexes anew."""
    home, made_up, told = RecordHome.make(tmp_path), MadeUp(size=2_100), list[int]()
    monkeypatch.setattr(record_filling, "_PER_TRANSACTION", 960)
    with monkeypatch.context() as clock:
        clock.setattr(record_filling, "time", SimpleNamespace(monotonic=iter((0, 0, 61)).__next__))
        assert fill(home.database, home.log, made_up, told.append, minutes=1) == 960
    assert not is_filled(home.database, made_up)
    assert home.verify().entries == 960
    assert fill(home.database, home.log, made_up, told.append) == 2_100
    assert is_filled(home.database, made_up)
    assert home.verify().entries == 2_100
    assert told == [960, 1_920, 2_100]


def test_a_record_without_its_index_of_subjects_is_not_filled(filled: RecordHome) -> None:
    """It was ended after its last entry; the next call makes the indexes."""
    filled.change("DELETE FROM subjects")
    assert not is_filled(filled.database, MadeUp(size=2_100))
    fill(filled.database, filled.log, MadeUp(size=2_100), list[int]().append)
    assert filled.verify().entries == 2_100


def test_it_has_the_indexes_of_an_ordinary_record(filled: RecordHome, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = RecordHome.make(tmp_path / "other")
    names = "SELECT sql FROM sqlite_schema WHERE type = 'index' ORDER BY name"
    with filled.database.reading() as ours, other.database.reading() as theirs:
        assert ours.exec_driver_sql(names).all() == theirs.exec_driver_sql(names).all()


@pytest.mark.parametrize("number", [0, 1, 2, INCIDENT_EVERY])
def test_the_faster_way_writes_the_same_entries(number: int) -> None:
    made_up = MadeUp(size=2_000)
    plain = document_of(made_up.entry(number))
    (row,) = made_up.rows(number, number + 1)
    assert row == (number, plain.leaf_hash, *plain.indexed, plain.text)
    assert list(made_up.tags(number + 1))[number:] == [(tag, number) for tag in plain.subjects]


def test_what_is_too_dear_or_too_slow_is_named() -> None:
    def found(entries: int, us: float, ms: float) -> Found:
        return Found(
            entries=entries,
            append_us=us,
            least_append_us=us,
            inclusion_us=us,
            consistency_us=us,
            subject_ms=ms,
            incident_ms=ms,
        )

    assert missed(found(10_000, 100, 1), found(200_000, 130, 100)) == []
    assert len(missed(found(10_000, 100, 1), found(200_000, 131, 101))) == 5
