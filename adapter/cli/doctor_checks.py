"""What `adapter doctor` looks at, one function for each thing; each gives findings and never raises an AdapterError."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from adapter.app.directory_keeper import reason_of
from adapter.app.own_clients import exposures, load_clients
from adapter.app.provided import load_service, service_folders
from adapter.audit.checkpoint import record_origin
from adapter.cli.directory_source import anchor_from, fetch_directory, own_copy
from adapter.cli.key_files import KeyFile, KeyState
from adapter.cli.own_record import record_signer
from adapter.cli.token_keys import survey_all
from adapter.cli.wsdl_download import is_web_address
from adapter.crypto.note import NoteVerifier
from adapter.directory.model import Directory
from adapter.directory.proof import authenticate_directory
from adapter.directory.refresh import Known
from adapter.errors import AdapterError
from adapter.hardening import protections
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader, latest_opened

_MEBIBYTE: Final = 1024 * 1024
_DISK_FAIL_BYTES: Final = 100 * _MEBIBYTE
_DISK_WARN_BYTES: Final = 1024 * _MEBIBYTE
_DIRECTORY_WARN: Final = timedelta(days=2)
_MEND_IN_FOLDER: Final = "Put the right file there with mode 600, or restore the backup."
_MEND_IN_HARDWARE: Final = "Look at the token, its PIN, and the table [token] of the settings (docs/keys.md)."
_NEEDED_KEYS: Final = ("signing", "agreement", "tls", "record", "archive")


_MEND_PLACES: Final = "Check [directory] url and anchor; ask the authority if they are right."
_MEND_DIRECTORY: Final = {
    "expired": "Tell the authority to sign a new version: after the grace everything is refused.",
    "freeze": "Tell the authority to renew the time-stamp (adapter authority timestamp), or take another mirror.",
    "rollback": "Somebody publishes an old directory: ask the authority, take another mirror.",
    "fork": "There are two directories of one version: ask the authority at once.",
    "signature": "The anchor is of another authority, or somebody forges the directory: ask the authority.",
    "mismatch": "The mirror mixes versions: take another one, or wait until it is copied completely.",
    "root-expired": "Tell the authority to rotate its root.",
    "clock": "Set the clock (chrony, systemd-timesyncd).",
    "unavailable": "Check [directory] url, the network and the server; name a second mirror.",
}


class Health(Enum):
    """How well a thing is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One line of the report. mend: what to do; empty when all is well."""

    what: str
    health: Health
    found: str
    mend: str = ""


_DESCRIPTORS_BESIDE: Final = 128


def ok(what: str, found: str) -> Finding:
    """All is well."""
    return Finding(what=what, health=Health.OK, found=found)


def warn(what: str, found: str, mend: str) -> Finding:
    """It works, and somebody should look at it."""
    return Finding(what=what, health=Health.WARN, found=found, mend=mend)


def fail(what: str, found: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(what=what, health=Health.FAIL, found=found, mend=mend)


def guarded(what: str, mend: str, look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Run a check; an error of the library becomes a finding."""
    found: list[Finding] = []
    try:
        found += look()
    except AdapterError as error:
        found.append(fail(what, error.reason, mend))
    return found


# --- on this machine -------------------------------------------------------------------------------------------------


