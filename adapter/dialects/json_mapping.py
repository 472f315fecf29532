"""A service's operations in JSON: which element each takes and gives, and the plans of their types."""

from __future__ import annotations

import weakref
from collections import Counter
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
    """Made by mapping_of only. unchecked: Body elements that are passed through, written as XML."""

    operations: tuple[Operation, ...]
    unchecked: frozenset[str]
    book: PlanBook

    def operation(self, name: str) -> Operation:
        """The operation of this name; of an overloaded one the first. Raises UnknownOperation with the nearest."""
        for operation in self.operations:
            if operation.name == name:
                return operation
        text = f'There is no operation "{shown(name)}"; {nearest(name, [each.name for each in self.operations])}'
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


_mappings: Final[dict[int, JsonMapping]] = {}


def mapping_of(description: ServiceDescription) -> JsonMapping:
    """The mapping of a description; made at the first call, with its schema model, and kept as long as it is."""
    found = _mappings.get(id(description))
    if found is None:
        found = JsonMapping(
            operations=description.operations,
            unchecked=description.unchecked,
            book=PlanBook(schema_model(description)),
        )
        _mappings[id(description)] = found
        weakref.finalize(description, _mappings.pop, id(description), None)
    return found
