"""X-Road's service metadata (PR-META 2.15) as octets: who there is, what they offer, and a service's WSDL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from lxml import etree

from adapter.envelope.description_documents import WSDL_DEFINITIONS, location_attributes
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.description_octets import read_document
from adapter.envelope.gate_structure import line_of, local_name
from adapter.envelope.names import qname
from adapter.envelope.wsdl_header import drop_broken_headers
from adapter.envelope.wsdl_ports import serve_at
from adapter.envelope.wsdl_publish import query_url
from adapter.envelope.xroad import IDENTIFIERS, XROAD, XRoadService, render_parts, render_service
from adapter.errors import Problem, SchemaInvalid
from adapter.identifiers import MemberId, SubsystemId
from adapter.xmlsafe import escape_text

LIST_METHODS: Final = "listMethods"
ALLOWED_METHODS: Final = "allowedMethods"
GET_WSDL: Final = "getWsdl"
METASERVICES: Final = frozenset((LIST_METHODS, ALLOWED_METHODS, GET_WSDL))
ENDPOINT: Final = "http://example.org/xroad-endpoint"
"""What stands in a WSDL in place of the address of a provider's system (PR-META 4)."""

_START: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACES: Final = f'xmlns:xrd="{XROAD}" xmlns:id="{IDENTIFIERS}"'
_WSDL_PARTS: Final = ("serviceCode", "serviceVersion")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedMember:
    """A member and its subsystems for listClients."""

    id: MemberId
    name: str
    subsystems: Sequence[str]


# --- listClients (PR-META 2, annexes A and B) ------------------------------------------------------------------------


def render_clients(members: Sequence[ListedMember]) -> bytes:
    """The clientList element, a document of its own: each member, and each of its subsystems."""
    listed = "".join(
        _listed(member.name, "MEMBER", render_member(member.id))
        + "".join(
            _listed(member.name, "SUBSYSTEM", render_parts(SubsystemId(member.id, code))) for code in member.subsystems
        )
        for member in members
    )
    return f"{_START}<xrd:clientList {_NAMESPACES}>{listed}</xrd:clientList>".encode()


def _listed(name: str, object_type: str, codes: str) -> str:
    return (
        f'<xrd:member><xrd:id id:objectType="{object_type}">{codes}</xrd:id>'
        f"<xrd:name>{escape_text(name)}</xrd:name></xrd:member>"
    )


def render_member(member: MemberId) -> str:
    """The three codes of a member, with the prefix `id`."""
    return (
        f"<id:xRoadInstance>{member.instance}</id:xRoadInstance><id:memberClass>{member.member_class}</id:memberClass>"
        f"<id:memberCode>{member.code}</id:memberCode>"
    )


def clients_as_json(members: Sequence[ListedMember]) -> bytes:
    """The same as the JSON object of annex B."""
    listed = []
    for member in members:
        codes = {
            "xroad_instance": member.id.instance,
            "member_class": member.id.member_class,
            "member_code": member.id.code,
        }
        listed.append({"id": {"object_type": "MEMBER", **codes}, "name": member.name})
        listed += [
            {"id": {"object_type": "SUBSYSTEM", **codes, "subsystem_code": code}, "name": member.name}
            for code in member.subsystems
        ]
    return json.dumps({"member": listed}, ensure_ascii=False).encode()


# --- listMethods, allowedMethods (PR-META 3) -------------------------------------------------------------------------


def check_empty_request(payload: etree._Element, metaservice: str) -> None:
    """The Body of listMethods and allowedMethods: an empty element of that name. Raises SchemaInvalid."""
    _check_name(payload, metaservice)
    if len(payload):
        _invalid(payload[0], f"{metaservice} has no content")


def render_methods(metaservice: str, services: Sequence[XRoadService]) -> bytes:
    """The Body of the answer: the services, without the metaservices themselves."""
    listed = "".join(
        f'<xrd:service id:objectType="SERVICE">{render_service(service)}</xrd:service>' for service in services
    )
    return f"<xrd:{metaservice}Response {_NAMESPACES}>{listed}</xrd:{metaservice}Response>".encode()


