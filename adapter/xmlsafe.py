"""The only place that turns octets into XML and XML into canonical octets.

Everything that comes from outside goes through `parse`. No DTD, no entity, no network, no file; sizes and depth are
bounded; UTF-8 only (a client's other encodings are turned into UTF-8 before they come here).
"""

from __future__ import annotations

import binascii
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pybase64
from lxml import etree

from adapter.errors import AdapterError, InternalError, LimitExceeded, MalformedMessage

# libxml2 refuses text nodes above 10,000,000 octets unless it is told to be huge; then its own depth limit rises from
# 256 to 2048, which is why the depth is checked here.
_LIBXML_TEXT_LIMIT: Final = 9_000_000
LARGE_BYTES: Final = 128 * 1024
"""From here on a document is a large one: it has a parser of its own, for which no small one waits."""
_BOM: Final = b"\xef\xbb\xbf"
_SPACES: Final = re.compile(rb"[ \t\r\n]*")
_DECLARED: Final = re.compile(rb"<\?xml[ \t\r\n]")
_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version\s*=\s*["']([^"']*)["'](?:\s+encoding\s*=\s*["']([A-Za-z0-9._-]+)["'])?"""
)
_ATTRIBUTE: Final = re.compile(rb"""=[ \t\r\n]*["']""")
_NAMESPACE_NAME: Final = re.compile(rb"""xmlns[^=<>"']{0,1000}=[ \t\r\n]*(?:"([^"]*)"|'([^']*)')""")
_MAX_PROLOG_ITEMS: Final = 100
# lxml gathers the text around n comments in n * n steps.
_MAX_COMMENTS: Final = 10_000
_XML_SPACES: Final = " \t\r\n"


class XPathOfEachThread(threading.local):
    """A compiled XPath 1.0 expression; one evaluates one tree at a time, so that each thread has its own."""

    def __init__(self, path: str, namespaces: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._compiled = etree.XPath(path, namespaces=dict(namespaces) if namespaces else None)

    def __call__(self, node: etree._Element) -> Any:  # noqa: ANN401  what the expression gives
        """What the expression gives for this node."""
        return self._compiled(node)


_has_comment_or_pi = XPathOfEachThread(
    "boolean(descendant-or-self::comment() | descendant-or-self::processing-instruction())"
)
_string_value = XPathOfEachThread("string()")


@dataclass(frozen=True, kw_only=True, slots=True)
class XmlLimits:
    """Bounds on one document. Every one is a count or a number of octets.

    max_attributes: of one element. max_canonical_bytes: of the namespace names that exclusive canonicalisation may have
    to write, which writes one again wherever it is used (Exclusive XML Canonicalization 1.0, 3).
    """

    max_bytes: int = 32 * 1024 * 1024
    max_depth: int = 100
    max_nodes: int = 1_000_000
    max_attributes: int = 64
    max_attributes_in_all: int = 500_000
    max_namespace_declarations: int = 10_000
    max_canonical_bytes: int = 128 * 1024 * 1024


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


# A parser does one document at a time; whoever comes second waits, and holds up whatever its thread has to do.
_PARSER: Final = _parser(huge=False)
_LARGE_PARSER: Final = _parser(huge=False)
_HUGE_PARSER: Final = _parser(huge=True)


def parse(
    octets: bytes, limits: XmlLimits = DEFAULT_LIMITS, *, error: type[AdapterError] = MalformedMessage
) -> etree._Element:
    """Parse one document from outside (untrusted) and return its root element.

    octets: the whole document, UTF-8, XML 1.0. error: what malformed input is called where this is used.
    Raises `error` when it is not well-formed, has a DOCTYPE, or is not UTF-8; LimitExceeded past a bound.
    """
    _check_before_parsing(octets, limits, error)
    parser = _parser_for(len(octets))
    try:
        root = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError as cause:
        if getattr(cause, "code", None) == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            raise LimitExceeded("past a bound of the parser itself") from None
        line, column = getattr(cause, "position", None) or (0, 0)
        raise error(f"not well-formed XML at line {line}, column {column}") from None
    except ValueError:
        raise error("not well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise error("a document type declaration is not allowed")
    _check_tree(root, octets, limits)
    return root


def _parser_for(octets: int) -> etree.XMLParser:
    if octets < LARGE_BYTES:
        return _PARSER
    return _HUGE_PARSER if octets > _LIBXML_TEXT_LIMIT else _LARGE_PARSER


def _check_before_parsing(octets: bytes, limits: XmlLimits, error: type[AdapterError]) -> None:
    """Bounds that cost one scan and spare building a hostile tree."""
    if len(octets) > limits.max_bytes:
        raise LimitExceeded(f"{len(octets)} octets, allowed {limits.max_bytes}")
    start = len(_BOM) if octets.startswith(_BOM) else 0
    _check_declaration(octets, start, error)
    if octets.startswith(b"<!DOCTYPE", _end_of_prolog(octets, start)):
        raise error("a document type declaration is not allowed")
    if _holds_more(octets, limits.max_nodes, b"<") and octets.count(b"<") - octets.count(b"</") > limits.max_nodes:
        raise LimitExceeded(f"more than {limits.max_nodes} elements")
    if _holds_more(octets, limits.max_namespace_declarations, b"xmlns"):
        raise LimitExceeded(f"more than {limits.max_namespace_declarations} namespace declarations")
    if _holds_more(octets, _MAX_COMMENTS, b"<!--", b"<?"):
        raise LimitExceeded(f"more than {_MAX_COMMENTS} comments and instructions")
    if _holds_more(octets, limits.max_attributes_in_all, b"="):
        _check_attributes_in_all(octets, limits.max_attributes_in_all)


def _holds_more(octets: bytes, at_most: int, *marks: bytes) -> bool:
    """Whether there are more than `at_most` of these marks. Most documents are too short for that many."""
    return len(octets) > at_most and sum(map(octets.count, marks)) > at_most


def _check_attributes_in_all(octets: bytes, at_most: int) -> None:
    # A loop in Python: the interpreter goes to other threads between two of its steps, in compiled code it does not.
    for number, _ in enumerate(_ATTRIBUTE.finditer(octets), start=1):
        if number > at_most:
            raise LimitExceeded(f"more than {at_most} attributes")


def _check_declaration(octets: bytes, start: int, error: type[AdapterError]) -> None:
    """The XML declaration, if there is one, says 1.0 and UTF-8: the parser is told to read UTF-8 whatever it says."""
    if not _DECLARED.match(octets, start):
        return
    declaration = _DECLARATION.match(octets, start)
    version, encoding = declaration.groups() if declaration else (b"", b"")
    if version != b"1.0":
        raise error("only XML 1.0 is accepted")
    if encoding and encoding.lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise error("the declared encoding is not UTF-8")


def _end_of_prolog(octets: bytes, start: int) -> int:
    """Where the root element, or a document type declaration, begins: behind white space, comments, instructions.

    What is broken ends the search; the parser refuses it. Raises LimitExceeded when there is too much of it.
    """
    at = start
    for _ in range(_MAX_PROLOG_ITEMS):
        at = _skip_spaces(octets, at)
        if octets.startswith(b"<?", at):
            end = octets.find(b"?>", at + 2) + 2
        elif octets.startswith(b"<!--", at):
            end = octets.find(b"-->", at + 4) + 3
        else:
            return at
        if end <= at:
            return at
        at = end
    raise LimitExceeded(f"more than {_MAX_PROLOG_ITEMS} comments and instructions before the root element")


def _skip_spaces(octets: bytes, at: int) -> int:
    spaces = _SPACES.match(octets, at)
    return spaces.end() if spaces else at


def _check_tree(root: etree._Element, octets: bytes, limits: XmlLimits) -> None:
    """Bounds that need the tree. A look at the octets first says for most documents that there is nothing to count."""
    # No element is deeper than there are tags that open one: every other `<` is of something else.
    if octets.count(b"<") - octets.count(b"</") > limits.max_depth and _too_deep(limits.max_depth)(root):
        raise LimitExceeded(f"deeper than {limits.max_depth} elements")
    if octets.count(b"=") > limits.max_attributes and _too_many_attributes(limits.max_attributes)(root):
        raise LimitExceeded(f"an element with more than {limits.max_attributes} attributes")
    if _may_swell(octets, limits.max_canonical_bytes) and _swells(root, limits.max_canonical_bytes):
        raise LimitExceeded(f"the canonical form has more than {limits.max_canonical_bytes} octets of namespace names")


def _may_swell(octets: bytes, max_bytes: int) -> bool:
    """Whether the longest namespace name, written wherever a name could need it, would be past the bound."""
    if len(octets) * len(octets) <= max_bytes:
        return False
    longest = max((len(one[1] or one[2] or b"") for one in _NAMESPACE_NAME.finditer(octets)), default=0)
    return longest * (octets.count(b"<") + octets.count(b":")) > max_bytes


def _swells(root: etree._Element, max_bytes: int) -> bool:
    """Whether the namespace names of all elements and attributes together are past the bound, whatever the apex is."""
    total = 0
    for element in root.iter(etree.Element):
        qualified = (name for name in map(str, element.keys()) if name.startswith("{"))
        total += len(element.tag) + sum(map(len, qualified))
        if total > max_bytes:
            return True
    return False


_COMPILED: dict[tuple[str, int], XPathOfEachThread] = {}


def _too_deep(depth: int) -> XPathOfEachThread:
    key = ("depth", depth)
    if key not in _COMPILED:
        _COMPILED[key] = XPathOfEachThread("boolean(/" + "/".join(["*"] * (depth + 1)) + ")")
    return _COMPILED[key]


def _too_many_attributes(count: int) -> XPathOfEachThread:
    key = ("attributes", count)
    if key not in _COMPILED:
        _COMPILED[key] = XPathOfEachThread(f"boolean(//@*[position() > {count}])")
    return _COMPILED[key]


def refuse_comments(element: etree._Element, *, error: type[AdapterError] = MalformedMessage) -> None:
    """Refuse comments and processing instructions anywhere below: `.text` would stop at them (see DESIGN, traps)."""
    if _has_comment_or_pi(element):
        raise error("comments and processing instructions are not allowed here")


def canonical(
    element: etree._Element,
    *,
    inclusive_prefixes: tuple[str, ...] = (),
    error: type[AdapterError] = MalformedMessage,
) -> bytes:
    """Exclusive XML Canonicalization 1.0 without comments of one element (apex) as octets.

    inclusive_prefixes: the InclusiveNamespaces PrefixList (`#default` cannot be expressed and is refused by the gate).
    Raises `error` for a relative namespace name, which has no canonical form (Canonical XML 1.0, 1.3).
    """
    try:
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(inclusive_prefixes) or None,
        )
    except (etree.C14NError, ValueError):
        raise error("the element has no canonical form") from None


def text_of(element: etree._Element) -> str:
    """The text of an element without children (comments were refused earlier), outer white space removed."""
    return (element.text or "").strip(_XML_SPACES)


def texts_at(payload: etree._Element, xpath: etree.XPath) -> tuple[str, ...]:
    """The texts that an XPath of the settings finds in a payload (elements, attributes or strings), trimmed.

    An element's text is its whole string value (XPath 1.0, 5.2): a comment in the middle does not hide what follows.
    Raises InternalError when the expression cannot be evaluated, which is a mistake in the settings.
    """
    try:
        found = xpath(payload)
        nodes = found if isinstance(found, list) else [found]
        texts = [_string_value(node) if isinstance(node, etree._Element) else node for node in nodes]
    except etree.XPathError:
        raise InternalError("an XPath of the settings cannot be evaluated") from None
    return tuple(str(text).strip(_XML_SPACES) for text in texts)


def decode_base64(text: str, *, max_chars: int, error: type[AdapterError] = MalformedMessage) -> bytes:
    """xs:base64Binary to octets (XML Schema 2, 3.2.16): white space allowed, nothing else that is not base64.

    One value has one spelling, so wrong padding and unused bits that are not zero are refused.
    Raises `error`, or LimitExceeded when the text is longer than max_chars.
    """
    if len(text) > max_chars:
        raise LimitExceeded("a base64 value is longer than allowed")
    try:
        digits = text.encode("ascii").translate(None, _XML_SPACES.encode())
    except UnicodeEncodeError:
        raise error("not base64") from None
    return decode_base64_digits(digits, error=error)


def decode_base64_digits(digits: bytes, *, error: type[AdapterError] = MalformedMessage) -> bytes:
    """The same without white space and without a bound of its own. Raises `error`."""
    try:
        octets = pybase64.b64decode(digits, validate=True)
    except binascii.Error:
        raise error("not base64") from None
    # Unused bits that are not zero were let pass: one value has one spelling, the one that we would write. Only a last
    # group with padding has such bits.
    if digits[-1:] == b"=" and pybase64.b64encode(octets[-(len(octets) % 3) :]) != digits[-4:]:
        raise error("not base64")
    return octets


def escape_text(text: str) -> str:
    """Text as Canonical XML 1.0 (2.3) writes it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def escape_attribute(text: str) -> str:
    """An attribute value as Canonical XML 1.0 (2.3) writes it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return escaped.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")
