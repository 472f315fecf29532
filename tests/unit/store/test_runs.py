"""Starts and stops as they stand in a real record, and the clock against its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapter.audit.runs import RunFacts
from adapter.audit.settings_digest import SettingsDigest
from adapter.store.log_reader import LogFilter
from adapter.store.runs import Runs, last_run, last_set_back, newest_entry
from tests.records import NOW, RecordHome


@pytest.fixture
def home(tmp_path: Path) -> RecordHome:
    return RecordHome.make(tmp_path)


def facts(run: str, digest: str = "00") -> RunFacts:
    settings = SettingsDigest(files={"adapter.toml": digest}, keys={"adapter.toml: a.b": digest})
    return RunFacts(run=run, version="1", schema="1", workers=1, keys={}, settings=settings)


def outcomes(home: RecordHome) -> list[str | None]:
    return [entry.indexed.outcome for entry in reversed(home.reader.search(LogFilter()))]


def at(moment: datetime):
    return lambda: moment


def test_runs_one_after_the_other(home: RecordHome) -> None:
    runs = Runs(home.database, home.log)
    runs.begin(facts("one"), at(NOW))
    home.fill(1, 3)
    runs.end("one", exit_code=0, clock=at(NOW))
    runs.begin(facts("two"), at(NOW))
    runs.begin(facts("three", "11"), at(NOW))
    assert [one for one in outcomes(home) if one != "released"] == [
        "adapter-started",
        "adapter-stopped",
        "adapter-started",
        "adapter-ended-without-stop",
        "settings-changed",
        "adapter-started",
    ]
    assert home.verify().entries == 9
    last = last_run(home.database)
    assert last is not None
    assert (last.run, last.entry, last.stopped) == ("three", 8, False)


def test_a_start_with_a_clock_behind_the_record(home: RecordHome) -> None:
    runs = Runs(home.database, home.log)
    runs.begin(facts("one"), at(NOW))
    runs.end("one", exit_code=0, clock=at(NOW))
    assert last_set_back(home.database) is None
    runs.begin(facts("two"), at(NOW - timedelta(hours=1)))
    found = last_set_back(home.database)
    assert found is not None
    assert (found.number, found.at) == (2, NOW - timedelta(hours=1))
    newest = newest_entry(home.database)
    assert newest is not None
    assert newest.number == 3


def test_an_empty_record(home: RecordHome) -> None:
    assert last_run(home.database) is None
    assert newest_entry(home.database) is None
