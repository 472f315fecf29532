"""The adapter's fault in a published WSDL: declared for every operation, so that tools generate a type that reads it.

Without it a client that is generated from the WSDL (C++, Java, .NET) has the detail of a fault as raw XML only.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.wsdl_elements import resolve
from adapter.envelope.wsdl_header import element_with_qname, import_schema, insert_behind

_NAME: Final = "InteragencyFault"
_OPERATION: Final = names.qname(names.WSDL, "operation")
_FAULT: Final = names.qname(names.WSDL, "fault")
_SOAP_BINDINGS: Final = (names.qname(names.WSDL_SOAP11, "binding"), names.qname(names.WSDL_SOAP12, "binding"))


def declare_fault(roots: list[etree._Element], schema_url: str) -> None:
    """Add the fault to every operation that has an answer, in port types and SOAP bindings, in place (WSDL 1.1, 2.4).

    schema_url: where the clients fetch the schema of the fault.
    """
    answered = {declared for root in roots for declared in _declare_in_port_types(root, schema_url)}
    for root in roots:
        for binding in root.iterchildren(names.qname(names.WSDL, "binding")):
            soap = next(binding.iterchildren(*_SOAP_BINDINGS), None)
            if soap is not None:
                _declare_in_binding(binding, etree.QName(soap).namespace or "", answered)


def _declare_in_port_types(root: etree._Element, schema_url: str) -> list[tuple[str, str]]:
    """The operations that have the fault now: (qualified name of the port type, name of the operation)."""
    declared = []
    for port_type in root.iterchildren(names.qname(names.WSDL, "portType")):
        name = names.qname(root.get("targetNamespace", ""), port_type.get("name", ""))
        for operation in port_type.iterchildren(_OPERATION):
            if operation.find(names.qname(names.WSDL, "output")) is not None:
                fault = element_with_qname(operation, _FAULT, "message", (root.get("targetNamespace", ""), _NAME))
                fault.set("name", _NAME)
                operation.append(fault)
                declared.append((name, operation.get("name", "")))
    if declared:
        message = etree.Element(names.qname(names.WSDL, "message"), name=_NAME)
        part = element_with_qname(root, names.qname(names.WSDL, "part"), "element", (names.FAULT, "Fault"))
        part.set("name", "fault")
        insert_behind(root, message, kinds=("import", "documentation", "types"))
        message.append(part)
        import_schema(root, names.FAULT, schema_url)
    return declared


def _declare_in_binding(binding: etree._Element, soap: str, answered: set[tuple[str, str]]) -> None:
    """soap: the namespace of the binding's extension elements."""
    port_type = resolve(binding, binding.get("type", ""))
    for operation in binding.iterchildren(_OPERATION):
        if (port_type, operation.get("name", "")) in answered:
            fault = etree.SubElement(operation, _FAULT, name=_NAME)
            etree.SubElement(fault, names.qname(soap, "fault"), name=_NAME, use="literal")
