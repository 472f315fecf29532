"""Both conversions of one element, as the dialect uses them."""

from __future__ import annotations

import json
from typing import Any

from lxml import etree

from adapter.dialects.json_mapping import mapping_of
from adapter.dialects.json_read import element_from_json
from adapter.dialects.json_text import parse_json, render_json
from adapter.dialects.json_write import element_to_json
from adapter.envelope.description import ServiceDescription
from adapter.envelope.names import XSD, XSI
from adapter.envelope.schema import check_payload
from adapter.xmlsafe import DEFAULT_LIMITS, parse
from tests.unit.dialects.infoset import infoset
from tests.unit.envelope.descriptions import NS, of_types

ASK = f"{{{NS}}}Ask"


def described(content: str, more: str = "") -> ServiceDescription:
    """A service whose element Ask has this content. more: other components of its schema."""
    return of_types(f'{more}<xs:element name="Ask"><xs:complexType>{content}</xs:complexType></xs:element>')


def ask(content: str, attributes: str = "") -> etree._Element:
    """An Ask with this content; `t`, `xsi`, `xs` and `u` are bound."""
    bound = f'xmlns:t="{NS}" xmlns:xsi="{XSI}" xmlns:xs="{XSD}" xmlns:u="urn:u"'
    return etree.fromstring(f"<t:Ask {bound} {attributes}>{content}</t:Ask>")


def to_json(element: etree._Element, description: ServiceDescription) -> Any:
    """Through octets, as a client would get it."""
    mapping = mapping_of(description)
    value = element_to_json(element, mapping.declaration(str(element.tag)), mapping.book)
    return json.loads(render_json(value))


def from_json(value: Any, description: ServiceDescription, tag: str = ASK) -> etree._Element:
    """Through octets, as a client would send it."""
    mapping = mapping_of(description)
    read = parse_json(json.dumps(value).encode(), max_values=100_000)
    written = element_from_json(read, mapping.declaration(tag), mapping.book, DEFAULT_LIMITS, pointer="/body")
    return parse(written.octets)


def there_and_back(element: etree._Element, description: ServiceDescription) -> Any:
    """Check that the element survives, and that it is as valid as before; its JSON comes back."""
    model = mapping_of(description).book.model
    declared = mapping_of(description).declaration(str(element.tag))
    value = to_json(element, description)
    back = from_json(value, description, str(element.tag))
    assert infoset(back, declared, model) == infoset(element, declared, model)
    check_payload(description, element, str(element.tag))
    check_payload(description, back, str(element.tag))
    assert to_json(back, description) == value
    return value
