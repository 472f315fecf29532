"""The XPath expressions of the settings against the contracts: one that can find nothing is found out beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.schema_xpath import why_nothing
from adapter.errors import UnknownOperation
from adapter.identifiers import ServiceId
from adapter.settings import ClientSettings, ServiceSettings
from adapter.settings.toml_positions import KeyPath
from adapter.settings.toml_reading import mistakes_in

_CONTEXT_KEYS: Final = ("official_xpath", "subject_xpath", "consent_xpath", "issue_xpath")


def check_expressions(file: Path, settings: ServiceSettings, description: ServiceDescription) -> None:
    """The expressions of a service.toml. Raises SettingsInvalid with file, line, key and the nearest valid step."""
    found: list[tuple[KeyPath, str]] = []
    said = _why_nothing(description, description.operations, settings.subject_xpath, settings.namespaces)
    if said:
        found.append((("subject_xpath",), said))
    for name, query in (settings.sql.operation if settings.sql else {}).items():
        for place, parameters in (
            ((), query.parameters),
            *((("list", path), listed.parameters) for path, listed in query.list.items()),
        ):
            for parameter, expression in parameters.items():
                said = _why_nothing(description, _named(description, name), expression, settings.namespaces)
                if said:
                    found.append((("sql", "operation", name, *place, "parameters", parameter), said))
    if found:
        raise mistakes_in(file, found)


def blind_expressions(
    client: ClientSettings, services: Mapping[ServiceId, ServiceDescription]
) -> Iterator[tuple[str, dict[ServiceId, str]]]:
    """Of a [client.context]: (key, why it finds nothing, by service), for each expression that is blind somewhere.

    services: those that the client may call, with their descriptions.
    """
    for key in _CONTEXT_KEYS:
        expression = getattr(client.context, key)
        said = {
            service: _why_nothing(description, description.operations, expression, client.context.namespaces)
            for service, description in services.items()
        }
        blind = {service: why for service, why in said.items() if why is not None}
        if blind:
            yield key, blind


def _named(description: ServiceDescription, operation: str) -> Sequence[Operation]:
    """The operation, or none: that it is unknown is said where the backend is made."""
    try:
        return (description.operation(operation),)
    except UnknownOperation:
        return ()


def _why_nothing(
    description: ServiceDescription,
    operations: Sequence[Operation],
    expression: str | None,
    namespaces: Mapping[str, str],
) -> str | None:
    """None when the expression can find something in a request of one of the operations, or when nobody can tell."""
    if expression is None or description.schema is None:
        return None
    model = schema_model(description)
    said = [
        None if not operation.type_checked else why_nothing(model, operation.input_element, expression, namespaces)
        for operation in operations
    ]
    return f"finds nothing in any valid request: {said[0]}" if said and None not in said else None
