"""The schema that rpc/literal implies but no document states: an element for each Body, made of the message's parts.

WS-I Basic Profile 1.1, 4.7: the Body's element is named like the operation (R2735, with `Response` for the answer) in
the namespace of soap:body; its children are the parts, unqualified, in the order of the message, each of its type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_operations import BodyPart, Operation, QName, Style
from adapter.envelope.schema_set import SchemaPart

_PREFIX: Final = "t"
_TYPES: Final = tuple(names.qname(names.XSD, kind) for kind in ("simpleType", "complexType"))


def add_rpc_elements(
    namespaces: dict[str, list[SchemaPart]], operations: list[Operation], notes: list[str]
) -> frozenset[str]:
    """Add a schema document for every namespace in which an rpc/literal operation has its elements.

    Returns the elements that were added. Left out, with a note: a part that names an element or a type that no schema
    declares; two operations that mean different Bodies by one name; a name that a schema declares for something else.
    """
    wanted: dict[QName, tuple[BodyPart, ...]] = {}
    dropped: set[QName] = set()
    types = _declared(namespaces, _TYPES)
    elements = _declared(namespaces, (names.qname(names.XSD, "element"),))
    for name, element, parts in _bodies(operations):
        finding = _finding(element, parts, types, elements)
        if finding is None and wanted.get(element, parts) != parts:
            finding = "another operation has a Body of this name with other parts"
        if finding is None:
            wanted[element] = parts
        else:
            dropped.add(element)
            notes.append(f"operation {name}: {finding}")
    added = {element: parts for element, parts in wanted.items() if element not in dropped}
    for namespace in dict.fromkeys(_split(element)[0] for element in added):
        own = {element: parts for element, parts in added.items() if _split(element)[0] == namespace}
        namespaces.setdefault(namespace, []).append(SchemaPart("", 0, _schema(namespace, own)))
    return frozenset(added)


def _bodies(operations: list[Operation]) -> Iterator[tuple[str, QName, tuple[BodyPart, ...]]]:
    for operation in operations:
        if operation.style is Style.RPC_LITERAL:
            yield operation.name, operation.input_element, operation.input_parts
            if operation.output_element is not None:
                yield operation.name, operation.output_element, operation.output_parts


def _finding(
    element: QName, parts: tuple[BodyPart, ...], types: frozenset[str], elements: frozenset[str]
) -> str | None:
    """Why no element can be made of these parts, in words."""
    if element in elements:
        return "a schema declares an element of the Body's name for something else"
    for part in parts:
        if part.type is None:
            return f"the part {part.name} names an element, which rpc/literal does not allow"
        namespace, local = _split(part.type)
        if namespace != names.XSD and part.type not in types:
            return f"no schema declares the type {local} of the part {part.name}"
    return None


def _declared(namespaces: Mapping[str, list[SchemaPart]], tags: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        names.qname(namespace, component.get("name", "")) if namespace else component.get("name", "")
        for namespace, parts in namespaces.items()
        for part in parts
        for component in part.root.iterchildren(*tags)
    )


def _schema(namespace: str, elements: Mapping[QName, tuple[BodyPart, ...]]) -> etree._Element:
    used = sorted({_split(part.type)[0] for parts in elements.values() for part in parts if part.type is not None})
    prefixes = {f"{_PREFIX}{at}": uri for at, uri in enumerate(used) if uri and uri != names.XSD}
    prefix_of = {uri: prefix for prefix, uri in prefixes.items()} | {names.XSD: "xs"}
    root = etree.Element(names.qname(names.XSD, "schema"), nsmap={"xs": names.XSD, **prefixes})
    if namespace:
        root.set("targetNamespace", namespace)
    if "" in used and namespace:
        etree.SubElement(root, names.qname(names.XSD, "import"))
    for element, parts in elements.items():
        declared = etree.SubElement(root, names.qname(names.XSD, "element"), name=_split(element)[1])
        sequence = etree.SubElement(
            etree.SubElement(declared, names.qname(names.XSD, "complexType")), names.qname(names.XSD, "sequence")
        )
        for part in parts:
            uri, local = _split(part.type or QName(""))
            written = f"{prefix_of[uri]}:{local}" if uri else local
            etree.SubElement(sequence, names.qname(names.XSD, "element"), name=part.name, type=written)
    return root


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition("}")
    return namespace.removeprefix("{"), local
