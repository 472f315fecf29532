"""How the types of a service's schemas are written in JSON: worked out from the schema model, once for each type.

The form depends on the schema alone, never on the document (docs/json.md):

- VALUE: a simple value; with attributes an object that has it as `$`.
- MEMBERS: an object with one member for each element, where the schema says in which order they stand.
- SEQUENCE: `$` is an array in the order of the document, an object with one member for each element, a string for each
  text: where elements may interleave, where one name stands in two places, and for mixed content.
- XML: `$xml` is the element as XML, for what the schema does not describe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adapter.dialects.json_values import ValuePlan, plan_value
from adapter.envelope.names import XSD, qname
from adapter.envelope.schema_model import (
    ANY_SIMPLE_TYPE,
    ANY_TYPE,
    AttributeDeclaration,
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    Particle,
    SchemaModel,
    SimpleType,
    Wildcard,
    is_made_up,
    local_name,
    namespace_of,
)

CONTENT: Final = "$"
ANY: Final = "$any"
AS_XML: Final = "$xml"
NIL: Final = "@xsi:nil"
TYPE: Final = "@xsi:type"


class Form(Enum):
    """What a type's content is in JSON."""

    VALUE = "value"
    MEMBERS = "members"
    SEQUENCE = "sequence"
    XML = "xml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """An element in a content: the name of its member, its place among the particles, whether it is an array."""

    name: str
    element: ElementDeclaration
    place: int
    is_array: bool
    is_required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """An attribute that the type declares: its member begins with `@`."""

    name: str
    declared: AttributeDeclaration
    value: ValuePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class TypePlan:
    """The form of one type. any_place: where a wildcard stands among the particles of MEMBERS, if one does.

    is_free: the elements of an `xs:all` stand in any order; the order of the members is kept.
    """

    type: SimpleType | ComplexType
    form: Form
    value: ValuePlan | None = None
    attributes: tuple[Attribute, ...] = ()
    any_attribute: bool = False
    members: tuple[Member, ...] = ()
    any_place: int | None = None
    is_mixed: bool = False
    is_free: bool = False
    by_name: Mapping[str, Member]
    by_tag: Mapping[str, Member]
    attribute_by_name: Mapping[str, Attribute]
    attribute_by_tag: Mapping[str, Attribute]

    @property
    def is_bare(self) -> bool:
        """The value stands for the element, without an object around it."""
        return self.form is Form.VALUE and not self.attributes and not self.any_attribute


class PlanBook:
    """The plans of one schema model, each made when it is first asked for."""

    def __init__(self, model: SchemaModel) -> None:
        self.model = model
        self._plans: dict[str, TypePlan] = {}
        named = [name for name in model.types if not is_made_up(name) and namespace_of(name) != XSD]
        count = Counter(local_name(name) for name in named)
        self._labels = {name: local_name(name) if count[local_name(name)] == 1 else name for name in named}
        self._by_label = {label: name for name, label in self._labels.items()}

    def plan(self, type_name: str) -> TypePlan:
        """The plan of a type of the model."""
        found = self._plans.get(type_name)
        if found is None:
            found = self._plans[type_name] = _plan(self.model, type_name)
        return found

    def label(self, type_name: str) -> str:
        """What `@xsi:type` calls a type: its local name if that is enough, `xs:` and it for those of XML Schema."""
        if namespace_of(type_name) == XSD:
            return f"xs:{local_name(type_name)}"
        return self._labels.get(type_name, type_name)

    def type_named(self, label: str) -> str | None:
        """The type that a label means, or None."""
        name = qname(XSD, label[3:]) if label.startswith("xs:") else self._by_label.get(label, label)
        return name if name in self.model.types and not is_made_up(name) else None

    def may_stand_for(self, declared: str, actual: str) -> bool:
        """Whether an element of the declared type may say that it is of the actual one."""
        return declared in (ANY_TYPE, actual) or actual in self.model.derived.get(declared, ())


def _plan(model: SchemaModel, type_name: str) -> TypePlan:
    kind = model.types[type_name]
    if isinstance(kind, SimpleType):
        return _made(kind, Form.VALUE, value=plan_value(kind, model.types))
    attributes = tuple(_attributes(model, kind))
    open_to_more = kind.any_attribute is not None
    if type_name == ANY_TYPE:
        return _made(kind, Form.XML)
    simple = model.value_type(kind)
    if simple is not None:
        value = plan_value(simple, model.types)
        return _made(kind, Form.VALUE, value=value, attributes=attributes, any_attribute=open_to_more)
    leaves = list(_leaves(kind.content, (), is_required=True, is_repeated=False)) if kind.content is not None else []
    choices = [choice for leaf in leaves for choice in _choices(model, leaf)]
    is_ordered = kind.mixed or _needs_order(leaves, choices)
    places = [leaf.place for leaf in leaves if isinstance(leaf.particle, Wildcard)]
    return _made(
        kind,
        Form.SEQUENCE if is_ordered else Form.MEMBERS,
        attributes=attributes,
        any_attribute=open_to_more,
        members=_members(choices),
        any_place=places[0] if places else None,
        is_mixed=kind.mixed,
        is_free=kind.content is not None and kind.content.compositor is Compositor.ALL,
    )


def _made(
    kind: SimpleType | ComplexType,
    form: Form,
    *,
    value: ValuePlan | None = None,
    attributes: tuple[Attribute, ...] = (),
    any_attribute: bool = False,
    members: tuple[Member, ...] = (),
    any_place: int | None = None,
    is_mixed: bool = False,
    is_free: bool = False,
) -> TypePlan:
    return TypePlan(
        type=kind,
        form=form,
        value=value,
        attributes=attributes,
        any_attribute=any_attribute,
        members=members,
        any_place=any_place,
        is_mixed=is_mixed,
        is_free=is_free,
        by_name={member.name: member for member in members},
        by_tag={member.element.name: member for member in members},
        attribute_by_name={attribute.name: attribute for attribute in attributes},
        attribute_by_tag={attribute.declared.name: attribute for attribute in attributes},
    )


# --- content models --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Leaf:
    """A particle that is not a group. groups: the repeated groups around it, as their places in the content model."""

    particle: Occurrence | Wildcard
    place: int
    groups: tuple[int, ...]
    is_required: bool
    is_repeated: bool


def _leaves(
    group: Group, around: tuple[int, ...], *, is_required: bool, is_repeated: bool, counter: list[int] | None = None
) -> Iterator[_Leaf]:
    """The elements and wildcards of a content model, in its order."""
    counter = counter if counter is not None else [0]
    if group.occurs.is_repeated:
        counter[0] += 1
        around = (*around, counter[0])
    is_required = (
        is_required
        and not group.occurs.is_optional
        and (group.compositor is not Compositor.CHOICE or len(group.members) == 1)
    )
    is_repeated = is_repeated or group.occurs.is_repeated
    for member in group.members:
        if isinstance(member, Group):
            yield from _leaves(member, around, is_required=is_required, is_repeated=is_repeated, counter=counter)
        elif _can_stand(member):
            counter[0] += 1
            yield _Leaf(
                particle=member,
                place=counter[0],
                groups=around,
                is_required=is_required and not member.occurs.is_optional,
                is_repeated=is_repeated or member.occurs.is_repeated,
            )


def _can_stand(particle: Particle) -> bool:
    return particle.occurs.maximum != 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    """One element that may stand at a leaf: the declared one, or one of its substitutes."""

    element: ElementDeclaration
    leaf: _Leaf
    is_alone: bool


def _choices(model: SchemaModel, leaf: _Leaf) -> list[_Choice]:
    if isinstance(leaf.particle, Wildcard):
        return []
    found = model.choices_for(leaf.particle.element)
    return [_Choice(element=element, leaf=leaf, is_alone=len(found) == 1) for element in found]


def _needs_order(leaves: list[_Leaf], choices: list[_Choice]) -> bool:
    """Whether an object with members would lose in which order the elements stood."""
    shared = Counter(group for leaf in leaves for group in leaf.groups)
    return (
        any(count > 1 for count in shared.values())
        or any(count > 1 for count in Counter(choice.element.name for choice in choices).values())
        or any(choice.leaf.is_repeated and not choice.is_alone for choice in choices)
        or sum(isinstance(leaf.particle, Wildcard) for leaf in leaves) > 1
    )


def _members(choices: list[_Choice]) -> tuple[Member, ...]:
    """A member for each element; where two share a local name, both are written with their namespaces."""
    found: dict[str, _Choice] = {}
    for choice in choices:
        found.setdefault(choice.element.name, choice)
    count = Counter(local_name(name) for name in found)
    return tuple(
        Member(
            name=local_name(name) if count[local_name(name)] == 1 else name,
            element=choice.element,
            place=choice.leaf.place,
            is_array=choice.leaf.is_repeated,
            is_required=choice.leaf.is_required and choice.is_alone,
        )
        for name, choice in found.items()
    )


def _attributes(model: SchemaModel, kind: ComplexType) -> Iterator[Attribute]:
    count = Counter(local_name(declared.name) for declared in kind.attributes)
    for declared in kind.attributes:
        local = local_name(declared.name)
        simple = model.types[declared.type]
        name = f"@{local if count[local] == 1 else declared.name}"
        value = plan_value(simple, model.types) if isinstance(simple, SimpleType) else _plain_text(model)
        yield Attribute(name=name, declared=declared, value=value)


def _plain_text(model: SchemaModel) -> ValuePlan:
    """For an attribute whose type is declared nowhere."""
    anything = model.types[ANY_SIMPLE_TYPE]
    if not isinstance(anything, SimpleType):
        raise TypeError("xs:anySimpleType is a simple type")
    return plan_value(anything, model.types)