def look_at_keys(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Every key file, the folder's mode, and what is missing."""
    folder = settings.adapter.keys_dir
    keys = survey_all(settings, now)
    if folder.is_dir() and folder.stat().st_mode & 0o077:
        yield warn("keys folder", f"{folder} is open to others", f"chmod 700 {folder}")
    for key in keys:
        if not key.is_over:
            yield _key_finding(key)
    for purpose in _NEEDED_KEYS:
        if not any(key.purpose == purpose for key in keys):
            yield fail(f"key {purpose}", f"there is none in {folder}", f"adapter keys create --purpose {purpose}")


def _key_finding(key: KeyFile) -> Finding:
    what, name = f"key {key.purpose}", key.name
    until = "" if key.certificate is None else f", certificate until {key.certificate.not_valid_after_utc:%Y-%m-%d}"
    renew = f"adapter keys create --purpose {key.purpose} --name NEW, then csr, import, registration"
    match key.state:
        case KeyState.READY:
            return ok(what, f"{name}{until}")
        case KeyState.EXPIRES_SOON:
            return warn(what, f"{name}{until}", renew)
        case KeyState.WAITING:
            return fail(what, f"{name} has no certificate", f"adapter keys csr {key.purpose}, then adapter keys import")
        case KeyState.NOT_YET:
            return warn(what, f"{name}: its certificate is not valid yet", "Wait, or look at this machine's clock.")
        case KeyState.EXPIRED:
            return fail(what, f"{name}: its certificate has expired", renew)
        case KeyState.UNUSABLE:
            return fail(what, key.reason, _MEND_IN_HARDWARE if key.in_token else _MEND_IN_FOLDER)


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
    """Opens it, reads it through, and opens the newest checkpoint of the record."""
    database = open_database(settings.database_url)
    database.check_integrity()
    verifiers = (NoteVerifier.parse(record_signer(settings).vkey),)
    newest = latest_opened(LogReader(database), verifiers, origin=record_origin(settings.member))
    entries = 0 if newest is None else newest.size
    yield ok("database", f"whole, {entries} entries in the record; `adapter log verify` reads all of them")


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


# --- the directory ---------------------------------------------------------------------------------------------------


def fetch_current(settings: Settings, now: datetime) -> tuple[Directory | None, list[Finding]]:
    """The published directory, and what is to be said of it."""
    what, timeout_s = "directory", settings.directory.timeout_s
    try:
        anchor = anchor_from(settings.directory.anchor)
        known, places = _known(settings), settings.directory.url
        directory, until = fetch_directory(places, anchor, known, now=now, timeout_s=timeout_s)
    except AdapterError as error:
        why = reason_of(error)
        said = f"{error.reason} ({why})" if why in _MEND_DIRECTORY else error.reason
        return _own_directory(settings), [fail(what, said, _MEND_DIRECTORY.get(why, _MEND_PLACES))]
    return directory, list(_directory_findings(directory, until, now))


def _own_directory(settings: Settings) -> Directory | None:
    """What the adapter goes on by, when what is published is refused: the rest can be looked at all the same."""
    with suppress(AdapterError):
        proof = own_copy(settings).load()
        return None if proof is None else authenticate_directory(proof, anchor_from(settings.directory.anchor))
    return None


def _directory_findings(directory: Directory, until: datetime, now: datetime) -> Iterator[Finding]:
    said = f"version {directory.version}, expires {directory.expires:%Y-%m-%d %H:%M} UTC"
    if until < directory.expires:
        said += f", confirmed until {until:%Y-%m-%d %H:%M} UTC"
    if directory.expires - now < _DIRECTORY_WARN:
        yield warn("directory", said, "Ask the authority when it signs the next version.")
    else:
        yield ok("directory", said)


def _known(settings: Settings) -> Known:
    """What this adapter accepted; nothing where that is not known: the database has a finding."""
    try:
        return own_copy(settings).known().known
    except AdapterError:
        return Known()


def look_at_registration(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Whether the directory knows this member with these certificates and services."""
    member = directory.member(settings.member)
    again = "adapter registration, and hand it to the authority"
    registered = {
        "signing": {one.sha256 for one in member.signing},
        "agreement": {one.sha256 for one in member.agreement},
        "tls": {one.sha256 for one in member.adapter.tls_certificates},
    }
    keys = survey_all(settings, now)
    for purpose, known in registered.items():
        own = {bytes.fromhex(key.fingerprint) for key in keys if key.purpose == purpose and key.fingerprint}
        if own & known:
            yield ok(f"registered {purpose}", f"the directory names our certificate (suite {member.suite})")
        else:
            yield fail(f"registered {purpose}", "the directory names none of our certificates", again)
    if member.record_vkey != record_signer(settings).vkey:
        yield warn("registered record", "the directory names another record key, or none", again)
    for folder in service_folders(settings.adapter.services_dir):
        service = load_service(folder)[0].service_id(settings.member)
        if service not in directory.services:
            yield warn("registered service", f"{service} is not in the directory: nobody can call it", again)


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
        yield fail("clock", found, mend)
    elif off_s > settings.timing.clock_skew_s / 2:
        yield warn("clock", found, mend)
    else:
        yield ok("clock", found)
