"""The listener for our own information systems: SOAP or JSON in, the same out, and the description to begin with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol

import structlog
from aiohttp import web

from adapter.dialects.json_dialect import JsonDialect
from adapter.dialects.model import ClientAnswer, ClientDialect
from adapter.dialects.soap import SoapDialect
from adapter.envelope.faults import public_fault
from adapter.envelope.wsdl_peer import PEER_QUERY
from adapter.errors import AdapterError, InvalidIdentifier, UnknownService
from adapter.exchange.consume import consume
from adapter.exchange.consumer import Consumer
from adapter.exchange.incidents import new_incident
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from adapter.stages import ReceivedCall
from adapter.transport.client_requests import ClientSide, names_host, plain, response_of
from adapter.transport.http_protocol import SERVER_HEADER
from adapter.transport.http_server import HttpBounds
from adapter.transport.intake import AttachmentIntake
from adapter.transport.json_paths import INDEX_PATHS, JSON_PREFIX, JsonPages, json_path

log = structlog.get_logger(__name__)

SERVICE_PREFIX = "/service/"
OWN_PATH = "/adapter"
# A page is text: nothing in it is run, nothing is fetched for it.
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

_DOCUMENT_KEYS = ("xsd", "wsdl", PEER_QUERY)


class Documents(Protocol):
    """(service, the URL that it is asked under, document name or "", whether for other stacks) to its octets."""

    def __call__(self, service: ServiceId, url: str, name: str, /, *, for_peers: bool) -> Awaitable[bytes]:
        """Raises what hinders: no such service, no such document, no directory."""
        ...


OwnServices = Callable[[ReceivedCall], Awaitable[ClientAnswer]]
OwnContract = Callable[[str], bytes]


class ClientListener:
    """Routes by path and method: a service's calls and documents, and the adapter's own services."""

    def __init__(
        self,
        site: Consumer,
        bounds: HttpBounds,
        *,
        documents: Documents,
        own_services: OwnServices,
        own_contract: OwnContract,
        json_pages: JsonPages,
        intake: AttachmentIntake,
    ) -> None:
        self._site = site
        self._side = ClientSide(site=site, bounds=bounds, intake=intake)
        self._documents = documents
        self._own_services = own_services
        self._own_contract = own_contract
        self._json_pages = json_pages

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a client system."""
        dialect = dialect_of(request)
        try:
            service = service_of(request.path)
        except InvalidIdentifier:
            return self._without_service(request)
        if request.method in ("GET", "HEAD"):
            if service is not None and isinstance(dialect, JsonDialect):
                return await self._json_document(request, service)
            return await self._document(request, service)
        if request.method != "POST":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, POST"})
        return await self._answer(request, service, dialect)

    def _without_service(self, request: web.BaseRequest) -> web.Response:
        """The list of services where it is asked for; else that there is none at this address."""
        if request.method in ("GET", "HEAD") and request.path in INDEX_PATHS:
            return self._json_index(request)
        if request.method != "POST":
            return plain(HTTPStatus.NOT_FOUND, "There is no service at this address.")
        incident = new_incident()
        log.warning("refused", code=UnknownService.code, incident=incident)
        return fault_in_form(request, UnknownService(), incident)

    async def _answer(
        self, request: web.BaseRequest, service: ServiceId | None, dialect: ClientDialect
    ) -> web.StreamResponse:
        async def answer(call: ReceivedCall) -> ClientAnswer:
            if service is None:
                return await self._own_services(call)
            if isinstance(dialect, JsonDialect):
                await self._json_pages.prepare(service)
                return await consume(call, dialect, self._site)
            return await consume(call, SoapDialect(content_type=call.content_type), self._site)

        takes_attachments = service is not None and not isinstance(dialect, JsonDialect)
        return await self._side.respond(
            request,
            service or own_service(self._site.own),
            dialect.form,
            answer,
            takes_attachments=takes_attachments,
        )

    async def _document(self, request: web.BaseRequest, service: ServiceId | None) -> web.Response:
        """`?wsdl`, `?peer-wsdl` and what they import (`?xsd=NAME`): no secrets, for anyone who reaches the listener."""
        name = next((request.query[key] for key in _DOCUMENT_KEYS if request.query.get(key)), "")
        asked = {key.lower() for key in request.query}
        if not asked.intersection(_DOCUMENT_KEYS):
            return plain(HTTPStatus.NOT_FOUND, "Add ?wsdl to the address to read the service's description.")
        if not names_host(request):
            return plain(HTTPStatus.BAD_REQUEST, "The Host header does not name a host.")
        url = f"{request.scheme}://{request.host}{request.path}"
        try:
            if service is None:
                octets = self._own_contract(url)
            else:
                octets = await self._documents(service, url, name, for_peers=PEER_QUERY in asked)
        except AdapterError as error:
            return plain(HTTPStatus(error.http_status), error.text)
        return web.Response(body=octets, content_type="text/xml", charset="utf-8", headers=SERVER_HEADER)

    def _json_index(self, request: web.BaseRequest) -> web.Response:
        """The services there are, by the rule of `?wsdl`: for anyone who reaches the listener."""
        if not names_host(request):
            return plain(HTTPStatus.BAD_REQUEST, "The Host header does not name a host.")
        url = f"{request.scheme}://{request.host}{JSON_PREFIX.rstrip('/')}"
        is_for_people = "text/html" in request.headers.get("Accept", "").lower()
        try:
            answer = self._json_pages.index(url, is_for_people=is_for_people)
        except AdapterError as error:
            return plain(HTTPStatus(error.http_status), error.text)
        return response_of(answer.with_headers({"Content-Security-Policy": _PAGE_POLICY, "Vary": "Accept"}))

    async def _json_document(self, request: web.BaseRequest, service: ServiceId) -> web.Response:
        """A service's page and its OpenAPI document, for anyone who reaches the listener."""
        if not names_host(request):
            return plain(HTTPStatus.BAD_REQUEST, "The Host header does not name a host.")
        url = f"{request.scheme}://{request.host}{JSON_PREFIX}{service}"
        try:
            answer = await self._json_pages.document(service, url, json_path(request.path).rest)
        except AdapterError as error:
            return plain(HTTPStatus(error.http_status), error.text)
        return response_of(answer.with_headers({"Content-Security-Policy": _PAGE_POLICY}))


