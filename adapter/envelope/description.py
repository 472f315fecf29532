"""A service description (WSDL 1.1 and its schemas) from a folder or a bundle: the only maker of ServiceDescription."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from adapter.envelope.description_bundle import make_bundle, unpack_bundle
from adapter.envelope.description_documents import CATALOG, Catalog, DocumentSet, ReadFile, gather, is_unsafe_name
from adapter.envelope.description_model import HeaderPart, Operation, Port, QName, ServiceDescription, Style
from adapter.envelope.schema_compile import CompiledSchema, compile_schema
from adapter.envelope.schema_set import may_have_names_in_values
from adapter.envelope.wsdl import collect_definitions, read_ports
from adapter.errors import DescriptionUnusable
from adapter.stages import SoapVersion

_CHECKED_STYLES: Final = frozenset({Style.DOCUMENT_LITERAL, Style.RPC_LITERAL})

__all__ = [
    "HeaderPart",
    "Operation",
    "Port",
    "QName",
    "ServiceDescription",
    "Style",
    "folder_reader",
    "load_bundle",
    "load_description",
    "make_bundle",
    "read_description",
]


def load_description(folder: Path, entry: str) -> ServiceDescription:
    """Read the description that begins with the WSDL `entry` in `folder` (untrusted files; nothing else is opened).

    A `catalog.json` in the folder says where documents are that are named by URL. Raises DescriptionUnusable.
    """
    return read_description(folder_reader(folder), entry)


def folder_reader(folder: Path) -> ReadFile:
    """Reads files below a folder, and nothing else: no path and no link leads out. Raises DescriptionUnusable."""
    base = folder.resolve()

    def read(name: str) -> bytes | None:
        if name != CATALOG and is_unsafe_name(name):
            return None
        path = base / name
        try:
            inside = path.resolve().is_relative_to(base)
            return path.read_bytes() if inside and path.is_file() else None
        except OSError as cause:
            raise DescriptionUnusable(f"{name} cannot be read: {cause.strerror}") from None

    return read


def load_bundle(octets: bytes) -> ServiceDescription:
    """Read a bundle that `make_bundle` made. The caller has compared its SHA-256 with the directory's.

    Raises DescriptionUnusable.
    """
    entry, files = unpack_bundle(octets)
    return read_description(files.get, entry)


def read_description(read: ReadFile, entry: str) -> ServiceDescription:
    """The same from any source of files. Raises DescriptionUnusable."""
    written = read(CATALOG)
    documents = gather(read, entry, Catalog.parse(written) if written is not None else Catalog())
    notes = [f"{document}: nothing was found at {location}" for document, location in documents.missing]
    ports = read_ports(collect_definitions(documents), notes)
    in_use = _operations_in_use(ports)
    if not in_use:
        raise DescriptionUnusable(_in_words("there is no SOAP operation in the description", notes))
    schema = _compile_if_needed(documents, in_use, notes)
    operations = tuple(_judge(in_use, schema, notes))
    if not operations:
        raise DescriptionUnusable(_in_words("no operation has a Body that the schemas declare", notes))
    is_encoded = any(operation.is_encoded for operation in operations)
    return ServiceDescription(
        entry=entry,
        documents=documents.documents,
        locations=documents.locations,
        ports=ports,
        operations=operations,
        schema=schema,
        unchecked=frozenset(_unchecked(operations)),
        notes=tuple(dict.fromkeys(notes)),
        names_in_values=is_encoded or any(may_have_names_in_values(root) for root in documents.roots.values()),
        has_encoded_operations=is_encoded,
        by_input=_by_input(operations),
        by_name={operation.name: operation for operation in reversed(operations)},
    )


def _in_words(finding: str, notes: list[str]) -> str:
    return "; ".join([finding, *dict.fromkeys(notes)])


def _operations_in_use(ports: tuple[Port, ...]) -> list[Operation]:
    """For each port type the operations of its SOAP 1.1 port, else of its first: one answerable way for each."""
    chosen: dict[str, Port] = {}
    for port in ports:
        known = chosen.get(port.port_type)
        if known is None or (known.soap_version is not SoapVersion.SOAP11 and port.soap_version is SoapVersion.SOAP11):
            chosen[port.port_type] = port
    return [operation for port in chosen.values() for operation in port.operations]


def _compile_if_needed(documents: DocumentSet, operations: list[Operation], notes: list[str]) -> CompiledSchema | None:
    try:
        return compile_schema(documents, operations, notes)
    except DescriptionUnusable as cause:
        if any(operation.style in _CHECKED_STYLES for operation in operations):
            raise DescriptionUnusable(_in_words(cause.reason, notes)) from None
        notes.append(f"no schema check: {cause.reason}")
        return None


def _judge(operations: list[Operation], schema: CompiledSchema | None, notes: list[str]) -> list[Operation]:
    """Mark what cannot be checked, and leave out document/literal operations whose Body no schema declares."""
    judged = []
    for operation in operations:
        elements = {operation.input_element, operation.output_element} - {None}
        if schema is not None and elements <= _checkable(operation.style, schema):
            judged.append(operation)
        elif operation.style is Style.DOCUMENT_LITERAL:
            notes.append(f"operation {operation.name}: left out, because no schema declares its Body")
        else:
            notes.append(f"operation {operation.name}: {operation.style.value} is passed through, not type-checked")
            judged.append(replace(operation, type_checked=False))
    return judged


def _checkable(style: Style, schema: CompiledSchema) -> frozenset[str]:
    """The elements that a Body of this style may be and that the schema can judge."""
    if style is Style.DOCUMENT_LITERAL:
        return schema.elements
    return schema.rpc_elements if style is Style.RPC_LITERAL else frozenset()


def _unchecked(operations: tuple[Operation, ...]) -> list[str]:
    return [
        element
        for operation in operations
        if not operation.type_checked
        for element in (operation.input_element, operation.output_element)
        if element is not None
    ]


def _by_input(operations: tuple[Operation, ...]) -> Mapping[str, tuple[Operation, ...]]:
    found: dict[str, tuple[Operation, ...]] = {}
    for operation in operations:
        found[operation.input_element] = (*found.get(operation.input_element, ()), operation)
    return found
