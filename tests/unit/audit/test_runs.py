"""What a start enters: itself, and what has to be said of the time before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapter.audit.document import document_of, read_document
from adapter.audit.runs import (
    CLOCK_SET_BACK,
    CLOCK_TOLERANCE,
    ENDED_WITHOUT_STOP,
    SETTINGS_CHANGED,
    STARTED,
    STOPPED,
    LastRun,
    NewestEntry,
    RunFacts,
    clock_entry,
    read_start,
    start_entries,
    stop_entry,
)
from adapter.audit.settings_digest import SettingsDigest
from adapter.errors import RecordBroken
from adapter.ports import Entry
from tests.records import NOW

SETTINGS = SettingsDigest(files={"adapter.toml": "ab" * 32}, keys={"adapter.toml: adapter.log_level": "00" * 8})
OTHER = SettingsDigest(files={"adapter.toml": "cd" * 32}, keys={"adapter.toml: adapter.log_level": "11" * 8})
FACTS = RunFacts(
    run="f" * 16, version="1.2.3", schema="0006", workers=2, keys={"signing": ("a" * 64,)}, settings=SETTINGS
)
NEWEST = NewestEntry(number=41, at=NOW - timedelta(minutes=5))
STOPPED_IN_ORDER = LastRun(entry=7, run="e" * 16, settings=SETTINGS, stopped=True)


def outcomes(entries: tuple[Entry, ...]) -> list[str | None]:
    assert all(entry.kind == "admin" and entry.body["officer"] == "adapter" for entry in entries)
    return [entry.outcome for entry in entries]


def test_the_first_start_says_what_runs() -> None:
    (start,) = start_entries(FACTS, last=None, newest=None, now=NOW)
    assert start.body["details"] == {
        "run": "f" * 16,
        "version": "1.2.3",
        "data_schema": "0006",
        "workers": 2,
        "keys": {"signing": ["a" * 64]},
        "settings_sha256": {"adapter.toml": "ab" * 32},
        "settings": {"adapter.toml: adapter.log_level": "00" * 8},
    }


def test_a_start_after_a_stop_is_a_start_only() -> None:
    assert outcomes(start_entries(FACTS, last=STOPPED_IN_ORDER, newest=NEWEST, now=NOW)) == [STARTED]


def test_a_run_without_a_stop_is_noticed_and_its_last_entry_named() -> None:
    found = start_entries(FACTS, last=replace(STOPPED_IN_ORDER, stopped=False), newest=NEWEST, now=NOW)
    assert outcomes(found) == [ENDED_WITHOUT_STOP, STARTED]
    details = {"run": "e" * 16, "started_in": 7, "last_entry": 41, "last_entry_at": "2026-03-02T08:55:00.000Z"}
    assert found[0].body["details"] == details


def test_changed_settings_are_named_and_no_value_is() -> None:
    found = start_entries(FACTS, last=replace(STOPPED_IN_ORDER, settings=OTHER), newest=NEWEST, now=NOW)
    assert outcomes(found) == [SETTINGS_CHANGED, STARTED]
    assert found[0].body["details"] == {
        "files": ["adapter.toml"],
        "added": [],
        "changed": ["adapter.toml: adapter.log_level"],
        "removed": [],
        "keys": 1,
    }


def test_of_very_many_changes_some_are_named_and_all_are_counted() -> None:
    many = SettingsDigest(files={"adapter.toml": "cd" * 32}, keys={f"adapter.toml: t.k{at}": "0" for at in range(900)})
    found = start_entries(FACTS, last=replace(STOPPED_IN_ORDER, settings=many), newest=NEWEST, now=NOW)
    assert len(found[0].body["details"]["removed"]) == 200
    assert found[0].body["details"]["keys"] == 901


@pytest.mark.parametrize(
    ("ahead", "noticed"), [(CLOCK_TOLERANCE, False), (CLOCK_TOLERANCE + timedelta(milliseconds=1), True)]
)
def test_a_clock_that_is_behind_the_record_is_said_first(ahead: timedelta, noticed: bool) -> None:  # noqa: FBT001
    newest = replace(NEWEST, at=NOW + ahead)
    found = start_entries(FACTS, last=STOPPED_IN_ORDER, newest=newest, now=NOW)
    assert outcomes(found) == ([CLOCK_SET_BACK, STARTED] if noticed else [STARTED])
    if noticed:
        details = {"behind_ms": 1001, "last_entry": 41, "last_entry_at": "2026-03-02T09:00:01.001Z"}
        assert found[0].body["details"] == details


def test_a_clock_that_lost_time_in_an_empty_record() -> None:
    entry = clock_entry(timedelta(hours=1), newest=None, now=NOW)
    assert entry.body["details"] == {"behind_ms": 3_600_000}


def test_a_stop_says_how_it_ended() -> None:
    entry = stop_entry("f" * 16, exit_code=1, now=NOW)
    assert (entry.outcome, entry.body["details"]) == (STOPPED, {"run": "f" * 16, "exit_code": 1})


def test_a_start_is_read_as_it_was_entered() -> None:
    (start,) = start_entries(FACTS, last=None, newest=None, now=NOW)
    body, _ = read_document(document_of(start).text)
    assert read_start(7, body, stopped=True) == replace(STOPPED_IN_ORDER, run="f" * 16)


@pytest.mark.parametrize("body", [{}, {"details": {}}, {"details": []}, {"details": {"settings_sha256": 1}}])
def test_what_is_no_start_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(RecordBroken, match="entry 7 is no start"):
        read_start(7, body, stopped=True)
