"""The payload in the exact octets in which the Body that carries it is digested and encrypted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.crypto.templates import BODY_END, BODY_START
from adapter.envelope.names import SOAP12, SOAP12_FAULT, XSI, XSI_TYPE, qname
from adapter.errors import EnvelopeRefused
from adapter.xmlsafe import canonical, parse

# A payload that uses the very prefixes of Body's start tag for the same namespaces: they are not declared again there.
_BODY_PREFIXES: Final = re.compile(rb"xmlns:(?:env|wsu)=")
_XSI: Final = XSI.encode()
_FAULT_VALUE: Final = qname(SOAP12, "Value")
_MAX_PREFIXES: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class CanonicalBody:
    """octets: the whole Body, to digest. content: what stands in it, to encrypt. inclusive_prefixes: the PrefixList."""

    octets: bytes
    content: bytes
    inclusive_prefixes: tuple[str, ...] = ()


def canonical_body(payload: etree._Element | bytes) -> CanonicalBody:
    """The Body around one payload element, or around the octets of one.

    Raises EnvelopeRefused when the payload has a processing instruction or cannot be signed without changing what it
    says (a relative namespace name, an unprefixed xsi:type that exclusive canonicalisation would bind anew).
    """
    element = parse(payload, error=EnvelopeRefused) if isinstance(payload, bytes) else payload
    content = canonical(element, error=EnvelopeRefused)
    prefixes: tuple[str, ...] = ()
    if has_qname_values(element, content):
        prefixes = _value_prefixes(element)
        content = canonical(element, inclusive_prefixes=prefixes, error=EnvelopeRefused)
        if resolved_values(element) != resolved_values(parse(content, error=EnvelopeRefused)):
            raise EnvelopeRefused("an xsi:type of the payload would change its meaning by being signed")
    if b"<?" in content:
        raise EnvelopeRefused("the payload has a processing instruction")
    if not _BODY_PREFIXES.search(content):
        return CanonicalBody(octets=BODY_START + content + BODY_END, content=content, inclusive_prefixes=prefixes)
    return _through_tree(content, prefixes)


def _through_tree(content: bytes, prefixes: tuple[str, ...]) -> CanonicalBody:
    """The general case: let the canonicaliser see the Body around the payload."""
    body = parse(BODY_START + content + BODY_END, error=EnvelopeRefused)
    octets = canonical(body, inclusive_prefixes=prefixes, error=EnvelopeRefused)
    if not octets.startswith(BODY_START):
        raise EnvelopeRefused("the payload changes the start tag of Body")
    return CanonicalBody(octets=octets, content=octets[len(BODY_START) : -len(BODY_END)], inclusive_prefixes=prefixes)


# --- names in values -------------------------------------------------------------------------------------------------
# Exclusive canonicalisation keeps a namespace declaration only where an element's or an attribute's own name uses it
# (Exclusive XML Canonicalization 1.0, 1.3). These values use prefixes too.


def has_qname_values(payload: etree._Element, canonical_octets: bytes) -> bool:
    """Whether it is worth looking for names in values: a cheap look that may say yes too often, never no."""
    return _XSI in canonical_octets or payload.tag == SOAP12_FAULT


def resolved_values(root: etree._Element) -> list[tuple[str | None, str]]:
    """Every name in a value, in document order, as namespace and local name; None for a prefix that is not bound."""
    return [_resolve(element, value) for element, value in _qname_values(root)]


def _qname_values(root: etree._Element) -> list[tuple[etree._Element, str]]:
    """xsi:type, and the codes of a SOAP 1.2 Fault."""
    found = [(element, element.get(XSI_TYPE, "")) for element in root.iter(etree.Element) if XSI_TYPE in element.attrib]
    found += [(element, element.text or "") for element in root.iter(_FAULT_VALUE)]
    return found


def _value_prefixes(payload: etree._Element) -> tuple[str, ...]:
    written = (value.strip().partition(":") for _, value in _qname_values(payload))
    prefixes = sorted({prefix for prefix, colon, _ in written if colon})
    if len(prefixes) > _MAX_PREFIXES:
        raise EnvelopeRefused(f"the payload uses more than {_MAX_PREFIXES} prefixes in xsi:type")
    return tuple(prefixes)


def _resolve(element: etree._Element, value: str) -> tuple[str | None, str]:
    prefix, colon, local = value.strip().partition(":")
    if not colon:
        return element.nsmap.get(None, ""), prefix
    return element.nsmap.get(prefix), local