# --- getWsdl (PR-META 4) ---------------------------------------------------------------------------------------------


def read_wsdl_request(payload: etree._Element, provider: SubsystemId) -> XRoadService:
    """Which service's WSDL is asked for. provider: whom the header service names. Raises SchemaInvalid."""
    _check_name(payload, GET_WSDL)
    names = [child.tag.removeprefix(f"{{{XROAD}}}") for child in payload]
    if not names or names != list(_WSDL_PARTS[: len(names)]):
        _invalid(payload, "getWsdl has serviceCode and, if there are several versions, serviceVersion")
    texts = [(child.text or "").strip() for child in payload]
    if any(len(child) for child in payload) or not all(texts):
        _invalid(payload, "serviceCode and serviceVersion have text only, and some")
    return XRoadService(provider=provider, code=texts[0], version=texts[1] if len(texts) > 1 else None)


def render_wsdl_response(service: XRoadService) -> bytes:
    """The Body of the answer; the WSDL itself is an attachment."""
    version = (
        "" if service.version is None else f"<xrd:serviceVersion>{escape_text(service.version)}</xrd:serviceVersion>"
    )
    code = f"<xrd:serviceCode>{escape_text(service.code)}</xrd:serviceCode>"
    return f'<xrd:getWsdlResponse xmlns:xrd="{XROAD}">{code}{version}</xrd:getWsdlResponse>'.encode()


def wsdl_for_xroad(description: ServiceDescription, documents_at: str) -> bytes:
    """The WSDL to begin with, as it was published but for its addresses.

    Ports lead to ENDPOINT (PR-META 4). A header that names a message which is nowhere is left out: tools stop at it.
    Documents that it imports are read from the adapter. documents_at: the address
    of the service there, below which they are served.
    """
    roots = {name: read_document(octets, name) for name, octets in description.documents.items()}
    root = roots[description.entry]
    for element, attribute in location_attributes(root):
        name = description.locations.get((description.entry, element.get(attribute, "")))
        if name is None:
            del element.attrib[attribute]  # nobody shall look for it elsewhere
        else:
            kind = "wsdl" if roots[name].tag == WSDL_DEFINITIONS else "xsd"
            element.set(attribute, query_url(documents_at, kind, name))
    serve_at([root], ENDPOINT)
    drop_broken_headers([root])
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def with_wsdl(envelope: bytes, wsdl: bytes, boundary: str) -> tuple[bytes, str]:
    """The answer of getWsdl as a multipart message and its Content-Type (SOAP Messages with Attachments, 3).

    The WSDL's Content-ID begins with the name of its part in the WSDL of the metaservices (WS-I Attachments Profile
    1.0, 3.8), by which generated clients find it. boundary: must not occur in either.
    """
    parts = (
        (f"Content-Type: text/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: {_ROOT}", envelope),
        (f"Content-Type: text/xml\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: {_ATTACHED}", wsdl),
    )
    octets = (
        b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n" for head, content in parts)
        + f"--{boundary}--\r\n".encode()
    )
    return octets, f'multipart/related; type="text/xml"; start="{_ROOT}"; boundary="{boundary}"'


_ROOT: Final = "<envelope@adapter>"
_ATTACHED: Final = "<wsdl=description@adapter>"


def _check_name(payload: etree._Element, metaservice: str) -> None:
    if payload.tag != qname(XROAD, metaservice):
        _invalid(payload, f"the Body of {metaservice} is the element {metaservice} of {XROAD}")


def _invalid(element: etree._Element, text: str) -> NoReturn:
    problem = Problem(line=line_of(element), column=0, element=local_name(element), rule="PR-META", text=f"{text}.")
    raise SchemaInvalid(text, problems=(problem,))
