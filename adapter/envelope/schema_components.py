"""Where each global component of a description's schemas stands, and what a name written in one of them means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_documents import DocumentSet
from adapter.envelope.schema_set import XSD_REDEFINE, SchemaPart, schemas_by_namespace

_MAX_DOCUMENTATION_CHARS: Final = 1000
_SPACES: Final = {
    names.qname(names.XSD, kind): space
    for kind, space in (
        ("element", "element"),
        ("attribute", "attribute"),
        ("simpleType", "type"),
        ("complexType", "type"),
        ("group", "group"),
        ("attributeGroup", "attributeGroup"),
    )
}


def xsd(local: str) -> str:
    """An element of XML Schema, as lxml writes it."""
    return names.qname(names.XSD, local)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """How the schema document reads in which a component stands.

    namespace: the one that it defines (of whoever includes it, if it states none). is_chameleon: it states none.
    renamed: in what a redefine writes, the name of the type that it changes means the unchanged one.
    """

    namespace: str
    is_chameleon: bool
    elements_qualified: bool
    attributes_qualified: bool
    renamed: Mapping[str, str] = field(default_factory=dict)

    def name(self, local: str) -> str:
        """A name in this schema's namespace."""
        return names.qname(self.namespace, local) if self.namespace else local

    def resolve(self, element: etree._Element, value: str) -> str:
        """A QName value as `{namespace}local` (XML Schema 1.0, Part 1, 3.15.3 and, for a chameleon, 4.2.1)."""
        prefix, _, local = value.strip().rpartition(":")
        namespace = names.XML if prefix == "xml" else element.nsmap.get(prefix or None) or ""
        if not namespace and not prefix and self.is_chameleon:
            namespace = self.namespace
        found = names.qname(namespace, local) if namespace else local
        return self.renamed.get(found, found)


@dataclass(frozen=True, slots=True)
class Component:
    """A global component where it stands."""

    node: etree._Element
    scope: Scope


Components = Mapping[tuple[str, str], Component]
"""(symbol space, `{namespace}local`) to component. The spaces: element, attribute, type, group, attributeGroup."""


def find_components(documents: DocumentSet) -> Components:
    """Index every global component, by the same rules as the compiled schema: the first definition counts."""
    found: dict[tuple[str, str], Component] = {}
    for namespace, parts in schemas_by_namespace(documents, []).items():
        for part in parts:
            for key, component in _components_of(part, namespace, documents):
                found.setdefault(key, component)
    return found


def _components_of(
    part: SchemaPart, namespace: str, documents: DocumentSet
) -> Iterator[tuple[tuple[str, str], Component]]:
    scope = _scope(part.root, namespace)
    yield from _global_children(part.root, scope)
    for redefine in part.root.iterchildren(XSD_REDEFINE):
        target = documents.locations.get((part.document, redefine.get("schemaLocation", "")))
        if target is None:
            continue
        changed = dict(_global_children(redefine, scope))
        unchanged = {name: scope.name(f"#unchanged/{name.rpartition('}')[2]}") for _, name in changed}
        for key, component in changed.items():
            yield key, Component(component.node, replace(scope, renamed=unchanged))
        for (space, name), component in _global_children(
            documents.roots[target], _scope(documents.roots[target], namespace)
        ):
            yield (space, unchanged.get(name, name) if (space, name) in changed else name), component


def _scope(root: etree._Element, namespace: str) -> Scope:
    return Scope(
        namespace=namespace,
        is_chameleon=not root.get("targetNamespace"),
        elements_qualified=root.get("elementFormDefault") == "qualified",
        attributes_qualified=root.get("attributeFormDefault") == "qualified",
    )


def _global_children(root: etree._Element, scope: Scope) -> Iterator[tuple[tuple[str, str], Component]]:
    for node in root.iterchildren(*_SPACES):
        yield (_SPACES[str(node.tag)], scope.name(node.get("name", ""))), Component(node, scope)


def documentation(node: etree._Element) -> str:
    """The component's documentation in one line; whatever language stands first."""
    found = node.find(f"{xsd('annotation')}/{xsd('documentation')}")
    text = "" if found is None else " ".join("".join(str(piece) for piece in found.itertext()).split())
    return text[:_MAX_DOCUMENTATION_CHARS]
