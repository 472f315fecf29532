"""All schema documents of a description made into one compiled schema, in memory, without the network.

libxml2 reads one document for a namespace and skips every further import of that namespace, silently. Real
descriptions spread a namespace over several documents and import each other in circles. So each namespace gets one
collecting document that includes all of its documents, every import points to a collecting document, and a driver
imports them all. The documents that are published stay untouched; what is compiled is a copy.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_documents import DocumentSet
from adapter.envelope.description_operations import Operation
from adapter.envelope.schema_rpc import add_rpc_elements
from adapter.envelope.schema_set import (
    XSD_IMPORT,
    XSD_INCLUDE,
    XSD_REDEFINE,
    SchemaPart,
    namespaces_used,
    schemas_by_namespace,
)
from adapter.errors import DescriptionUnusable

_SCHEME: Final = "adapter-schema:"
_ELEMENT: Final = names.qname(names.XSD, "element")
_MAX_LOOSE_TYPES: Final = 20
_AMBIGUOUS: Final = re.compile(r"complex type '([^']+)': The content model is not determinist")
_MODEL_GROUPS: Final = tuple(names.qname(names.XSD, kind) for kind in ("sequence", "choice", "all", "group"))
_LOOSE_MODEL: Final = (
    f'<xs:sequence xmlns:xs="{names.XSD}"><xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/>'
    "</xs:sequence>"
).encode()
# Which global components share a symbol space (XML Schema 1.0, 2.5): both kinds of type do.
_SYMBOL_SPACE: Final = {
    names.qname(names.XSD, kind): space
    for kind, space in (
        ("element", "element"),
        ("attribute", "attribute"),
        ("simpleType", "type"),
        ("complexType", "type"),
        ("group", "group"),
        ("attributeGroup", "attribute group"),
        ("notation", "notation"),
    )
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledSchema:
    """A compiled schema and what is known of it.

    elements: the global elements, `{namespace}local`. words: every local name of an element or attribute that the
    schema declares, with the namespaces (empty: none) in which an element of that name may stand, so that a problem's
    text can use it without repeating what a message made up.
    qualified: namespaces in which a schema says elementFormDefault="qualified".
    rpc_elements: those of the elements that no document declares: the Bodies of rpc/literal operations.
    lock: the findings in a tree are kept with the schema, so there is one such validation at a time; those in a stream
    are kept with the stream.
    """

    validator: etree.XMLSchema
    elements: frozenset[str]
    words: Mapping[str, frozenset[str]]
    qualified: frozenset[str]
    rpc_elements: frozenset[str]
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)


class _MemoryResolver(etree.Resolver):
    """Answers from memory. What is not there does not exist; no file and no host is ever asked."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = sources

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002, ANN401
        """The document of this name."""
        source = self._sources.get(system_url)
        if source is None:
            return self.resolve_string(b"<missing/>", context, base_url=system_url)
        return self.resolve_string(source, context, base_url=system_url)


def compile_schema(documents: DocumentSet, operations: list[Operation], notes: list[str]) -> CompiledSchema:
    """Compile every schema of the description together, and the elements that rpc/literal operations imply.

    notes: what was left out or read leniently is appended, in words. Raises DescriptionUnusable with the finding.
    """
    namespaces = schemas_by_namespace(documents, notes)
    rpc_elements = add_rpc_elements(namespaces, operations, notes)
    collecting = {namespace: f"{_SCHEME}{at}" for at, namespace in enumerate(namespaces)}
    sources: dict[str, bytes] = {}
    elements: set[str] = set()
    words: dict[str, set[str]] = {}
    qualified = {
        namespace
        for namespace, parts in namespaces.items()
        if any(part.root.get("elementFormDefault") == "qualified" for part in parts)
    }
    for namespace, parts in namespaces.items():
        known: dict[tuple[str, str], str] = {}
        urls: list[str] = []
        for part in parts:
            root = _copy(part.root)
            _drop_known_components(root, part, known, notes)
            _point_imports_to(collecting, namespace, root)
            _inline_redefined(root, part, documents, sources)
            urls.append(f"{collecting[namespace]}/{len(urls)}")
            sources[urls[-1]] = etree.tostring(root, encoding="utf-8")
            for word, namespaces_of_it in _declared_names(part.root, namespace):
                words.setdefault(word, set()).update(namespaces_of_it)
        elements.update(_qualified(namespace, name) for space, name in known if space == "element")
        sources[collecting[namespace]] = _collecting_document(namespace, urls)
    validator = _compile_leniently(sources, collecting, notes)
    return CompiledSchema(
        validator=validator,
        elements=frozenset(elements),
        words={word: frozenset(found) for word, found in words.items()},
        qualified=frozenset(qualified),
        rpc_elements=rpc_elements,
    )


def _copy(root: etree._Element) -> etree._Element:
    """The element as a document of its own. Prefixes bound further up count in QName values, so they come along.

    In UTF-8, here and wherever a tree is written to be read again: in ASCII, which is the default, libxml2 writes a
    name in Cyrillic as character references, which no name may have.
    """
    octets = etree.tostring(root, encoding="utf-8", with_tail=False)
    return etree.fromstring(octets, etree.XMLParser(no_network=True, huge_tree=True))


def _qualified(namespace: str, local: str) -> str:
    return names.qname(namespace, local) if namespace else local


