"""The types of a description by name, and the simple ones read from where they stand into the model's values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.schema_builtins import ANYTHING_SIMPLE, BUILT_IN
from adapter.envelope.schema_components import Component, Components, Scope, documentation, xsd
from adapter.envelope.schema_model import (
    ANY_SIMPLE_TYPE,
    Facets,
    SimpleType,
    Type,
    Variety,
    local_name,
)

_NUMBERS: Final = {
    "length": "length",
    "minLength": "min_length",
    "maxLength": "max_length",
    "totalDigits": "total_digits",
    "fractionDigits": "fraction_digits",
}
_TEXTS: Final = {
    "minInclusive": "min_inclusive",
    "maxInclusive": "max_inclusive",
    "minExclusive": "min_exclusive",
    "maxExclusive": "max_exclusive",
    "whiteSpace": "white_space",
}
_INSTEAD_OF: Final = {
    "minInclusive": ("min_exclusive",),
    "maxInclusive": ("max_exclusive",),
    "minExclusive": ("min_inclusive",),
    "maxExclusive": ("max_inclusive",),
}
_TYPE_KINDS: Final = (xsd("simpleType"), xsd("complexType"))


class TypeTable:
    """The types met so far. A type is named when it is met and read when it is asked for, so recursion ends.

    missing: names that are referred to and declared nowhere.
    """

    def __init__(self, components: Components) -> None:
        self.components = components
        self.types: dict[str, Type] = dict(BUILT_IN)
        self.missing: set[str] = set()
        self._sources = {name: found for (space, name), found in components.items() if space == "type"}
        self._made_up: dict[tuple[etree._Element, str], str] = {}

    @property
    def waiting(self) -> list[str]:
        """Types that are named and not read yet."""
        return [name for name in self._sources if name not in self.types]

    def source(self, name: str) -> Component:
        """Where a type of the schemas stands."""
        return self._sources[name]

    def is_known(self, name: str) -> bool:
        """Whether the type is built in or stands somewhere; what does not is noted as missing."""
        if name in BUILT_IN or name in self._sources:
            return True
        self.missing.add(name)
        return False

    def reference(self, node: etree._Element, scope: Scope, attribute: str, otherwise: str) -> str:
        """The name of the type that an attribute names."""
        name = scope.resolve(node, node.get(attribute, ""))
        return name if self.is_known(name) else otherwise

    def inline(self, node: etree._Element, scope: Scope, owner: str) -> str | None:
        """The made-up name of the anonymous type that stands in `node`, or None.

        owner: the names above it, for the made-up one.
        """
        found = next(node.iterchildren(*_TYPE_KINDS), None)
        return None if found is None else self.make_up(found, scope, owner)

    def make_up(self, node: etree._Element, scope: Scope, owner: str) -> str:
        """A name for what has none; the same node always gets the same."""
        key = (node, scope.namespace)
        if key not in self._made_up:
            wanted = scope.name(f"#{owner}")
            name, count = wanted, 1
            while name in self._sources:
                count += 1
                name = f"{wanted}~{count}"
            self._made_up[key] = name
            self._sources[name] = Component(node, scope)
        return self._made_up[key]


def owner_of(name: str) -> str:
    """What is written into the made-up names of the types inside a type."""
    return local_name(name).removeprefix("#")


class SimpleTypeReader:
    """Reads simple types; of simple content, the type of the value."""

    def __init__(self, table: TypeTable) -> None:
        self._table = table
        self._reading: set[str] = set()

    def simple(self, name: str) -> SimpleType:
        """The simple type of this name; `xs:anySimpleType` for what is not one, or is defined by itself."""
        known = self._table.types.get(name)
        if isinstance(known, SimpleType):
            return known
        if known is not None or name in self._reading or not self._table.is_known(name):
            return ANYTHING_SIMPLE
        component = self._table.source(name)
        if component.node.tag != xsd("simpleType"):
            return ANYTHING_SIMPLE
        self._reading.add(name)
        read = self._read(name, component)
        self._reading.discard(name)
        self._table.types[name] = read
        return read

    def _read(self, name: str, component: Component) -> SimpleType:
        node, scope = component.node, component.scope
        restriction = node.find(xsd("restriction"))
        if restriction is not None:
            base = self.base_of(restriction, scope, owner_of(name), ANY_SIMPLE_TYPE)
            return self.restricted(name, self.simple(base), restriction, documentation(node))
        items = node.find(xsd("list"))
        if items is not None:
            item = self._table.inline(items, scope, f"{owner_of(name)}/item")
            item = item or self._table.reference(items, scope, "itemType", ANY_SIMPLE_TYPE)
            return self._made_of(name, node, Variety.LIST, item=item, facets=Facets(white_space="collapse"))
        union = node.find(xsd("union"))
        return self._made_of(name, node, Variety.UNION, members=self._members(union, scope, owner_of(name)))

    def _made_of(
        self,
        name: str,
        node: etree._Element,
        variety: Variety,
        *,
        item: str | None = None,
        members: tuple[str, ...] = (),
        facets: Facets = Facets(),  # noqa: B008  frozen
    ) -> SimpleType:
        return SimpleType(
            name=name,
            base=ANY_SIMPLE_TYPE,
            builtin="anySimpleType",
            primitive="anySimpleType",
            variety=variety,
            item=item,
            members=members,
            facets=facets,
            documentation=documentation(node),
        )

    def _members(self, union: etree._Element | None, scope: Scope, owner: str) -> tuple[str, ...]:
        if union is None:
            return ()
        named = [scope.resolve(union, written) for written in union.get("memberTypes", "").split()]
        inline = [
            self._table.make_up(child, scope, f"{owner}/member{at}")
            for at, child in enumerate(union.iterchildren(xsd("simpleType")), start=1)
        ]
        return (*filter(self._table.is_known, named), *inline)

    def base_of(self, derivation: etree._Element, scope: Scope, owner: str, otherwise: str) -> str:
        """The name of the type that a restriction or an extension begins with."""
        if "base" in derivation.attrib:
            return self._table.reference(derivation, scope, "base", otherwise)
        return self._table.inline(derivation, scope, f"{owner}/base") or otherwise

    def restricted(self, name: str, base: SimpleType, restriction: etree._Element, text: str = "") -> SimpleType:
        """The base with the facets that stand in the restriction."""
        facets = read_facets(base.facets, restriction)
        return replace(base, name=name, base=base.name, facets=facets, documentation=text)


def read_facets(base: Facets, restriction: etree._Element) -> Facets:
    """The facets of the base, narrowed by those that stand here (XML Schema 1.0, Part 2, 4.3)."""
    values: dict[str, Any] = {}
    enumeration: list[str] = []
    patterns: list[str] = []
    for node in restriction.iterchildren(etree.Element):
        kind, value = etree.QName(node).localname, node.get("value", "")
        if etree.QName(node).namespace != names.XSD:
            continue
        if kind == "enumeration":
            enumeration.append(value)
        elif kind == "pattern":
            patterns.append(value)
        elif kind in _NUMBERS and value.strip().isdecimal():
            values[_NUMBERS[kind]] = int(value)
        elif kind in _TEXTS:
            values[_TEXTS[kind]] = value.strip()
            # Of inclusive and exclusive only the later one counts; a type may not have both.
            values.update(dict.fromkeys(_INSTEAD_OF.get(kind, ())))
    if enumeration:
        values["enumeration"] = tuple(dict.fromkeys(enumeration))
    if patterns:
        values["patterns"] = (*base.patterns, tuple(patterns))
    return replace(base, **values)
