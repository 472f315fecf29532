"""The payload in the exact octets in which the Body that carries it is digested and encrypted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.crypto.templates import BODY_END, BODY_START
from adapter.envelope.names import XSI, XSI_TYPE
from adapter.errors import EnvelopeRefused
from adapter.xmlsafe import canonical, parse

_xsi_typed: Final = etree.XPath("descendant-or-self::*[@xsi:type]", namespaces={"xsi": XSI})
# A payload that uses the very prefixes of Body's start tag for the same namespaces: they are not declared again.
_XSI: Final = XSI.encode()
_BODY_PREFIXES: Final = re.compile(rb"xmlns:(?:env|wsu)=")


@dataclass(frozen=True, kw_only=True, slots=True)
class CanonicalBody:
    """octets: the whole Body, to digest. content: what stands in it, to encrypt. inclusive_prefixes: the PrefixList."""

    octets: bytes
    content: bytes
    inclusive_prefixes: tuple[str, ...] = ()


def canonical_body(payload: etree._Element | bytes) -> CanonicalBody:
    """The Body around one payload element, or around the octets of one.

    Raises EnvelopeRefused when the payload has a processing instruction or cannot be signed without changing what it
    says (a relative namespace name, an unprefixed xsi:type that exclusive canonicalisation would re-bind).
    """
    try:
        return _of_octets(payload) if isinstance(payload, bytes) else _of_element(payload)
    except (etree.LxmlError, ValueError):
        raise EnvelopeRefused("the payload cannot be canonicalised") from None


def _of_element(payload: etree._Element) -> CanonicalBody:
    content = canonical(payload)
    prefixes: tuple[str, ...] = ()
    if _XSI in content:
        prefixes = _type_prefixes(payload)
        content = canonical(payload, inclusive_prefixes=prefixes)
        if resolved_types(payload) != resolved_types(etree.fromstring(content)):
            raise EnvelopeRefused("an xsi:type of the payload would change its meaning by being signed")
    if b"<?" in content:
        raise EnvelopeRefused("the payload has a processing instruction")
    if not _BODY_PREFIXES.search(content):
        return CanonicalBody(octets=BODY_START + content + BODY_END, content=content, inclusive_prefixes=prefixes)
    return _through_tree(content, prefixes)


def _of_octets(octets: bytes) -> CanonicalBody:
    payload = parse(octets, error=EnvelopeRefused)
    return _of_element(payload)


def _through_tree(content: bytes, prefixes: tuple[str, ...]) -> CanonicalBody:
    """The general case: let the canonicaliser see the Body around the payload."""
    octets = canonical(etree.fromstring(BODY_START + content + BODY_END), inclusive_prefixes=prefixes)
    if not octets.startswith(BODY_START):
        raise EnvelopeRefused("the payload changes the start tag of Body")
    return CanonicalBody(octets=octets, content=octets[len(BODY_START) : -len(BODY_END)], inclusive_prefixes=prefixes)


def _type_prefixes(payload: etree._Element) -> tuple[str, ...]:
    """The prefixes that only stand in the values of xsi:type: exclusive canonicalisation does not see them."""
    found = {element.get(XSI_TYPE, "").strip().partition(":") for element in _xsi_typed(payload)}
    prefixes = sorted({prefix for prefix, colon, _ in found if colon})
    if len(prefixes) > 16:
        raise EnvelopeRefused("the payload uses more than 16 prefixes in xsi:type")
    return tuple(prefixes)


def resolved_types(root: etree._Element) -> list[tuple[str | None, str]]:
    """Every xsi:type in document order as namespace and local name; an unbound prefix gives the namespace None."""
    return [_resolve(element) for element in _xsi_typed(root)]


def _resolve(element: etree._Element) -> tuple[str | None, str]:
    prefix, colon, local = element.get(XSI_TYPE, "").strip().partition(":")
    if not colon:
        return element.nsmap.get(None, ""), prefix
    return element.nsmap.get(prefix), local
