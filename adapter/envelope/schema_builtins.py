"""The types of XML Schema itself (1.0, Part 2, section 3), as the model's values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from adapter.envelope import names
from adapter.envelope.schema_model import (
    ANY_SIMPLE_TYPE,
    ANY_TYPE,
    ComplexType,
    Compositor,
    Facets,
    Group,
    Occurs,
    SimpleType,
    Type,
    Variety,
    Wildcard,
)

_COLLAPSED: Final = Facets(white_space="collapse")
_PRIMITIVES: Final = [
    "boolean",
    "decimal",
    "float",
    "double",
    "duration",
    "dateTime",
    "time",
    "date",
    "gYearMonth",
    "gYear",
    "gMonthDay",
    "gDay",
    "gMonth",
    "hexBinary",
    "base64Binary",
    "anyURI",
    "QName",
    "NOTATION",
]

# Name, base, and what it adds.
_DERIVED: Final[tuple[tuple[str, str, Facets], ...]] = (
    ("normalizedString", "string", Facets(white_space="replace")),
    ("token", "normalizedString", _COLLAPSED),
    ("language", "token", replace(_COLLAPSED, patterns=(("[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*",),))),
    ("NMTOKEN", "token", _COLLAPSED),
    ("Name", "token", _COLLAPSED),
    ("NCName", "Name", _COLLAPSED),
    ("ID", "NCName", _COLLAPSED),
    ("IDREF", "NCName", _COLLAPSED),
    ("ENTITY", "NCName", _COLLAPSED),
    ("integer", "decimal", replace(_COLLAPSED, fraction_digits=0)),
    ("nonPositiveInteger", "integer", replace(_COLLAPSED, fraction_digits=0, max_inclusive="0")),
    ("negativeInteger", "nonPositiveInteger", replace(_COLLAPSED, fraction_digits=0, max_inclusive="-1")),
    ("nonNegativeInteger", "integer", replace(_COLLAPSED, fraction_digits=0, min_inclusive="0")),
    ("positiveInteger", "nonNegativeInteger", replace(_COLLAPSED, fraction_digits=0, min_inclusive="1")),
)
# Name, base, and the number of bits.
_SIZED: Final = (
    ("long", "integer", 64),
    ("int", "long", 32),
    ("short", "int", 16),
    ("byte", "short", 8),
    ("unsignedLong", "nonNegativeInteger", 64),
    ("unsignedInt", "unsignedLong", 32),
    ("unsignedShort", "unsignedInt", 16),
    ("unsignedByte", "unsignedShort", 8),
)
_LISTS: Final = (("NMTOKENS", "NMTOKEN"), ("IDREFS", "IDREF"), ("ENTITIES", "ENTITY"))


def _named(local: str) -> str:
    return names.qname(names.XSD, local)


def _atomic(local: str, base: str, primitive: str, facets: Facets) -> SimpleType:
    return SimpleType(name=_named(local), base=_named(base), builtin=local, primitive=primitive, facets=facets)


ANYTHING: Final = ComplexType(
    name=ANY_TYPE,
    mixed=True,
    content=Group(
        compositor=Compositor.SEQUENCE,
        members=(Wildcard(namespaces="##any", process="lax", target="", occurs=Occurs(minimum=0, maximum=None)),),
    ),
    any_attribute=Wildcard(namespaces="##any", process="lax", target=""),
)
ANYTHING_SIMPLE: Final = SimpleType(name=ANY_SIMPLE_TYPE, base=None, builtin="anySimpleType", primitive="anySimpleType")


def _all() -> Iterator[Type]:
    yield ANYTHING
    yield ANYTHING_SIMPLE
    yield _atomic("string", "anySimpleType", "string", Facets())
    for local in _PRIMITIVES:
        yield _atomic(local, "anySimpleType", local, _COLLAPSED)
    for local, base, facets in _DERIVED:
        yield _atomic(local, base, "decimal" if facets.fraction_digits == 0 else "string", facets)
    for local, base, bits in _SIZED:
        signed = not local.startswith("unsigned")
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        bounds = replace(_COLLAPSED, fraction_digits=0, min_inclusive=str(low), max_inclusive=str(high))
        yield _atomic(local, base, "decimal", bounds)
    for local, item in _LISTS:
        yield SimpleType(
            name=_named(local),
            base=ANY_SIMPLE_TYPE,
            builtin=local,
            primitive="anySimpleType",
            variety=Variety.LIST,
            item=_named(item),
            facets=replace(_COLLAPSED, min_length=1),
        )


BUILT_IN: Final = {found.name: found for found in _all()}
