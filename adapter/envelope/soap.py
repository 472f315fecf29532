"""Plain SOAP 1.1 and 1.2: what client systems send and are answered, and what a provider's own system is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.carried import MAX_HEADERS, Content, as_written, unwrap, without_hop_attributes, wrap
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


def media_type_of_version(version: SoapVersion) -> str:
    """The media type of an envelope."""
    return _MEDIA_TYPE_OF[version]


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


# --- from and to a client system -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientEnvelope:
    """A client system's envelope, untrusted: its version, its Header if there is one, the one element of its Body.

    independent: elements beside it in a SOAP-encoded Body.
    """

    version: SoapVersion
    header: etree._Element | None
    payload: etree._Element
    independent: tuple[etree._Element, ...] = ()


def read_envelope(
    octets: bytes, content_type: str, limits: XmlLimits, *, may_be_encoded: bool = False
) -> ClientEnvelope:
    """A client system's octets (untrusted) and their Content-Type as an envelope.

    may_be_encoded: the service has SOAP-encoded operations, so the Body may have several elements and say its encoding.

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
    header, body = _header_and_body(root, NAMESPACE_OF[version], NotSoap, may_be_encoded=may_be_encoded)
    payload, *independent = _elements(body, NotSoap, may_be_several=may_be_encoded)
    return ClientEnvelope(version=version, header=header, payload=payload, independent=tuple(independent))


def find_declared(envelope: ClientEnvelope, declared: Collection[str]) -> tuple[etree._Element, ...]:
    """The headers for us that the service declares, without what SOAP says of them for this hop (untrusted).

    Raises NotSoap: one occurs twice, or there are too many.
    """
    blocks = () if envelope.header is None or not declared else envelope.header
    found = [block for block in blocks if block.tag in declared and _is_for_us(block, envelope.version)]
    if len({block.tag for block in found}) != len(found) or len(found) > MAX_HEADERS:
        raise NotSoap("a header of the service occurs twice, or there are too many of them")
    return tuple(map(without_hop_attributes, found))


def find_context(envelope: ClientEnvelope, declared: Collection[str] = ()) -> etree._Element | None:
    """The RequestContext if it was sent; of the other headers only those for us that must be understood matter.

    declared: headers that the service declares, `{namespace}local`; they go along and may be marked. Raises
    HeaderNotUnderstood for another that is marked, NotSoap when there are two RequestContexts.
    """
    found = None
    for block in () if envelope.header is None else envelope.header:
        if not _is_for_us(block, envelope.version) or block.tag in declared:
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


def render_answer(version: SoapVersion, content: bytes, headers: bytes = b"") -> bytes:
    """An envelope around the octets of one element (a canonical payload, or a Fault), in UTF-8.

    content may also be the elements of an encoded Body; headers: the octets of header blocks.
    """
    start = f'<soap:Envelope xmlns:soap="{NAMESPACE_OF[version]}">'.encode()
    head = b"<soap:Header>" + headers + b"</soap:Header>" if headers else b""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + start + head + b"<soap:Body>" + content + _END


_END: Final = b"</soap:Body></soap:Envelope>"


def render_content(version: SoapVersion, content: Content, header: bytes = b"") -> bytes:
    """An envelope with everything that a message says, each part with every prefix in scope at its place.

    header: the octets of further header blocks, before those of the message.
    """
    body = b"".join(map(as_written, (content.body, *content.independent)))
    return render_answer(version, body, header + b"".join(map(as_written, content.headers)))


# --- to and from a provider's information system ---------------------------------------------------------------------


def build_provider_request(payload: etree._Element, version: SoapVersion, header: bytes = b"") -> bytes:
    """An envelope for the provider's information system: the payload in its Body, declared headers in its Header.

    header: the octets of further header blocks, before those.
    payload: the verified element. It is written with every prefix that is in scope at its place, so that prefixes
    used in values (xsi:type) keep their meaning.
    """
    return render_content(version, unwrap(payload), header)