def dialect_of(request: web.BaseRequest) -> ClientDialect:
    """How the sender of this request speaks, by its path and media type."""
    content_type = request.headers.get("Content-Type", "")
    if not request.path.startswith(JSON_PREFIX):
        return SoapDialect(content_type=content_type)
    try:
        operation = json_path(request.path).rest
    except InvalidIdentifier:
        operation = ""
    accepted = request.headers.get("Accept-Language", "")
    return JsonDialect(operation=operation, content_type=content_type, accept_language=accepted)


def fault_in_form(request: web.BaseRequest, error: AdapterError, incident: str) -> web.Response:
    """A fault that no message stands behind, as the sender of this request reads faults."""
    fault = dialect_of(request).form.fault(public_fault(error, incident))
    return response_of(fault.with_headers({"Adapter-Incident": incident}).as_refusal(error))


def service_of(path: str) -> ServiceId | None:
    """The service that a path names; None for the adapter's own services. Raises InvalidIdentifier."""
    if path.rstrip("/") == OWN_PATH:
        return None
    if path.startswith(JSON_PREFIX):
        return json_path(path).service
    if not path.startswith(SERVICE_PREFIX):
        raise InvalidIdentifier("not the path of a service")
    return ServiceId.parse(path.removeprefix(SERVICE_PREFIX).rstrip("/"))


def own_service(own: MemberId) -> ServiceId:
    """The adapter's own services, named like any other so that clients and entries can name them."""
    return ServiceId(SubsystemId(own, "adapter"), "AdapterServices", "v1")
