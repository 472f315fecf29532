"""What `adapter doctor` says of the published directory: each mirror, the copy that goes on, why one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

from adapter.app.directory_keeper import HeldDirectory, reason_of
from adapter.cli.directory_source import anchor_from, fetch_directory, own_copy
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.trust_faults import TrustFault
from adapter.cli.wsdl_download import is_web_address
from adapter.directory.anchor import Anchor
from adapter.directory.metadata import MAX_ROOT_BYTES, root_file
from adapter.directory.model import Directory
from adapter.directory.proof import authenticate_directory
from adapter.directory.refresh import Known, fresh_until
from adapter.errors import AdapterError
from adapter.settings import Settings

_WHAT: Final = "directory"
_WARN: Final = timedelta(days=2)
_PLACES: Final = "Check [directory] url and anchor; ask the authority if they are right."
_TABLE: Final = {
    "expired": (
        TrustFault.DIRECTORY_EXPIRED,
        "Tell the authority to sign a new version: after the grace everything is refused.",
    ),
    "freeze": (
        TrustFault.DIRECTORY_FROZEN,
        "Tell the authority to renew the time-stamp (adapter authority timestamp), or take another mirror.",
    ),
    "rollback": (
        TrustFault.DIRECTORY_ROLLED_BACK,
        "Somebody publishes an old directory: ask the authority, take another mirror.",
    ),
    "fork": (
        TrustFault.DIRECTORY_ROLLED_BACK,
        "There are two directories of one version: ask the authority at once.",
    ),
    "signature": (
        TrustFault.DIRECTORY_UNSIGNED,
        "Signatures are missing, or somebody forges the directory: ask the authority, take another mirror.",
    ),
    "mismatch": (
        TrustFault.DIRECTORY_BROKEN,
        "The mirror mixes versions: take another one, or wait until it is copied completely.",
    ),
    "oversized": (TrustFault.DIRECTORY_BROKEN, "Take another mirror, and ask the authority."),
    "malformed": (TrustFault.DIRECTORY_BROKEN, "Take another mirror, and ask the authority."),
    "root-expired": (TrustFault.DIRECTORY_EXPIRED, "Tell the authority to rotate its root."),
    "clock": (TrustFault.CLOCK_OFF, "Set the clock (chrony, systemd-timesyncd)."),
    "unavailable": (
        TrustFault.DIRECTORY_UNAVAILABLE,
        "Check [directory] url, the network and the server; name a second mirror.",
    ),
    "other": (TrustFault.DIRECTORY_UNAVAILABLE, _PLACES),
}
_OTHERS: Final = (
    TrustFault.DIRECTORY_OF_OTHERS,
    "Get the anchor again on a safe way, from the authority whose directory this is; check [directory] url.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """What the running adapter goes on by, and what it compares with."""

    known: Known = field(default_factory=Known)
    held: HeldDirectory | None = None


def fetch_current(settings: Settings, now: datetime) -> tuple[Directory | None, list[Finding]]:
    """The published directory, else the kept one, and what is to be said of both."""
    try:
        anchor = anchor_from(settings.directory.anchor)
    except AdapterError as error:
        return None, [fail(_WHAT, error.reason, _PLACES, TrustFault.DIRECTORY_UNAVAILABLE)]
    kept, timeout_s = _kept(settings, anchor), settings.directory.timeout_s
    try:
        directory, until = fetch_directory(settings.directory.url, anchor, kept.known, now=now, timeout_s=timeout_s)
    except AdapterError as error:
        directory_of_ours = None if kept.held is None else kept.held.directory
        return directory_of_ours, [_refused(settings, anchor, error, kept.held, now)]
    return directory, [*_accepted(directory, until, now), *_each_mirror(settings, anchor, kept.known, now)]


def _kept(settings: Settings, anchor: Anchor) -> _Kept:
    """Nothing where it cannot be read: the database has a finding."""
    try:
        copy = own_copy(settings)
        known, proof = copy.known().known, copy.load()
        if proof is None:
            return _Kept(known=known)
        directory = authenticate_directory(proof, anchor)
        return _Kept(known=known, held=HeldDirectory.of(directory, fresh_until(known, anchor, directory)))
    except AdapterError:
        return _Kept()


def _accepted(directory: Directory, until: datetime, now: datetime) -> Iterator[Finding]:
    said = f"version {directory.version}, expires {directory.expires:%Y-%m-%d %H:%M} UTC"
    if until < directory.expires:
        said += f", confirmed until {until:%Y-%m-%d %H:%M} UTC"
    if directory.expires - now < _WARN:
        yield warn(_WHAT, said, "Ask the authority when it signs the next version.", TrustFault.ENDS_SOON)
    else:
        yield ok(_WHAT, said)


def _refused(
    settings: Settings, anchor: Anchor, error: AdapterError, held: HeldDirectory | None, now: datetime
) -> Finding:
    why = reason_of(error)
    fault, mend = _TABLE[why]
    if why == "signature" and _is_of_another_authority(settings, anchor):
        fault, mend = _OTHERS
    said = f"{error.reason} ({why})" if why != "other" else error.reason
    if held is None:
        return fail(_WHAT, said, mend, fault)
    version = f"version {held.directory.version}"
    if held.refuse_from <= now:
        since = f"since {held.refuse_from:%Y-%m-%d %H:%M} UTC every exchange is refused"
        return fail(_WHAT, f"{said}; the grace of {version} is over too: {since}", mend, fault)
    if held.fresh_until > now:
        return fail(_WHAT, f"{said}; exchanges go on by {version} until {_minute(held.refuse_from)}", mend, fault)
    grace = f"{said}; {version} is in its grace until {_minute(held.refuse_from)}, then every exchange is refused"
    if fault in (TrustFault.DIRECTORY_EXPIRED, TrustFault.DIRECTORY_FROZEN):
        return warn(_WHAT, grace, mend, TrustFault.DIRECTORY_IN_GRACE)
    return fail(_WHAT, grace, mend, fault)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _each_mirror(settings: Settings, anchor: Anchor, known: Known, now: datetime) -> Iterator[Finding]:
    """Of several mirrors each is looked at alone: one that is wrong is passed over, and nobody would notice."""
    mirrors = settings.directory.url
    for place in mirrors if len(mirrors) > 1 else ():
        try:
            fetch_directory((place,), anchor, known, now=now, timeout_s=settings.directory.timeout_s)
        except AdapterError as error:
            said = f"{place}: {error.reason} ({reason_of(error)}); the others serve"
            yield warn("mirror", said, _TABLE[reason_of(error)][1], TrustFault.MIRROR_REFUSED)


def _is_of_another_authority(settings: Settings, anchor: Anchor) -> bool:
    """Whether the first mirror has another root of the anchor's own version, so that nothing of it can follow."""
    place, path = settings.directory.url[0].rstrip("/"), root_file(anchor.version)
    try:
        if is_web_address(place):
            answer = requests.get(
                f"{place}/{path}", timeout=settings.directory.timeout_s, allow_redirects=False, stream=True
            )
            octets = answer.raw.read(MAX_ROOT_BYTES + 1) if answer.status_code == requests.codes.ok else anchor.octets
        else:
            folder = Path(urlsplit(place).path if place.startswith("file:") else place)
            octets = (folder / path).read_bytes()
    except (requests.RequestException, OSError):
        return False
    return bytes(octets) != anchor.octets
