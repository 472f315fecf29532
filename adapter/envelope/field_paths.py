"""The fields of a service's answers by their paths, and what the schema says of the place that a path means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from adapter.envelope.description_model import Operation, ServiceDescription
from adapter.envelope.schema_model import (
    AttributeDeclaration,
    ComplexType,
    ElementDeclaration,
    SchemaModel,
    Type,
    elements_in,
    fields,
    local_name,
    namespace_of,
)
from adapter.envelope.schema_model_read import schema_model
from adapter.released_fields import EVERYTHING, KNOWN_PREFIXES

Declaration = ElementDeclaration | AttributeDeclaration


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerField:
    """One field of an answer, to choose from. path: as a rule names it; steps: the same as `{namespace}local`.

    type: the local name of its type, of an anonymous one that of its base. required: the schema wants it wherever its
    parent stands. has_content: it has a value or text of its own; else it is only what others lie in.
    """

    path: str
    steps: tuple[str, ...]
    type: str
    required: bool
    repeated: bool
    in_choice: bool
    nillable: bool
    has_content: bool
    recursive: bool


class Prefixes:
    """Prefixes for the namespaces of a description: the given ones, and `n1`, `n2` … for those without."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """given: prefix to namespace name."""
        self._by_uri = {uri: prefix for prefix, uri in (*given.items(), *KNOWN_PREFIXES.items())}

    def spelled(self, name: str) -> str:
        """`prefix:local` of a `{namespace}local`, `@` in front of an attribute's."""
        mark, bare = ("@", name[1:]) if name.startswith("@") else ("", name)
        uri = namespace_of(bare)
        if not uri:
            return mark + bare
        if uri not in self._by_uri:
            taken = set(self._by_uri.values())
            self._by_uri[uri] = next(f"n{at}" for at in range(1, len(taken) + 2) if f"n{at}" not in taken)
        return f"{mark}{self._by_uri[uri]}:{local_name(bare)}"

    def path(self, steps: tuple[str, ...]) -> str:
        """The path as a rule writes it."""
        return "/".join(step if step == EVERYTHING else self.spelled(step) for step in steps)

    def table(self, paths: Iterator[str] | tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Those prefixes that the paths use."""
        used = {step.lstrip("@").partition(":")[0] for path in paths for step in path.split("/") if ":" in step}
        found = {prefix: uri for uri, prefix in self._by_uri.items()}
        return tuple(sorted((prefix, found[prefix]) for prefix in used - KNOWN_PREFIXES.keys()))


def answer_elements(description: ServiceDescription, operation: Operation) -> tuple[str, ...]:
    """The elements that an answer of this operation may begin with: its Body's and those of its declared headers."""
    if operation.output_element is None or not operation.type_checked:
        return ()
    model = schema_model(description)
    headers = (name for name in operation.carried_headers(in_output=True) if name in model.elements)
    return (operation.output_element, *headers)


def answer_fields(description: ServiceDescription, operation: Operation, prefixes: Prefixes) -> Iterator[AnswerField]:
    """Every field of an operation's answer, in the order of the schema; recursion is listed once."""
    model = schema_model(description)
    for name in answer_elements(description, operation):
        root = model.body(name)
        yield _field((name,), root, model, prefixes)
        for found in fields(model, name):
            last = f"@{found.path[-1]}" if found.is_attribute else found.path[-1]
            yield _field(
                (name, *found.path[:-1], last),
                found.declaration,
                model,
                prefixes,
                required=not found.place.optional,
                repeated=found.place.repeated,
                in_choice=found.place.in_choice,
                recursive=found.recursive,
            )


def _field(
    steps: tuple[str, ...],
    declared: Declaration,
    model: SchemaModel,
    prefixes: Prefixes,
    *,
    required: bool = True,
    repeated: bool = False,
    in_choice: bool = False,
    recursive: bool = False,
) -> AnswerField:
    kind = model.types[declared.type]
    return AnswerField(
        path=prefixes.path(steps),
        steps=steps,
        type=_type_words(kind, model),
        required=required,
        repeated=repeated,
        in_choice=in_choice,
        nillable=isinstance(declared, ElementDeclaration) and declared.nillable,
        has_content=has_text(kind),
        recursive=recursive,
    )


def _type_words(kind: Type, model: SchemaModel) -> str:
    if not kind.is_anonymous:
        return local_name(kind.name)
    value = model.value_type(kind)
    return "" if value is None else value.builtin


def has_text(kind: Type) -> bool:
    """Whether text may stand in an element of this type that is more than white space between elements."""
    return not isinstance(kind, ComplexType) or kind.mixed or kind.simple_content is not None


def declaration_at(model: SchemaModel, steps: tuple[str, ...]) -> Declaration | None:
    """What the schema declares at the end of these steps; None where it declares nothing.

    Elements that substitution brings in, and content that `xsi:type` brings in, count as declared.
    """
    declared: Declaration | None = model.wrappers.get(steps[0]) or model.elements.get(steps[0])
    for step in steps[1:]:
        if not isinstance(declared, ElementDeclaration):
            return None
        declared = _below(model, declared, step)
    return declared


def _below(model: SchemaModel, declared: ElementDeclaration, step: str) -> Declaration | None:
    for kind in model.types_for(declared.type):
        if not isinstance(kind, ComplexType):
            continue
        if step.startswith("@"):
            attribute = next((one for one in kind.attributes if one.name == step[1:]), None)
            if attribute is not None:
                return attribute
            continue
        for element, _ in elements_in(kind):
            for choice in (element, *model.choices_for(element)):
                if choice.name == step:
                    return choice
    return None
