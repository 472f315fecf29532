"""A service description in words: what was understood of it, and what the adapter cannot check."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from adapter.cli.output import JsonValue, counted, doubtful, facts_of, table_of
from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.description_operations import is_carried


def words_of(description: ServiceDescription) -> Iterator[RenderableType]:
    """For a person: documents, ports, operations, and what is not checked."""
    addresses = [f"{port.address or 'no address'} (SOAP {port.soap_version.value})" for port in description.ports]
    yield facts_of(
        [
            ("WSDL", f"{description.entry}, {counted(len(description.documents), 'document')} in all"),
            ("Ports", "\n".join(dict.fromkeys(addresses))),
        ]
    )
    yield Text()
    yield table_of(
        ("Operation", "Request", "Reply", "Style", "Checked against the schema"),
        [
            (
                operation.name,
                local_name(operation.input_element),
                "none (one-way)" if operation.output_element is None else local_name(operation.output_element),
                operation.style.value,
                "yes" if operation.type_checked else doubtful("no: passed through as it is"),
            )
            for operation in description.operations
        ],
    )
    yield from _told_apart(description)
    headers = list(_headers(description))
    if headers:
        yield Text("\nHeaders of the service's own:", style="bold")
        yield from (Text(f"  - {line}") for line in headers)
    if description.notes:
        yield Text("\nNot understood or not checked:", style="bold")
        for note in description.notes:
            yield doubtful(f"  - {note}")


def _told_apart(description: ServiceDescription) -> Iterator[RenderableType]:
    """What has to be known of a service whose operations listen at several addresses."""
    addresses = {port.address: [one.name for one in port.operations] for port in description.ports if port.service}
    if len(addresses) > 1 and len({tuple(names) for names in addresses.values()}) > 1:
        yield doubtful("\nOperations at several addresses; all go to one, unless [soap.addresses] names others:")
        for address, names in addresses.items():
            yield Text(f"  - {address or 'no address'}: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")
    for name, action in description.own_actions().items():
        yield doubtful(
            f"\nOperation {name} shares its element with another: client systems name it by SOAPAction {action}"
        )


def _headers(description: ServiceDescription) -> Iterator[str]:
    """What becomes of the headers that the bindings declare, each once."""
    parts = {
        (part.element or part.name, part.in_output): part for one in description.operations for part in one.headers
    }
    for in_output, message in ((False, "requests"), (True, "replies")):
        of_these = [part for (_, is_reply), part in parts.items() if is_reply is in_output]
        carried = [local_name(part.element) for part in of_these if part.element and is_carried(part.element)]
        ending = [
            local_name(part.element or part.name)
            for part in of_these
            if not part.element or not is_carried(part.element)
        ]
        if carried:
            yield f"of {message}, go along with the Body, signed and encrypted like it: {', '.join(carried)}"
        if ending:
            yield f"of {message}, end at the adapter, whose envelope says it itself: {', '.join(ending)}"


def json_of(description: ServiceDescription) -> JsonValue:
    """The same for a script."""
    return {
        "wsdl": description.entry,
        "documents": sorted(description.documents),
        "ports": [
            {"name": port.name, "address": port.address, "soap": port.soap_version.value} for port in description.ports
        ],
        "operations": [_operation(operation) for operation in description.operations],
        "not_checked": sorted(description.unchecked),
        "notes": list(description.notes),
    }


def _operation(operation: Operation) -> JsonValue:
    return {
        "name": operation.name,
        "soap_action": operation.soap_action,
        "style": operation.style.value,
        "request": operation.input_element,
        "reply": operation.output_element,
        "faults": list(operation.faults),
        "type_checked": operation.type_checked,
        "headers": [
            {
                "name": header.element or header.name,
                "message": "reply" if header.in_output else "request",
                "goes_along": header.element is not None and is_carried(header.element),
            }
            for header in operation.headers
        ],
    }


def local_name(qualified: str) -> str:
    """The local part of `{namespace}local`."""
    return qualified.rpartition("}")[2]
