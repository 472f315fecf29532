"""`adapter doctor` says that the clock is behind the record, or was; else nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from adapter.app.keyring import load_keyring
from adapter.app.runs import Run
from adapter.audit.runs import NewestEntry
from adapter.cli import doctor_runs
from adapter.cli.doctor_checks import Health
from adapter.cli.doctor_runs import look_at_runs
from adapter.settings import Settings
from adapter.store.engine import Database, open_database
from adapter.store.log_reader import LogFilter, LogReader
from adapter.store.runs import newest_entry
from tests.adapter_home import write_register
from tests.memory_parts import Clock
from tests.pki import NOW, Federation


@pytest.fixture
def settings(tmp_path: Path, federation: Federation) -> Settings:
    return write_register(tmp_path, federation)


def serve_once(settings: Settings, now: datetime, exit_code: int = 0) -> None:
    database = open_database(settings.database_url)
    run = Run(settings, load_keyring(settings), database, token=f"{now:%H%M%S}", clock=Clock(now))
    run.begin(settings_file=settings.adapter.keys_dir.parent / "adapter.toml", workers=1)
    run.end(exit_code)


def test_an_empty_record_and_a_clock_that_goes_forward_are_nothing_to_say(settings: Settings) -> None:
    assert list(look_at_runs(settings, Clock(NOW))) == []
    serve_once(settings, NOW)
    assert list(look_at_runs(settings, Clock(NOW + timedelta(minutes=1)))) == []


def test_a_clock_that_is_behind_now_is_a_failure(settings: Settings) -> None:
    serve_once(settings, NOW)
    (found,) = look_at_runs(settings, Clock(NOW - timedelta(minutes=1)))
    assert (found.health, found.what) == (Health.FAIL, "clock of the record")
    assert found.found.startswith("entry 1 is of ")


def test_a_clock_that_was_set_back_is_a_warning_for_a_month(settings: Settings) -> None:
    serve_once(settings, NOW)
    back = NOW - timedelta(hours=1)
    serve_once(settings, back)
    (found,) = look_at_runs(settings, Clock(NOW + timedelta(days=7)))
    assert found.health is Health.WARN
    assert found.found.endswith("entry 2")
    assert list(look_at_runs(settings, Clock(NOW + timedelta(days=31)))) == []


def test_a_start_names_public_keys_files_and_no_secret(settings: Settings) -> None:
    home = settings.adapter.keys_dir.parent
    service = home / "services" / "population.GetPerson.v1"
    service.mkdir()
    (service / "service.toml").write_text('code = "GetPerson"\n')
    serve_once(settings, NOW)
    (start,) = LogReader(open_database(settings.database_url)).search(LogFilter(outcome="adapter-started"))
    details = start.body["details"]
    assert set(details["settings_sha256"]) == {"adapter.toml", "services/population.GetPerson.v1/service.toml"}
    assert {purpose: len(ids) for purpose, ids in details["keys"].items()} == {
        "signing": 1,
        "agreement": 1,
        "tls": 1,
        "record": 1,
    }
    assert details["keys"]["record"] == [load_keyring(settings).record.vkey]
    assert str(home) not in start.document


def test_a_stop_that_cannot_be_recorded_stops_all_the_same(settings: Settings) -> None:
    database = open_database(settings.database_url)
    run = Run(settings, load_keyring(settings), database, token="a run", clock=Clock(NOW))
    run.begin(settings_file=settings.adapter.keys_dir.parent / "adapter.toml", workers=1)
    database.path.unlink()
    run.end(0)


def test_an_entry_that_is_made_while_doctor_looks_is_no_later_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(NOW)

    def entered_meanwhile(database: Database) -> NewestEntry | None:
        clock.now += timedelta(seconds=10)
        serve_once(settings, clock.now)
        return newest_entry(database)

    monkeypatch.setattr(doctor_runs, "newest_entry", entered_meanwhile)
    assert list(look_at_runs(settings, clock)) == []
