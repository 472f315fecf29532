"""JSON Schemas (draft 2020-12) of what the converter writes and takes: the components of an OpenAPI document.

They say what docs/json.md says, type by type. They are never stricter than the XSD: what JSON Schema cannot say in the
same words (a decimal's bounds, a pattern with XML Schema's own classes) stays for the XSD, which judges every call.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapter.dialects.json_plan import ANY, AS_XML, CONTENT, NIL, TYPE, Form, Member, PlanBook, TypePlan
from adapter.dialects.json_values import MAX_EXACT, ValueKind, ValuePlan
from adapter.envelope.schema_model import (
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    SimpleType,
    is_made_up,
    local_name,
)

Schema = dict[str, Any]

_MAX_DESCRIPTION_CHARS: Final = 1000
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
# Regular expressions that mean the same in XML Schema and in ECMAScript.
_PLAIN_PATTERN: Final = re.compile(
    r"(?:[A-Za-z0-9 ,:;/@#%&=!<>\"'_|()*+?.-]|\[[A-Za-z0-9 ,:;/@#%&=!_.+-]+\]|\{[0-9,]+\}|\\[.d+*?()|/-])*"
)
_TEXT_PRIMITIVES: Final = ("string", "anyURI")
_XML_TEXT: Final[Schema] = {"type": "string", "contentMediaType": "application/xml"}
_DATE: Final = "-?[0-9]{4,}-[0-9]{2}-[0-9]{2}"
_TIME: Final = "[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?"
_ZONE: Final = "(?:Z|[+-][0-9]{2}:[0-9]{2})?"
# The form of what is a string only because JSON has nothing for it, and an example.
_FORMS: Final = {
    "decimal": ("[+-]?(?:[0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)", "1234.50"),
    "date": (f"{_DATE}{_ZONE}", "2026-11-26"),
    "dateTime": (f"{_DATE}T{_TIME}{_ZONE}", "2026-11-26T09:30:00+05:00"),
    "time": (f"{_TIME}{_ZONE}", "09:30:00"),
    "gYear": (f"-?[0-9]{{4,}}{_ZONE}", "2026"),
    "hexBinary": ("(?:[0-9A-Fa-f]{2})*", "0FB7"),
}


_OF_KIND: Final[Mapping[ValueKind, Schema]] = {
    ValueKind.BOOLEAN: {"type": "boolean"},
    ValueKind.FLOAT: {"anyOf": [{"type": "number"}, {"enum": ["INF", "-INF", "NaN"]}]},
    ValueKind.BASE64: {"type": "string", "contentEncoding": "base64"},
    ValueKind.QNAME: {"type": "string", "description": "A name: {namespace}local, or local."},
}


class SchemaWriter:
    """Writes the schemas of elements; `components` grows with every type that they need."""

    def __init__(self, book: PlanBook, reference: str = "#/components/schemas/") -> None:
        self.components: dict[str, Schema] = {}
        self._book = book
        self._reference = reference
        self._names: dict[tuple[str, bool], str] = {}

    def element(self, declared: ElementDeclaration) -> Schema:
        """The schema of an element's value."""
        schema = self._of_type(declared.type)
        if declared.nillable:
            alternatives = [schema, {"type": "null"}]
            if not self._book.plan(declared.type).is_bare:
                alternatives.append({"type": "object", "properties": {NIL: {"const": True}}, "required": [NIL]})
            schema = {"anyOf": alternatives}
        return _described(schema, declared.documentation)

    # --- types -------------------------------------------------------------------------------------------------------

    def _of_type(self, name: str) -> Schema:
        """A type with all that may stand for it."""
        model = self._book.model
        kind = model.types[name]
        plan = self._book.plan(name)
        if plan.form is Form.XML:
            return _anything()
        if isinstance(kind, SimpleType):
            return self._simple(name)
        actual = [each.name for each in model.types_for(name)]
        if actual == [name]:
            return self._component(name)
        return self._ref((name, True), lambda: {"anyOf": list(self._alternatives(name, actual))})

    def _simple(self, name: str) -> Schema:
        """A simple type: of those that list their values one component, however often they are used."""
        kind = self._book.model.types[name]
        if isinstance(kind, SimpleType) and not is_made_up(name) and _is_worth_a_name(kind):
            return self._component(name)
        return self.value(self._book.plan(name).value)

    def _alternatives(self, name: str, actual: list[str]) -> Iterator[Schema]:
        for each in actual:
            if each == name:
                yield self._component(each)
            elif self._book.plan(each).is_bare:
                yield {
                    "type": "object",
                    "properties": {TYPE: {"const": self._book.label(each)}, CONTENT: self._component(each)},
                    "required": [TYPE],
                    "additionalProperties": False,
                }
            else:
                yield {"allOf": [self._component(each)], "required": [TYPE]}

    def _component(self, name: str) -> Schema:
        return self._ref((name, False), lambda: self._type(name))

    def _ref(self, key: tuple[str, bool], make: Any) -> Schema:  # noqa: ANN401
        """A reference to a component, which is made when it is asked for first: a type may contain itself."""
        known = self._names.get(key)
        if known is None:
            known = self._names[key] = self._free_name(key)
            self.components[known] = {}
            self.components[known] = make()
        return {"$ref": self._reference + known}

    def _free_name(self, key: tuple[str, bool]) -> str:
        name, with_derived = key
        plain = _NO_NAME.sub(".", local_name(name)).strip(".") or "type"
        wanted = f"{plain}.any" if with_derived else plain
        at = 1
        found = wanted
        while found in self.components:
            at += 1
            found = f"{wanted}.{at}"
        return found

    def _type(self, name: str) -> Schema:
        plan = self._book.plan(name)
        if plan.is_bare:
            return _described(self.value(plan.value), plan.type.documentation)
        properties: dict[str, Schema] = {each.name: self._simple(each.declared.type) for each in plan.attributes}
        required = [each.name for each in plan.attributes if each.declared.required]
        if not is_made_up(name):
            properties[TYPE] = {"const": self._book.label(name)}
        words = ""
        schema: Schema = {"type": "object"}
        if plan.form is Form.VALUE:
            properties[CONTENT] = self.value(plan.value)
            required.append(CONTENT)
        elif plan.form is Form.SEQUENCE:
            properties[CONTENT] = self._sequence(plan)
        else:
            properties.update(self._members(plan))
            required.extend(member.name for member in plan.members if member.is_required)
            rules, words = _choices(plan)
            if rules:
                schema["allOf"] = rules
        schema["properties"] = properties
        if required:
            schema["required"] = required
        if plan.any_attribute:
            schema["patternProperties"] = {"^@": True}
        schema["additionalProperties"] = False
        return _described(schema, " ".join(part for part in (plan.type.documentation, words) if part))

    def _members(self, plan: TypePlan) -> dict[str, Schema]:
        found = {member.name: self._member(member) for member in plan.members}
        if plan.any_place is not None:
            found[ANY] = {"type": "array", "items": _XML_TEXT}
        return found

    def _member(self, member: Member) -> Schema:
        schema = self.element(member.element)
        return {"type": "array", "items": schema} if member.is_array else schema

    def _sequence(self, plan: TypePlan) -> Schema:
        properties = {member.name: self.element(member.element) for member in plan.members}
        if plan.any_place is not None:
            properties[ANY] = _XML_TEXT
        one = {
            "type": "object",
            "properties": properties,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
        return {"type": "array", "items": {"anyOf": [{"type": "string"}, one]} if plan.is_mixed else one}

    # --- values ------------------------------------------------------------------------------------------------------

    def value(self, plan: ValuePlan | None) -> Schema:
        """The schema of a simple value."""
        if plan is None:
            return {}
        if plan.kind is ValueKind.INTEGER:
            return {"type": "integer", **_bounds(plan.type)}
        if plan.kind is ValueKind.LIST:
            return {"type": "array", "items": self.value(plan.item), **_lengths(plan.type, "Items")}
        return dict(_OF_KIND.get(plan.kind) or _text(plan.type))


def _text(kind: SimpleType) -> Schema:
    schema: Schema = {"type": "string"}
    if kind.primitive in _FORMS:
        pattern, example = _FORMS[kind.primitive]
        schema["pattern"] = f"^(?:{pattern})$"
        if kind.facets.enumeration is None and not kind.facets.patterns:
            schema["examples"] = [example]
    if kind.primitive not in _TEXT_PRIMITIVES:
        if kind.builtin not in ("string", "anySimpleType"):
            schema["description"] = f"xs:{kind.builtin}"
        return schema
    if kind.facets.enumeration is not None:
        schema["enum"] = list(dict.fromkeys(kind.facets.enumeration))
        return schema
    patterns = [_ecma(group) for group in kind.facets.patterns]
    found = [pattern for pattern in patterns if pattern]
    if len(found) == 1:
        schema["pattern"] = found[0]
    elif found:
        schema["allOf"] = [{"pattern": pattern} for pattern in found]
    return {**schema, **_lengths(kind, "Length")}


def _ecma(alternatives: tuple[str, ...]) -> str | None:
    """The pattern for a JSON Schema, None when it may mean something else there."""
    if not all(_PLAIN_PATTERN.fullmatch(each) for each in alternatives):
        return None
    return f"^(?:{'|'.join(f'(?:{each})' for each in alternatives)})$"


def _lengths(kind: SimpleType, what: str) -> Schema:
    facets = kind.facets
    least = facets.length if facets.length is not None else facets.min_length
    most = facets.length if facets.length is not None else facets.max_length
    found = {f"min{what}": least, f"max{what}": most}
    return {name: count for name, count in found.items() if count is not None}


def _bounds(kind: SimpleType) -> Schema:
    facets = kind.facets
    found = {
        "minimum": facets.min_inclusive,
        "maximum": facets.max_inclusive,
        "exclusiveMinimum": facets.min_exclusive,
        "exclusiveMaximum": facets.max_exclusive,
    }
    numbers = {name: int(bound) for name, bound in found.items() if bound is not None and _is_integer(bound)}
    return {name: bound for name, bound in numbers.items() if abs(bound) <= MAX_EXACT}


def _is_integer(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,30}", text) is not None


def _is_worth_a_name(kind: SimpleType) -> bool:
    return kind.facets.enumeration is not None and kind.primitive in _TEXT_PRIMITIVES


def _anything() -> Schema:
    return {
        "type": "object",
        "properties": {AS_XML: _XML_TEXT},
        "description": f'Not described by the schema: the element as XML in "{AS_XML}", or a type in "{TYPE}".',
    }


def _described(schema: Schema, documentation: str) -> Schema:
    text = " ".join(documentation.split())[:_MAX_DESCRIPTION_CHARS]
    if not text or "description" in schema:
        return schema
    return {**schema, "description": text}


# --- choices ---------------------------------------------------------------------------------------------------------


def _choices(plan: TypePlan) -> tuple[list[Schema], str]:
    """For each choice of single elements a rule, and what it says in words."""
    rules: list[Schema] = []
    words: list[str] = []
    if isinstance(plan.type, ComplexType) and plan.type.content is not None:
        for group in _choice_groups(plan.type.content):
            names = _names_of(group, plan)
            if names is None or len(names) < 2:
                continue
            listed = ", ".join(names)
            options: list[Schema] = [{"required": [name]} for name in names]
            if group.occurs.is_optional:
                rules.append({"oneOf": [*options, {"not": {"anyOf": options}}]})
                words.append(f"At most one of: {listed}.")
            else:
                rules.append({"oneOf": options})
                words.append(f"Exactly one of: {listed}.")
    return rules, " ".join(words)


def _choice_groups(group: Group) -> Iterator[Group]:
    """The choices that stand in every document: those in another choice, or in what may be absent, say nothing."""
    if group.occurs.is_repeated:
        return
    if group.compositor is Compositor.CHOICE:
        yield group
        return
    if group.occurs.is_optional:
        return
    for member in group.members:
        if isinstance(member, Group):
            yield from _choice_groups(member)


def _names_of(group: Group, plan: TypePlan) -> list[str] | None:
    """The members of a choice, None when one of its branches is more than one element that has to be there."""
    names = []
    for member in group.members:
        if not isinstance(member, Occurrence) or member.occurs.is_optional:
            return None
        known = plan.by_tag.get(member.element.name)
        if known is None or member.element.is_global:
            return None
        names.append(known.name)
    return names
