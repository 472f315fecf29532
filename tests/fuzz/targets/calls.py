"""What client systems and information systems send: SOAP, X-Road, JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

from adapter.dialects.json_dialect import JsonDialect
from adapter.dialects.soap import SoapDialect
from adapter.dialects.xroad import XRoadDialect, message_id_of, read_message
from adapter.envelope.description import ServiceDescription
from adapter.envelope.names import SOAP12
from adapter.envelope.request_context import read_request_context
from adapter.envelope.soap import parse_provider_answer
from adapter.envelope.xroad import check_repeated, read_headers, render_headers, repeat_headers
from adapter.errors import (
    ContextInvalid,
    HeaderNotUnderstood,
    InvalidIdentifier,
    LimitExceeded,
    MalformedJson,
    MalformedMessage,
    NotSoap,
    ProviderSystemFault,
    ProviderSystemInvalid,
    SchemaInvalid,
    UnknownOperation,
    XRoadHeaderInvalid,
)
from adapter.identifiers import ServiceId, SubsystemId
from adapter.stages import ParsedCall
from adapter.xmlsafe import DEFAULT_LIMITS, canonical, parse
from tests import xroad_messages
from tests.calls import identified_call
from tests.fuzz.model import Target
from tests.fuzz.mutations import octet_mutation, xml_mutation
from tests.get_person import description, good_call, soap
from tests.unit.dialects.conversion import described
from tests.unit.dialects.small_schemas import DERIVED, MANY, OPEN, PLAIN, element, sequence

_SERVICE = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
_CONSUMER = SubsystemId.parse("UZ/GOV/200000003/benefits")
_CALL_ERRORS = (
    ContextInvalid, HeaderNotUnderstood, InvalidIdentifier, LimitExceeded, MalformedMessage, NotSoap, SchemaInvalid,
    UnknownOperation,
)  # fmt: skip
_IN_SOAP = octet_mutation(
    b'<?xml version="1.0" encoding="windows-1251"?>', b"\xff\xfe", b'soap:mustUnderstand="1"', b"soap:actor='a'",
    b"xsi:nil='true'", b"soap:encodingStyle=", b'id="a"', b'href="#a"',
)  # fmt: skip


def _use(call: ParsedCall) -> None:
    """What the next steps do first with a call that was read."""
    canonical(call.payload)
    if call.context is not None:
        read_request_context(call.context)


# --- SOAP ------------------------------------------------------------------------------------------------------------


def run_soap(octets: bytes) -> None:
    """A call of a client system, and the answer of an information system, with each charset that may be announced."""
    for charset in ("utf-16", "koi8-r", "hex", "\udcff"):
        _answer(octets, charset)
    told = _answer(octets, "")
    dialect = SoapDialect(content_type="text/xml; charset=utf-8")
    call, _ = dialect.read(identified_call(octets, "text/xml; charset=utf-8"), description(), DEFAULT_LIMITS)
    if told is None:
        raise AssertionError("an envelope was taken as a call and not as an answer")
    _use(call)


def _answer(octets: bytes, charset: str) -> bytes | None:
    try:
        return canonical(parse_provider_answer(octets, DEFAULT_LIMITS, charset=charset))
    except ProviderSystemFault as fault:
        return b"".join(problem.text.encode("utf-8", "surrogatepass") for problem in fault.problems)
    except ProviderSystemInvalid:
        return None


_FAULT_11 = (
    "<soap:Fault><faultcode>soap:Server</faultcode><faultstring>no</faultstring><detail><a/></detail></soap:Fault>"
)
_FAULT_12 = (
    "<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value></soap:Code><soap:Reason>"
    "<soap:Text xml:lang='en'>no</soap:Text></soap:Reason></soap:Fault>"
)

SOAP = Target(
    name="soap",
    what="calls of client systems with their RequestContext, answers and faults of information systems",
    run=run_soap,
    may_raise=_CALL_ERRORS,
    seeds=lambda: [
        good_call().encode(), good_call(SOAP12).encode(), soap("", _FAULT_11).encode(),
        soap("", _FAULT_12, SOAP12).encode(), ('<?xml version="1.0" encoding="UTF-8"?>' + good_call()).encode(),
    ],
    mutate=xml_mutation(_IN_SOAP),
    max_bytes=4096,
)  # fmt: skip


# --- X-Road ----------------------------------------------------------------------------------------------------------


def run_xroad(octets: bytes) -> None:
    """A message with X-Road's header fields. What is read is repeated, and then the repetition is found to be one."""
    message = read_message(octets, "text/xml; charset=utf-8", DEFAULT_LIMITS)
    headers = message.headers
    own_id = message_id_of(headers.claimed_client, headers.id)
    for rendered in (repeat_headers(headers), render_headers(headers)):
        again = parse(b'<h xmlns:xml="http://www.w3.org/XML/1998/namespace">' + rendered + b"</h>")
        check_repeated(again, headers)
    if replace(read_headers(again), blocks=()) != replace(headers, blocks=()):
        raise AssertionError("header fields that are written again say something else")
    dialect = XRoadDialect(message=message, operation="GetPerson", message_id=own_id)
    call, _ = dialect.read(identified_call(octets, "text/xml"), description(), DEFAULT_LIMITS)
    _use(call)


