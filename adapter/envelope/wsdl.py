"""WSDL 1.1 (W3C Note, 2001) read into values: ports, bindings and operations, from documents that are there already.

What a description says wrongly about headers or unused parts is noted in words, not refused: the systems behind such
descriptions are in use. What the Body of an operation is must be clear, or the operation is left out, with a note.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_documents import WSDL_DEFINITIONS, DocumentSet
from adapter.envelope.description_model import HeaderPart, Operation, Port, QName, Style
from adapter.stages import SoapVersion

_SOAP_VERSIONS: Final = {names.WSDL_SOAP11: SoapVersion.SOAP11, names.WSDL_SOAP12: SoapVersion.SOAP12}


def _wsdl(local: str) -> str:
    return names.qname(names.WSDL, local)


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
        _wsdl("message"): found.messages,
        _wsdl("portType"): found.port_types,
        _wsdl("binding"): found.bindings,
        _wsdl("service"): found.services,
    }
    for root in documents.roots.values():
        if root.tag != WSDL_DEFINITIONS:
            continue
        for child in root.iterchildren(*tables):
            tables[str(child.tag)].setdefault(_in_target(root, child.get("name", "")), child)
    return found


def read_ports(definitions: Definitions, notes: list[str]) -> tuple[Port, ...]:
    """Every SOAP port with its operations; a SOAP binding that no service names becomes a port without an address."""
    ports = []
    named: set[str] = set()
    for service_name, service in definitions.services.items():
        for element in service.iterchildren(_wsdl("port")):
            binding_name = resolve(element, element.get("binding", ""))
            named.add(binding_name)
            address = next(
                (child for child in element.iterchildren(etree.Element) if _namespace(child) in _SOAP_VERSIONS), None
            )
            where = address.get("location", "") if address is not None else ""
            ports += _port(
                definitions, binding_name, notes, name=element.get("name", ""), service=service_name, address=where
            )
    for binding_name in definitions.bindings:
        if binding_name not in named:
            ports += _port(definitions, binding_name, notes, name=_local(binding_name), service="", address="")
    return tuple(ports)


def _port(
    definitions: Definitions, binding_name: str, notes: list[str], *, name: str, service: str, address: str
) -> list[Port]:
    binding = definitions.bindings.get(binding_name)
    if binding is None:
        notes.append(f"port {name}: its binding is not in the description")
        return []
    soap = _soap_child(binding, "binding")
    if soap is None:
        return []  # an HTTP GET or MIME binding: not ours
    port_type_name = resolve(binding, binding.get("type", ""))
    port_type = definitions.port_types.get(port_type_name)
    if port_type is None:
        notes.append(f"port {name}: its port type is not in the description")
        return []
    operations = tuple(_BindingReader(definitions, binding, soap, port_type, notes).operations())
    return [
        Port(
            name=name,
            service=_local(service),
            binding=QName(binding_name),
            port_type=QName(port_type_name),
            soap_version=_SOAP_VERSIONS[_namespace(soap)],
            address=address,
            operations=operations,
        )
    ]


@dataclass(frozen=True, slots=True)
class _BindingReader:
    definitions: Definitions
    binding: etree._Element
    soap: etree._Element
    port_type: etree._Element
    notes: list[str]

    def operations(self) -> Iterator[Operation]:
        for bound in self.binding.iterchildren(_wsdl("operation")):
            abstract = self._abstract(bound)
            if abstract is None:
                self.notes.append(f"operation {bound.get('name')}: bound, but not in the port type")
                continue
            operation = self._operation(bound, abstract)
            if operation is not None:
                yield operation

    def _abstract(self, bound: etree._Element) -> etree._Element | None:
        """The port type's operation; of overloaded ones the one whose input has the same name (WSDL 1.1, 2.5)."""
        name = bound.get("name", "")
        same = [found for found in self.port_type.iterchildren(_wsdl("operation")) if found.get("name") == name]
        if len(same) > 1:
            wanted = _input_name(bound, name)
            same = [found for found in same if _input_name(found, name) == wanted] or same
        return same[0] if same else None

    def _operation(self, bound: etree._Element, abstract: etree._Element) -> Operation | None:
        name = bound.get("name", "")
        soap = _soap_child(bound, "operation")
        kind = (soap.get("style") if soap is not None else None) or self.soap.get("style") or "document"
        input_element = self._body(bound, abstract, "input", kind, name)
        has_output = abstract.find(_wsdl("output")) is not None
        output_element = self._body(bound, abstract, "output", kind, name) if has_output else None
        if input_element is None or (has_output and output_element is None):
            self.notes.append(f"operation {name}: left out, because its Body has no element of its own")
            return None
        return Operation(
            name=name,
            soap_version=_SOAP_VERSIONS[_namespace(self.soap)],
            soap_action=(soap.get("soapAction", "") if soap is not None else ""),
            style=_style(bound, kind),
            input_element=input_element,
            output_element=output_element,
            faults=tuple(self._faults(abstract)),
            headers=tuple(self._headers(bound, name)),
        )

    def _body(
        self, bound: etree._Element, abstract: etree._Element, direction: str, kind: str, name: str
    ) -> QName | None:
        bound_part = bound.find(_wsdl(direction))
        abstract_part = abstract.find(_wsdl(direction))
        if abstract_part is None:
            return None
        body = None if bound_part is None else _soap_child(bound_part, "body", deep=True)
        if kind == "rpc":
            suffix = "Response" if direction == "output" else ""
            namespace = body.get("namespace", "") if body is not None else ""
            return _qualified(namespace, name + suffix)
        message_name = resolve(abstract_part, abstract_part.get("message", ""))
        message = self.definitions.messages.get(message_name)
        if message is None:
            return None
        taken = {} if bound_part is None else self._header_parts_of(bound_part, message_name)
        wanted = body.get("parts") if body is not None else None
        parts = [
            part
            for part in message.iterchildren(_wsdl("part"))
            if (part.get("name") in wanted.split() if wanted is not None else part.get("name") not in taken)
        ]
        elements = [part for part in parts if part.get("element")]
        if len(elements) > 1:
            self.notes.append(f"operation {name}: several parts for one Body; the first is taken")
        return QName(resolve(elements[0], elements[0].get("element", ""))) if elements else None

    def _header_parts_of(self, bound_part: etree._Element, message_name: str) -> set[str]:
        return {
            header.get("part", "")
            for header in _soap_descendants(bound_part, "header")
            if resolve(header, header.get("message", "")) == message_name
        }

    def _faults(self, abstract: etree._Element) -> Iterator[QName]:
        for fault in abstract.iterchildren(_wsdl("fault")):
            message = self.definitions.messages.get(resolve(fault, fault.get("message", "")))
            for part in () if message is None else message.iterchildren(_wsdl("part")):
                if part.get("element"):
                    yield QName(resolve(part, part.get("element", "")))

    def _headers(self, bound: etree._Element, name: str) -> Iterator[HeaderPart]:
        for direction in ("input", "output"):
            bound_part = bound.find(_wsdl(direction))
            for header in () if bound_part is None else _soap_descendants(bound_part, "header"):
                part_name = header.get("part", "")
                message = self.definitions.messages.get(resolve(header, header.get("message", "")))
                part = None
                if message is not None:
                    part = next((p for p in message.iterchildren(_wsdl("part")) if p.get("name") == part_name), None)
                if part is None:
                    self.notes.append(f"operation {name}: header part {part_name} is declared nowhere")
                    continue
                element = part.get("element")
                yield HeaderPart(
                    element=QName(resolve(part, element)) if element else None,
                    name=part_name,
                    in_output=direction == "output",
                )


