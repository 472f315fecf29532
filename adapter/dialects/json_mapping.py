"""A service's operations in JSON: which element each takes and gives, and the plans of their types."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapter.dialects.json_plan import PlanBook
from adapter.dialects.json_text import shown
from adapter.dialects.json_unknown import nearest
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.schema_model import ANY_TYPE, ElementDeclaration, local_name
from adapter.envelope.schema_model_read import schema_model
from adapter.errors import Problem, UnknownOperation


@dataclass(frozen=True, kw_only=True, slots=True)
class JsonMapping:
    """Made by mapping_of only. unchecked: Body elements that are passed through, written as XML.

    operations: by the names that they have in JSON, in the order of the WSDL.
    """

    operations: Mapping[str, Operation]
    unchecked: frozenset[str]
    book: PlanBook

    def operation(self, name: str) -> Operation:
        """The operation of this name in JSON. Raises UnknownOperation with the nearest."""
        if name in self.operations:
            return self.operations[name]
        text = f'There is no operation "{shown(name)}"; {nearest(name, list(self.operations))}'
        problem = Problem(line=0, column=0, element="", rule="json.operation", text=text)
        raise UnknownOperation("the address names no operation of the service", problems=(problem,))

    def headers(self, operation: Operation, *, in_output: bool) -> dict[str, str]:
        """The headers that go along with the Body: the member's name, and the element's."""
        tags = list(operation.carried_headers(in_output=in_output))
        count = Counter(map(local_name, tags))
        return {local_name(tag) if count[local_name(tag)] == 1 else tag: tag for tag in tags}

    def declaration(self, tag: str) -> ElementDeclaration:
        """How a Body element is declared; as anything where no schema says it."""
        if tag not in self.unchecked:
            try:
                return self.book.model.body(tag)
            except KeyError:
                pass
        return ElementDeclaration(name=tag, type=ANY_TYPE)


def names_of(operations: tuple[Operation, ...]) -> dict[str, Operation]:
    """Each operation by its name in JSON, where the address alone has to say which is meant.

    Of those that share a name (WSDL 1.1, 2.4.5) the first has it; each other one that takes another element has the
    name, a dot, and the local name of that element. What neither name nor element tells apart is one operation here, as
    it is for a SOAP client.
    """
    found: dict[str, Operation] = {}
    known: set[tuple[str, str]] = set()
    declared = {operation.name for operation in operations}
    for operation in operations:
        if (operation.name, operation.input_element) in known:
            continue
        known.add((operation.name, operation.input_element))
        name, number = operation.name, 1
        while name in found or (name in declared and name != operation.name):
            suffix = "" if number == 1 else f".{number}"
            name, number = f"{operation.name}.{local_name(operation.input_element)}{suffix}", number + 1
        found[name] = operation
    return found


_mappings: Final[dict[int, JsonMapping]] = {}


def mapping_of(description: ServiceDescription) -> JsonMapping:
    """The mapping of a description; made at the first call, with its schema model, and kept as long as it is."""
    found = _mappings.get(id(description))
    if found is None:
        found = JsonMapping(
            operations=names_of(description.operations),
            unchecked=description.unchecked,
            book=PlanBook(schema_model(description)),
        )
        _mappings[id(description)] = found
        weakref.finalize(description, _mappings.pop, id(description), None)
    return found