def parse_provider_answer(
    octets: bytes,
    limits: XmlLimits,
    *,
    charset: str = "",
    declared: Collection[str] = (),
    may_be_encoded: bool = False,
    check_header: Callable[[etree._Element | None], None] | None = None,
) -> etree._Element:
    """What the information system's answer says, of either SOAP version (untrusted), as one element.

    declared: the headers of the operation's answer, which come along (envelope.carried). may_be_encoded: as in
    `read_envelope`. check_header: judges the Header of an answer that is no fault, and raises ProviderSystemInvalid.
    Comments and processing instructions are dropped. Raises ProviderSystemFault when it is a SOAP
    Fault, with the fault's own text as a problem; ProviderSystemInvalid when the octets are not a SOAP envelope with
    one Body element or a header must be understood that nobody knows.
    """
    try:
        utf8 = as_utf8(octets, charset=charset, error=ProviderSystemInvalid)
        root = without_comments(parse(utf8, limits, error=ProviderSystemInvalid))
    except LimitExceeded as cause:
        raise ProviderSystemInvalid(f"the answer is past a limit: {cause.reason}") from None
    namespace = etree.QName(root).namespace or ""
    if namespace not in _VERSION_OF or root.tag != qname(namespace, "Envelope"):
        raise ProviderSystemInvalid("the answer is not a SOAP envelope")
    header, body = _header_and_body(root, namespace, ProviderSystemInvalid, may_be_encoded=may_be_encoded)
    blocks = [] if header is None else list(header)
    if any(_must_understand(block, namespace) and block.tag not in declared for block in blocks):
        raise ProviderSystemInvalid("the answer has a header that must be understood")
    payload, *independent = _elements(body, ProviderSystemInvalid, may_be_several=may_be_encoded)
    if payload.tag == qname(namespace, "Fault"):
        raise _fault(payload, namespace)
    if check_header is not None:
        check_header(header)
    known = [without_hop_attributes(block) for block in blocks if block.tag in declared]
    try:
        return wrap(Content(body=payload, headers=tuple(known), independent=tuple(independent)))
    except LimitExceeded as cause:
        raise ProviderSystemInvalid(f"the answer is past a limit: {cause.reason}") from None


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
    root: etree._Element, namespace: str, error: type[AdapterError], *, may_be_encoded: bool
) -> tuple[etree._Element | None, etree._Element]:
    """SOAP 1.1, 4; SOAP 1.2 Part 1, 5.1: an optional Header, one Body, nothing else.

    Which encoding Envelope or Body say is written to the elements of an encoded Body, where it means the same (SOAP
    1.1, 4.1.1), since they travel without Envelope and Body.
    """
    header_name, body_name = qname(namespace, "Header"), qname(namespace, "Body")
    found = [child.tag for child in root]
    if found not in ([body_name], [header_name, body_name]):
        raise error("Envelope must have an optional Header and one Body")
    body = root[-1]
    encoding_style = qname(namespace, "encodingStyle")
    stated = body.get(encoding_style) or root.get(encoding_style) or ""
    if stated and may_be_encoded:
        for element in body.iterchildren(etree.Element):
            if encoding_style not in element.attrib:
                element.set(encoding_style, stated)
    elif stated.startswith(_ENCODED):
        raise error("SOAP encoding is not supported by this service, only literal")
    return (root[0] if len(found) == 2 else None), body


def _elements(body: etree._Element, error: type[AdapterError], *, may_be_several: bool) -> list[etree._Element]:
    """The elements of a Body: one, and in an encoded one those beside it that it refers to (SOAP 1.1, 5.1)."""
    found = list(body)
    if not found or (len(found) > 1 and not may_be_several):
        raise error("Body must have exactly one element")
    if (body.text or "").strip() or any((child.tail or "").strip() for child in found):
        raise error("Body must have exactly one element")
    return found
