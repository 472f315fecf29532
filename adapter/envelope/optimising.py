"""Base64 in a payload, found by the schema and taken out of it into parts (XOP 1.0, 3.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.attachments_header import media_type_or_default
from adapter.envelope.carried import Content, body_of
from adapter.envelope.multipart import cid_uri
from adapter.envelope.schema_model import ElementDeclaration, SchemaModel, Type, elements_in
from adapter.errors import MalformedMessage
from adapter.xmlsafe import decode_base64

# A shorter value costs more as a part, with its headers, than as base64.
MIN_CHARS: Final = 2048
_MAX_PARTS: Final = 64
_CONTENT_TYPES: Final = tuple(
    names.qname(f"http://www.w3.org/{version}/xmlmime", "contentType") for version in ("2005/05", "2004/11")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """An element whose base64 becomes a part. octets: what it says."""

    element: etree._Element
    content_id: str
    media_type: str
    octets: bytes


def find_base64(
    payload: etree._Element, model: SchemaModel, known: Collection[str] = (), *, min_chars: int = MIN_CHARS
) -> tuple[Extracted, ...]:
    """The large values of xs:base64Binary in a valid payload, in document order; what is no base64 is left alone.

    known: ids of the parts that are there already, chosen by whoever sent them. min_chars: what large is.
    """
    body = body_of(payload)
    declared = model.wrappers.get(str(body.tag)) or model.elements.get(str(body.tag))
    if declared is None:
        return ()
    found: list[Extracted] = []
    free_ids = (each for at in count(1) if (each := f"content-{at}@adapter") not in known)
    for element in _binary_elements(body, declared, model):
        text = element.text or ""
        if len(found) == _MAX_PARTS or len(element) or len(text) < min_chars:
            continue
        try:
            octets = decode_base64(text, max_chars=len(text))
        except MalformedMessage:
            continue
        said = next((value for name in _CONTENT_TYPES if (value := element.get(name))), "")
        media_type = media_type_or_default(said)  # a schema may let the end of a line in, and with it other headers
        found.append(Extracted(element=element, content_id=next(free_ids), media_type=media_type, octets=octets))
    return tuple(found)


def base64_elements(content: Content, model: SchemaModel) -> Iterator[etree._Element]:
    """Every element of a valid message, its declared headers included, that the schema says holds xs:base64Binary.

    What a wildcard lets stand without a declaration is none.
    """
    for element in (content.body, *content.headers):
        declared = model.wrappers.get(str(element.tag)) or model.elements.get(str(element.tag))
        if declared is not None:
            yield from _binary_elements(element, declared, model)


def _binary_elements(
    element: etree._Element, declared: ElementDeclaration, model: SchemaModel
) -> Iterator[etree._Element]:
    """Depth first. A child that is not declared where it stands (a wildcard) may be a global element."""
    kind = _type_of(element, declared, model)
    value = None if kind is None else model.value_type(kind)
    if value is not None and value.primitive == "base64Binary":
        yield element
        return
    if kind is None or not len(element):
        return
    known = {each.name: each for one, _ in elements_in(kind) for each in (one, *model.choices_for(one))}
    for child in element.iterchildren(etree.Element):
        below = known.get(str(child.tag)) or model.elements.get(str(child.tag))
        if below is not None:
            yield from _binary_elements(child, below, model)


def _type_of(element: etree._Element, declared: ElementDeclaration, model: SchemaModel) -> Type | None:
    """The type that xsi:type names, else the declared one."""
    named = element.get(names.XSI_TYPE)
    if named is None:
        return model.types.get(declared.type)
    prefix, colon, local = named.strip().rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None, "")
    return model.types.get(names.qname(namespace, local) if namespace else local)


@contextmanager
def taken_out(extracted: Sequence[Extracted]) -> Iterator[None]:
    """The payload with an xop:Include in the place of each value, for as long as the context lasts."""
    texts = [one.element.text for one in extracted]
    for one in extracted:
        one.element.text = None
        include = etree.SubElement(one.element, names.XOP_INCLUDE, nsmap={"xop": names.XOP})
        include.set("href", cid_uri(one.content_id))
    try:
        yield
    finally:
        for one, text in zip(extracted, texts, strict=True):
            del one.element[:]
            one.element.text = text
