"""One table for doctor, metrics and log; the log says each thing once a day and threshold."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.app.expiries import ExpiryTeller
from adapter.cli.doctor_checks import Health
from adapter.cli.doctor_ends import look_at_expiries
from adapter.cli.settings_template import adapter_toml
from adapter.directory.expiry import Expiry
from adapter.identifiers import MemberId
from adapter.settings import load_settings
from tests.pki import NOW

DAY = timedelta(days=1)


def thing(days: float) -> Expiry:
    return Expiry(what="TLS CA", name="CN=x", ends=NOW + days * DAY, begins=None, mend="renew")


def told(teller: ExpiryTeller, one: Expiry, now: datetime) -> list[tuple[str, str, int]]:
    with capture_logs() as lines:
        teller.tell([one], now)
    return [(line["log_level"], line["event"], line["days"]) for line in lines]


def test_once_a_day_and_at_once_at_the_next_threshold() -> None:
    teller, one = ExpiryTeller(), thing(30.5)
    assert told(teller, one, NOW) == [("warning", "ends soon", 30)]
    assert told(teller, one, NOW + timedelta(hours=1)) == []
    assert told(teller, one, NOW + timedelta(hours=13)) == [("warning", "ends soon", 29)], "30 days: the next threshold"
    assert told(teller, one, NOW + timedelta(hours=14)) == []
    assert told(teller, one, NOW + DAY) == [("warning", "ends soon", 29)]
    assert told(teller, one, NOW + 24 * DAY) == [("error", "ends soon", 6)]
    assert told(teller, one, NOW + 31 * DAY) == [("error", "ended", 0)]
    assert told(teller, thing(61), NOW) == []


@pytest.mark.parametrize("days", [60, 30, 14, 7, 1])
def test_each_threshold_is_in_the_log_and_in_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """The log says how many days are left, doctor within which threshold."""
    one, before = thing(days), NOW - timedelta(seconds=1)
    assert told(ExpiryTeller(), one, NOW) == [("error" if days <= 7 else "warning", "ends soon", days)]
    file = tmp_path / "adapter.toml"
    file.write_text(adapter_toml(MemberId.parse("UZ/GOV/200000001"), directory="https://d.example", anchor=Path("a")))
    settings = load_settings(file)
    monkeypatch.setattr("adapter.cli.doctor_ends.what_expires", lambda *_: [one])
    (found,) = look_at_expiries(settings, None, NOW)
    assert (found.health, found.found) == (
        Health.WARN,
        f"TLS CA CN=x ends on {one.ends:%Y-%m-%d}, within {days} day(s)",
    )
    if days == 60:
        assert told(ExpiryTeller(), one, before) == []
        (found,) = look_at_expiries(settings, None, before)
        assert found.health is Health.OK
