"""One table for doctor, metrics and log; the log says each thing once a day and threshold."""

from __future__ import annotations

from datetime import datetime, timedelta

from structlog.testing import capture_logs

from adapter.app.expiries import ExpiryTeller
from adapter.directory.expiry import Expiry
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
