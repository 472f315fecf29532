"""Who may ask now: every request takes its place in the caller's account, or is answered with when to come again.

What is turned away here was not read, so there is no message to record: it is counted (transport.turned_away), and the
record gets one entry for all of it in an interval.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from aiohttp import web

from adapter.errors import AdapterError, Blame, Overloaded, RequestIncomplete, Retry
from adapter.exchange.incidents import new_incident
from adapter.identifiers import MemberId
from adapter.transport.http_protocol import REFUSED, SoapRequestHandler
from adapter.transport.http_server import Handler, peer_of
from adapter.transport.quotas import Caller, Ledger, Share, address_block
from adapter.transport.turned_away import TurnedAway

log = structlog.get_logger(__name__)

CallerOf = Callable[[web.BaseRequest], Caller]
TurningAway = Callable[[web.BaseRequest, AdapterError, str], web.StreamResponse]
"""(the request, why, incident) to the fault, in the form that the caller reads."""

_THE_CALLERS_OWN: Final = frozenset((Blame.CLIENT_SYSTEM, Blame.CONSUMER_ADAPTER))


class Admission:
    """In front of a listener's handler."""

    def __init__(
        self,
        handler: Handler,
        ledger: Ledger,
        turned_away: TurnedAway,
        *,
        caller_of: CallerOf,
        turning_away: TurningAway,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """clock: seconds, never set back."""
        self._handler = handler
        self._ledger = ledger
        self._turned_away = turned_away
        self._caller_of = caller_of
        self._turning_away = turning_away
        self._clock = clock

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request, or turn it away unread."""
        caller = self._caller(request)
        account = self._ledger.account(caller, self._clock())
        try:
            share = self._ledger.enter(account, self._clock())
        except AdapterError as hindrance:
            return self._turn_away(request, hindrance, caller)
        try:
            _give(request, share)
            response = await self._handler(request)
            octets = share.octets
        finally:
            _give(request, None)
            share.give_back()
        refused = response.get(REFUSED)
        if not isinstance(refused, AdapterError):
            _answered(request, caller)
        elif counts_against(refused):
            account.refused(self._clock(), octets=octets)
        elif isinstance(request.protocol, SoapRequestHandler):
            request.protocol.came_to_something()
        return response

    def _caller(self, request: web.BaseRequest) -> Caller:
        """Found out once for a connection and what it shows (RFC 9110, 11.6.2)."""
        shown = request.headers.get("Authorization", "")
        connection = request.protocol
        if not isinstance(connection, SoapRequestHandler):
            return self._caller_of(request)
        if connection.caller is None or connection.caller[0] != shown:
            connection.caller = (shown, self._caller_of(request))
        return connection.caller[1]

    def _turn_away(self, request: web.BaseRequest, error: AdapterError, caller: Caller) -> web.StreamResponse:
        self._turned_away.count(error.code, caller)
        if isinstance(error, self._ledger.limit) and isinstance(request.protocol, SoapRequestHandler):
            request.protocol.turned_away()
        incident = new_incident()
        log.info("turned away", code=error.code, incident=incident, caller=caller.name)
        response = self._turning_away(request, error, incident)
        response.set_status(error.http_status)  # of any dialect: what stands between understands 429 and 503 too
        response.force_close()
        return response


def counts_against(refused: AdapterError) -> bool:
    """Whether a refusal is put down to who sent the message: not one that another party has to mend."""
    if isinstance(refused, Overloaded | RequestIncomplete):
        return True
    return refused.blame in _THE_CALLERS_OWN and refused.retry is not Retry.LATER


def peer_caller(request: web.BaseRequest, members: Mapping[bytes, MemberId]) -> Caller:
    """A peer is the member whose certificate the handshake proved, however many it has registered.

    members: by the SHA-256 of their registered TLS certificates. One that is not registered makes nobody a peer: a CA
    may have issued any number of them.
    """
    peer = peer_of(request)
    if peer.certificate_sha256 is None:
        return Caller(kind="address", name=address_block(peer.address), identified=False)
    member = members.get(peer.certificate_sha256)
    if member is None:
        return Caller(kind="certificate", name=peer.certificate_sha256.hex(), identified=False)
    return Caller(kind="member", name=str(member), identified=True)


def _answered(request: web.BaseRequest, caller: Caller) -> None:
    if isinstance(request.protocol, SoapRequestHandler):
        request.protocol.answered(caller)


def _give(request: web.BaseRequest, share: Share | None) -> None:
    if isinstance(request.protocol, SoapRequestHandler):
        request.protocol.share = share
