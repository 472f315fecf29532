"""Elements, attributes, groups and complex types, read from where they stand into the model's values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.schema_builtins import ANYTHING
from adapter.envelope.schema_components import Component, Scope, documentation, xsd
from adapter.envelope.schema_model import (
    ANY_SIMPLE_TYPE,
    ANY_TYPE,
    AttributeDeclaration,
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    Occurs,
    Particle,
    SimpleType,
    Type,
    Wildcard,
)
from adapter.envelope.schema_types import SimpleTypeReader, TypeTable, owner_of

_COMPOSITORS: Final = {xsd(each.value): each for each in Compositor}
_PARTICLES: Final = (*_COMPOSITORS, xsd("group"))
_DERIVATIONS: Final = (xsd("extension"), xsd("restriction"))
_ARRAY_TYPE: Final = names.qname(names.WSDL, "arrayType")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something is read: the schema that it stands in, and the names above it."""

    scope: Scope
    owner: str

    def below(self, name: str) -> _Place:
        return _Place(self.scope, f"{self.owner}/{name}" if self.owner else name)


class ContentReader:
    """Reads whatever an element may hold. Types inside are named, and read when they are asked for."""

    def __init__(self, table: TypeTable) -> None:
        self._table = table
        self._simple = SimpleTypeReader(table)
        self._elements: dict[str, ElementDeclaration] = {}
        self._reading: set[str] = set()

    def type(self, name: str) -> Type:
        """The type of this name; `xs:anyType` for one that is missing or derived from itself."""
        if name in self._table.types:
            return self._table.types[name]
        if name in self._reading or not self._table.is_known(name):
            return ANYTHING
        source = self._table.source(name)
        if source.node.tag == xsd("simpleType"):
            return self._simple.simple(name)
        self._reading.add(name)
        read = self._complex(name, source)
        self._reading.discard(name)
        self._table.types[name] = read
        return read

    # --- elements and attributes -------------------------------------------------------------------------------------

    def element(self, name: str) -> ElementDeclaration:
        """The global element of this name; of any type if it is declared nowhere."""
        if name not in self._elements:
            source = self._table.components.get(("element", name))
            if source is None:
                self._table.missing.add(name)
                self._elements[name] = ElementDeclaration(name=name, type=ANY_TYPE, is_global=True)
            else:
                # Of elements that are each other's head, one is of any type.
                self._elements[name] = ElementDeclaration(name=name, type=ANY_TYPE, is_global=True)
                self._elements[name] = self._declared(source.node, _Place(source.scope, ""), name, is_global=True)
        return self._elements[name]

    def _declared(self, node: etree._Element, place: _Place, name: str, *, is_global: bool) -> ElementDeclaration:
        scope, head = place.scope, node.get("substitutionGroup")
        above = scope.resolve(node, head) if head else None
        kind = self._table.inline(node, scope, place.below(node.get("name", "")).owner)
        if kind is None and "type" in node.attrib:
            kind = self._table.reference(node, scope, "type", ANY_TYPE)
        return ElementDeclaration(
            name=name,
            type=kind or (self.element(above).type if above else ANY_TYPE),
            nillable=_is_true(node.get("nillable")),
            abstract=_is_true(node.get("abstract")),
            is_global=is_global,
            default=node.get("default"),
            fixed=node.get("fixed"),
            head=above,
            documentation=documentation(node),
        )

    def _local_element(self, node: etree._Element, place: _Place) -> ElementDeclaration:
        if "ref" in node.attrib:
            return self.element(place.scope.resolve(node, node.get("ref", "")))
        qualified = node.get("form", "qualified" if place.scope.elements_qualified else "") == "qualified"
        local = node.get("name", "")
        return self._declared(node, place, place.scope.name(local) if qualified else local, is_global=False)

    def attribute(self, name: str) -> AttributeDeclaration:
        """The global attribute of this name; of any simple type if it is declared nowhere."""
        source = self._table.components.get(("attribute", name))
        if source is None:
            self._table.missing.add(name)
            return AttributeDeclaration(name=name, type=ANY_SIMPLE_TYPE)
        return self._declared_attribute(source.node, _Place(source.scope, ""), name)

    def _declared_attribute(self, node: etree._Element, place: _Place, name: str) -> AttributeDeclaration:
        kind = self._table.inline(node, place.scope, place.below(f"@{node.get('name', '')}").owner)
        if kind is None and "type" in node.attrib:
            kind = self._table.reference(node, place.scope, "type", ANY_SIMPLE_TYPE)
        return AttributeDeclaration(
            name=name, type=kind or ANY_SIMPLE_TYPE, default=node.get("default"), fixed=node.get("fixed")
        )

    def _used_attribute(self, node: etree._Element, place: _Place) -> AttributeDeclaration:
        """An attribute as a type uses it."""
        if "ref" in node.attrib:
            found = self.attribute(place.scope.resolve(node, node.get("ref", "")))
        else:
            qualified = node.get("form", "qualified" if place.scope.attributes_qualified else "") == "qualified"
            local = node.get("name", "")
            found = self._declared_attribute(node, place, place.scope.name(local) if qualified else local)
        array = node.get(_ARRAY_TYPE)
        return replace(
            found,
            required=node.get("use") == "required",
            default=node.get("default", found.default),
            fixed=node.get("fixed", found.fixed),
            array_type=place.scope.resolve(node, array) if array else None,
        )

    # --- complex types -----------------------------------------------------------------------------------------------

    def _complex(self, name: str, source: Component) -> ComplexType:
        node, place = source.node, _Place(source.scope, owner_of(name))
        common = ComplexType(
            name=name,
            abstract=_is_true(node.get("abstract")),
            mixed=_is_true(node.get("mixed")),
            documentation=documentation(node),
        )
        simple = node.find(xsd("simpleContent"))
        if simple is not None:
            return self._with_simple_content(common, simple, place)
        derived = node.find(xsd("complexContent"))
        derivation = None if derived is None else next(derived.iterchildren(*_DERIVATIONS), None)
        if derived is None or derivation is None:
            return self._with_content(common, node, place, ANYTHING, is_extension=False)
        base = self.type(self._table.reference(derivation, place.scope, "base", ANY_TYPE))
        inherited = base if isinstance(base, ComplexType) else ANYTHING
        is_extension = derivation.tag == xsd("extension")
        mixed = _is_true(derived.get("mixed", "true" if common.mixed else "false"))
        return self._with_content(
            replace(
                common,
                base=base.name,
                derivation="extension" if is_extension else "restriction",
                mixed=mixed or (is_extension and inherited.mixed and inherited is not ANYTHING),
            ),
            derivation,
            place,
            inherited,
            is_extension=is_extension,
        )

    def _with_content(
        self, common: ComplexType, node: etree._Element, place: _Place, base: ComplexType, *, is_extension: bool
    ) -> ComplexType:
        own = self._top_particle(node, place)
        content = _after(base.content, own) if is_extension else own
        is_derived = bool(common.derivation) and base is not ANYTHING
        attributes = {each.name: each for each in base.attributes} if is_derived else {}
        wildcard = self._attributes(node, place, attributes, ())
        inherited = base.any_attribute if is_extension else None
        return replace(
            common,
            content=content,
            simple_content=base.simple_content if is_extension else None,
            attributes=tuple(attributes.values()),
            any_attribute=wildcard or inherited,
        )

    def _with_simple_content(self, common: ComplexType, content: etree._Element, place: _Place) -> ComplexType:
        derivation = next(content.iterchildren(*_DERIVATIONS), None)
        if derivation is None:
            return replace(common, simple_content=ANY_SIMPLE_TYPE)
        base = self.type(self._table.reference(derivation, place.scope, "base", ANY_SIMPLE_TYPE))
        value = base.name if isinstance(base, SimpleType) else base.simple_content or ANY_SIMPLE_TYPE
        is_extension = derivation.tag == xsd("extension")
        if not is_extension:
            value = self._restricted_value(derivation, place, value, common.name)
        inherited = base if isinstance(base, ComplexType) and base is not ANYTHING else None
        attributes = {each.name: each for each in inherited.attributes} if inherited else {}
        wildcard = self._attributes(derivation, place, attributes, ())
        if wildcard is None and inherited is not None and is_extension:
            wildcard = inherited.any_attribute
        return replace(
            common,
            base=base.name,
            derivation="extension" if is_extension else "restriction",
            simple_content=value,
            attributes=tuple(attributes.values()),
            any_attribute=wildcard,
        )

    def _restricted_value(self, restriction: etree._Element, place: _Place, value: str, name: str) -> str:
        """The type of a simple content that is narrowed where it stands."""
        inline = self._table.inline(restriction, place.scope, f"{place.owner}/value")
        made_up = place.scope.name(f"#{owner_of(name)}/text")
        self._table.types[made_up] = self._simple.restricted(made_up, self._simple.simple(inline or value), restriction)
        return made_up

    def _attributes(
        self, node: etree._Element, place: _Place, found: dict[str, AttributeDeclaration], groups: tuple[str, ...]
    ) -> Wildcard | None:
        """Add the attributes that stand in `node`, groups included, to those of the base; gives the wildcard."""
        wildcard = None
        for child in node.iterchildren(xsd("attribute"), xsd("attributeGroup"), xsd("anyAttribute")):
            if child.tag == xsd("anyAttribute"):
                wildcard = _wildcard(child, place)
            elif child.tag == xsd("attribute"):
                attribute = self._used_attribute(child, place)
                if child.get("use") == "prohibited":
                    found.pop(attribute.name, None)
                else:
                    found[attribute.name] = attribute
            else:
                name = place.scope.resolve(child, child.get("ref", ""))
                group = self._table.components.get(("attributeGroup", name))
                if group is not None and name not in groups:
                    inside = _Place(group.scope, place.owner)
                    wildcard = self._attributes(group.node, inside, found, (*groups, name)) or wildcard
        return wildcard

    # --- particles ---------------------------------------------------------------------------------------------------

    def _top_particle(self, node: etree._Element, place: _Place) -> Group | None:
        child = next(node.iterchildren(*_PARTICLES), None)
        particle = None if child is None else self._particle(child, place, ())
        return particle if isinstance(particle, Group) and particle.members else None

    def _particle(self, node: etree._Element, place: _Place, groups: tuple[str, ...]) -> Particle | None:
        """groups: the named groups that are being written out, so that one inside itself ends."""
        occurs = _occurs(node)
        if occurs.maximum == 0:
            return None
        if node.tag == xsd("element"):
            return Occurrence(element=self._local_element(node, place), occurs=occurs)
        if node.tag == xsd("any"):
            return replace(_wildcard(node, place), occurs=occurs)
        if node.tag == xsd("group"):
            return self._named_group(node, place, groups, occurs)
        members = (self._particle(child, place, groups) for child in node.iterchildren(*_MEMBERS))
        return Group(
            compositor=_COMPOSITORS[str(node.tag)],
            members=tuple(member for member in members if member is not None),
            occurs=occurs,
        )

    def _named_group(
        self, node: etree._Element, place: _Place, groups: tuple[str, ...], occurs: Occurs
    ) -> Particle | None:
        name = place.scope.resolve(node, node.get("ref", ""))
        group = self._table.components.get(("group", name))
        child = None if group is None else next(group.node.iterchildren(*_COMPOSITORS), None)
        if group is None or child is None or name in groups:
            return None
        particle = self._particle(child, _Place(group.scope, owner_of(name)), (*groups, name))
        return replace(particle, occurs=occurs) if isinstance(particle, Group) else None


_MEMBERS: Final = (*_PARTICLES, xsd("element"), xsd("any"))


def _after(first: Group | None, second: Group | None) -> Group | None:
    """The content of an extension: that of the base, then its own (XML Schema 1.0, Part 1, 3.4.2)."""
    if first is None or second is None:
        return first or second
    return Group(compositor=Compositor.SEQUENCE, members=(first, second))


def _wildcard(node: etree._Element, place: _Place) -> Wildcard:
    return Wildcard(
        namespaces=" ".join(node.get("namespace", "##any").split()),
        process=node.get("processContents", "strict"),
        target=place.scope.namespace,
    )


def _occurs(node: etree._Element) -> Occurs:
    written = node.get("maxOccurs", "1").strip()
    maximum = None if written == "unbounded" else _number(written)
    return Occurs(minimum=_number(node.get("minOccurs", "1")), maximum=maximum)


def _number(written: str) -> int:
    """A bound. One that is none is read as 1: such a schema compiles nowhere, so nothing is decided by it."""
    return int(written) if written.strip().isdecimal() and len(written) <= 18 else 1


def _is_true(written: str | None) -> bool:
    return (written or "").strip() in ("true", "1")
