"""Where X-Road clients call: POST of messages and GET listClients, at the paths that a security server has."""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Final

from aiohttp import web

from adapter.dialects.model import ClientAnswer
from adapter.dialects.xroad import XRoadForm
from adapter.envelope.description import ServiceDescription
from adapter.envelope.xroad_metadata import clients_as_json, render_clients, wsdl_for_xroad
from adapter.errors import AdapterError, MalformedMessage
from adapter.exchange.consume import consume
from adapter.exchange.xroad import address_message, listed_members
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from adapter.stages import ReceivedCall
from adapter.transport.client_listener import SERVICE_PREFIX
from adapter.transport.client_requests import ClientSide, names_host, plain, readdressed
from adapter.transport.http_protocol import SERVER_HEADER
from adapter.transport.http_server import Handler

XROAD_PATH: Final = "/xroad"
LIST_CLIENTS: Final = "/listClients"


def xroad_messages(own: MemberId) -> ServiceId:
    """What a message is recorded under as long as the service that it asks for is not known."""
    return ServiceId(SubsystemId(own, "adapter"), "XRoadMessages", "v4.0")


class XRoadListener:
    """Answers at X-Road's paths; everything else goes to the listener behind it."""

    def __init__(self, side: ClientSide, behind: Handler, *, at_root: bool, public_url: str | None) -> None:
        """at_root: whether `/` and `/listClients` are X-Road's too. public_url: how clients reach the listener."""
        roots = ("", XROAD_PATH) if at_root else (XROAD_PATH,)
        self._messages = frozenset(root or "/" for root in roots)
        self._lists = frozenset(root + LIST_CLIENTS for root in roots)
        self._side = side
        self._behind = behind
        self._public_url = public_url

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a client system."""
        path = request.path.rstrip("/") or "/"
        if path in self._lists:
            return self._clients(request)
        if path not in self._messages:
            return await self._behind(request)
        if request.method != "POST":
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})
        return await self._answer(request)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        site = self._side.site

        async def answer(call: ReceivedCall) -> ClientAnswer:
            addressed = await address_message(call, site, partial(self._wsdl, request))
            if isinstance(addressed, ClientAnswer):
                return addressed
            return await consume(readdressed(request, call, addressed.service, site), addressed.dialect, site)

        return await self._side.respond(request, xroad_messages(site.own), XRoadForm(), answer)

    async def _wsdl(self, request: web.BaseRequest, service: ServiceId, description: ServiceDescription) -> bytes:
        base = self._public_url
        if base is None:
            if not names_host(request):
                raise MalformedMessage("the Host header does not name a host")
            base = f"{request.scheme}://{request.host}"
        address = f"{base.rstrip('/')}{SERVICE_PREFIX}{service}"
        return await asyncio.to_thread(wsdl_for_xroad, description, address)  # a large one takes its time

    def _clients(self, request: web.BaseRequest) -> web.Response:
        """The answer to listClients (PR-META 2): no secrets, for anyone who reaches the listener."""
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
        try:
            directory = self._side.site.directory()
        except AdapterError as error:
            return plain(HTTPStatus(error.http_status), error.text)
        if request.query.get("xRoadInstance", directory.instance) != directory.instance:
            return plain(HTTPStatus.NOT_FOUND, f"The directory is of the instance {directory.instance} only.")
        members = listed_members(directory)
        if "application/json" in request.headers.get("Accept", "").lower():
            return web.Response(body=clients_as_json(members), content_type="application/json", headers=SERVER_HEADER)
        octets = render_clients(members)
        return web.Response(body=octets, content_type="text/xml", charset="utf-8", headers=SERVER_HEADER)
