"""What the schemas of a service description declare, as plain values: the one model that everything else walks.

A sample, a JSON form, an OpenAPI page, a comparison of two versions and a choice of fields all ask the same questions:
what may stand here, how often, of which type. They ask this model, never the XSD:

    model = schema_model(description)                     # adapter.envelope.schema_model_read; made once, then kept
    body = model.body(operation.input_element)            # an ElementDeclaration, rpc wrappers included
    kind = model.type_of(body)                            # a SimpleType or a ComplexType
    for particle in model.children(kind): ...             # Occurrence, Group or Wildcard, each with its occurs bounds
    for field in fields(model, body.name): ...            # every path below the body, recursion bounded

Everything is referred to by name, so a recursive schema is a finite model: a declaration names its type, and
`model.types` has every type, the anonymous ones under made-up names that begin with `#` (`{urn:x}#Person/Address`).
What XML Schema derives is worked out already: a type's content, attributes and facets are the effective ones, with
those of its base; groups and attribute groups are written out; `substitutes` and `derived` list what may stand for an
element or a type. The model describes; whether a document is valid is decided by the compiled schema alone
(`schema.check_payload`). Not modelled: identity constraints, `block`, `final`, notations.

The XSD comes from another organisation: texts in the model (names, patterns, documentation) are untrusted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from adapter.envelope import names

ANY_TYPE: Final = names.qname(names.XSD, "anyType")
ANY_SIMPLE_TYPE: Final = names.qname(names.XSD, "anySimpleType")
MAX_FIELD_DEPTH: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurs:
    """How often a particle may stand in its place; maximum is None where there is no bound."""

    minimum: int = 1
    maximum: int | None = 1

    @property
    def is_repeated(self) -> bool:
        """More than one is possible."""
        return self.maximum is None or self.maximum > 1

    @property
    def is_optional(self) -> bool:
        """None at all is possible."""
        return self.minimum == 0


class Variety(Enum):
    """What a simple type's value is (XML Schema 1.0, Part 2, 2.5.1)."""

    ATOMIC = "atomic"
    LIST = "list"
    UNION = "union"


class Compositor(Enum):
    """How the members of a group stand together (XML Schema 1.0, Part 1, 3.8)."""

    SEQUENCE = "sequence"
    CHOICE = "choice"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facets:
    """The effective facets of a simple type, those of its bases included; bounds as written in the schema.

    patterns: all of the outer ones must match, each by any of its inner ones, in the regular expressions of XML Schema.
    enumeration is None where every value of the base is allowed. white_space: preserve, replace or collapse.
    """

    enumeration: tuple[str, ...] | None = None
    patterns: tuple[tuple[str, ...], ...] = ()
    length: int | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_inclusive: str | None = None
    max_inclusive: str | None = None
    min_exclusive: str | None = None
    max_exclusive: str | None = None
    total_digits: int | None = None
    fraction_digits: int | None = None
    white_space: str = "preserve"


