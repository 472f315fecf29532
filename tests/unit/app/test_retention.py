"""adapter.app.retention: one worker erases what is over its time, unless that needs two officers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.app.one_worker import WorkerLock
from adapter.app.retention import RetentionKeeper, retention_of
from adapter.audit.retention import Retention, RetentionRule
from adapter.settings import load_settings
from adapter.store.archive import read_message
from adapter.store.erasure import Eraser
from adapter.store.log_reader import LogFilter
from tests.records import NOW, RecordHome, a_claim, a_request
from tests.settings_files import MINIMAL

RULES = """
[retention]
keep_days = 9
[[retention.rule]]
service = "UZ/GOV/1/*"
purpose = "benefits"
keep_days = 3
"""


@pytest.fixture
def home(tmp_path: Path) -> RecordHome:
    return RecordHome.make(tmp_path)


async def filled(home: RecordHome) -> None:
    record = home.writer()
    await record.start()
    await record.write(a_request(a_claim()))
    await record.close()


def keeper(home: RecordHome, *, days: int, by_officers: bool = False, lock: str = "lock") -> RetentionKeeper:
    return RetentionKeeper(
        eraser=Eraser(home.database, home.archive_key, home.log),
        retention=Retention(keep_days=30),
        by_officers=lambda: by_officers,
        clock=lambda: NOW + timedelta(days=days),
        lock=home.database.path.with_name(lock),
    )


def is_there(home: RecordHome) -> bool:
    return read_message(home.database, home.archive_key, 0, "request") is not None


async def test_what_is_over_its_time_is_erased_and_entered(home: RecordHome) -> None:
    await filled(home)
    await keeper(home, days=30, lock="another").look()
    assert is_there(home)
    late = keeper(home, days=31)
    with capture_logs() as said:
        await late.look()
        await late.look()
    assert not is_there(home)
    (entry,) = home.reader.search(LogFilter(kind="admin"))
    assert (entry.body["outcome"], entry.body["officer"]) == ("messages-erased", "adapter")
    assert (entry.body["details"]["why"], entry.body["details"]["messages"]) == ("retention", 1)
    assert [(one["event"], one["count"]) for one in said] == [("messages erased", 1)]
    assert home.verify().entries == 2


async def test_where_it_needs_two_officers_it_only_says_so(home: RecordHome) -> None:
    await filled(home)
    with capture_logs() as said:
        await keeper(home, days=31, by_officers=True).look()
    assert is_there(home)
    assert [(one["event"], one["log_level"], one["count"]) for one in said] == [
        ("messages are over their time and wait for two officers", "warning", 1)
    ]


async def test_another_worker_erases_nothing_while_one_holds_the_lock(home: RecordHome) -> None:
    await filled(home)
    other = WorkerLock(home.database.path.with_name("lock"))
    assert other.acquire()
    late = keeper(home, days=31)
    await late.look()
    assert is_there(home)
    other.release()
    await late.look()
    assert not is_there(home)


async def test_an_erasure_that_was_cut_off_is_ended_by_the_next_run(
    home: RecordHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after the key was destroyed: what it had sealed is still here."""
    await filled(home)
    late = keeper(home, days=31)
    with monkeypatch.context() as patch:
        patch.setattr(Eraser, "finish", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await late.look()
    assert home.change("UPDATE messages SET direction = direction") == 1
    await keeper(home, days=31, lock="of another run").look()
    assert home.change("UPDATE messages SET direction = direction") == 0


def test_the_settings_say_how_long(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(MINIMAL)
    assert retention_of(load_settings(file)) == Retention()
    file.write_text(f"{MINIMAL}{RULES}")
    assert retention_of(load_settings(file)) == Retention(
        keep_days=9, rules=(RetentionRule(service="UZ/GOV/1/*", purpose="benefits", keep_days=3),)
    )
