"""An X-Road client's message on its way to the common path: who calls, for whom, and what the header service means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from secrets import token_hex

from adapter.dialects.model import ClientAnswer
from adapter.dialects.xroad import XRoadDialect, XRoadMessage, message_id_of, read_message
from adapter.directory.model import Directory, Member
from adapter.envelope.description import ServiceDescription
from adapter.envelope.xroad import XRoadService
from adapter.envelope.xroad_metadata import (
    ALLOWED_METHODS,
    GET_WSDL,
    METASERVICES,
    ListedMember,
    check_empty_request,
    read_wsdl_request,
    render_methods,
    render_wsdl_response,
    with_wsdl,
)
from adapter.errors import ClientNotAllowed, Problem
from adapter.exchange.consumer import Consumer
from adapter.exchange.xroad_services import find_service, list_services
from adapter.identifiers import ServiceId
from adapter.large_messages import worked_on
from adapter.policy.clients import Client, allows, find_client
from adapter.stages import ReceivedCall

WsdlOf = Callable[[ServiceId, ServiceDescription], Awaitable[bytes]]
"""A service's WSDL for X-Road clients; the documents that it imports are read from this adapter."""

# allowedMethods tells what our own settings let out; what the provider's rules let in, only the provider knows.
_BASIS = {"Adapter-Answered-From": "directory"}
_ALLOWED_BASIS = {"Adapter-Answered-From": "own settings; the provider decides on each request"}


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadCall:
    """A message whose service was found: what is still to be received under its id, and how it speaks."""

    service: ServiceId
    dialect: XRoadDialect


async def address_message(received: ReceivedCall, site: Consumer, wsdl_of: WsdlOf) -> XRoadCall | ClientAnswer:
    """Find out what a message asks for; the metaservices are answered at once, from the directory.

    received: its service is not known yet. The client is identified before anything is read, and the header client is
    a claim that must be the subsystem of the client so identified. Raises ClientNotIdentified, ClientNotAllowed,
    UnknownMember, UnknownService and what dialects.xroad.read_message raises.
    """
    client = find_client(received, site.clients)
    message = await worked_on(
        len(received.octets), lambda: read_message(received.octets, received.content_type, site.opener.limits)
    )
    _check_claim(message, client)
    directory = site.directory()
    headers = message.headers
    if headers.service.code in METASERVICES:
        return await _answer_metaservice(message, client, site, wsdl_of)
    meant = await find_service(headers.service, directory, site.description)
    message_id = None if client.xroad_ids_repeat else message_id_of(client.subsystem, headers.id)
    dialect = XRoadDialect(message=message, operation=meant.operation, message_id=message_id)
    return XRoadCall(service=meant.service, dialect=dialect)


def _check_claim(message: XRoadMessage, client: Client) -> None:
    if message.headers.claimed_client != client.subsystem:
        text = "The header client names a subsystem that the calling system may not speak for."
        problem = Problem(line=0, column=0, element="client", rule="PR-MESS 2.2", text=text)
        raise ClientNotAllowed(f"client {client.name} spoke for {message.headers.claimed_client}", problems=(problem,))


async def _answer_metaservice(message: XRoadMessage, client: Client, site: Consumer, wsdl_of: WsdlOf) -> ClientAnswer:
    """listMethods, allowedMethods and getWsdl (PR-META 3, 4). They carry nobody's data and are not recorded."""
    asked = message.headers.service
    if asked.code == GET_WSDL:
        return await _answer_wsdl(message, site, wsdl_of)
    check_empty_request(message.payload, asked.code)
    if asked.code == ALLOWED_METHODS:

        def is_allowed(service: ServiceId) -> bool:
            return any(allows(pattern, service) for pattern in client.services)

        services = await list_services(asked.provider, site.directory(), site.description, allowed=is_allowed)
        return _methods(message, asked, services).with_headers(_ALLOWED_BASIS)
    services = await list_services(asked.provider, site.directory(), site.description)
    return _methods(message, asked, services).with_headers(_BASIS)


def _methods(message: XRoadMessage, asked: XRoadService, services: list[XRoadService]) -> ClientAnswer:
    return message.form.answer(render_methods(asked.code, services))


async def _answer_wsdl(message: XRoadMessage, site: Consumer, wsdl_of: WsdlOf) -> ClientAnswer:
    wanted = read_wsdl_request(message.payload, message.headers.service.provider)
    meant = await find_service(wanted, site.directory(), site.description)
    wsdl = await wsdl_of(meant.service, meant.description)
    octets, content_type = with_wsdl(message.form.answer(render_wsdl_response(meant.named)).octets, wsdl, token_hex(16))
    return ClientAnswer(octets=octets, content_type=content_type, headers=_BASIS)


def listed_members(directory: Directory) -> list[ListedMember]:
    """Everybody in the directory, for listClients (PR-META 2), by id."""
    return [
        ListedMember(id=member.id, name=_name(member), subsystems=sorted(member.subsystems))
        for member in sorted(directory.members.values(), key=lambda member: member.id)
    ]


def _name(member: Member) -> str:
    return member.names.get("en") or next(iter(member.names.values()), str(member.id))
