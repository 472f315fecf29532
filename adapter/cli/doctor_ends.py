"""What `adapter doctor` says of what ends: certificates, CAs, suites, the directory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapter.app.expiries import what_expires
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.trust_faults import TrustFault
from adapter.directory.expiry import ENDED, Expiry
from adapter.directory.model import Directory
from adapter.settings import Settings

_OF_KEYS: Final = frozenset(f"{purpose} certificate" for purpose in ("signing", "agreement", "tls"))


def look_at_expiries(settings: Settings, directory: Directory | None, now: datetime) -> Iterator[Finding]:
    """One finding for each thing that ends within 60 days, or has ended; one for all the rest. Keys have their own."""
    things = [one for one in what_expires(settings, directory) if one.what not in _OF_KEYS]
    later = [one for one in things if one.threshold(now) is None]
    for one in things:
        threshold = one.threshold(now)
        if threshold == ENDED and one.what == "directory":
            continue  # it has a row of its own, which knows of its grace
        if threshold == ENDED:
            yield fail("ends", f"{one.what} {one.name} ended on {one.ends:%Y-%m-%d %H:%M} UTC", one.mend, _ended(one))
        elif threshold is not None:
            said = f"{one.what} {one.name} ends on {one.ends:%Y-%m-%d}, within {threshold} day(s)"
            yield warn("ends", said, one.mend, TrustFault.ENDS_SOON)
    if later:
        first = later[0]
        yield ok("ends", f"{len(later)} more; the first is {first.what} {first.name} on {first.ends:%Y-%m-%d}")


def _ended(one: Expiry) -> TrustFault:
    return TrustFault.SUITE_ENDED if one.what == "suite" else TrustFault.ENDED
