"""What `adapter doctor` says of time-stamps: how long the record has waited, and whether each authority would stamp."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from adapter.app.time_stamping import obtain_stamp
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.options import now_utc
from adapter.cli.trust_faults import TrustFault
from adapter.directory.model import Directory
from adapter.errors import AdapterError
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.time_stamps import TimeStamps
from adapter.transport.destinations import PeerDestinations
from adapter.transport.time_stamp_client import TimeStampClient

_WHAT: Final = "time-stamps"
_PROBE_OCTETS: Final = 32


def look_at_stamps(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Asks each authority for a stamp over octets that mean nothing. Raises StoreUnusable."""
    if not directory.time_stamp_authorities:
        yield ok(_WHAT, "the directory names no time-stamp authority: nobody stamps this record")
        return
    yield from _of_record(settings, directory, now)
    client = TimeStampClient(
        timeout_s=settings.time_stamps.timeout_s, destinations=destinations_of(settings, directory)
    )
    skew = timedelta(seconds=settings.timing.clock_skew_s)
    for authority in directory.time_stamp_authorities.values():
        try:
            stamp = asyncio.run(obtain_stamp(client, authority, os.urandom(_PROBE_OCTETS), clock=now_utc, skew=skew))
        except AdapterError as failure:
            mend = "Ask that authority, and the one that publishes the directory; the other ones are asked meanwhile."
            yield warn(_WHAT, f"{authority.name}: {failure.reason}", mend, TrustFault.STAMP_REFUSED)
        else:
            yield ok(_WHAT, f"{authority.name} stamps: {stamp.time:%Y-%m-%d %H:%M:%S} UTC")


def _of_record(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    state = TimeStamps(open_database(settings.database_url)).state()
    if state.waiting_since is None:
        yield ok(_WHAT, f"all {state.size} entries are covered")
        return
    found = f"{state.size - state.stamped} entries wait, since {state.waiting_since:%Y-%m-%d %H:%M:%S} UTC"
    deadline = state.deadline(directory.time_stamp_limit)
    if deadline is not None and deadline <= now:
        mend = "Exchanges with personal data are refused until an authority stamps again; see the lines below."
        yield fail(_WHAT, f"{found}; overdue since {deadline:%Y-%m-%d %H:%M:%S} UTC", mend, TrustFault.STAMP_OVERDUE)
    elif (now - state.waiting_since).total_seconds() > 3 * settings.time_stamps.every_s:
        yield warn(_WHAT, found, "Is `adapter serve` running? Its log says which authority refused, and why.")
    else:
        yield ok(_WHAT, found)


def destinations_of(settings: Settings, directory: Directory) -> PeerDestinations:
    """As the running adapter has them (app.keepers)."""
    member = directory.members.get(settings.member)
    address = "" if member is None else member.adapter.address
    return PeerDestinations(
        own_ports=frozenset((settings.client_listener.port, settings.operators_listener.port)),
        loopback=settings.directory.loopback_peers,
        own_address=lambda: address,
    )
