"""The listener for our own information systems: plain SOAP in, plain SOAP out, and the WSDL to begin with."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from adapter.dialects.model import ClientAnswer, ClientDialect
from adapter.dialects.soap import SoapDialect
from adapter.envelope.faults import public_fault
from adapter.errors import AdapterError, InternalError, InvalidIdentifier, UnknownService
from adapter.exchange.consume import consume
from adapter.exchange.consumer import Consumer
from adapter.exchange.delivery import CallProgress, refuse_call
from adapter.exchange.incidents import new_incident, where
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from adapter.stages import ReceivedCall
from adapter.transport.http_protocol import SERVER_HEADER
from adapter.transport.http_server import HttpBounds, InFlight, peer_of, read_body

log = structlog.get_logger(__name__)

SERVICE_PREFIX = "/service/"
OWN_PATH = "/adapter"
# What can stand in an address that a client system is given: a name, an address, a port.
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")

Documents = Callable[[ServiceId, str, str], Awaitable[bytes]]
"""(service, the URL that it is asked under, document name or "") to the document's octets."""
OwnServices = Callable[[ReceivedCall], Awaitable[ClientAnswer]]
OwnContract = Callable[[str], bytes]


class ClientListener:
    """Routes by path and method: a service's calls and documents, and the adapter's own services."""

    def __init__(
        self,
        site: Consumer,
        bounds: HttpBounds,
        in_flight: InFlight,
        *,
        documents: Documents,
        own_services: OwnServices,
        own_contract: OwnContract,
    ) -> None:
        self._site = site
        self._bounds = bounds
        self._in_flight = in_flight
        self._documents = documents
        self._own_services = own_services
        self._own_contract = own_contract

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a client system."""
        dialect = dialect_of(request)
        try:
            service = service_of(request.path)
        except InvalidIdentifier:
            if request.method != "POST":
                return _plain(HTTPStatus.NOT_FOUND, "There is no service at this address.")
            incident = new_incident()
            log.warning("refused", code=UnknownService.code, incident=incident)
            fault = dialect.form.fault(public_fault(UnknownService(), incident))
            return _response(fault.with_headers({"Adapter-Incident": incident}))
        if request.method in ("GET", "HEAD"):
            return await self._document(request, service)
        if request.method != "POST":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"})
        return _response(await self._answer(request, service, dialect))

    async def _answer(
        self, request: web.BaseRequest, service: ServiceId | None, dialect: ClientDialect
    ) -> ClientAnswer:
        call = received_call(request, service or own_service(self._site.own), b"", self._site)
        try:
            async with self._in_flight.slot():
                octets = await read_body(request, self._bounds)
                call = received_call(request, call.service, octets, self._site)
                if service is None:
                    return await self._own_services(call)
                return await consume(call, dialect, self._site)
        except AdapterError as unread:
            return await refuse_call(unread, CallProgress(received=call, form=dialect.form), self._site)
        # The last door of the own services; `consume` has one of its own.
        except Exception as error:  # noqa: BLE001
            incident = new_incident()
            log.error("unexpected", incident=incident, error=type(error).__name__, where=where(error))
            refusal = InternalError(f"unexpected {type(error).__name__}")
            return await refuse_call(
                refusal, CallProgress(received=call, form=dialect.form), self._site, incident=incident
            )

    async def _document(self, request: web.BaseRequest, service: ServiceId | None) -> web.Response:
        """`?wsdl` and the documents that it imports (`?xsd=NAME`): no secrets, for anyone who reaches the listener."""
        name = next((request.query[key] for key in ("xsd", "wsdl") if request.query.get(key)), "")
        if not {"wsdl", "xsd"} & {key.lower() for key in request.query}:
            return _plain(HTTPStatus.NOT_FOUND, "Add ?wsdl to the address to read the service's description.")
        if not _HOST.fullmatch(request.host):
            return _plain(HTTPStatus.BAD_REQUEST, "The Host header does not name a host.")
        url = f"{request.scheme}://{request.host}{request.path}"
        try:
            octets = self._own_contract(url) if service is None else await self._documents(service, url, name)
        except AdapterError as error:
            return _plain(HTTPStatus(error.http_status), error.text)
        return web.Response(body=octets, content_type="text/xml", charset="utf-8", headers=SERVER_HEADER)


def dialect_of(request: web.BaseRequest) -> ClientDialect:
    """How the sender of this request speaks, by its path and media type."""
    return SoapDialect(content_type=request.headers.get("Content-Type", ""))


def service_of(path: str) -> ServiceId | None:
    """The service that a path names; None for the adapter's own services. Raises InvalidIdentifier."""
    if path.rstrip("/") == OWN_PATH:
        return None
    if not path.startswith(SERVICE_PREFIX):
        raise InvalidIdentifier("not the path of a service")
    return ServiceId.parse(path.removeprefix(SERVICE_PREFIX).rstrip("/"))


def own_service(own: MemberId) -> ServiceId:
    """The adapter's own services, named like any other so that clients and entries can name them."""
    return ServiceId(SubsystemId(own, "adapter"), "AdapterServices", "v1")


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


def _response(answer: ClientAnswer) -> web.Response:
    return web.Response(
        body=answer.octets,
        status=answer.status,
        headers={**answer.headers, **SERVER_HEADER, "Content-Type": answer.content_type},
    )


def _plain(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(status=status, text=text + "\n", headers=SERVER_HEADER)
