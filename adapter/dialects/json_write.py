"""XML to JSON: a valid element as a value, in the form that its type's plan gives (docs/json.md).

Nothing that an element holds is dropped, but what says nothing: comments, prefixes, white space between elements,
`xsi:schemaLocation`, an `xsi:type` that names the declared type or narrows a simple one, `xsi:nil="false"`.
"""

from __future__ import annotations

import re
import sys
from typing import Any, Final

from lxml import etree

from adapter.dialects.json_plan import ANY, AS_XML, CONTENT, NIL, TYPE, Form, Member, PlanBook, TypePlan
from adapter.dialects.json_text import Json
from adapter.dialects.json_values import ValuePlan, value_to_json
from adapter.envelope.names import XSI, qname
from adapter.envelope.schema_model import ANY_SIMPLE_TYPE, ElementDeclaration, SimpleType
from adapter.xmlsafe import XmlLimits, parse

# For what is a tree already and was within the limits: only the declarations of those around it are new.
_ANY_SIZE: Final = XmlLimits(
    max_bytes=sys.maxsize,
    max_nodes=sys.maxsize,
    max_attributes_in_all=sys.maxsize,
    max_namespace_declarations=sys.maxsize,
    max_canonical_bytes=sys.maxsize,
)
_PREFIX: Final = re.compile(r"([^\W\d][\w.-]*):")
_XSI_TYPE: Final = qname(XSI, "type")
_XSI_NIL: Final = qname(XSI, "nil")
_SAYS_NOTHING: Final = frozenset(
    (_XSI_TYPE, _XSI_NIL, qname(XSI, "schemaLocation"), qname(XSI, "noNamespaceSchemaLocation"))
)


class _Strange(Exception):
    """An element is not as its type says (it came where nothing is checked): it is written as XML."""


def element_to_json(element: etree._Element, declared: ElementDeclaration, book: PlanBook) -> Json:
    """The value of an element. Of one that is not as its declaration says, `$xml` with all of it."""
    plan = book.plan(declared.type)
    said = _type_said(element, declared, book)
    if said is not None:
        plan = book.plan(said)
    found: dict[str, Any] = {}
    if said is not None:
        found[TYPE] = book.label(said)
    is_nil = element.get(_XSI_NIL, "").strip() in ("true", "1")
    if is_nil:
        found[NIL] = True
    if plan.form is Form.XML and not is_nil:
        return _as_xml(element)
    try:
        found.update(_attributes(element, plan))
        if is_nil:
            return found if len(found) > 1 else None
        return _content(element, declared, plan, book, found)
    except _Strange:
        return _as_xml(element)


def _as_xml(element: etree._Element) -> Json:
    return {AS_XML: element_as_text(element)}


def _type_said(element: etree._Element, declared: ElementDeclaration, book: PlanBook) -> str | None:
    """The type that `xsi:type` names, where it says more than the declaration."""
    written = element.get(_XSI_TYPE)
    if written is None:
        return None
    prefix, colon, local = written.strip().rpartition(":")
    namespace = element.nsmap.get(prefix if colon else None, "")
    said = qname(namespace, local) if namespace else local
    narrows = isinstance(book.model.types[declared.type], SimpleType) and declared.type != ANY_SIMPLE_TYPE
    if said == declared.type or narrows or said not in book.model.types:
        return None
    return said


def _attributes(element: etree._Element, plan: TypePlan) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, text in element.attrib.items():
        if name in _SAYS_NOTHING:
            continue
        known = plan.attribute_by_tag.get(str(name))
        if known is not None:
            found[known.name] = value_to_json(str(text), known.value, element.nsmap)
        elif plan.any_attribute:
            found[f"@{name!s}"] = str(text)
        else:
            raise _Strange
    return found


def _content(
    element: etree._Element, declared: ElementDeclaration, plan: TypePlan, book: PlanBook, found: dict[str, Any]
) -> Json:
    if plan.form is Form.VALUE and plan.value is not None:
        value = _value(element, declared, plan.value)
        return value if plan.is_bare and not found else {**found, CONTENT: value}
    if plan.form is Form.SEQUENCE:
        return {**found, CONTENT: _sequence(element, plan, book)}
    return {**found, **_by_member(element, plan, book)}


def _value(element: etree._Element, declared: ElementDeclaration, plan: ValuePlan) -> Json:
    if len(element):
        raise _Strange
    text = element.text or ""
    if not text:  # what an empty element means (XML Schema 1.0, Part 1, 3.3.4)
        text = declared.fixed if declared.fixed is not None else declared.default or ""
    return value_to_json(text, plan, element.nsmap)


def _sequence(element: etree._Element, plan: TypePlan, book: PlanBook) -> list[Json]:
    items: list[Json] = [element.text] if plan.is_mixed and element.text else []
    for child in element:
        member = plan.by_tag.get(child.tag)
        items.append({ANY: element_as_text(child)} if member is None else {member.name: _child(child, member, book)})
        if plan.is_mixed and child.tail:
            items.append(child.tail)
    return items


def _by_member(element: etree._Element, plan: TypePlan, book: PlanBook) -> dict[str, Any]:
    """Each child under its member; one that is not the next of its kind belongs to the wildcard."""
    found: dict[str, Any] = {}
    place = 0
    for child in element:
        member = plan.by_tag.get(child.tag)
        if member is None or not _is_next(member, place, found, plan):
            if plan.any_place is None or plan.any_place < place:
                raise _Strange
            place = plan.any_place
            found.setdefault(ANY, []).append(element_as_text(child))
            continue
        place = member.place
        value = _child(child, member, book)
        if member.is_array:
            found.setdefault(member.name, []).append(value)
        else:
            found[member.name] = value
    return found


def _is_next(member: Member, place: int, found: dict[str, Any], plan: TypePlan) -> bool:
    if not member.is_array and member.name in found:
        return False
    return plan.is_free or member.place >= place


def _child(child: etree._Element, member: Member, book: PlanBook) -> Json:
    return element_to_json(child, member.element, book)


def element_as_text(element: etree._Element) -> str:
    """An element as XML that means the same anywhere: with the namespaces that it uses, in names and in values."""
    alone = parse(etree.tostring(element, encoding="utf-8", with_tail=False), _ANY_SIZE)
    written = [text for each in alone.iter() for text in (each.text, each.tail, *each.attrib.values()) if text]
    used = {prefix for text in written for prefix in _PREFIX.findall(str(text))}
    etree.cleanup_namespaces(alone, keep_ns_prefixes=sorted(used))
    return etree.tostring(alone, encoding="unicode")