XROAD = Target(
    name="xroad",
    what="X-Road messages: header fields, identifiers, what is repeated in the answer",
    run=run_xroad,
    may_raise=(*_CALL_ERRORS, XRoadHeaderInvalid),
    seeds=lambda: [
        xroad_messages.message().encode(),
        xroad_messages.message(xroad_messages.fields(party=xroad_messages.PARTY)).encode(),
        xroad_messages.message(xroad_messages.fields(issue=xroad_messages.field("issue", "12/34"))).encode(),
        xroad_messages.message(xroad_messages.fields(id=xroad_messages.field("id", "any id of any kind"))).encode(),
    ],
    mutate=xml_mutation(_IN_SOAP),
    max_bytes=4096,
)


# --- JSON ------------------------------------------------------------------------------------------------------------


@cache
def _services() -> tuple[ServiceDescription, ...]:
    mixed = described(
        sequence(element("P", "t:Text", MANY)),
        '<xs:complexType name="Text" mixed="true"><xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded"/>'
        '</xs:sequence><xs:attribute name="n" type="xs:int"/></xs:complexType>',
    )
    return (PLAIN, DERIVED, OPEN, mixed)


def run_json(octets: bytes) -> None:
    """First octet: which service. The rest: a call. One that is read becomes a document that the parser reads."""
    which, text = octets[:1], octets[1:]
    services = _services()
    service = services[which[0] % len(services)] if which else services[0]
    dialect = JsonDialect(operation="Ask", content_type="application/json", accept_language="uz")
    call, _ = dialect.read(identified_call(text, "application/json"), service, DEFAULT_LIMITS)
    _use(call)


_CONTEXT = {
    "official": "inspector-7",
    "purpose": "benefit",
    "legalBasis": {"kind": "law", "reference": "ZRU-395"},
    "subjects": [{"kind": "pinfl", "value": "30101900000000"}],
}
_BODIES: tuple[object, ...] = (
    {"Name": "a", "Alias": ["b", "c"], "Count": 1, "Weight": 1e3, "Sum": 0.1, "Open": True, "Day": "2026-03-02"},
    {"Party": [{"@xsi:type": "Person", "Id": 1, "@type": 2, "Friend": {"@xsi:type": "Person", "Id": 2}}], "Any": "x"},
    {"A": "a", "B": "b", "$any": ["<x xmlns='urn:x'/>"], "@known": 1, "@{urn:u}a": "b"},
    {"P": [{"$xml": "a<b xmlns='urn:x'/>c", "@n": 1}]},
)

JSON = Target(
    name="json",
    what="JSON calls, by the rules of four schemas",
    run=run_json,
    may_raise=(*_CALL_ERRORS, MalformedJson),
    seeds=lambda: [
        bytes((at,)) + json.dumps({"context": context, "body": body}).encode()
        for at, body in enumerate(_BODIES)
        for context in (None, _CONTEXT)
    ],
    mutate=octet_mutation(
        b'"$":', b'"$xml":', b'"$any":', b'"@xsi:type":', b'"@xsi:nil":true', b'"@{urn:u}a":', b"[", b"{", b",",
        b"null", b"1e400", b"-0",
        b"NaN", b'"\\ud800"', b'"\\u0000"', b'"]]>"', b'"<a/>"', b'"context":', b'"body":', b'"xs:int"',
        b"[" * 1500, b'{"a":' * 1500, b'"' + b"\\" * 3000, b'"headers":', b'"independent":',
    ),
    max_bytes=8192,
)  # fmt: skip
