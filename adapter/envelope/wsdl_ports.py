"""Where a published service listens: every SOAP port at the adapter's address, and one for SOAP 1.1 at least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.wsdl_elements import resolve
from adapter.envelope.wsdl_header import element_with_qname

_SUFFIX: Final = "Soap11"
_PORT: Final = names.qname(names.WSDL, "port")
_BINDING: Final = names.qname(names.WSDL, "binding")
_SERVICE: Final = names.qname(names.WSDL, "service")
_SOAP11_BINDING: Final = names.qname(names.WSDL_SOAP11, "binding")
_SOAP12_BINDING: Final = names.qname(names.WSDL_SOAP12, "binding")
_OPERATION: Final = names.qname(names.WSDL, "operation")
_SOAP_OPERATIONS: Final = (names.qname(names.WSDL_SOAP11, "operation"), names.qname(names.WSDL_SOAP12, "operation"))
_HTTP_TRANSPORT: Final = "http://schemas.xmlsoap.org/soap/http"


def serve_at(roots: list[etree._Element], address: str) -> None:
    """Point all SOAP ports of these WSDL documents to the address, in place.

    Ports of other bindings (HTTP GET) are taken out: they would lead past the adapter. A port type that is bound to
    SOAP 1.2 only gets a binding and a port for SOAP 1.1 beside it. A SOAP binding that no service names gets a port:
    tools begin with the services.
    """
    _add_missing_ports(roots)
    added = _add_soap11_bindings(roots)
    soap_bindings = {_name(binding) for binding in _bindings(roots) if _soap_binding(binding) is not None}
    for root in roots:
        for service in root.iterchildren(_SERVICE):
            for port in list(service.iterchildren(_PORT)):
                binding = resolve(port, port.get("binding", ""))
                if binding not in soap_bindings:
                    service.remove(port)
                    continue
                _set_address(port, address)
                if binding in added:
                    port.addnext(_soap11_port(port))


def name_operations(roots: list[etree._Element], actions: Mapping[str, str]) -> None:
    """Give the operations of these names in every SOAP binding their SOAPAction, in place (WSDL 1.1, 3.4)."""
    for binding in _bindings(roots):
        for soap in binding.iterfind(f"{_OPERATION}/*"):
            operation = soap.getparent()
            name = "" if operation is None else operation.get("name", "")
            if soap.tag in _SOAP_OPERATIONS and name in actions:
                soap.set("soapAction", actions[name])


def _add_missing_ports(roots: list[etree._Element]) -> None:
    services = [service for root in roots for service in root.iterchildren(_SERVICE)]
    ports = [port for service in services for port in service.iterchildren(_PORT)]
    named = {resolve(port, port.get("binding", "")) for port in ports}
    for binding in _bindings(roots):
        soap = _soap_binding(binding)
        if soap is None or _name(binding) in named:
            continue
        if not services:
            services.append(etree.SubElement(roots[0], _SERVICE, name=f"{binding.get('name', '')}Service"))
        qualified = etree.QName(_name(binding))
        port = element_with_qname(services[0], _PORT, "binding", (qualified.namespace or "", qualified.localname))
        taken = {other.get("name") for other in services[0].iterchildren(_PORT)}
        name = qualified.localname
        port.set("name", f"{name}Port" if name in taken else name)
        etree.SubElement(port, names.qname(etree.QName(soap).namespace or "", "address"))
        services[0].append(port)


def _bindings(roots: list[etree._Element]) -> list[etree._Element]:
    return [binding for root in roots for binding in root.iterchildren(_BINDING)]


def _soap_binding(binding: etree._Element) -> etree._Element | None:
    return next(binding.iterchildren(_SOAP11_BINDING, _SOAP12_BINDING), None)


def _name(binding: etree._Element) -> str:
    root = binding.getparent()
    namespace = root.get("targetNamespace", "") if root is not None else ""
    return names.qname(namespace, binding.get("name", ""))


def _add_soap11_bindings(roots: list[etree._Element]) -> set[str]:
    """Names of the SOAP 1.2 bindings that got a SOAP 1.1 twin."""
    bindings = _bindings(roots)
    have_soap11 = {
        resolve(binding, binding.get("type", "")) for binding in bindings if binding.find(_SOAP11_BINDING) is not None
    }
    added = set()
    for binding in bindings:
        if binding.find(_SOAP12_BINDING) is None or resolve(binding, binding.get("type", "")) in have_soap11:
            continue
        twin = _in_soap11(binding)
        twin.set("name", binding.get("name", "") + _SUFFIX)
        binding.addnext(twin)
        added.add(_name(binding))
    return added


def _soap11_port(port: etree._Element) -> etree._Element:
    twin = _in_soap11(port)
    twin.set("name", port.get("name", "") + _SUFFIX)
    twin.set("binding", port.get("binding", "") + _SUFFIX)
    return twin


def _in_soap11(element: etree._Element) -> etree._Element:
    """A copy in which every SOAP 1.2 extension element is the SOAP 1.1 one (they have the same attributes)."""
    copied = etree.fromstring(etree.tostring(element, encoding="utf-8", with_tail=False))
    for extension in list(copied.iter(names.qname(names.WSDL_SOAP12, "*"))):
        extension.tag = names.qname(names.WSDL_SOAP11, etree.QName(extension).localname)
        if extension.tag == _SOAP11_BINDING:
            extension.set("transport", _HTTP_TRANSPORT)
        for only_in_soap12 in ("soapActionRequired", "required"):
            if only_in_soap12 in extension.attrib:
                del extension.attrib[only_in_soap12]
    return copied


def _set_address(port: etree._Element, address: str) -> None:
    extensions = list(
        port.iterchildren(names.qname(names.WSDL_SOAP11, "address"), names.qname(names.WSDL_SOAP12, "address"))
    )
    for extension in extensions:
        extension.set("location", address)
    for other in list(port.iterchildren(etree.Element)):
        if other not in extensions and etree.QName(other).namespace != names.WSDL:
            port.remove(other)  # an endpoint reference (WS-Addressing) would name the provider's own address again
