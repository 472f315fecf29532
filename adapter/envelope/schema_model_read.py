"""The schema model of a service description: the only maker of SchemaModel."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from adapter.envelope import names
from adapter.envelope.description_documents import DocumentSet
from adapter.envelope.description_model import BodyPart, ServiceDescription, Style
from adapter.envelope.description_octets import read_document
from adapter.envelope.schema_components import find_components
from adapter.envelope.schema_content import ContentReader
from adapter.envelope.schema_model import (
    ANY_TYPE,
    ComplexType,
    Compositor,
    ElementDeclaration,
    Group,
    Occurrence,
    SchemaModel,
    Type,
    local_name,
    namespace_of,
)
from adapter.envelope.schema_types import TypeTable

_models: Final[dict[int, SchemaModel]] = {}


def schema_model(description: ServiceDescription) -> SchemaModel:
    """The model of a description's schemas; read at the first call and kept as long as the description is.

    Some milliseconds for an ordinary schema, half a second for a huge one: not for the path of a message. The documents
    were read before, so nothing is raised here: what is declared nowhere is in `missing`.
    """
    found = _models.get(id(description))
    if found is None:
        found = _models[id(description)] = read_schema_model(description)
        weakref.finalize(description, _models.pop, id(description), None)
    return found


def read_schema_model(description: ServiceDescription) -> SchemaModel:
    """The same, read anew."""
    documents = DocumentSet(
        entry=description.entry,
        documents=description.documents,
        roots={name: read_document(octets, name) for name, octets in description.documents.items()},
        locations=description.locations,
        missing=(),
    )
    components = find_components(documents)
    table = TypeTable(components)
    reader = ContentReader(table)
    elements = {name: reader.element(name) for space, name in components if space == "element"}
    attributes = {name: reader.attribute(name) for space, name in components if space == "attribute"}
    wrappers = {element.name: element for element in _wrappers(description, table)}
    while waiting := table.waiting:
        for name in waiting:
            reader.type(name)
    return SchemaModel(
        elements=elements,
        attributes=attributes,
        types=table.types,
        wrappers=wrappers,
        substitutes=_below({name: element.head for name, element in elements.items()}),
        derived=_below({name: _base(kind) for name, kind in table.types.items()}),
        missing=frozenset(table.missing),
    )


def _wrappers(description: ServiceDescription, table: TypeTable) -> Iterator[ElementDeclaration]:
    """The Body elements of the rpc operations; their types are entered in the table.

    WS-I Basic Profile 1.1, 4.7: named like the operation, the parts its children, unqualified, in the message's order.
    """
    for operation in description.operations:
        if operation.style not in (Style.RPC_LITERAL, Style.RPC_ENCODED):
            continue
        bodies = ((operation.input_element, operation.input_parts), (operation.output_element, operation.output_parts))
        for name, parts in bodies:
            if name is None:
                continue
            made_up = f"#rpc/{local_name(name)}"
            kind = names.qname(namespace_of(name), made_up) if namespace_of(name) else made_up
            table.types[kind] = ComplexType(
                name=kind,
                content=Group(
                    compositor=Compositor.SEQUENCE, members=tuple(_occurrence(part, table) for part in parts)
                ),
            )
            yield ElementDeclaration(name=name, type=kind)


def _occurrence(part: BodyPart, table: TypeTable) -> Occurrence:
    is_typed = part.type is not None and table.is_known(part.type)
    return Occurrence(element=ElementDeclaration(name=part.name, type=(is_typed and part.type) or ANY_TYPE))


def _base(kind: Type) -> str | None:
    """What a type is derived from, if it says so."""
    if isinstance(kind, ComplexType):
        return kind.base if kind.derivation else None
    return kind.base


def _below(above: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    """For each name all those that lead to it, over any number of steps, in the order of the schema."""
    found: dict[str, list[str]] = {}
    for name in above:
        for each in _chain(above, name):
            found.setdefault(each, []).append(name)
    return {name: tuple(below) for name, below in found.items()}


def _chain(above: Mapping[str, str | None], name: str) -> Iterable[str]:
    """The names above a name; a circle is left where it closes."""
    seen = {name}
    step = above.get(name)
    while step is not None and step not in seen:
        seen.add(step)
        yield step
        step = above.get(step)
