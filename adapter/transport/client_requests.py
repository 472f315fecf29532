"""What every way of calling has in common: one HTTP request of a client system, read, answered, refused."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import web

from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.errors import AdapterError, InternalError
from adapter.exchange.consumer import Consumer
from adapter.exchange.delivery import CallProgress, refuse_call
from adapter.exchange.incidents import new_incident, where
from adapter.identifiers import ServiceId
from adapter.stages import ReceivedCall
from adapter.transport.http_protocol import SERVER_HEADER
from adapter.transport.http_server import HttpBounds, InFlight, peer_of, read_body

log = structlog.get_logger(__name__)

# What can stand in an address that a client system is given: a name, an address, a port.
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")

Answering = Callable[[ReceivedCall], Awaitable[ClientAnswer]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSide:
    """What a listener for client systems answers with."""

    site: Consumer
    bounds: HttpBounds
    in_flight: InFlight

    async def answer(
        self, request: web.BaseRequest, service: ServiceId, form: AnswerForm, answering: Answering
    ) -> ClientAnswer:
        """Read the request and have it answered. Never raises: what goes wrong is recorded and answered in the form."""
        call = received_call(request, service, b"", self.site)
        try:
            async with self.in_flight.slot():
                octets = await read_body(request, self.bounds)
                call = received_call(request, service, octets, self.site)
                return await answering(call)
        except AdapterError as refused:
            return await refuse_call(refused, CallProgress(received=call, form=form), self.site)
        # The last door of what is not an exchange; `consume` has one of its own.
        except Exception as error:  # noqa: BLE001
            incident = new_incident()
            log.error("unexpected", incident=incident, error=type(error).__name__, where=where(error))
            refusal = InternalError(f"unexpected {type(error).__name__}")
            return await refuse_call(refusal, CallProgress(received=call, form=form), self.site, incident=incident)


def names_host(request: web.BaseRequest) -> bool:
    """Whether the Host header can stand in an address that is handed out."""
    return _HOST.fullmatch(request.host) is not None


def received_call(request: web.BaseRequest, service: ServiceId, octets: bytes, site: Consumer) -> ReceivedCall:
    """One HTTP request as a stage; credentials are taken from the Authorization header (RFC 7617, RFC 6750)."""
    token, user, password = _credentials(request.headers.get("Authorization", ""))
    return ReceivedCall(
        octets=octets,
        received_at=site.clock(),
        peer=peer_of(request),
        content_type=request.headers.get("Content-Type", ""),
        soap_action=request.headers.get("SOAPAction", "").strip('"'),
        service=service,
        bearer_token=token,
        basic_user=user,
        basic_password=password,
    )


def _credentials(authorization: str) -> tuple[str | None, str | None, str | None]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip(), None, None
    if scheme.lower() == "basic" and value:
        try:
            user, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:  # not base64, not ASCII, not UTF-8
            return None, "", None
        return None, user, password if colon else None
    return None, None, None


def response_of(answer: ClientAnswer) -> web.Response:
    """An answer as HTTP has it."""
    return web.Response(
        body=answer.octets,
        status=answer.status,
        headers={**answer.headers, **SERVER_HEADER, "Content-Type": answer.content_type},
    )


def plain(status: HTTPStatus, text: str) -> web.Response:
    """A sentence for a person who looks with a browser."""
    return web.Response(status=status, text=text + "\n", headers=SERVER_HEADER)
