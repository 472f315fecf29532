"""Valid samples of an element: drawn from its declaration and a seed, judged by the compiled schema."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.schema import check_payload
from adapter.envelope.schema_model import (
    ANY_TYPE,
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    Particle,
    SchemaModel,
    SimpleType,
    Type,
    Wildcard,
    local_name,
)
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.schema_own import SOAP11_ENCODING
from adapter.errors import DescriptionUnusable, SchemaInvalid
from adapter.samples.costs import INFINITE, Costs
from adapter.samples.hints import script_of
from adapter.samples.people import Person, draw_person
from adapter.samples.tree import Node, nil, render
from adapter.samples.values import ValueMaker

_ATTEMPTS: Final = 4
_MAX_NODES: Final = 250
_MAX_MINIMAL_NODES: Final = 5000
_MAX_DEPTH: Final = 10
_MADE_UP: Final = "urn:example:namuna"


class Variant(Enum):
    """How much of what may stand there a sample has.

    MINIMAL: what must. FULL: every optional element and attribute too, as deep as a reader can follow. NIL: like FULL,
    and whatever may be nil is.
    """

    MINIMAL = "minimal"
    FULL = "full"
    NIL = "nil"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A valid element. checked: the compiled schema says so; else no schema covers it and it follows the model only."""

    node: Node
    element: etree._Element
    checked: bool


class SampleMaker:
    """Makes samples of the elements of one description. Made once: it weighs every type."""

    def __init__(self, description: ServiceDescription) -> None:
        self._description = description
        self._model = schema_model(description)
        self._costs = Costs(self._model)
        self._values = ValueMaker(self._model)

    def sample(
        self,
        element: str,
        *,
        seed: int | str = 0,
        variant: Variant = Variant.FULL,
        known: Mapping[str, str] | None = None,
    ) -> Sample:
        """A valid sample of a Body, header or fault element; the same arguments give the same sample.

        known: values by the local name of their field in small letters, taken where they fit the field's type.
        Where a full one does not come out valid, a minimal one is taken. Raises DescriptionUnusable and says why if
        none does, or if there is no such element.
        """
        try:
            declared = self._model.body(element)
        except KeyError:
            raise DescriptionUnusable(f"no schema declares {local_name(element)}") from None
        why = ""
        for attempt in range(_ATTEMPTS):
            chosen = variant if attempt < _ATTEMPTS - 1 else Variant.MINIMAL
            draft = _Draft(
                model=self._model,
                costs=self._costs,
                values=self._values,
                variant=chosen,
                known=dict(known or {}),
                draw=random.Random(f"{seed}/{element}/{attempt}"),  # noqa: S311  samples, not secrets
            )
            try:
                node = draft.root(declared)
            except DescriptionUnusable as cause:
                why = cause.reason
                continue
            rendered = render(node)
            why = self._judge(rendered, element)
            if not why:
                return Sample(node=node, element=rendered, checked=self._is_checked(element))
        raise DescriptionUnusable(f"no valid sample of {local_name(element)} was found: {why}")

    def _is_checked(self, element: str) -> bool:
        schema = self._description.schema
        return schema is not None and element in schema.elements and element not in self._description.unchecked

    def _judge(self, rendered: etree._Element, element: str) -> str:
        """What the schema says against it, empty for nothing."""
        if not self._is_checked(element):
            return ""
        try:
            check_payload(self._description, rendered, element)
        except SchemaInvalid as found:
            first = found.problems[0]
            return f"{first.element}: {first.text}"
        return ""


