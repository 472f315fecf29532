"""Entries about the runs of `adapter serve`: its start and stop, what was changed between two runs, and its clock.

One start and one stop for each run, however many workers it has. A run that was killed, or whose machine lost power,
has no stop: the next start finds that out and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from adapter.audit.admin import admin_entry
from adapter.audit.settings_digest import SettingsChange, SettingsDigest, changes
from adapter.envelope.instants import write_instant
from adapter.errors import RecordBroken
from adapter.ports import Entry

STARTED: Final = "adapter-started"
STOPPED: Final = "adapter-stopped"
ENDED_WITHOUT_STOP: Final = "adapter-ended-without-stop"
SETTINGS_CHANGED: Final = "settings-changed"
CLOCK_SET_BACK: Final = "clock-set-back"

OWN_ACT: Final = "adapter"
"""Who an entry about a run is by: the adapter itself. Who gave the command is known to the system, not to it."""

CLOCK_TOLERANCE: Final = timedelta(seconds=1)
_MAX_NAMES: Final = 200
"""Names of changed settings in one entry, of each kind; how many there are is said as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """What a run begins with. run: its random name. keys: the ids of the public keys in use, by purpose."""

    run: str
    version: str
    schema: str
    workers: int
    keys: Mapping[str, Sequence[str]]
    settings: SettingsDigest


@dataclass(frozen=True, kw_only=True, slots=True)
class LastRun:
    """The newest start in the record. entry: its number. stopped: whether a stop followed."""

    entry: int
    run: str
    settings: SettingsDigest
    stopped: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class NewestEntry:
    """The end of the record: the last entry, and the time that it says."""

    number: int
    at: datetime


def start_entries(
    facts: RunFacts, *, last: LastRun | None, newest: NewestEntry | None, now: datetime
) -> tuple[Entry, ...]:
    """What a start enters, in this order: the clock is behind, the last run had no stop, settings changed, the start.

    now: read after the newest entry was, so that only a clock that was set back can be behind it.
    """
    entries: list[Entry] = []
    if newest is not None and newest.at - now > CLOCK_TOLERANCE:
        entries.append(clock_entry(newest.at - now, newest=newest, now=now))
    if last is not None and newest is not None and not last.stopped:
        details = {"run": last.run, "started_in": last.entry, "last_entry": newest.number}
        details |= {"last_entry_at": write_instant(newest.at)}
        entries.append(admin_entry(ENDED_WITHOUT_STOP, officer=OWN_ACT, at=now, details=details))
    change = None if last is None else changes(last.settings, facts.settings)
    if change is not None:
        entries.append(admin_entry(SETTINGS_CHANGED, officer=OWN_ACT, at=now, details=_change_details(change)))
    details = {
        "run": facts.run,
        "version": facts.version,
        "data_schema": facts.schema,
        "workers": facts.workers,
        "keys": {purpose: list(ids) for purpose, ids in facts.keys.items()},
        "settings_sha256": dict(facts.settings.files),
        "settings": dict(facts.settings.keys),
    }
    return (*entries, admin_entry(STARTED, officer=OWN_ACT, at=now, details=details))


def stop_entry(run: str, *, exit_code: int, now: datetime) -> Entry:
    """A run that was told to stop, or gave up, and ended in order. exit_code: 0 when nothing was wrong."""
    return admin_entry(STOPPED, officer=OWN_ACT, at=now, details={"run": run, "exit_code": exit_code})


def clock_entry(behind: timedelta, *, newest: NewestEntry | None, now: datetime) -> Entry:
    """This machine's clock was set back by about so much: from here on entries say earlier times than those before."""
    details: dict[str, Any] = {"behind_ms": behind // timedelta(milliseconds=1)}
    if newest is not None:
        details |= {"last_entry": newest.number, "last_entry_at": write_instant(newest.at)}
    return admin_entry(CLOCK_SET_BACK, officer=OWN_ACT, at=now, details=details)


def read_start(number: int, body: Mapping[str, Any], *, stopped: bool) -> LastRun:
    """The start that an entry of our own record is about. Raises RecordBroken."""
    try:
        details = body["details"]
        settings = SettingsDigest(files=dict(details["settings_sha256"]), keys=dict(details["settings"]))
        return LastRun(entry=number, run=str(details["run"]), settings=settings, stopped=stopped)
    except (KeyError, TypeError, ValueError):
        raise RecordBroken(f"entry {number} is no start of an adapter") from None


def _change_details(change: SettingsChange) -> dict[str, Any]:
    named = {"files": change.files, "added": change.added, "changed": change.changed, "removed": change.removed}
    details: dict[str, Any] = {name: list(paths[:_MAX_NAMES]) for name, paths in named.items()}
    return details | {"keys": len(change.added) + len(change.changed) + len(change.removed)}