def _declared_names(root: etree._Element, namespace: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every declared name; of an element with the namespace in which it stands (XML Schema 1.0, 3.3.2: form)."""
    by_default = root.get("elementFormDefault", "unqualified")
    for declaration in root.iter(_ELEMENT, names.qname(names.XSD, "attribute")):
        if "name" not in declaration.attrib:
            continue
        is_qualified = declaration.getparent() is root or declaration.get("form", by_default) == "qualified"
        found = (namespace if is_qualified else "",) if declaration.tag == _ELEMENT else ()
        yield declaration.get("name", ""), found


def _drop_known_components(
    root: etree._Element, part: SchemaPart, known: dict[tuple[str, str], str], notes: list[str]
) -> None:
    """Leave out what another document of the same namespace has defined before: the first definition counts."""
    dropped = 0
    for component in list(root.iterchildren(*_SYMBOL_SPACE)):
        key = (_SYMBOL_SPACE[str(component.tag)], component.get("name", ""))
        if key in known:
            root.remove(component)
            dropped += 1
        else:
            known[key] = part.document
    if dropped:
        notes.append(f"{part.document} defines {dropped} components again; the first definition counts")


def _point_imports_to(collecting: Mapping[str, str], namespace: str, root: etree._Element) -> None:
    """Replace includes and imports by imports of the collecting documents.

    Some real schemas use a namespace without importing it; every namespace that is bound to a prefix is imported.
    """
    used = namespaces_used(root)
    for reference in list(root.iterchildren(XSD_IMPORT, XSD_INCLUDE)):
        root.remove(reference)
    for wanted in sorted((used & collecting.keys()) - {namespace}, reverse=True):
        element = etree.Element(XSD_IMPORT, schemaLocation=collecting[wanted])
        if wanted:
            element.set("namespace", wanted)
        root.insert(0, element)


def _inline_redefined(
    root: etree._Element, part: SchemaPart, documents: DocumentSet, sources: dict[str, bytes]
) -> None:
    """Give what a redefine names a place in memory of its own; it must not be among the namespace's documents."""
    for reference in root.iterchildren(XSD_REDEFINE):
        target = documents.locations.get((part.document, reference.get("schemaLocation", "")))
        if target is None:
            raise DescriptionUnusable(f"{part.document} redefines a schema document that is not there")
        url = f"{_SCHEME}redefined/{len(sources)}"
        sources[url] = etree.tostring(documents.roots[target], encoding="utf-8")
        reference.set("schemaLocation", url)


def _collecting_document(namespace: str, urls: list[str]) -> bytes:
    target = f" targetNamespace={quoteattr(namespace)}" if namespace else ""
    includes = "".join(f'<xs:include schemaLocation="{url}"/>' for url in urls)
    return f'<xs:schema xmlns:xs="{names.XSD}"{target}>{includes}</xs:schema>'.encode()


def _compile_leniently(sources: dict[str, bytes], collecting: Mapping[str, str], notes: list[str]) -> etree.XMLSchema:
    """Compile; where a content model is ambiguous (XML Schema 1.0, 3.8.6), read that one type loosely, and say so.

    Validators of other makers let such types pass, so real schemas have them. The named type then takes any children
    in any order; a child that is declared as a global element is still checked.
    """
    for _ in range(_MAX_LOOSE_TYPES):
        try:
            return _compile(sources, collecting)
        except DescriptionUnusable as cause:
            found = _AMBIGUOUS.search(cause.reason)
            if found is None or not _loosen(sources, found.group(1)):
                raise
            notes.append(
                f"type {found.group(1)}: its content model is ambiguous; the order of its children is not checked"
            )
    raise DescriptionUnusable("the schemas have too many ambiguous content models")


def _loosen(sources: dict[str, bytes], type_name: str) -> bool:
    """Replace the content model of the complex types of this name by lax wildcards. Whether there was one."""
    loosened = False
    for url, octets in sources.items():
        if f'"{type_name}"'.encode() not in octets:
            continue
        root = etree.fromstring(octets)
        for complex_type in root.iterchildren(names.qname(names.XSD, "complexType")):
            around = complex_type.iter(etree.Element)
            groups = ((parent, group) for parent in around for group in parent.iterchildren(*_MODEL_GROUPS))
            found = next(groups, None)
            if complex_type.get("name") == type_name and found is not None:
                parent, model = found
                parent.replace(model, etree.fromstring(_LOOSE_MODEL))
                sources[url] = etree.tostring(root, encoding="utf-8")
                loosened = True
    return loosened


def _compile(sources: Mapping[str, bytes], collecting: Mapping[str, str]) -> etree.XMLSchema:
    imports = "".join(
        f"<xs:import{f' namespace={quoteattr(namespace)}' if namespace else ''} schemaLocation={quoteattr(url)}/>"
        for namespace, url in collecting.items()
    )
    driver = f'<xs:schema xmlns:xs="{names.XSD}" targetNamespace="{_SCHEME}driver">{imports}</xs:schema>'
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_MemoryResolver(sources))
    try:
        return etree.XMLSchema(etree.fromstring(driver.encode(), parser))
    except etree.XMLSchemaParseError as cause:
        raise DescriptionUnusable(f"the schemas cannot be compiled: {cause}") from None