def _style(bound: etree._Element, kind: str) -> Style:
    bound_input = bound.find(_wsdl("input"))
    body = None if bound_input is None else _soap_child(bound_input, "body", deep=True)
    encoded = body is not None and body.get("use") == "encoded"
    if kind == "rpc":
        return Style.RPC_ENCODED if encoded else Style.RPC_LITERAL
    return Style.DOCUMENT_ENCODED if encoded else Style.DOCUMENT_LITERAL


def _input_name(operation: etree._Element, name: str) -> str:
    element = operation.find(_wsdl("input"))
    return (element.get("name") if element is not None else None) or f"{name}Request"


def _soap_descendants(element: etree._Element, local: str) -> Iterator[etree._Element]:
    return element.iter(*(names.qname(namespace, local) for namespace in _SOAP_VERSIONS))


def _soap_child(element: etree._Element, local: str, *, deep: bool = False) -> etree._Element | None:
    """The SOAP extension element of either version; deep also finds it below mime:multipartRelated."""
    tags = [names.qname(namespace, local) for namespace in _SOAP_VERSIONS]
    return next(element.iterdescendants(*tags) if deep else element.iterchildren(*tags), None)


def resolve(element: etree._Element, value: str) -> str:
    """A QName value as `{namespace}local`, with the prefixes in scope at the element."""
    prefix, _, local = value.strip().rpartition(":")
    namespace = element.nsmap.get(prefix or None)
    return _qualified(namespace or "", local)


def _qualified(namespace: str, local: str) -> QName:
    return QName(names.qname(namespace, local) if namespace else local)


def _in_target(root: etree._Element, local: str) -> str:
    return _qualified(root.get("targetNamespace", ""), local)


def _namespace(element: etree._Element) -> str:
    return etree.QName(element).namespace or ""


def _local(name: str) -> str:
    return name.rpartition("}")[2]
