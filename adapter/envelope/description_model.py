"""What a service description says, as values. Made by envelope.description only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adapter.envelope.description_operations import BodyPart, HeaderPart, Operation, Port, QName, Style
from adapter.envelope.schema_compile import CompiledSchema
from adapter.errors import UnknownOperation

__all__ = ["BodyPart", "HeaderPart", "Operation", "Port", "QName", "ServiceDescription", "Style"]


ACTION_PREFIX: Final = "urn:interagency-adapter:operation:"


@dataclass(frozen=True, kw_only=True, slots=True, weakref_slot=True)
class ServiceDescription:
    """A WSDL 1.1 description with its schemas, read offline.

    documents: every reachable document, byte for byte, by its path below the folder; entry names the WSDL to begin
    with. locations: (document, location as written in it) to the name of the document that it means.
    ports: all SOAP ports; for each port type the first SOAP 1.1 port (else the first) is in use, and operations are
    those of the ports in use. schema is None when nothing in the description can be checked (rpc/encoded with schemas
    that are not to be had). unchecked: Body elements of operations that are passed through without a type check.
    notes: in words, what is not understood or not checked. names_in_values: a message may have a prefix in a value
    (xs:QName, content of any kind, SOAP encoding), so declarations that no name uses have to be kept.
    has_encoded_operations: a Body may be SOAP-encoded and have several elements.
    """

    entry: str
    documents: Mapping[str, bytes]
    locations: Mapping[tuple[str, str], str]
    ports: tuple[Port, ...]
    operations: tuple[Operation, ...]
    schema: CompiledSchema | None
    unchecked: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    names_in_values: bool = False
    has_encoded_operations: bool = False
    by_input: Mapping[str, tuple[Operation, ...]] = field(default_factory=dict)
    by_name: Mapping[str, Operation] = field(default_factory=dict)

    def operation_for(self, payload: str, soap_action: str = "") -> Operation:
        """The operation whose request has this Body element (`{namespace}local`).

        soap_action decides where several operations share one element. Raises UnknownOperation.
        """
        found = self.by_input.get(payload, ())
        if not found:
            raise UnknownOperation("no operation has this element as its request")
        if len({(operation.name, operation.output_element) for operation in found}) == 1:
            return found[0]
        for operation in found:
            if soap_action and self.action_of(operation) == soap_action:
                return operation
        raise UnknownOperation(f"{len(found)} operations share this element; the SOAPAction must name one of them")

    def action_of(self, operation: Operation) -> str:
        """The SOAPAction by which client systems name an operation: what its system wants, if that is clear.

        Where operations share their element and their systems are told apart by address only, it is one of ours.
        """
        others = [other for other in self.by_input[operation.input_element] if other.name != operation.name]
        if not others or (operation.soap_action and operation.soap_action not in {one.soap_action for one in others}):
            return operation.soap_action
        return f"{ACTION_PREFIX}{operation.name}"

    def own_actions(self) -> dict[str, str]:
        """The operations that client systems name by a SOAPAction of ours, by name."""
        actions = {operation.name: self.action_of(operation) for operation in self.operations}
        return {name: action for name, action in actions.items() if action.startswith(ACTION_PREFIX)}

    def operation(self, name: str, payload: str | None = None) -> Operation:
        """The operation of this name; of an overloaded one the first, or the one whose request is this element.

        payload: `{namespace}local` of the Body's element in the request. Raises UnknownOperation.
        """
        if name not in self.by_name:
            raise UnknownOperation("the service description has no operation of this name")
        if payload is None:
            return self.by_name[name]
        for operation in self.by_input.get(payload, ()):
            if operation.name == name:
                return operation
        raise UnknownOperation("the Body is not the element of the operation that is named")
