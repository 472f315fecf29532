"""Values of simple types: the text of an element or attribute as a JSON value, and back (docs/json.md).

A JSON number is used only where every reader of JSON holds the value exactly. Whatever XML Schema can write in several
ways and JSON cannot tell apart stays a string with the text as it was written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adapter.dialects.json_text import Json, Number, kind_of
from adapter.envelope.schema_model import SimpleType, Type, Variety

MAX_EXACT: Final = 2**53 - 1
"""The largest integer that every reader of JSON holds exactly (RFC 8259, 6; RFC 7493, 2.2)."""
_EXACT_BUILTINS: Final = frozenset(("byte", "short", "int", "unsignedByte", "unsignedShort", "unsignedInt"))
_EXACT_DIGITS: Final = 15
_MAX_INTEGER_CHARS: Final = 64
_BOOLEANS: Final[Mapping[str, Json]] = {"true": True, "1": True, "false": False, "0": False}
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_JSON_INTEGER: Final = re.compile(r"-?[0-9]+(?:\.0+)?")
_SPACES: Final = re.compile(r"[ \t\r\n]+")
_SPECIAL_FLOATS: Final = ("INF", "-INF", "NaN")
_QNAME: Final = re.compile(r"(?:\{([^{}]+)\})?([^\s{}:]+)")
# What XML 1.0 (2.2) cannot hold.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class ValueKind(Enum):
    """What a simple type is in JSON."""

    TEXT = "a string"
    BOOLEAN = "true or false"
    INTEGER = "an integer"
    FLOAT = "a number"
    BASE64 = "a string in base64"
    QNAME = "a name, {namespace}local"
    LIST = "an array"


@dataclass(frozen=True, kw_only=True, slots=True)
class ValuePlan:
    """How one simple type is written. item: of a list."""

    kind: ValueKind
    type: SimpleType
    item: ValuePlan | None = None


def plan_value(kind: SimpleType, types: Mapping[str, Type]) -> ValuePlan:
    """The plan of a simple type. A union is text: which of its members is meant, only the text says."""
    if kind.variety is Variety.LIST and kind.item is not None:
        item = types[kind.item]
        if isinstance(item, SimpleType):
            return ValuePlan(kind=ValueKind.LIST, type=kind, item=plan_value(item, types))
    if kind.variety is not Variety.ATOMIC:
        return ValuePlan(kind=ValueKind.TEXT, type=kind)
    if kind.primitive == "decimal":
        return ValuePlan(kind=ValueKind.INTEGER if _is_exact(kind) else ValueKind.TEXT, type=kind)
    return ValuePlan(kind=_KINDS.get(kind.primitive, ValueKind.TEXT), type=kind)


_KINDS: Final = {
    "boolean": ValueKind.BOOLEAN,
    "float": ValueKind.FLOAT,
    "double": ValueKind.FLOAT,
    "base64Binary": ValueKind.BASE64,
    "QName": ValueKind.QNAME,
    "NOTATION": ValueKind.QNAME,
}


def _is_exact(kind: SimpleType) -> bool:
    """Whether every value of a decimal type is an integer that a JSON number holds exactly."""
    facets = kind.facets
    if kind.builtin in _EXACT_BUILTINS:
        return True
    if kind.builtin == "decimal" and facets.fraction_digits != 0:
        return False
    if facets.total_digits is not None and facets.total_digits <= _EXACT_DIGITS:
        return True
    bounds = (
        facets.min_inclusive if facets.min_inclusive is not None else facets.min_exclusive,
        facets.max_inclusive if facets.max_inclusive is not None else facets.max_exclusive,
    )
    return all(
        bound is not None and _INTEGER.fullmatch(bound) is not None and abs(int(bound)) <= MAX_EXACT for bound in bounds
    )


# --- to JSON ---------------------------------------------------------------------------------------------------------


def value_to_json(text: str, plan: ValuePlan, prefixes: Mapping[str | None, str]) -> Json:
    """The JSON value of a valid text. prefixes: in scope where it stands.

    What has not the form of its type (it came where nothing is checked) stays the text that it is.
    """
    text = _processed(text, plan.type.facets.white_space)
    if plan.kind is ValueKind.LIST and plan.item is not None:
        return [value_to_json(item, plan.item, prefixes) for item in text.split(" ") if item]
    if plan.kind is ValueKind.QNAME:
        return _clark(text, prefixes)
    return _TO_JSON[plan.kind](text)


def _processed(text: str, white_space: str) -> str:
    """White space as the type has it (XML Schema 1.0, Part 2, 4.3.6)."""
    if white_space == "collapse":
        return _SPACES.sub(" ", text).strip(" ")
    return _SPACES.sub(lambda found: " " * len(found.group()), text) if white_space == "replace" else text


def _integer(text: str) -> Json:
    return int(text) if _INTEGER.fullmatch(text) and len(text) <= _MAX_INTEGER_CHARS else text


def _float(text: str) -> Json:
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text


_TO_JSON: Final[Mapping[ValueKind, Callable[[str], Json]]] = {
    ValueKind.TEXT: str,
    ValueKind.LIST: str,
    ValueKind.BOOLEAN: lambda text: _BOOLEANS.get(text, text),
    ValueKind.INTEGER: _integer,
    ValueKind.FLOAT: _float,
    ValueKind.BASE64: lambda text: text.replace(" ", ""),
}


def _clark(text: str, prefixes: Mapping[str | None, str]) -> str:
    prefix, colon, local = text.rpartition(":")
    namespace = prefixes.get(prefix if colon else None, "")
    if colon and not namespace:
        return text
    return f"{{{namespace}}}{local}" if namespace else local


# --- from JSON -------------------------------------------------------------------------------------------------------


class Unfit(Exception):
    """A JSON value is not of the kind that its place wants. The text says what is wanted."""


def value_to_text(value: Json, plan: ValuePlan, prefix_of: Callable[[str], str]) -> str:
    """The text of a JSON value, not escaped. prefix_of: makes a prefix for a namespace. Raises Unfit.

    Only the kind of the value is judged; whether the text is valid, the schema says.
    """
    text: str | None = None
    match value:
        case bool() if plan.kind is ValueKind.BOOLEAN:
            text = "true" if value else "false"
        case Number():
            text = _number_text(value, plan.kind)
        case str():
            text = _string_text(value, plan.kind, prefix_of)
        case list() if plan.kind is ValueKind.LIST and plan.item is not None:
            text = " ".join(_item(item, plan.item, prefix_of) for item in value)
    if text is None:
        raise Unfit(_wanted(plan, value))
    return text


def _number_text(value: Number, kind: ValueKind) -> str | None:
    if kind is ValueKind.FLOAT:
        return str(value)
    return value.partition(".")[0] if kind is ValueKind.INTEGER and _JSON_INTEGER.fullmatch(value) else None


def _string_text(value: str, kind: ValueKind, prefix_of: Callable[[str], str]) -> str | None:
    if kind in (ValueKind.TEXT, ValueKind.BASE64) or (kind is ValueKind.FLOAT and value in _SPECIAL_FLOATS):
        return xml_text(value)
    found = _QNAME.fullmatch(xml_text(value)) if kind is ValueKind.QNAME else None
    if found is None:
        return None
    namespace, local = found.groups()
    return f"{prefix_of(namespace)}:{local}" if namespace else str(local)


def _item(value: Json, plan: ValuePlan, prefix_of: Callable[[str], str]) -> str:
    text = value_to_text(value, plan, prefix_of)
    if not text or _SPACES.search(text):
        raise Unfit("An item of this array is empty or has white space in it, which separates items.")
    return text


def _wanted(plan: ValuePlan, value: Json) -> str:
    text = f"{plan.kind.value[0].upper()}{plan.kind.value[1:]} is wanted here, not {kind_of(value)}"
    if plan.kind is ValueKind.TEXT and isinstance(value, Number):
        return f"{text}: put it in quotes, so that no digit is lost."
    return f"{text}."


def xml_text(text: str) -> str:
    """The text, if XML can hold it. Raises Unfit."""
    found = _NOT_XML.search(text)
    if found:
        raise Unfit(f"The character U+{ord(found.group()):04X} cannot be written in XML.")
    return text
