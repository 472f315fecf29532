"""The operations of one SOAP binding (WSDL 1.1, 3): what the Body and the headers of each are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_operations import BodyPart, HeaderPart, Operation, QName, Style
from adapter.envelope.wsdl_elements import (
    SOAP_VERSIONS,
    namespace_of,
    qualified,
    resolve,
    soap_child,
    soap_descendants,
    wsdl,
)

_XROAD_VERSION: Final = names.qname("http://x-road.eu/xsd/xroad.xsd", "version")
_MAX_VERSION_CHARS: Final = 64
_MIME_CONTENT: Final = names.qname("http://schemas.xmlsoap.org/wsdl/mime/", "content")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Body:
    """One direction: the Body's element, None when it has none of its own, and the parts that stand in the Body."""

    element: QName | None
    parts: tuple[BodyPart, ...]


@dataclass(frozen=True, slots=True)
class BindingReader:
    """Reads a wsdl:binding. messages: every message by its qualified name; soap: the binding's SOAP extension."""

    messages: Mapping[str, etree._Element]
    binding: etree._Element
    soap: etree._Element
    port_type: etree._Element
    notes: list[str]

    def operations(self) -> Iterator[Operation]:
        """Every operation whose Body is clear; what is left out is noted in words."""
        for bound in self.binding.iterchildren(wsdl("operation")):
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
        same = [found for found in self.port_type.iterchildren(wsdl("operation")) if found.get("name") == name]
        if len(same) > 1:
            wanted = _input_name(bound, name)
            same = [found for found in same if _input_name(found, name) == wanted] or same
        return same[0] if same else None

    def _operation(self, bound: etree._Element, abstract: etree._Element) -> Operation | None:
        name = bound.get("name", "")
        soap = soap_child(bound, "operation")
        kind = (soap.get("style") if soap is not None else None) or self.soap.get("style") or "document"
        asked = self._body(bound, abstract, "input", kind, name)
        answered = self._body(bound, abstract, "output", kind, name)
        if asked is None or asked.element is None or (answered is not None and answered.element is None):
            self.notes.append(f"operation {name}: left out, because its Body has no element of its own")
            return None
        return Operation(
            name=name,
            soap_version=SOAP_VERSIONS[namespace_of(self.soap)],
            soap_action=(soap.get("soapAction", "") if soap is not None else ""),
            style=_style(bound, kind),
            input_element=asked.element,
            output_element=None if answered is None else answered.element,
            faults=tuple(self._faults(abstract)),
            headers=tuple(self._headers(bound, name)),
            input_parts=asked.parts,
            output_parts=() if answered is None else answered.parts,
            version=(bound.findtext(_XROAD_VERSION) or "").strip()[:_MAX_VERSION_CHARS] or None,
        )

    def _body(
        self, bound: etree._Element, abstract: etree._Element, direction: str, kind: str, name: str
    ) -> _Body | None:
        """What stands in the Body; None when the operation has no message in this direction."""
        bound_part = bound.find(wsdl(direction))
        abstract_part = abstract.find(wsdl(direction))
        if abstract_part is None:
            return None
        body = None if bound_part is None else soap_child(bound_part, "body", deep=True)
        message_name = resolve(abstract_part, abstract_part.get("message", ""))
        message = self.messages.get(message_name)
        if message is None:
            self.notes.append(f"operation {name}: its message {message_name.rpartition('}')[2]} is not declared")
            return _Body(element=None, parts=())
        parts = self._body_parts(message, message_name, bound_part, body)
        if kind == "rpc":
            suffix = "Response" if direction == "output" else ""
            namespace = body.get("namespace", "") if body is not None else ""
            return _Body(element=qualified(namespace, name + suffix), parts=parts)
        elements = [part.element for part in parts if part.element]
        if len(elements) > 1:
            self.notes.append(f"operation {name}: several parts for one Body; the first is taken")
        if parts and not elements:
            self.notes.append(f"operation {name}: the part {parts[0].name} names a type, so the Body has no element")
        return _Body(element=elements[0] if elements else None, parts=parts)

    def _body_parts(
        self,
        message: etree._Element,
        message_name: str,
        bound_part: etree._Element | None,
        body: etree._Element | None,
    ) -> tuple[BodyPart, ...]:
        """Those that soap:body names, else all that are bound neither to a header nor to an attachment."""
        elsewhere = set() if bound_part is None else self._parts_elsewhere(bound_part, message_name)
        wanted = body.get("parts") if body is not None else None
        return tuple(
            BodyPart(
                name=part.get("name", ""),
                element=QName(resolve(part, part.get("element", ""))) if part.get("element") else None,
                type=QName(resolve(part, part.get("type", ""))) if part.get("type") else None,
            )
            for part in message.iterchildren(wsdl("part"))
            if (part.get("name") in wanted.split() if wanted is not None else part.get("name") not in elsewhere)
        )

    def _parts_elsewhere(self, bound_part: etree._Element, message_name: str) -> set[str]:
        headers = {
            header.get("part", "")
            for header in soap_descendants(bound_part, "header")
            if resolve(header, header.get("message", "")) == message_name
        }
        return headers | {content.get("part", "") for content in bound_part.iter(_MIME_CONTENT)}

    def _faults(self, abstract: etree._Element) -> Iterator[QName]:
        for fault in abstract.iterchildren(wsdl("fault")):
            message = self.messages.get(resolve(fault, fault.get("message", "")))
            for part in () if message is None else message.iterchildren(wsdl("part")):
                if part.get("element"):
                    yield QName(resolve(part, part.get("element", "")))

    def _headers(self, bound: etree._Element, name: str) -> Iterator[HeaderPart]:
        for direction in ("input", "output"):
            bound_part = bound.find(wsdl(direction))
            for header in () if bound_part is None else soap_descendants(bound_part, "header"):
                part_name = header.get("part", "")
                message = self.messages.get(resolve(header, header.get("message", "")))
                part = None
                if message is not None:
                    part = next((p for p in message.iterchildren(wsdl("part")) if p.get("name") == part_name), None)
                if part is None:
                    self.notes.append(f"operation {name}: header part {part_name} is declared nowhere")
                    continue
                yield _header_part(header, part, in_output=direction == "output")


def _header_part(header: etree._Element, part: etree._Element, *, in_output: bool) -> HeaderPart:
    """An encoded part that names a type is called like the part, in the namespace of soap:header (WSDL 1.1, 3.5)."""
    name, is_encoded = part.get("name", ""), header.get("use") == "encoded"
    element = QName(resolve(part, part.get("element", ""))) if part.get("element") else None
    if element is None and is_encoded:
        element = qualified(header.get("namespace", ""), name)
    return HeaderPart(element=element, name=name, in_output=in_output, is_encoded=is_encoded)


def _style(bound: etree._Element, kind: str) -> Style:
    bound_input = bound.find(wsdl("input"))
    body = None if bound_input is None else soap_child(bound_input, "body", deep=True)
    encoded = body is not None and body.get("use") == "encoded"
    if kind == "rpc":
        return Style.RPC_ENCODED if encoded else Style.RPC_LITERAL
    return Style.DOCUMENT_ENCODED if encoded else Style.DOCUMENT_LITERAL


def _input_name(operation: etree._Element, name: str) -> str:
    element = operation.find(wsdl("input"))
    return (element.get("name") if element is not None else None) or f"{name}Request"
