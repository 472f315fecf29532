"""Plain SOAP 1.1 and 1.2: what client systems send and are answered, and what a provider's own system is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.gate_structure import line_of
from adapter.envelope.names import qname
from adapter.envelope.xml_encoding import as_utf8
from adapter.errors import (
    AdapterError,
    HeaderNotUnderstood,
    LimitExceeded,
    MalformedMessage,
    NotSoap,
    Problem,
    ProviderSystemFault,
    ProviderSystemInvalid,
)
from adapter.stages import SoapVersion
from adapter.xmlsafe import XmlLimits, parse

MAX_FAULT_TEXT_CHARS: Final = 500

NAMESPACE_OF: Final = {SoapVersion.SOAP11: names.SOAP11, SoapVersion.SOAP12: names.SOAP12}
_VERSION_OF: Final = {namespace: version for version, namespace in NAMESPACE_OF.items()}
_MEDIA_TYPE_OF: Final = {SoapVersion.SOAP11: "text/xml", SoapVersion.SOAP12: "application/soap+xml"}
_VERSION_OF_MEDIA_TYPE: Final = {media_type: version for version, media_type in _MEDIA_TYPE_OF.items()}
_TRUE: Final = frozenset(("1", "true"))
_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})["']?\s*(?:;|$)""", re.IGNORECASE)
_ENCODED: Final = "http://schemas.xmlsoap.org/soap/encoding/"
# Roles that every node plays, and no role at all (SOAP 1.1, 4.2.2; SOAP 1.2 Part 1, 2.2).
_OUR_ROLES: Final = frozenset(
    (
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    )
)


def version_of(content_type: str) -> SoapVersion:
    """The version that a Content-Type announces, 1.1 when it announces none: for a fault before anything was read."""
    return _VERSION_OF_MEDIA_TYPE.get(_media_type(content_type), SoapVersion.SOAP11)


def content_type_of(version: SoapVersion) -> str:
    """The Content-Type of an answer (SOAP 1.1, 6; RFC 3902)."""
    return f"{_MEDIA_TYPE_OF[version]}; charset=utf-8"


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


# --- from and to a client system -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientEnvelope:
    """A client system's envelope, untrusted: its version, its Header if there is one, the one element of its Body."""

    version: SoapVersion
    header: etree._Element | None
    payload: etree._Element


def read_envelope(octets: bytes, content_type: str, limits: XmlLimits) -> ClientEnvelope:
    """A client system's octets (untrusted) and their Content-Type as an envelope.

    Comments and processing instructions are dropped, so that what is signed later is what is read now. Raises
    MalformedMessage, LimitExceeded, NotSoap (also when the Content-Type announces the other SOAP version).
    """
    charset = _CHARSET.search(content_type)
    octets = as_utf8(octets, charset=charset.group(1) if charset else "", error=MalformedMessage)
    root = without_comments(parse(octets, limits))
    version = _VERSION_OF.get(etree.QName(root).namespace or "")
    if version is None or root.tag != qname(NAMESPACE_OF[version], "Envelope"):
        raise NotSoap("the root element is not a SOAP Envelope")
    announced = _VERSION_OF_MEDIA_TYPE.get(_media_type(content_type), version)
    if announced is not version:
        raise NotSoap(f"the Content-Type announces SOAP {announced.value}, the Envelope is SOAP {version.value}")
    header, body = _header_and_body(root, NAMESPACE_OF[version], NotSoap)
    return ClientEnvelope(version=version, header=header, payload=_payload(body, NotSoap))


def find_context(envelope: ClientEnvelope) -> etree._Element | None:
    """The RequestContext if it was sent; of the other headers only those for us that must be understood matter.

    Raises HeaderNotUnderstood for such a one, NotSoap when there are two RequestContexts.
    """
    found = None
    for block in () if envelope.header is None else envelope.header:
        if not _is_for_us(block, envelope.version):
            continue
        if block.tag == names.REQUEST_CONTEXT:
            if found is not None:
                raise NotSoap("the RequestContext header occurs twice")
            found = block
        elif _must_understand(block, NAMESPACE_OF[envelope.version]):
            element = etree.QName(block).localname[:64]
            problem = Problem(
                line=line_of(block), column=0, element=element, rule="mustUnderstand", text="Unknown header."
            )
            raise HeaderNotUnderstood("a header of the client is marked mustUnderstand", problems=(problem,))
    return found


def _is_for_us(block: etree._Element, version: SoapVersion) -> bool:
    role = "actor" if version is SoapVersion.SOAP11 else "role"
    return block.get(qname(NAMESPACE_OF[version], role), "").strip() in _OUR_ROLES


