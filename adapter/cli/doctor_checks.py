"""What `adapter doctor` looks at, one function for each thing; each gives findings and never raises an AdapterError."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Final

from adapter.app.own_clients import exposures, load_clients
from adapter.app.provided import load_service, service_folders
from adapter.audit.checkpoint import record_origin
from adapter.audit.verify import verify_record
from adapter.cli.own_record import record_signer
from adapter.cli.trust_faults import TrustFault
from adapter.cli.wsdl_download import is_web_address
from adapter.crypto.note import NoteVerifier
from adapter.errors import AdapterError, RecordBroken
from adapter.hardening import protections
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader, latest_opened

_MEBIBYTE: Final = 1024 * 1024
_DISK_FAIL_BYTES: Final = 100 * _MEBIBYTE
_DISK_WARN_BYTES: Final = 1024 * _MEBIBYTE
_WHOLE_RECORD: Final = 10_000
"""A record of as many entries is read through; of a longer one the newest checkpoint is opened."""


class Health(Enum):
    """How well a thing is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report. mend: what to do; empty when all is well. fault: its kind, where it is one of trust."""

    what: str
    health: Health
    found: str
    mend: str = ""
    fault: TrustFault | None = None


_DESCRIPTORS_BESIDE: Final = 128
_MEND_RECORD: Final = (
    "Stop the adapter and keep the disk as it is; tell the auditor; `adapter log verify --against` a kept checkpoint."
)


def ok(what: str, found: str) -> Finding:
    """All is well."""
    return Finding(what=what, health=Health.OK, found=found)


def warn(what: str, found: str, mend: str, fault: TrustFault | None = None) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(what=what, health=Health.WARN, found=found, mend=mend, fault=fault)


def fail(what: str, found: str, mend: str, fault: TrustFault | None = None) -> Finding:
    """It does not work."""
    return Finding(what=what, health=Health.FAIL, found=found, mend=mend, fault=fault)


def guarded(what: str, mend: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Run a check; an error of the library becomes a finding."""
    found: list[Finding] = []
    try:
        found += look()
    except AdapterError as error:
        found.append(fail(what, error.reason, mend))
    return found


def follows(before: Sequence[Finding], findings: Sequence[Finding]) -> list[Finding]:
    """A trial that cannot succeed while something above is broken is no second failure: it is said, and not counted."""
    if not any(one.health is Health.FAIL for one in before):
        return list(findings)
    return [
        warn(one.what, f"it waits for what failed above: {one.found}", "Mend that first.")
        if one.health is Health.FAIL
        else one
        for one in findings
    ]


# --- on this machine -------------------------------------------------------------------------------------------------


def look_at_process() -> Iterator[Finding]:
    """Core dumps and swap, as this command finds them: `serve` begins in the same way."""
    for one in protections():
        yield ok(one.what, one.found) if one.holds else warn(one.what, one.found, one.mend)


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    """Room for the record: without it every exchange is refused."""
    folder = _existing(settings.adapter.data_dir)
    free = shutil.disk_usage(folder).free
    found = f"{free // _MEBIBYTE} MB free at {folder}"
    if free < _DISK_FAIL_BYTES:
        yield fail("disk", found, "Make room: an exchange that cannot be recorded is refused.")
    elif free < _DISK_WARN_BYTES:
        yield warn("disk", found, "Make room before it is full: an exchange that cannot be recorded is refused.")
    else:
        yield ok("disk", found)


def look_at_descriptors(settings: Settings) -> Iterator[Finding]:
    """Every connection is a descriptor of the worker's: the system has to allow as many as the settings do."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = settings.peer_listener.max_connections + settings.client_listener.max_connections
    wanted = 2 * connections + _DESCRIPTORS_BESIDE  # an exchange may need another one, to the peer or the system
    if resource.RLIM_INFINITY != allowed < wanted:
        found = f"{allowed} allowed, {wanted} wanted for {connections} connections"
        yield warn("descriptors", found, "Raise the limit (systemd: LimitNOFILE), or lower max_connections.")
    else:
        yield ok("descriptors", f"enough for {connections} connections")


def _existing(folder: Path) -> Path:
    return folder if folder.exists() or folder == folder.parent else _existing(folder.parent)


def look_at_database(settings: Settings) -> Iterator[Finding]:
    """Opens it, and reads a short record through; of a long one the newest checkpoint is opened."""
    database = open_database(settings.database_url)
    database.check_integrity()
    verifiers = (NoteVerifier.parse(record_signer(settings).vkey),)
    reader, origin = LogReader(database), record_origin(settings.member)
    try:
        newest = latest_opened(reader, verifiers, origin=origin)
        entries = 0 if newest is None else newest.size
        if entries > _WHOLE_RECORD:
            yield ok("database", f"whole, {entries} entries in the record; `adapter log verify` reads all of them")
            return
        verified = verify_record(reader, origin=origin, verifiers=verifiers)
    except RecordBroken as broken:
        yield fail("record", broken.reason, _MEND_RECORD, TrustFault.RECORD_BROKEN)
        return
    yield ok("database", f"whole, {verified.entries} entries in the record, each of them read")


def look_at_services(settings: Settings) -> Iterator[Finding]:
    """Every provided service, as `serve` would load it."""
    for folder in service_folders(settings.adapter.services_dir):
        try:
            service, description = load_service(folder)
        except AdapterError as error:
            yield fail("service", f"{folder.name}: {error.reason}", "Mend it, or `adapter service remove` it.")
            continue
        operations = ", ".join(operation.name for operation in description.operations)
        yield ok("service", f"{service.service_id(settings.member)}: {operations}")


def look_at_clients(settings: Settings) -> Iterator[Finding]:
    """The client systems, the files with their secrets' digests, and what is allowed although it is dangerous."""
    names = [client.name for client in load_clients(settings)]
    if names:
        yield ok("clients", ", ".join(names))
    for exposure in exposures(settings):
        yield warn("clients", f"{', '.join(exposure.names)}: {exposure.what}", exposure.mend)


# --- the clock --------------------------------------------------------------------------------------------------------


def look_at_clock(settings: Settings, their_time: datetime | None, now: datetime) -> Iterator[Finding]:
    """This machine's clock against the Date of the directory's web server."""
    if not is_web_address(settings.directory.url[0]):
        yield ok("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC; the directory is a folder, nothing to compare with")
        return
    if their_time is None:
        yield warn("clock", "the directory's server names no time", "Compare the clock with a time server.")
        return
    off_s = abs((now - their_time).total_seconds())
    found = f"{off_s:.0f} s off the directory's server"
    mend = "Set the clock (chrony, systemd-timesyncd): messages outside the allowed time are refused."
    if off_s > settings.timing.clock_skew_s:
        yield fail("clock", found, mend, TrustFault.CLOCK_OFF)
    elif off_s > settings.timing.clock_skew_s / 2:
        yield warn("clock", found, mend, TrustFault.CLOCK_OFF)
    else:
        yield ok("clock", found)
