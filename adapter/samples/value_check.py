"""Whether a text is a value of a simple type, judged by libxml2 with a schema of that type alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from adapter.envelope import names
from adapter.envelope.schema_model import Facets, SimpleType
from adapter.errors import AdapterError
from adapter.xmlsafe import XmlLimits, parse

_NUMBERS: Final = (
    ("length", "length"),
    ("minLength", "min_length"),
    ("maxLength", "max_length"),
    ("minInclusive", "min_inclusive"),
    ("maxInclusive", "max_inclusive"),
    ("minExclusive", "min_exclusive"),
    ("maxExclusive", "max_exclusive"),
    ("totalDigits", "total_digits"),
    ("fractionDigits", "fraction_digits"),
    ("whiteSpace", "white_space"),
)


class ValueCheck:
    """The value space of one atomic type."""

    def __init__(self, kind: SimpleType) -> None:
        self._validator = _compile(kind)

    def admits(self, text: str) -> bool:
        """Whether the text is one of its values; always, where libxml2 cannot compile the type by itself."""
        if self._validator is None:
            return True
        element = etree.Element("v")
        try:
            element.text = text
        except ValueError:  # a character that XML does not have
            return False
        return self._validator.validate(element)


def _compile(kind: SimpleType) -> etree.XMLSchema | None:
    written = (
        f'<xs:schema xmlns:xs="{names.XSD}"><xs:element name="v">{_nested(kind)}</xs:element></xs:schema>'
    ).encode()
    try:
        return etree.XMLSchema(parse(written, XmlLimits(max_bytes=len(written))))
    except (etree.XMLSchemaParseError, AdapterError):
        return None


def _nested(kind: SimpleType) -> str:
    """A restriction for every step of patterns, the innermost of the built-in type: all steps must match."""
    facets = "".join(_facets(kind.facets))
    text = f'<xs:simpleType><xs:restriction base="xs:{kind.builtin}">{facets}</xs:restriction></xs:simpleType>'
    for step in kind.facets.patterns:
        patterns = "".join(f"<xs:pattern value={quoteattr(pattern)}/>" for pattern in step)
        text = f"<xs:simpleType><xs:restriction>{text}{patterns}</xs:restriction></xs:simpleType>"
    return text


def _facets(facets: Facets) -> Iterator[str]:
    yield from (f"<xs:enumeration value={quoteattr(value)}/>" for value in facets.enumeration or ())
    for facet, field in _NUMBERS:
        value = getattr(facets, field)
        if value is not None:
            yield f"<xs:{facet} value={quoteattr(str(value))}/>"
