"""Quotas from the settings, in front of the two listeners, and the entries about what they turned away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import web

from adapter.app.keepers import utc_now
from adapter.app.wiring import Site
from adapter.audit.entry import turned_away_entry
from adapter.errors import AdapterError, PeerTooManyRequests, TooManyRequests
from adapter.policy.clients import identified_as
from adapter.ports import RecordWrite
from adapter.settings import Settings
from adapter.stages import SoapVersion
from adapter.transport.admission import Admission, peer_caller
from adapter.transport.client_listener import fault_in_form, own_service
from adapter.transport.client_requests import received_call
from adapter.transport.http_protocol import fault_response
from adapter.transport.http_server import Handler, peer_of
from adapter.transport.quotas import Caller, Ledger, Quota, address_block
from adapter.transport.turned_away import Summary, TurnedAway

log = structlog.get_logger(__name__)

CLIENTS = "clients"
PEERS = "peers"
_STRANGERS_PART = 4
_UNBOUNDED = 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class Gates:
    """What the two listeners of one worker turned away."""

    clients: TurnedAway = field(default_factory=TurnedAway)
    peers: TurnedAway = field(default_factory=TurnedAway)

    @property
    def by_listener(self) -> Mapping[str, TurnedAway]:
        """The same, by the listener's name."""
        return {CLIENTS: self.clients, PEERS: self.peers}


def ledger_of(settings: Settings, limit: type[AdapterError]) -> Ledger:
    """The accounts of one listener. limit: what a used up rate is called there."""
    quotas, limits = settings.quotas, settings.limits
    return Ledger(
        quota=Quota(
            in_flight=quotas.in_flight,
            bytes_in_flight=quotas.bytes_in_flight,
            requests_per_second=quotas.requests_per_second,
            refusals_per_minute=quotas.refusals_per_minute,
        ),
        everyone=Quota(
            in_flight=limits.max_in_flight,
            bytes_in_flight=limits.max_bytes_in_flight,
            requests_per_second=_UNBOUNDED,
            refusals_per_minute=_UNBOUNDED,
        ),
        strangers=Quota(
            in_flight=max(1, limits.max_in_flight // _STRANGERS_PART),
            bytes_in_flight=max(1, limits.max_bytes_in_flight // _STRANGERS_PART),
            requests_per_second=quotas.requests_per_second,
            refusals_per_minute=quotas.refusals_per_minute,
        ),
        limit=limit,
    )


def admit_peers(handler: Handler, site: Site, gates: Gates) -> Admission:
    """The quotas of peers. A peer that is turned away reads an unsigned fault: nothing of its message was read."""

    def turning_away(_request: web.BaseRequest, error: AdapterError, incident: str) -> web.StreamResponse:
        return fault_response(error, incident, SoapVersion.SOAP12)

    def caller_of(request: web.BaseRequest) -> Caller:
        held = site.directory.held
        return peer_caller(request, {} if held is None else held.directory.by_tls_certificate)

    ledger = ledger_of(site.settings, PeerTooManyRequests)
    return Admission(handler, ledger, gates.peers, caller_of=caller_of, turning_away=turning_away)


def admit_clients(handler: Handler, site: Site, gates: Gates) -> Admission:
    """The quotas of our own systems."""

    def caller_of(request: web.BaseRequest) -> Caller:
        call = received_call(request, own_service(site.consumer.own), b"", site.consumer)
        name = identified_as(call, site.consumer.clients)
        if name is None:
            return Caller(kind="address", name=address_block(peer_of(request).address), identified=False)
        return Caller(kind="client", name=name, identified=True)

    ledger = ledger_of(site.settings, TooManyRequests)
    return Admission(handler, ledger, gates.clients, caller_of=caller_of, turning_away=fault_in_form)


async def record_turned_away(site: Site, gates: Gates) -> None:
    """Write what was turned away into the record at each interval's end. Goes on until cancelled."""
    while True:
        await asyncio.sleep(site.settings.quotas.recorded_every_s)
        await record_interval(site, gates)


async def record_interval(site: Site, gates: Gates) -> None:
    """One entry for each listener that turned somebody away since the last time.

    An interval that cannot be recorded is logged and lost: nothing of what it counts was read.
    """
    for listener, turned_away in gates.by_listener.items():
        summary = turned_away.summary()
        if summary is None:
            continue
        log.warning("turned away", listener=listener, count=summary.total, reasons=summary.by_reason)
        entry = turned_away_entry(site.settings.member, now=utc_now(), said=_said(listener, summary))
        try:
            await site.record.write(RecordWrite(entry=entry))
        except AdapterError as unrecorded:
            log.error("what was turned away is not recorded", code=unrecorded.code, count=summary.total)


def _said(listener: str, summary: Summary) -> dict[str, Any]:
    callers = [{"by": caller.kind, "name": caller.name, "count": count} for caller, count in summary.most]
    said: dict[str, Any] = {"listener": listener, "count": summary.total, "reasons": summary.by_reason}
    return said | {"callers": callers, "other_callers": summary.others}