@dataclass(kw_only=True, slots=True)
class _Draft:
    """One sample while it is drawn."""

    model: SchemaModel
    costs: Costs
    values: ValueMaker
    variant: Variant
    known: dict[str, str]
    draw: random.Random
    nodes: int = 0
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        self.person = draw_person(self.draw, is_latin=self.draw.random() < 0.5, pinfl=self.known.get("pinfl", ""))

    def root(self, declared: ElementDeclaration) -> Node:
        return self._element(declared, above=(), required=True)

    def _is_generous(self, depth: int) -> bool:
        """Whether what is optional is written here."""
        return self.variant is not Variant.MINIMAL and depth < _MAX_DEPTH and self.nodes < _MAX_NODES

    # --- one element -------------------------------------------------------------------------------------------------

    def _element(self, declared: ElementDeclaration, *, above: tuple[str, ...], required: bool) -> Node:
        self.nodes += 1
        if self.nodes > _MAX_MINIMAL_NODES:
            raise DescriptionUnusable(f"a sample would have more than {_MAX_MINIMAL_NODES} elements")
        chosen = self._substitute(declared, len(above))
        kind = self._type(chosen, len(above))
        if kind is None:
            if not chosen.nillable:
                raise DescriptionUnusable(
                    f"{local_name(chosen.name)} would never end, or a wildcard asks for an element that is not declared"
                )
            return Node(tag=chosen.name, declared=chosen, attributes=nil(), required=required)
        attributes, qualified = self._attributes(kind, len(above))
        if kind.name != chosen.type:
            qualified[names.XSI_TYPE] = kind.name
        node = Node(tag=chosen.name, declared=chosen, attributes=attributes, qualified=qualified, required=required)
        is_round = kind.name in above and len(above) >= _MAX_DEPTH
        if chosen.nillable and chosen.fixed is None and above and (is_round or self.variant is Variant.NIL):
            return replace(node, attributes={**attributes, **nil()})
        outside = self.person
        script = script_of(local_name(chosen.name))
        if script is not None:
            self.person = replace(outside, is_latin=script)
        filled = self._filled(node, chosen, kind, (*above, kind.name))
        if script is not None:
            self.person = replace(self.person, is_latin=outside.is_latin)
        return filled

    def _filled(self, node: Node, declared: ElementDeclaration, kind: Type, above: tuple[str, ...]) -> Node:
        """The element with its text or its children."""
        value = self.model.value_type(kind)
        if declared.fixed is not None:
            return replace(node, text=declared.fixed, value_type=value)
        if value is not None:
            text = self._text(value, declared.name)
            return replace(node, text=text, value_type=value)
        if not isinstance(kind, ComplexType):
            return node
        if kind.name == ANY_TYPE:
            return replace(node, text="Namuna")
        array = next((attribute.array_type for attribute in kind.attributes if attribute.array_type), None)
        if array is not None:
            return self._array(node, array, above)
        children = tuple(self._particle(kind.content, above, required=True)) if kind.content is not None else ()
        text = "Namuna" if kind.mixed and not children and self._is_generous(len(above)) else ""
        return replace(node, children=children, text=text)

    def _array(self, node: Node, array: str, above: tuple[str, ...]) -> Node:
        """An rpc/encoded array (SOAP 1.1, 5.4.2) with one item."""
        item_type = array.partition("[")[0]
        is_fitting = self._is_generous(len(above)) and item_type in self.model.types and item_type not in above
        items: tuple[Node, ...] = ()
        if is_fitting:
            items = (self._element(ElementDeclaration(name="item", type=item_type), above=above, required=False),)
        dimension = {names.qname(SOAP11_ENCODING, "arrayType"): f"{item_type}[{len(items)}]"}
        return replace(node, children=items, qualified={**node.qualified, **dimension})

    def _substitute(self, declared: ElementDeclaration, depth: int) -> ElementDeclaration:
        """What stands for the element: itself if it can, sometimes one of its substitutes."""
        finite = [each for each in self.model.choices_for(declared) if self.costs.exactly(each) < INFINITE]
        if not finite:
            return declared
        if self._is_generous(depth) and self.draw.random() < 0.3:
            return self.draw.choice(finite)
        return declared if declared in finite else min(finite, key=self.costs.exactly)

    def _type(self, declared: ElementDeclaration, depth: int) -> Type | None:
        """The type that the element gets: the declared one if it can, sometimes a derived one; None if none ends."""
        is_extended = isinstance(self.model.types[declared.type], ComplexType) and declared.type != ANY_TYPE
        if is_extended and self._is_generous(depth) and self.draw.random() < 0.1:
            kinds = self.model.types_for(declared.type)
            finite = [kind for kind in kinds if not kind.is_anonymous and self.costs.type(kind) < INFINITE]
            if finite:
                return self.draw.choice(finite)
        return self.costs.cheapest_type(declared.type)

    def _attributes(self, kind: Type, depth: int) -> tuple[dict[str, str], dict[str, str]]:
        attributes: dict[str, str] = {}
        for attribute in kind.attributes if isinstance(kind, ComplexType) else ():
            if attribute.array_type or not (attribute.required or self._is_generous(depth)):
                continue
            value = self.model.types[attribute.type]
            if attribute.fixed is not None:
                attributes[attribute.name] = attribute.fixed
            elif isinstance(value, SimpleType):
                attributes[attribute.name] = self._text(value, attribute.name)
        return attributes, {}

    def _text(self, kind: SimpleType, name: str) -> str:
        local = local_name(name)
        known = self.known.get(local.lower())
        if known is not None and self.values.admits(kind, known):
            # Once: a second person in the answer is another one.
            del self.known[local.lower()]
            return known
        return self.values.value(kind, local, self.person, self.draw)

    # --- what stands in it -------------------------------------------------------------------------------------------

    def _particle(self, particle: Particle, above: tuple[str, ...], *, required: bool) -> list[Node]:
        found: list[Node] = []
        count = self._count(particle, above)
        is_needed = required and particle.occurs.minimum >= count
        for at in range(count):
            if at:
                self.person = draw_person(self.draw, is_latin=self.person.is_latin)
            if isinstance(particle, Occurrence):
                found.append(self._element(particle.element, above=above, required=is_needed))
            elif isinstance(particle, Wildcard):
                found += self._anything(particle, above)
            else:
                found += self._group(particle, above, required=is_needed)
        return found

    def _count(self, particle: Particle, above: tuple[str, ...]) -> int:
        """How often the particle is written."""
        occurs = particle.occurs
        if not self._is_generous(len(above)) or self._leads_back(particle, above):
            return occurs.minimum
        wanted = 2 if isinstance(particle, Occurrence) and occurs.is_repeated else 1
        return max(occurs.minimum, min(wanted, occurs.maximum if occurs.maximum is not None else wanted))

    def _leads_back(self, particle: Particle, above: tuple[str, ...]) -> bool:
        """Whether it would only go round: of a type that it lies in, or endless."""
        if self.costs.once(particle) == INFINITE:
            return True
        return isinstance(particle, Occurrence) and particle.element.type in above

    def _group(self, group: Group, above: tuple[str, ...], *, required: bool) -> list[Node]:
        if group.compositor is not Compositor.CHOICE:
            return [node for member in group.members for node in self._particle(member, above, required=required)]
        if not group.members:
            return []
        alone = required and len(group.members) == 1
        return self._particle(self._branch(group, above), above, required=alone)

    def _branch(self, choice: Group, above: tuple[str, ...]) -> Particle:
        """One of a choice's members: any where there is room, else the one that needs least."""
        onward = [member for member in choice.members if not self._leads_back(member, above)]
        if self._is_generous(len(above)) and onward:
            return self.draw.choice(onward)
        return min(choice.members, key=lambda member: (self.costs.particle(member), choice.members.index(member)))

    def _anything(self, wildcard: Wildcard, above: tuple[str, ...]) -> list[Node]:
        """An element that the wildcard admits, declared if it has to be."""
        made_up = next((uri for uri in (_MADE_UP, "") if wildcard.admits(uri)), None)
        if wildcard.process != "strict" and made_up is not None:
            self.nodes += 1
            return [Node(tag=names.qname(made_up, "namuna") if made_up else "namuna", text="Namuna")]
        declared = self.costs.admitted(wildcard)
        if declared is None and wildcard.occurs.minimum:
            raise DescriptionUnusable("a wildcard asks for an element that is not declared")
        if declared is None or (not wildcard.occurs.minimum and declared.type in above):
            return []
        return [self._element(declared, above=above, required=False)]