def _must_understand(block: etree._Element, namespace: str) -> bool:
    return block.get(qname(namespace, "mustUnderstand"), "").strip() in _TRUE


def render_answer(version: SoapVersion, content: bytes) -> bytes:
    """An envelope around the octets of one element (a canonical payload, or a Fault), in UTF-8."""
    start = f'<soap:Envelope xmlns:soap="{NAMESPACE_OF[version]}"><soap:Body>'.encode()
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + start + content + b"</soap:Body></soap:Envelope>"


# --- to and from a provider's information system ---------------------------------------------------------------------


def build_provider_request(payload: etree._Element, version: SoapVersion) -> bytes:
    """An envelope with this one element in its Body, for the provider's information system.

    payload: the verified element. It is written with every prefix that is in scope at its place, so that prefixes
    used in values (xsi:type) keep their meaning.
    """
    content = etree.tostring(payload, encoding="UTF-8", xml_declaration=False, with_tail=False)
    return render_answer(version, content)


def parse_provider_answer(octets: bytes, limits: XmlLimits, *, charset: str = "") -> etree._Element:
    """The one element in the Body of the information system's answer, of either SOAP version (untrusted).

    Comments and processing instructions are dropped. Raises ProviderSystemFault when it is a SOAP Fault, with the
    fault's own text as a problem; ProviderSystemInvalid when the octets are not a SOAP envelope with one Body element
    or a header must be understood that nobody knows.
    """
    try:
        utf8 = as_utf8(octets, charset=charset, error=ProviderSystemInvalid)
        root = without_comments(parse(utf8, limits, error=ProviderSystemInvalid))
    except LimitExceeded as cause:
        raise ProviderSystemInvalid(f"the answer is past a limit: {cause.reason}") from None
    namespace = etree.QName(root).namespace or ""
    if namespace not in _VERSION_OF or root.tag != qname(namespace, "Envelope"):
        raise ProviderSystemInvalid("the answer is not a SOAP envelope")
    header, body = _header_and_body(root, namespace, ProviderSystemInvalid)
    if header is not None and any(_must_understand(block, namespace) for block in header):
        raise ProviderSystemInvalid("the answer has a header that must be understood")
    payload = _payload(body, ProviderSystemInvalid)
    if payload.tag == qname(namespace, "Fault"):
        raise _fault(payload, namespace)
    return payload


def _fault(fault: etree._Element, namespace: str) -> ProviderSystemFault:
    """The system's fault as an error: SOAP 1.1, 4.4, and SOAP 1.2 Part 1, 5.4."""
    if namespace == names.SOAP11:
        code, text = fault.findtext("faultcode"), fault.findtext("faultstring")
    else:
        code = fault.findtext(f"{{{namespace}}}Code/{{{namespace}}}Value")
        text = fault.findtext(f"{{{namespace}}}Reason/{{{namespace}}}Text")
    shown = " ".join((text or "").split())[:MAX_FAULT_TEXT_CHARS]
    rule = " ".join((code or "").split()).rpartition(":")[2][:64]
    problem = Problem(line=0, column=0, element="Fault", rule=f"soap:{rule or 'Fault'}", text=shown or "No text.")
    return ProviderSystemFault("the information system answered with a fault", problems=(problem,))


# --- both ------------------------------------------------------------------------------------------------------------


def without_comments(root: etree._Element) -> etree._Element:
    """The same tree with every comment and processing instruction taken out and the text around them kept."""
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    return root


def _header_and_body(
    root: etree._Element, namespace: str, error: type[AdapterError]
) -> tuple[etree._Element | None, etree._Element]:
    """SOAP 1.1, 4; SOAP 1.2 Part 1, 5.1: an optional Header, one Body, nothing else, no SOAP encoding."""
    header_name, body_name = qname(namespace, "Header"), qname(namespace, "Body")
    found = [child.tag for child in root]
    if found not in ([body_name], [header_name, body_name]):
        raise error("Envelope must have an optional Header and one Body")
    body = root[-1]
    encoding_style = qname(namespace, "encodingStyle")
    if any(element.get(encoding_style, "").startswith(_ENCODED) for element in (root, body)):
        raise error("SOAP encoding is not supported, only document/literal")
    return (root[0] if len(found) == 2 else None), body


def _payload(body: etree._Element, error: type[AdapterError]) -> etree._Element:
    if len(body) != 1 or (body.text or "").strip() or (body[0].tail or "").strip():
        raise error("Body must have exactly one element")
    return body[0]
