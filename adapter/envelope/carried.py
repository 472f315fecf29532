"""More than one element for one Body: declared headers of a service, and the several children of an encoded Body.

The envelope's Body holds exactly one element (xsd/envelope.xsd). Nearly always it is the service's own. Where a service
declares SOAP headers of its own, or its Body is SOAP-encoded and has independent elements beside the first (SOAP 1.1,
5.1 and 7.1), all of them are carried in one element, Parts, and so are signed and encrypted like a Body. At the other
end they become headers and Body again. See docs/decisions for why they are not headers of the envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope.names import ENVELOPE, SOAP11, SOAP12, qname
from adapter.errors import EnvelopeRefused
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits, parse

PARTS: Final = qname(ENVELOPE, "Parts")
ACCEPTED: Final = qname(ENVELOPE, "Accepted")
MAX_HEADERS: Final = 32
_HEADERS: Final = qname(ENVELOPE, "Headers")
_CONTENT: Final = qname(ENVELOPE, "Content")
_HOP_ATTRIBUTES: Final = tuple(
    qname(namespace, name) for namespace in (SOAP11, SOAP12) for name in ("mustUnderstand", "actor", "role", "relay")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What a SOAP message says: its Body's element, and what goes with it. As far trusted as the message.

    headers: blocks that the service declares. independent: further children of an encoded Body.
    """

    body: etree._Element
    headers: tuple[etree._Element, ...] = ()
    independent: tuple[etree._Element, ...] = ()

    @property
    def is_alone(self) -> bool:
        """Whether the Body's element is all there is."""
        return not self.headers and not self.independent


def wrap(content: Content) -> etree._Element:
    """The one element for the envelope's Body; the service's own, where it stands, when it is alone.

    Raises LimitExceeded when the parts together are more than one message may be.
    """
    if content.is_alone:
        return content.body
    headers = b"".join(map(as_written, content.headers))
    body = b"".join(map(as_written, (content.body, *content.independent)))
    octets = b"<ia:Headers>%s</ia:Headers>" % headers if headers else b""
    whole = f'<ia:Parts xmlns:ia="{ENVELOPE}">'.encode() + octets + b"<ia:Content>%s</ia:Content></ia:Parts>" % body
    return parse(whole, XmlLimits(max_bytes=len(whole), max_depth=DEFAULT_LIMITS.max_depth + 2))


def unwrap(payload: etree._Element) -> Content:
    """What an envelope's Body carries. Raises EnvelopeRefused when Parts has not the form of xsd/envelope.xsd."""
    if payload.tag != PARTS:
        return Content(body=payload)
    groups = {str(group.tag): list(group) for group in payload}
    bodies = groups.get(_CONTENT, [])
    headers = groups.get(_HEADERS, [])
    if [group.tag for group in payload] not in ([_CONTENT], [_HEADERS, _CONTENT]) or not bodies:
        raise EnvelopeRefused("Parts must have optional Headers and then a Content that is not empty")
    if len(headers) > MAX_HEADERS or (_HEADERS in groups and not headers):
        raise EnvelopeRefused(f"Headers of Parts must have from 1 to {MAX_HEADERS} elements")
    holders = [payload, *payload]
    if any(holder.attrib or (holder.text or "").strip() for holder in holders) or any(
        (child.tail or "").strip() for holder in holders for child in holder
    ):
        raise EnvelopeRefused("Parts must have neither attributes nor text of its own")
    return Content(body=bodies[0], headers=tuple(headers), independent=tuple(bodies[1:]))


def accepted() -> etree._Element:
    """What a reply holds to a one-way request that the system has taken (WSDL 1.1, 2.4.1): it says nothing itself."""
    return etree.Element(ACCEPTED, nsmap={"ia": ENVELOPE})


def body_of(payload: etree._Element) -> etree._Element:
    """The service's own element in what an envelope's Body carries. Raises EnvelopeRefused as `unwrap` does."""
    return payload if payload.tag != PARTS else unwrap(payload).body


def as_written(element: etree._Element) -> bytes:
    """The element's octets with every prefix that is in scope at its place: a value may use any of them."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)


def without_hop_attributes(header: etree._Element) -> etree._Element:
    """A header block without what SOAP says of it for one hop only (SOAP 1.1, 4.2; SOAP 1.2 Part 1, 5.2), in place."""
    for name in _HOP_ATTRIBUTES:
        if name in header.attrib:
            del header.attrib[name]
    return header
