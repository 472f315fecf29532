"""When two documents say the same: what docs/json.md promises to keep, written a second time without the converter.

Kept are names, order, nil, the type that an element is said to have, and every value: by its text after the white space
of its type, but by value for booleans, for floats and for integers that JSON writes as numbers. Not compared are
prefixes, white space between elements, comments, `xsi:schemaLocation`, `xsi:nil="false"`, an `xsi:type` that names the
declared type or narrows a simple one, and the white space inside of base64.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from adapter.envelope.names import XSI
from adapter.envelope.schema_model import (
    ANY_SIMPLE_TYPE,
    ANY_TYPE,
    ComplexType,
    ElementDeclaration,
    SchemaModel,
    SimpleType,
    Variety,
    elements_in,
)

_NUMBERS = ("byte", "short", "int", "unsignedByte", "unsignedShort", "unsignedInt")


def infoset(element: etree._Element, declared: ElementDeclaration, model: SchemaModel) -> Any:
    """A value that is equal for two elements exactly when they say the same."""
    said = element.get(f"{{{XSI}}}type")
    name = _resolved(said, element) if said else declared.type
    narrows = isinstance(model.types[declared.type], SimpleType) and declared.type != ANY_SIMPLE_TYPE
    if name not in model.types or narrows:
        name = declared.type
    is_nil = element.get(f"{{{XSI}}}nil", "").strip() in ("true", "1")
    kind = model.types[name]
    if name == ANY_TYPE:
        return (element.tag, "xml", is_nil, None if is_nil else _anything(element))
    attributes = {
        str(key): _attribute(str(key), str(text), kind, model, element)
        for key, text in element.attrib.items()
        if not str(key).startswith(f"{{{XSI}}}")
    }
    value = model.value_type(kind)
    if is_nil:
        content: Any = None
    elif value is not None:
        text = element.text or declared.fixed or declared.default or ""
        content = _value(text, value, model, element)
    else:
        content = _children(element, kind, model)
    return (element.tag, None if name == declared.type else name, is_nil, attributes, content)


def _children(element: etree._Element, kind: Any, model: SchemaModel) -> list[Any]:
    known: dict[str, ElementDeclaration] = {}
    for found, _ in elements_in(kind):
        for each in model.choices_for(found):
            known.setdefault(each.name, each)
    mixed = isinstance(kind, ComplexType) and kind.mixed
    content: list[Any] = [element.text] if mixed and element.text else []
    for child in element:
        declared = known.get(str(child.tag))
        content.append(_anything(child) if declared is None else infoset(child, declared, model))
        if mixed and child.tail:
            content.append(child.tail)
    return content


def _anything(element: etree._Element) -> Any:
    """An element of which no schema is known: every text as it stands, and the prefixes that its values use."""
    written = [element.text or "", *map(str, element.attrib.values())]
    prefixes = {prefix for text in written for prefix in re.findall(r"([^\W\d][\w.-]*):", text)}
    used = {prefix: element.nsmap[prefix] for prefix in prefixes if prefix in element.nsmap}
    children = [(_anything(child), child.tail or "") for child in element]
    attributes = {str(key): str(text) for key, text in element.attrib.items()}
    return (element.tag, attributes, element.text or "", used, children)


def _attribute(name: str, text: str, kind: Any, model: SchemaModel, element: etree._Element) -> Any:
    for declared in kind.attributes if isinstance(kind, ComplexType) else ():
        if declared.name == name:
            value = model.types[declared.type]
            return _value(text, value, model, element) if isinstance(value, SimpleType) else text
    return text


def _value(text: str, kind: SimpleType, model: SchemaModel, element: etree._Element) -> Any:
    white_space = kind.facets.white_space
    if white_space == "collapse":
        text = " ".join(re.split(r"[ \t\r\n]+", text)).strip(" ")
    elif white_space == "replace":
        text = re.sub(r"[\t\r\n]", " ", text)
    if kind.variety is Variety.LIST and kind.item is not None:
        item = model.types[kind.item]
        assert isinstance(item, SimpleType)
        return [_value(each, item, model, element) for each in text.split()]
    if kind.variety is not Variety.ATOMIC:
        return text
    return _atom(text, kind, element)


def _atom(text: str, kind: SimpleType, element: etree._Element) -> Any:
    if kind.primitive == "boolean":
        return {"1": "true", "0": "false"}.get(text, text)
    if kind.primitive in ("float", "double"):
        return str(float(text)) if re.fullmatch(r"[-+0-9.eE]+", text) else text
    if kind.primitive == "decimal" and (kind.builtin in _NUMBERS or _is_small(kind)):
        return int(text)
    if kind.primitive in ("QName", "NOTATION"):
        return _resolved(text, element)
    return text.replace(" ", "") if kind.primitive == "base64Binary" else text


def _is_small(kind: SimpleType) -> bool:
    """An integer whose digits or bounds the schema keeps within what a JSON number holds."""
    facets = kind.facets
    if facets.fraction_digits != 0:
        return False
    low = facets.min_inclusive if facets.min_inclusive is not None else facets.min_exclusive
    high = facets.max_inclusive if facets.max_inclusive is not None else facets.max_exclusive
    bounded = low is not None and high is not None and max(abs(int(low)), abs(int(high))) < 2**53
    return bounded or (facets.total_digits is not None and facets.total_digits <= 15)


def _resolved(name: str, element: etree._Element) -> str:
    prefix, colon, local = name.strip().rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None)
    return f"{{{namespace}}}{local}" if namespace else local
