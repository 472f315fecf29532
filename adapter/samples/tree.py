"""A sample before it is XML: elements that still know what declares them, so that one can be broken on purpose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.schema_model import ElementDeclaration, SimpleType, namespace_of

_XSI_NIL: Final = names.qname(names.XSI, "nil")
_MAX_PREFIXES: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """One element. declared is None for what a wildcard lets in without a declaration.

    required: the schema does not let it be left out. value_type: of its text, if that is a value. qualified: attributes
    whose value is a qualified name, as `{namespace}local` with whatever follows the name.
    """

    tag: str
    declared: ElementDeclaration | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    qualified: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple[Node, ...] = ()
    required: bool = False
    value_type: SimpleType | None = None

    @property
    def is_nil(self) -> bool:
        """It says that it has no value."""
        return self.attributes.get(_XSI_NIL) == "true"

    def walk(self, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Node]]:
        """Itself and everything below it, each with the indices that lead to it."""
        yield path, self
        for at, child in enumerate(self.children):
            yield from child.walk((*path, at))


def nil() -> dict[str, str]:
    """The attributes of an element without a value (XML Schema 1.0, Part 1, 2.6.2)."""
    return {_XSI_NIL: "true"}


def render(root: Node) -> etree._Element:
    """The sample as XML, every prefix bound at its root."""
    prefixes = _prefixes(root)
    element = etree.Element(root.tag, nsmap={prefix: uri for uri, prefix in prefixes.items()})
    _fill(element, root, prefixes)
    return element


def _fill(element: etree._Element, node: Node, prefixes: Mapping[str, str]) -> None:
    for name, value in node.attributes.items():
        element.set(name, value)
    for name, value in node.qualified.items():
        prefix = prefixes.get(namespace_of(value))
        local = value.rpartition("}")[2]
        element.set(name, f"{prefix}:{local}" if prefix else local)
    element.text = node.text or None
    for child in node.children:
        _fill(etree.SubElement(element, child.tag), child, prefixes)


def _prefixes(root: Node) -> dict[str, str]:
    """A prefix for each namespace that is used, in the order in which they are met."""
    found: dict[str, str] = {}
    for _, node in root.walk():
        for name in (node.tag, *node.attributes, *node.qualified, *node.qualified.values()):
            uri = namespace_of(name)
            if uri and uri not in found and uri != names.XML and len(found) < _MAX_PREFIXES:
                known = {names.XSI: "xsi", names.XSD: "xs"}
                found[uri] = known.get(uri) or f"n{len(found) + 1}"
    return found
