"""What `adapter doctor` says of the last runs of the adapter: nothing, unless something was not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from adapter.audit.runs import CLOCK_TOLERANCE
from adapter.cli.doctor_checks import Finding, fail, warn
from adapter.ports import Clock
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.runs import last_set_back, newest_entry

_CLOCK: Final = "clock of the record"
_SET_BACK_SHOWN: Final = timedelta(days=30)


def look_at_runs(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """A clock that is behind the record now, or was set back of late. Raises StoreUnusable.

    clock: read after the record was, which a running adapter goes on writing.
    """
    database = open_database(settings.database_url)
    newest, set_back = newest_entry(database), last_set_back(database)
    now = clock()
    if newest is not None and newest.at - now > CLOCK_TOLERANCE:
        yield fail(
            _CLOCK,
            f"entry {newest.number} is of {newest.at:%Y-%m-%d %H:%M:%S} UTC, and it is {now:%Y-%m-%d %H:%M:%S} now",
            "Set the clock (chrony, systemd-timesyncd): what is recorded now says a wrong time, or that entry did.",
        )
    elif set_back is not None and now - set_back.at < _SET_BACK_SHOWN:
        yield warn(
            _CLOCK,
            f"it was set back at {set_back.at:%Y-%m-%d %H:%M:%S} UTC, entry {set_back.number}",
            f"adapter log show {set_back.number}; from there on entries say earlier times than some before them.",
        )
