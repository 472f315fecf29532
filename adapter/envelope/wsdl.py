"""WSDL 1.1 (W3C Note, 2001) read into values: ports, bindings and operations, from documents that are there already.

What a description says wrongly about headers or unused parts is noted in words, not refused: the systems behind such
descriptions are in use. What the Body of an operation is must be clear, or the operation is left out, with a note.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lxml import etree

from adapter.envelope.description_documents import WSDL_DEFINITIONS, DocumentSet
from adapter.envelope.description_operations import Port, QName
from adapter.envelope.wsdl_binding import BindingReader
from adapter.envelope.wsdl_elements import SOAP_VERSIONS, local_name, namespace_of, qualified, resolve, soap_child, wsdl


@dataclass(frozen=True, kw_only=True, slots=True)
class Definitions:
    """The top-level parts of all WSDL documents together, by qualified name."""

    messages: dict[str, etree._Element] = field(default_factory=dict)
    port_types: dict[str, etree._Element] = field(default_factory=dict)
    bindings: dict[str, etree._Element] = field(default_factory=dict)
    services: dict[str, etree._Element] = field(default_factory=dict)


def collect_definitions(documents: DocumentSet) -> Definitions:
    """Index messages, port types, bindings and services of every reachable WSDL document."""
    found = Definitions()
    tables = {
        wsdl("message"): found.messages,
        wsdl("portType"): found.port_types,
        wsdl("binding"): found.bindings,
        wsdl("service"): found.services,
    }
    for root in documents.roots.values():
        if root.tag != WSDL_DEFINITIONS:
            continue
        for child in root.iterchildren(*tables):
            tables[str(child.tag)].setdefault(qualified(root.get("targetNamespace", ""), child.get("name", "")), child)
    return found


def read_ports(definitions: Definitions, notes: list[str]) -> tuple[Port, ...]:
    """Every SOAP port with its operations; a SOAP binding that no service names becomes a port without an address."""
    ports = []
    named: set[str] = set()
    for service_name, service in definitions.services.items():
        for element in service.iterchildren(wsdl("port")):
            binding_name = resolve(element, element.get("binding", ""))
            named.add(binding_name)
            address = next(
                (child for child in element.iterchildren(etree.Element) if namespace_of(child) in SOAP_VERSIONS), None
            )
            where = address.get("location", "") if address is not None else ""
            ports += _port(
                definitions, binding_name, notes, name=element.get("name", ""), service=service_name, address=where
            )
    for binding_name in definitions.bindings:
        if binding_name not in named:
            ports += _port(definitions, binding_name, notes, name=local_name(binding_name), service="", address="")
    return tuple(ports)


def _port(
    definitions: Definitions, binding_name: str, notes: list[str], *, name: str, service: str, address: str
) -> list[Port]:
    binding = definitions.bindings.get(binding_name)
    if binding is None:
        notes.append(f"port {name}: its binding is not in the description")
        return []
    soap = soap_child(binding, "binding")
    if soap is None:
        return []  # an HTTP GET or MIME binding: not ours
    port_type_name = resolve(binding, binding.get("type", ""))
    port_type = definitions.port_types.get(port_type_name)
    if port_type is None:
        notes.append(f"port {name}: its port type is not in the description")
        return []
    operations = tuple(BindingReader(definitions.messages, binding, soap, port_type, notes).operations())
    return [
        Port(
            name=name,
            service=local_name(service),
            binding=QName(binding_name),
            port_type=QName(port_type_name),
            soap_version=SOAP_VERSIONS[namespace_of(soap)],
            address=address,
            operations=operations,
        )
    ]
