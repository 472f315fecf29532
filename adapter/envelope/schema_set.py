"""Which schema documents of a description belong to which namespace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_documents import XSD_SCHEMA, DocumentSet
from adapter.envelope.description_octets import read_document
from adapter.envelope.schema_own import OWN_SCHEMAS

XSD_IMPORT: Final = names.qname(names.XSD, "import")
XSD_INCLUDE: Final = names.qname(names.XSD, "include")
XSD_REDEFINE: Final = names.qname(names.XSD, "redefine")
_WSDL_IMPORT: Final = names.qname(names.WSDL, "import")


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """One xs:schema element of one document; a WSDL may hold several."""

    document: str
    index: int
    root: etree._Element

    @property
    def target(self) -> str:
        """The target namespace that it states; empty without one."""
        return self.root.get("targetNamespace") or ""


def schemas_by_namespace(documents: DocumentSet, notes: list[str]) -> dict[str, list[SchemaPart]]:
    """Each namespace with its schema documents, in the order in which they are met, each content once.

    A document without a target namespace takes that of whoever includes it (chameleon; XML Schema 1.0, 4.2.1) and
    may so belong to several. Namespaces that are used without a document get our own copy where there is one.
    """
    parts = {
        name: [SchemaPart(name, at, schema) for at, schema in enumerate(_schema_elements(root))]
        for name, root in documents.roots.items()
    }
    found: dict[str, list[SchemaPart]] = {}
    seen: set[tuple[str, int, str]] = set()
    waiting = [(part, part.target) for part in _first_schemas(documents, parts)]
    while waiting:
        part, namespace = waiting.pop(0)
        if (part.document, part.index, namespace) in seen:
            continue
        seen.add((part.document, part.index, namespace))
        found.setdefault(namespace, []).append(part)
        for reference, target in _references(part, documents, parts):
            if reference.tag == XSD_IMPORT:
                waiting.append((target, target.target))
            elif target.target in ("", namespace):
                waiting.append((target, namespace))
            else:
                notes.append(f"{part.document} includes {target.document}, which has another target namespace")
    _add_own_schemas(found)
    return {namespace: _each_content_once(members) for namespace, members in found.items()}


def _schema_elements(root: etree._Element) -> list[etree._Element]:
    return [root] if root.tag == XSD_SCHEMA else list(root.iter(XSD_SCHEMA))


def _first_schemas(documents: DocumentSet, parts: dict[str, list[SchemaPart]]) -> Iterator[SchemaPart]:
    """The schemas inside WSDL documents, and schema documents that a WSDL imports directly (which some tools do)."""
    for name, root in documents.roots.items():
        if root.tag == XSD_SCHEMA:
            continue
        yield from parts[name]
        for element in root.iterchildren(_WSDL_IMPORT):
            target = documents.locations.get((name, element.get("location", "")))
            if target and documents.roots[target].tag == XSD_SCHEMA:
                yield from parts[target]


def _references(
    part: SchemaPart, documents: DocumentSet, parts: dict[str, list[SchemaPart]]
) -> Iterator[tuple[etree._Element, SchemaPart]]:
    for reference in part.root.iterchildren(XSD_IMPORT, XSD_INCLUDE):
        target = documents.locations.get((part.document, reference.get("schemaLocation", "")))
        if target is None:
            continue
        for member in parts[target]:
            # A location may lead to a WSDL; then the schema of the namespace asked for is meant.
            if documents.roots[target].tag == XSD_SCHEMA or member.target == (reference.get("namespace") or ""):
                yield reference, member


_find_names_in_values: Final = etree.XPath(
    """boolean(//xs:any[not(@namespace = '##local')] | //xs:*[@mixed = 'true' or @mixed = '1']
      | //xs:*/@*[contains('|QName|NOTATION|anyType|anySimpleType|', concat('|', substring-after(., ':'), '|'))
                  and string-length(.) > 0 and contains(., ':')]
      | //xs:*/@*[(local-name() = 'type' or local-name() = 'base' or local-name() = 'itemType')
                  and contains('|QName|NOTATION|anyType|anySimpleType|', concat('|', ., '|'))])""",
    namespaces={"xs": names.XSD},
)


def may_have_names_in_values(root: etree._Element) -> bool:
    """Whether a value of a message may be a qualified name by these schemas, or may be anything."""
    return bool(_find_names_in_values(root))


def namespaces_used(root: etree._Element) -> set[str]:
    """Every namespace that a schema document binds to a prefix or imports."""
    used = {uri for element in root.iter(etree.Element) for uri in element.nsmap.values() if uri}
    used.update(element.get("namespace", "") for element in root.iterchildren(XSD_IMPORT))
    return used | {names.XML}


def _add_own_schemas(found: dict[str, list[SchemaPart]]) -> None:
    wanted = {
        namespace for members in list(found.values()) for part in members for namespace in namespaces_used(part.root)
    }
    for namespace, octets in OWN_SCHEMAS.items():
        if namespace in wanted and namespace not in found:
            found[namespace] = [SchemaPart("", 0, read_document(octets, namespace))]


def _each_content_once(members: list[SchemaPart]) -> list[SchemaPart]:
    """The same schema is often delivered twice under two names; a second copy would define everything again."""
    unique: dict[bytes, SchemaPart] = {}
    for part in members:
        unique.setdefault(hashlib.sha256(etree.tostring(part.root, with_tail=False)).digest(), part)
    return list(unique.values())
