"""The only place that turns octets into XML and XML into canonical octets.

Everything that comes from outside goes through `parse`. No DTD, no entity, no network, no file; sizes and depth are
bounded; UTF-8 only (a client's other encodings are turned into UTF-8 before they come here).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.errors import AdapterError, LimitExceeded, MalformedMessage

# libxml2 refuses text nodes above 10,000,000 octets unless it is told to be huge; then its own depth limit rises to
# 2048, which is why the depth is checked here.
_LIBXML_TEXT_LIMIT: Final = 9_000_000
# What may stand before the root element: BOM, XML declaration, comments, processing instructions, white space.
_PROLOG: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ENCODING: Final = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_XML_1_1: Final = re.compile(rb"""<\?xml\s+version\s*=\s*["']1\.[1-9]""")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=\s]*")

_has_comment_or_pi = etree.XPath("boolean(descendant-or-self::comment() | descendant-or-self::processing-instruction())")


@dataclass(frozen=True, kw_only=True, slots=True)
class XmlLimits:
    """Bounds on one document. Every one is a count or a number of octets."""

    max_bytes: int = 32 * 1024 * 1024
    max_depth: int = 100
    max_nodes: int = 1_000_000
    max_attributes: int = 64
    max_namespace_declarations: int = 10_000


DEFAULT_LIMITS: Final = XmlLimits()


def _parser(*, huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=huge,
        collect_ids=False,
        recover=False,
        encoding="utf-8",
    )


_PARSER: Final = _parser(huge=False)
_HUGE_PARSER: Final = _parser(huge=True)


def parse(octets: bytes, limits: XmlLimits = DEFAULT_LIMITS, *, error: type[AdapterError] = MalformedMessage) -> etree._Element:
    """Parse one document from outside (untrusted) and return its root element.

    octets: the whole document, UTF-8, XML 1.0. error: what malformed input is called where this is used.
    Raises `error` when it is not well-formed, has a DOCTYPE, or is not UTF-8; LimitExceeded past a bound.
    """
    _check_before_parsing(octets, limits, error)
    parser = _HUGE_PARSER if len(octets) > _LIBXML_TEXT_LIMIT else _PARSER
    try:
        root = etree.fromstring(octets, parser)
    except (etree.XMLSyntaxError, ValueError) as cause:
        position = getattr(cause, "position", None) or (0, 0)
        raise error(f"not well-formed XML at line {position[0]}, column {position[1]}") from None
    if root.getroottree().docinfo.doctype:
        raise error("a document type declaration is not allowed")
    _check_tree(root, limits)
    return root


def _check_before_parsing(octets: bytes, limits: XmlLimits, error: type[AdapterError]) -> None:
    """Bounds that cost one scan and spare building a hostile tree."""
    if len(octets) > limits.max_bytes:
        raise LimitExceeded(f"{len(octets)} octets, allowed {limits.max_bytes}")
    prolog = _PROLOG.match(octets)
    start = prolog.end() if prolog else 0
    if octets.startswith(b"<!", start):
        raise error("a document type declaration is not allowed")
    head = octets[:start]
    declared = _ENCODING.search(head)
    if declared and declared.group(1).lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise error("the declared encoding is not UTF-8")
    if _XML_1_1.search(head):
        raise error("only XML 1.0 is accepted")
    if octets.count(b"<") > 2 * limits.max_nodes:
        raise LimitExceeded(f"more than {limits.max_nodes} elements")
    if octets.count(b"xmlns") > limits.max_namespace_declarations:
        raise LimitExceeded(f"more than {limits.max_namespace_declarations} namespace declarations")


def _check_tree(root: etree._Element, limits: XmlLimits) -> None:
    if _too_deep(limits.max_depth)(root):
        raise LimitExceeded(f"deeper than {limits.max_depth} elements")
    if _too_many_attributes(limits.max_attributes)(root):
        raise LimitExceeded(f"an element with more than {limits.max_attributes} attributes")


_COMPILED: dict[tuple[str, int], etree.XPath] = {}


def _too_deep(depth: int) -> etree.XPath:
    key = ("depth", depth)
    if key not in _COMPILED:
        _COMPILED[key] = etree.XPath("boolean(/" + "/".join(["*"] * (depth + 1)) + ")")
    return _COMPILED[key]


def _too_many_attributes(count: int) -> etree.XPath:
    key = ("attributes", count)
    if key not in _COMPILED:
        _COMPILED[key] = etree.XPath(f"boolean(//@*[position() > {count}])")
    return _COMPILED[key]


def refuse_comments(element: etree._Element, *, error: type[AdapterError] = MalformedMessage) -> None:
    """Refuse comments and processing instructions anywhere below: `.text` would stop at them (see DESIGN, traps)."""
    if _has_comment_or_pi(element):
        raise error("comments and processing instructions are not allowed here")


def canonical(element: etree._Element, *, inclusive_prefixes: tuple[str, ...] = ()) -> bytes:
    """Exclusive XML Canonicalization 1.0 without comments of one element (apex) as octets.

    inclusive_prefixes: the InclusiveNamespaces PrefixList (`#default` cannot be expressed and is refused by the gate).
    """
    return etree.tostring(
        element,
        method="c14n",
        exclusive=True,
        with_comments=False,
        inclusive_ns_prefixes=list(inclusive_prefixes) or None,
    )


def text_of(element: etree._Element) -> str:
    """The text of an element without children (comments were refused earlier), outer white space removed."""
    return (element.text or "").strip()


def decode_base64(text: str, *, max_chars: int, error: type[AdapterError] = MalformedMessage) -> bytes:
    """xs:base64Binary to octets: white space allowed, any other foreign character, or wrong padding, refused."""
    if len(text) > max_chars:
        raise LimitExceeded("a base64 value is longer than allowed")
    if not _BASE64.fullmatch(text):
        raise error("not base64")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise error("not base64") from None


def texts_at(payload: etree._Element, xpath: etree.XPath) -> tuple[str, ...]:
    """The texts that an XPath of the settings finds in a payload (elements, attributes or strings), trimmed."""
    found = xpath(payload)
    if not isinstance(found, list):
        found = [found]
    texts = (node.text or "" if isinstance(node, etree._Element) else str(node) for node in found)
    return tuple(text.strip() for text in texts)
