"""The RequestContext header in a published WSDL: declared, so that tools offer it, and explained, for people."""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.wsdl_elements import resolve

_MESSAGE: Final = "InteragencyRequestContext"
_PART: Final = "requestContext"
_PREFIX: Final = "iactx"
_HEADERS: Final = (names.qname(names.WSDL_SOAP11, "header"), names.qname(names.WSDL_SOAP12, "header"))
_TEXT: Final = (
    "This service is reached through the agency's own Interagency Adapter. Send each request with one SOAP header, "
    "RequestContext of the namespace " + names.CLIENT + ": who asks (Official), for which Purpose, on which "
    "LegalBasis, and about whom (Subject). What the adapter's settings fix for the calling system may be left out. "
    "A fault says in its detail whose fault it is, whether to try again, and the incident's id. This description is "
    "for the agency's own systems. The one for another stack in the place of an adapter, with its WS-SecurityPolicy, "
    "is at this service's address with ?peer-wsdl."
)
_IN_JSON: Final = " New systems may call it in JSON; a page for people and an OpenAPI document are at "


def declare_context(roots: list[etree._Element], schema_url: str, json_address: str = "") -> None:
    """Add the header to the input of every SOAP operation of these WSDL documents, in place.

    schema_url: where the clients fetch the schema of the header. json_address: where the service is had in JSON.
    """
    for root in roots:
        inputs = [
            bound_input
            for binding in root.iterchildren(names.qname(names.WSDL, "binding"))
            for operation in binding.iterchildren(names.qname(names.WSDL, "operation"))
            for bound_input in operation.iterchildren(names.qname(names.WSDL, "input"))
        ]
        bodies = [body for bound_input in inputs for body in _soap_bodies(bound_input)]
        if bodies:
            for body in bodies:
                _add_header(root, body)
            _add_message(root)
            import_schema(root, names.CLIENT, schema_url)
        for service in root.iterchildren(names.qname(names.WSDL, "service")):
            explain_service(service, _TEXT + (_IN_JSON + json_address if json_address else ""))


def drop_broken_headers(roots: list[etree._Element]) -> None:
    """Take out header bindings that name a message or part which no document declares: tools stop at them."""
    parts = {
        (names.qname(root.get("targetNamespace", ""), message.get("name", "")), part.get("name", ""))
        for root in roots
        for message in root.iterchildren(names.qname(names.WSDL, "message"))
        for part in message.iterchildren(names.qname(names.WSDL, "part"))
    }
    for root in roots:
        for header in list(root.iter(*_HEADERS)):
            parent = header.getparent()
            named = (resolve(header, header.get("message", "")), header.get("part", ""))
            if parent is not None and named not in parts:
                parent.remove(header)


def _soap_bodies(bound_input: etree._Element) -> list[etree._Element]:
    return list(bound_input.iter(names.qname(names.WSDL_SOAP11, "body"), names.qname(names.WSDL_SOAP12, "body")))


def _add_header(root: etree._Element, body: etree._Element) -> None:
    """A soap:header beside the soap:body, of the same SOAP version (WSDL 1.1, 3.7)."""
    tag = names.qname(etree.QName(body).namespace or "", "header")
    target = root.get("targetNamespace", "")
    header = element_with_qname(body, tag, "message", (target, _MESSAGE))
    header.set("part", _PART)
    header.set("use", "literal")
    body.addnext(header)


def _add_message(root: etree._Element) -> None:
    message = etree.Element(names.qname(names.WSDL, "message"), name=_MESSAGE)
    part = element_with_qname(root, names.qname(names.WSDL, "part"), "element", (names.CLIENT, "RequestContext"))
    part.set("name", _PART)
    insert_behind(root, message, kinds=("import", "documentation", "types"))
    message.append(part)


def element_with_qname(place: etree._Element, tag: str, attribute: str, value: tuple[str, str]) -> etree._Element:
    """An element to be put at this place, with an attribute whose value is the qualified name (namespace, local).

    Where the namespace is bound to a prefix already, that prefix is used: lxml drops a second declaration, and the
    value would be left with a prefix that means nothing.
    """
    namespace, local = value
    bound = [prefix for prefix, uri in place.nsmap.items() if uri == namespace]
    if not namespace:
        return etree.Element(tag, {attribute: local})
    if bound:
        return etree.Element(tag, {attribute: f"{bound[0]}:{local}" if bound[0] else local})
    return etree.Element(tag, {attribute: f"{_PREFIX}:{local}"}, nsmap={_PREFIX: namespace})


def import_schema(root: etree._Element, namespace: str, schema_url: str) -> None:
    """Let the types of a WSDL document import the schema of a namespace from an address."""
    types = root.find(names.qname(names.WSDL, "types"))
    if types is None:
        types = etree.Element(names.qname(names.WSDL, "types"))
        insert_behind(root, types, kinds=("import", "documentation"))
    schema = etree.SubElement(types, names.qname(names.XSD, "schema"), nsmap={"xs": names.XSD})
    etree.SubElement(schema, names.qname(names.XSD, "import"), namespace=namespace, schemaLocation=schema_url)


def insert_behind(root: etree._Element, element: etree._Element, *, kinds: tuple[str, ...]) -> None:
    """Behind the last child of these kinds (WSDL 1.1 has a fixed order of the first of them)."""
    tags = {names.qname(names.WSDL, kind) for kind in kinds}
    places = [at for at, child in enumerate(root) if child.tag in tags]
    root.insert(places[-1] + 1 if places else 0, element)


def explain_service(service: etree._Element, text: str) -> None:
    """Say something to people in the documentation of a wsdl:service, behind what stands there."""
    documentation = service.find(names.qname(names.WSDL, "documentation"))
    if documentation is None:
        documentation = etree.Element(names.qname(names.WSDL, "documentation"))
        service.insert(0, documentation)
        documentation.text = text
        return
    last = documentation[-1] if len(documentation) else None
    if last is None:
        documentation.text = f"{(documentation.text or '').strip()}\n{text}"
    else:
        last.tail = f"{(last.tail or '').strip()}\n{text}"
