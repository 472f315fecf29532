"""The payload in the exact octets in which the Body that carries it is digested and encrypted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

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
_PREFIXED: Final = re.compile(r"(?<![\w.:-])([^\W\d][\w.-]{0,127}):(?=[^\W\d])")


@dataclass(frozen=True, kw_only=True, slots=True)
class CanonicalBody:
    """octets: the whole Body, to digest. content: what stands in it, to encrypt. inclusive_prefixes: the PrefixList."""

    octets: bytes
    content: bytes
    inclusive_prefixes: tuple[str, ...] = ()


def canonical_body(payload: etree._Element | bytes, *, names_in_values: bool = False) -> CanonicalBody:
    """The Body around one payload element, or around the octets of one.

    names_in_values: any value may hold a prefixed name, not only xsi:type; its declaration is kept. Raises
    EnvelopeRefused when the payload has a processing instruction or cannot be signed without changing what it
    says (a relative namespace name, an unprefixed xsi:type that exclusive canonicalisation would bind anew).
    """
    element = parse(payload, error=EnvelopeRefused) if isinstance(payload, bytes) else payload
    content = canonical(element, error=EnvelopeRefused)
    prefixes: tuple[str, ...] = ()
    if names_in_values or has_qname_values(element, content):
        prefixes = _value_prefixes(element, anywhere=names_in_values)
        content = canonical(element, inclusive_prefixes=prefixes, error=EnvelopeRefused)
        signed = parse(content, error=EnvelopeRefused)
        if resolved_values(element) != resolved_values(signed):
            raise EnvelopeRefused("an xsi:type of the payload would change its meaning by being signed")
        if names_in_values and _bound_names(element) != _bound_names(signed):
            raise EnvelopeRefused("a name in a value of the payload would change its meaning by being signed")
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
    """Every name in a value, in document order, as namespace and local name; None for a prefix that is not bound.

    One walk keeps the declarations in scope: lxml would gather all of them anew for each element that is asked.
    """
    parent = root.getparent()
    outside = {} if parent is None else parent.nsmap
    scopes = {prefix or "": [name] for prefix, name in outside.items()}
    declared: list[str] = []
    resolved: list[tuple[str | None, str]] = []
    for event, item in etree.iterwalk(root, events=("start", "start-ns", "end-ns")):
        if event == "start-ns":
            prefix, name = cast("tuple[str, str]", item)
            scopes.setdefault(prefix, []).append(name)
            declared.append(prefix)
        elif event == "end-ns":
            scopes[declared.pop()].pop()
        else:
            resolved += (_resolve(value, scopes) for value in _qname_values(cast("etree._Element", item)))
    return resolved


def _qname_values(element: etree._Element) -> list[str]:
    """xsi:type, and the codes of a SOAP 1.2 Fault."""
    found = element.get(XSI_TYPE)
    values = [] if found is None else [found]
    if element.tag == _FAULT_VALUE:
        values.append(element.text or "")
    return values


def _value_prefixes(payload: etree._Element, *, anywhere: bool) -> tuple[str, ...]:
    written = (value.strip().partition(":") for one in payload.iter(etree.Element) for value in _qname_values(one))
    prefixes = {prefix for prefix, colon, _ in written if colon}
    if anywhere:
        prefixes.update(prefix for prefix, _ in _bound_names(payload))
    if len(prefixes) > _MAX_PREFIXES:
        raise EnvelopeRefused(f"the payload uses more than {_MAX_PREFIXES} prefixes in its values")
    return tuple(sorted(prefixes))


def _bound_names(payload: etree._Element) -> list[tuple[str, str]]:
    """Whatever looks like a prefixed name in a text or an attribute and has a bound prefix, with its namespace."""
    found: list[tuple[str, str]] = []
    for element in payload.iter(etree.Element):
        values = [element.text, *element.attrib.values(), *(child.tail for child in element)]
        prefixes = [prefix for value in values if value and ":" in value for prefix in _PREFIXED.findall(value)]
        if prefixes:
            bound = element.nsmap
            # Canonicalisation puts attributes into another order.
            found += sorted((prefix, bound[prefix]) for prefix in prefixes if prefix in bound)
    return found


def _resolve(value: str, scopes: Mapping[str, Sequence[str]]) -> tuple[str | None, str]:
    prefix, colon, local = value.strip().partition(":")
    if not colon:
        prefix, local = "", prefix
    bound = scopes.get(prefix)
    if bound:
        return bound[-1], local
    return None if prefix else "", local
