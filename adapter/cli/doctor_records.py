"""What `adapter doctor` says of other members' records: whether what they showed still fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapter.audit.peer_checkpoints import ShownState
from adapter.cli.doctor_checks import Finding, fail, ok
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.peer_checkpoints import PeerCheckpoints

_WHAT: Final = "records of others"


def look_at_records(settings: Settings) -> Iterator[Finding]:
    """One failure for each open alarm. Raises StoreUnusable."""
    kept = PeerCheckpoints(open_database(settings.database_url))
    alarms = kept.open_alarms()
    for alarm in alarms:
        found = f"{alarm.kind}: {alarm.about}, entry {alarm.number} of {alarm.at:%Y-%m-%d %H:%M:%S} UTC has the proof"
        advice = (
            f"adapter log show {alarm.number}; ask that member, and show the authority the entry; then "
            f"adapter log close-alarm {alarm.number} --note …"
        )
        yield fail(_WHAT, found, advice)
    if not alarms:
        counts = kept.counts()
        fitting, waiting = (counts.get(state.value, 0) for state in (ShownState.FITS, ShownState.PENDING))
        yield ok(_WHAT, f"{fitting} checkpoints fit, {waiting} are still to be proven")
