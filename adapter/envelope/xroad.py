"""X-Road message protocol 4.0: the header fields of a message as values (PR-MESS 2.1, 2.2; PR-THIRDPARTY 2).

X-Road's identifiers are ours in other words: xRoadInstance, memberClass, memberCode and subsystemCode are the four
parts of a SubsystemId; serviceCode and serviceVersion name an operation (see exchange.xroad_services). What the
protocol allows and we have no place for is refused in words, never dropped: a member without a subsystem, a central
service (X-Road itself has none any more, PR-META 2.12), a message for one of several servers, unknown extensions.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from lxml import etree

from adapter.envelope.carried import as_written, without_hop_attributes
from adapter.envelope.description_operations import Operation
from adapter.envelope.gate_structure import line_of, local_name
from adapter.envelope.names import qname
from adapter.envelope.statements import MAX_VALUE_CHARS, readable, represented_party
from adapter.errors import (
    EnvelopeRefused,
    InvalidIdentifier,
    LimitExceeded,
    Problem,
    ProviderSystemInvalid,
    XRoadHeaderInvalid,
)
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from adapter.stages import RepresentedParty
from adapter.xmlsafe import escape_text

XROAD: Final = "http://x-road.eu/xsd/xroad.xsd"
IDENTIFIERS: Final = "http://x-road.eu/xsd/identifiers"
REPRESENTATION: Final = "http://x-road.eu/xsd/representation.xsd"
PROTOCOL_VERSION: Final = "4.0"

CLIENT: Final = qname(XROAD, "client")
SERVICE: Final = qname(XROAD, "service")
ID: Final = qname(XROAD, "id")
USER_ID: Final = qname(XROAD, "userId")
ISSUE: Final = qname(XROAD, "issue")
VERSION: Final = qname(XROAD, "protocolVersion")
REQUEST_HASH: Final = qname(XROAD, "requestHash")
REPRESENTED_PARTY: Final = qname(REPRESENTATION, "representedParty")

FIELDS: Final = frozenset((CLIENT, SERVICE, ID, USER_ID, ISSUE, VERSION, REQUEST_HASH, REPRESENTED_PARTY))
_MANDATORY: Final = (CLIENT, SERVICE, ID, VERSION)
# Every namespace of the protocol and of its extensions begins so.
_NAMESPACES: Final = "{http://x-road.eu/"
_MAX_AROUND_CHARS: Final = 16_384
_OBJECT_TYPE: Final = qname(IDENTIFIERS, "objectType")
_CLIENT_PARTS: Final = ("xRoadInstance", "memberClass", "memberCode", "subsystemCode")
_SERVICE_PARTS: Final = (*_CLIENT_PARTS, "serviceCode", "serviceVersion")
_PARTY_PARTS: Final = ("partyClass", "partyCode")


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadService:
    """An X-Road service identifier. version is None when the message names none: then there must be only one."""

    provider: SubsystemId
    code: str
    version: str | None


def service_of_operation(service: ServiceId, operation: Operation) -> XRoadService:
    """What X-Road calls one operation: its name (PR-MESS 2.3), and the version of its binding, else the service's."""
    return XRoadService(provider=service.subsystem, code=operation.name, version=operation.version or service.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class XRoadHeaders:
    """The header fields of one message, as far trusted as the message is.

    blocks: the fields as they came and in their order, without requestHash: what an answer repeats.
    """

    claimed_client: SubsystemId
    service: XRoadService
    id: str
    user_id: str | None = None
    issue: str | None = None
    represented_party: RepresentedParty | None = None
    blocks: tuple[etree._Element, ...] = field(default=(), repr=False)


def is_xroad(tag: str) -> bool:
    """Whether a header block belongs to the protocol or to one of its extensions."""
    return tag.startswith(_NAMESPACES)


def read_headers(header: etree._Element | None) -> XRoadHeaders:
    """The header fields of a SOAP Header (untrusted; comments are gone). Other header blocks are not looked at.

    Each field once; client, service, id and protocolVersion 4.x must be there (PR-MESS 2.2, table 1). A requestHash in
    a request has no meaning and is left out. Raises XRoadHeaderInvalid, saying where; InvalidIdentifier for a code that
    cannot be one of ours; LimitExceeded.
    """
    blocks: dict[str, etree._Element] = {}
    for block in () if header is None else header:
        if not is_xroad(block.tag):
            continue
        if block.tag not in FIELDS:
            _refuse(block, _WHY_NOT.get(local_name(block), "this header is not known to the adapter and not carried"))
        if block.tag in blocks:
            _refuse(block, "the header occurs twice")
        _check_size(block)
        blocks[block.tag] = block
    for tag in _MANDATORY:
        if tag not in blocks:
            _missing(header, tag.rpartition("}")[2])
    _check_version(blocks[VERSION])
    return XRoadHeaders(
        claimed_client=read_client(blocks[CLIENT]),
        service=read_service(blocks[SERVICE]),
        id=_text(blocks[ID]),
        user_id=_text(blocks[USER_ID]) if USER_ID in blocks else None,
        issue=_text(blocks[ISSUE]) if ISSUE in blocks else None,
        represented_party=_party(blocks[REPRESENTED_PARTY]) if REPRESENTED_PARTY in blocks else None,
        blocks=tuple(block for tag, block in blocks.items() if tag != REQUEST_HASH),
    )


_WHY_NOT: Final = {
    "centralService": "central services are not supported: name the service itself in the header service",
    "securityServer": "a message cannot be sent to one of several servers of a member: leave the header out",
    "securityToken": "tokens of the client are not carried to the provider: leave the header out",
}


def _check_size(block: etree._Element) -> None:
    """A field is repeated with what is in scope and with all attributes: neither may make the answer large."""
    declared = sum(len(prefix or "") + len(uri) for prefix, uri in block.nsmap.items())
    attributes = sum(len(name) + len(value) for element in block.iter() for name, value in element.items())
    if declared + attributes > _MAX_AROUND_CHARS:
        raise LimitExceeded(
            f"{local_name(block)}: namespaces and attributes of more than {_MAX_AROUND_CHARS} characters"
        )


def _check_version(element: etree._Element) -> None:
    """Any 4.x is compatible (PR-MESS 2.2, end)."""
    if not _text(element).startswith("4."):
        _refuse(element, "the protocol version must be 4.0")


def read_client(element: etree._Element) -> SubsystemId:
    """An XRoadClientIdentifierType (PR-MESS 2.1) of a subsystem. Raises XRoadHeaderInvalid, InvalidIdentifier."""
    return _subsystem(element, _parts(element, ("SUBSYSTEM", "MEMBER"), _CLIENT_PARTS))


def read_service(element: etree._Element) -> XRoadService:
    """An XRoadServiceIdentifierType (PR-MESS 2.1) of a subsystem. Raises XRoadHeaderInvalid, InvalidIdentifier."""
    parts = _parts(element, ("SERVICE",), _SERVICE_PARTS)
    code = parts.get("serviceCode")
    if code is None:
        _refuse(element, "serviceCode is missing")
    return XRoadService(provider=_subsystem(element, parts), code=code, version=parts.get("serviceVersion"))


def _subsystem(element: etree._Element, parts: dict[str, str]) -> SubsystemId:
    if missing := [name for name in _CLIENT_PARTS[:3] if name not in parts]:
        _refuse(element, f"{missing[0]} is missing")
    if "subsystemCode" not in parts:
        _refuse(element, "a member without a subsystem neither asks nor is asked here: subsystemCode is missing")
    instance, member_class, code, subsystem = (parts[name] for name in _CLIENT_PARTS)
    try:
        return SubsystemId(MemberId(instance, member_class, code), subsystem)
    except InvalidIdentifier as cause:
        problem = _problem(element, cause.reason)
        raise InvalidIdentifier(cause.reason, problems=(problem,)) from None


def _parts(element: etree._Element, types: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The codes of an identifier: known ones, in the order of the schema, each once."""
    if (element.get(_OBJECT_TYPE) or "").strip() not in types:
        _refuse(element, f"objectType must be {' or '.join(types)}")
    return _children(element, IDENTIFIERS, names)


def _party(element: etree._Element) -> RepresentedParty:
    """An XRoadRepresentedPartyType (PR-THIRDPARTY 2.2)."""
    parts = _children(element, REPRESENTATION, _PARTY_PARTS)
    if "partyCode" not in parts:
        _refuse(element, "partyCode is missing")
    try:
        return represented_party(parts.get("partyClass"), parts["partyCode"])
    except EnvelopeRefused as cause:
        _refuse(element, cause.reason)


def _children(element: etree._Element, namespace: str, names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    for child in element:
        name = child.tag.removeprefix(f"{{{namespace}}}")
        if name not in names[at:]:
            _refuse(child, f"unknown, repeated or out of order; known here: {', '.join(names)}")
        at = names.index(name) + 1
        found[name] = _text(child)
    return found


def _text(element: etree._Element) -> str:
    """One line of text."""
    if len(element):
        _refuse(element, "must have text only")
    text = element.text or ""
    if len(text) > MAX_VALUE_CHARS:
        _refuse(element, f"longer than {MAX_VALUE_CHARS} characters")
    try:
        return readable(text, local_name(element))
    except EnvelopeRefused as cause:
        _refuse(element, cause.reason)


def _problem(element: etree._Element, text: str) -> Problem:
    return Problem(line=line_of(element), column=0, element=local_name(element), rule="PR-MESS 2.2", text=f"{text}.")


def _refuse(element: etree._Element, text: str) -> NoReturn:
    raise XRoadHeaderInvalid(f"{local_name(element)}: {text}", problems=(_problem(element, text),))


def _missing(header: etree._Element | None, name: str) -> NoReturn:
    line = 0 if header is None else line_of(header)
    problem = Problem(line=line, column=0, element=name, rule="PR-MESS 2.2", text="The header is missing.")
    raise XRoadHeaderInvalid(f"{name}: the header is missing", problems=(problem,))


# --- writing ---------------------------------------------------------------------------------------------------------


def repeat_headers(headers: XRoadHeaders) -> bytes:
    """The fields as they came, in their order and with their values, for the Header of an answer (PR-MESS 2.2).

    Each element is written with every prefix that is in scope at its place, so that prefixes used in values (xsi:type)
    keep their meaning. mustUnderstand and actor are taken off: they speak of the way there.
    """
    return b"".join(as_written(without_hop_attributes(block)) for block in headers.blocks)


def render_headers(headers: XRoadHeaders) -> bytes:
    """The fields for a request, in the order of PR-MESS annex E and PR-THIRDPARTY annex C; blocks are not looked at."""
    party = headers.represented_party
    return "".join(
        (
            _field("client", render_parts(headers.claimed_client), ' id:objectType="SUBSYSTEM"'),
            _field("service", render_service(headers.service), ' id:objectType="SERVICE"'),
            "" if party is None else _render_party(party),
            _field("id", escape_text(headers.id)),
            "" if headers.user_id is None else _field("userId", escape_text(headers.user_id)),
            "" if headers.issue is None else _field("issue", escape_text(headers.issue)),
            _field("protocolVersion", PROTOCOL_VERSION),
        )
    ).encode()


def _field(name: str, content: str, attributes: str = "") -> str:
    return f'<xrd:{name} xmlns:xrd="{XROAD}" xmlns:id="{IDENTIFIERS}"{attributes}>{content}</xrd:{name}>'


def render_parts(subsystem: SubsystemId) -> str:
    """The four codes of a subsystem, with the prefix `id`."""
    member = subsystem.member
    codes = zip(_CLIENT_PARTS, (member.instance, member.member_class, member.code, subsystem.code), strict=True)
    return "".join(f"<id:{name}>{code}</id:{name}>" for name, code in codes)


def render_service(service: XRoadService) -> str:
    """The codes of a service, with the prefix `id`."""
    version = (
        "" if service.version is None else f"<id:serviceVersion>{escape_text(service.version)}</id:serviceVersion>"
    )
    code = f"<id:serviceCode>{escape_text(service.code)}</id:serviceCode>"
    return render_parts(service.provider) + code + version


def _render_party(party: RepresentedParty) -> str:
    class_ = "" if party.party_class is None else f"<repr:partyClass>{party.party_class}</repr:partyClass>"
    return (
        f'<repr:representedParty xmlns:repr="{REPRESENTATION}">{class_}'
        f"<repr:partyCode>{escape_text(party.code)}</repr:partyCode></repr:representedParty>"
    )


# --- requestHash -----------------------------------------------------------------------------------------------------

SHA512: Final = "http://www.w3.org/2001/04/xmlenc#sha512"


def render_request_hash(request: bytes) -> bytes:
    """The requestHash field of an answer (PR-MESS 2.2): base64 of the SHA-512 of the request's octets.

    request: the HTTP body as it came, or the first part of a multipart one.
    """
    digest = base64.b64encode(hashlib.sha512(request).digest()).decode("ascii")
    return (f'<xrd:requestHash xmlns:xrd="{XROAD}" algorithmId="{SHA512}">{digest}</xrd:requestHash>').encode()


# --- what a provider's system repeated -------------------------------------------------------------------------------


def check_repeated(header: etree._Element | None, sent: XRoadHeaders) -> None:
    """Refuse an answer that does not repeat what was asked (PR-MESS 2.2): it may answer another request.

    client, service, id and protocolVersion must come back as they were sent. The others may be missing: a stack that
    was made from the system's WSDL repeats what that declares. So may the order differ: such a stack writes that of the
    WSDL. A requestHash is ignored, as the clause demands of a provider's server. Raises ProviderSystemInvalid.
    """
    try:
        repeated = read_headers(header)
    except (XRoadHeaderInvalid, InvalidIdentifier, LimitExceeded) as cause:
        raise ProviderSystemInvalid(f"the answer's X-Road headers: {cause.reason}", problems=cause.problems) from None
    for name in ("claimed_client", "service", "id"):
        if getattr(repeated, name) != getattr(sent, name):
            _not_repeated(name.removeprefix("claimed_"))
    for name, word in (("user_id", "userId"), ("issue", "issue"), ("represented_party", "representedParty")):
        if getattr(repeated, name) not in (None, getattr(sent, name)):
            _not_repeated(word)


def _not_repeated(name: str) -> NoReturn:
    text = "The answer's X-Road header is not that of the request."
    problem = Problem(line=0, column=0, element=name, rule="PR-MESS 2.2", text=text)
    raise ProviderSystemInvalid(f"the answer does not repeat the header {name}", problems=(problem,))