@dataclass(frozen=True, kw_only=True, slots=True)
class SimpleType:
    """A simple type. builtin: the nearest type of XML Schema itself, by local name (`token`, `unsignedInt`).

    primitive: the type that it comes from in the end (`string`, `decimal`, `dateTime` …; `anySimpleType` for a list, a
    union and itself). item: of a list; members: of a union; both are names of types.
    """

    name: str
    base: str | None
    builtin: str
    primitive: str
    variety: Variety = Variety.ATOMIC
    item: str | None = None
    members: tuple[str, ...] = ()
    facets: Facets = Facets()
    documentation: str = ""

    @property
    def is_anonymous(self) -> bool:
        """It has no name in the schema."""
        return is_made_up(self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wildcard:
    """`xs:any` or `xs:anyAttribute`. namespaces: as written (`##any`, `##other`, or a list of namespaces).

    target: the namespace of the schema in which it stands. process: strict, lax or skip.
    occurs has no meaning for attributes.
    """

    namespaces: str
    process: str
    target: str
    occurs: Occurs = Occurs()

    def admits(self, namespace: str) -> bool:
        """Whether an element or attribute of this namespace (empty: of none) may stand here."""
        if self.namespaces == "##any":
            return True
        if self.namespaces == "##other":
            return namespace not in ("", self.target)
        listed = {{"##targetNamespace": self.target, "##local": ""}.get(uri, uri) for uri in self.namespaces.split()}
        return namespace in listed


@dataclass(frozen=True, kw_only=True, slots=True)
class ElementDeclaration:
    """An element. name: as it stands in a document, `{namespace}local` or `local`. type: a key of `model.types`.

    is_global: declared at the top, so that others may be substitutes for it (`model.substitutes`).
    """

    name: str
    type: str
    nillable: bool = False
    abstract: bool = False
    is_global: bool = False
    default: str | None = None
    fixed: str | None = None
    head: str | None = None
    documentation: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttributeDeclaration:
    """An attribute of a type, or a global one. name: as it stands in a document."""

    name: str
    type: str
    required: bool = False
    default: str | None = None
    fixed: str | None = None
    array_type: str | None = None
    """`wsdl:arrayType` of an rpc/encoded array: the name of the items' type with `[]` behind it (WSDL 1.1, 2.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """An element in its place in a content model."""

    element: ElementDeclaration
    occurs: Occurs = Occurs()


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Particles that stand together: a sequence, a choice or an all."""

    compositor: Compositor
    members: tuple[Particle, ...]
    occurs: Occurs = Occurs()


Particle = Occurrence | Group | Wildcard


@dataclass(frozen=True, kw_only=True, slots=True)
class ComplexType:
    """A complex type with what it inherits.

    content: None for empty and for simple content. simple_content: the type of the text where it is a value.
    derivation: extension or restriction (of `base`), empty for a type that names no base.
    attributes: prohibited ones are left out. any_attribute: the wildcard for further ones.
    """

    name: str
    base: str = ANY_TYPE
    derivation: str = ""
    abstract: bool = False
    mixed: bool = False
    content: Group | None = None
    simple_content: str | None = None
    attributes: tuple[AttributeDeclaration, ...] = ()
    any_attribute: Wildcard | None = None
    documentation: str = ""

    @property
    def is_anonymous(self) -> bool:
        """It has no name in the schema."""
        return is_made_up(self.name)


Type = SimpleType | ComplexType


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaModel:
    """Every global component of the schemas of one description. Made by schema_model_read only.

    elements, attributes, types: by `{namespace}local`; types holds built-in and anonymous ones too.
    wrappers: the Body elements of rpc operations, which no schema declares (WSDL 1.1, 3.5), made from their parts.
    substitutes: head to all elements that may stand for it, abstract ones included, itself not.
    derived: type to all types that come from it, over any number of steps, abstract ones included.
    missing: types and elements that are referred to and declared nowhere; they are taken for `xs:anyType`.
    """

    elements: Mapping[str, ElementDeclaration]
    attributes: Mapping[str, AttributeDeclaration]
    types: Mapping[str, Type]
    wrappers: Mapping[str, ElementDeclaration] = field(default_factory=dict)
    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    def body(self, name: str) -> ElementDeclaration:
        """The declaration of a Body, header or fault element; KeyError if there is none."""
        return self.wrappers.get(name) or self.elements[name]

    def type_of(self, declared: ElementDeclaration | AttributeDeclaration) -> Type:
        """The declared type of an element or attribute."""
        return self.types[declared.type]

    def children(self, kind: Type) -> tuple[Particle, ...]:
        """The top particle of a type's content, in a tuple; empty where no element may stand."""
        return (kind.content,) if isinstance(kind, ComplexType) and kind.content is not None else ()

    def value_type(self, kind: Type) -> SimpleType | None:
        """The type of the text: of a simple type itself, or of a complex type's simple content; else None."""
        if isinstance(kind, SimpleType):
            return kind
        found = self.types[kind.simple_content] if kind.simple_content is not None else None
        return found if isinstance(found, SimpleType) else None

    def choices_for(self, element: ElementDeclaration) -> tuple[ElementDeclaration, ...]:
        """The elements that may stand where this one is asked for: itself and its substitutes, none abstract."""
        substitutes = self.substitutes.get(element.name, ()) if element.is_global else ()
        found = (element, *(self.elements[name] for name in substitutes))
        return tuple(each for each in found if not each.abstract)

    def types_for(self, name: str) -> tuple[Type, ...]:
        """The types that an element of this type may have (by `xsi:type`), itself first, none abstract."""
        found = (self.types[each] for each in (name, *self.derived.get(name, ())))
        return tuple(each for each in found if isinstance(each, SimpleType) or not each.abstract)


def is_made_up(name: str) -> bool:
    """Whether a type's name is ours, because the schema gives it none."""
    return local_name(name).startswith("#")


def local_name(name: str) -> str:
    """The local part of `{namespace}local`."""
    return name.rpartition("}")[2]


def namespace_of(name: str) -> str:
    """The namespace of `{namespace}local`; empty without one."""
    return name[1:].rpartition("}")[0] if name.startswith("{") else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What the groups around an element, and its own bounds, say of it.

    in_choice: one of several, so that its absence can mean that another stands there.
    """

    repeated: bool = False
    optional: bool = False
    in_choice: bool = False

    def within(self, occurs: Occurs, *, is_choice: bool = False) -> Place:
        """The place of what stands this often in here."""
        return Place(
            repeated=self.repeated or occurs.is_repeated,
            optional=self.optional or occurs.is_optional or is_choice,
            in_choice=self.in_choice or is_choice,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A place in a document where something may stand: an element, or an attribute of one.

    path: the names from the body's child down, the body left out; of an attribute the last one is the attribute's.
    recursive: it is of a type that it lies in already; what is below it is not listed again.
    """

    path: tuple[str, ...]
    declaration: ElementDeclaration | AttributeDeclaration
    place: Place
    is_attribute: bool = False
    recursive: bool = False


def fields(model: SchemaModel, element: str) -> Iterator[Field]:
    """Every element and attribute below a body, in the order of the schema; declared types, no wildcards.

    Types that only `xsi:type` or a substitution brings in are not entered. Depth is bounded by MAX_FIELD_DEPTH; a
    schema that is wide and deep has very many fields, so take them as they come. KeyError if there is no such body.
    """
    declared = model.body(element)
    yield from _fields_of(model, declared.type, (), (declared.type,))


def _fields_of(model: SchemaModel, type_name: str, path: tuple[str, ...], above: tuple[str, ...]) -> Iterator[Field]:
    kind = model.types[type_name]
    if not isinstance(kind, ComplexType) or len(path) >= MAX_FIELD_DEPTH:
        return
    for attribute in kind.attributes:
        place = Place(optional=not attribute.required)
        yield Field(path=(*path, attribute.name), declaration=attribute, place=place, is_attribute=True)
    seen: set[str] = set()
    for element, place in elements_in(kind):
        if element.name in seen:
            continue
        seen.add(element.name)
        here = (*path, element.name)
        recursive = element.type in above and isinstance(model.types[element.type], ComplexType)
        yield Field(path=here, declaration=element, place=place, recursive=recursive)
        if not recursive:
            yield from _fields_of(model, element.type, here, (*above, element.type))


def elements_in(kind: Type) -> Iterator[tuple[ElementDeclaration, Place]]:
    """Every element of a type's content, however deep in groups, in the order of the schema."""
    if isinstance(kind, ComplexType) and kind.content is not None:
        yield from _elements_in(kind.content, Place())


def _elements_in(group: Group, above: Place) -> Iterator[tuple[ElementDeclaration, Place]]:
    is_choice = group.compositor is Compositor.CHOICE and len(group.members) > 1
    around = above.within(group.occurs, is_choice=is_choice)
    for member in group.members:
        if isinstance(member, Occurrence):
            yield member.element, around.within(member.occurs)
        elif isinstance(member, Group):
            yield from _elements_in(member, around)
