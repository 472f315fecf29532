"""Which documents a service description consists of: the entry WSDL and all that it names, never the network.

A location is resolved as tools do, and then looked up, never fetched: in the catalogue (`catalog.json`), else as a
path from the document's own place below the folder.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urldefrag, urljoin

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_octets import read_document
from adapter.errors import DescriptionUnusable

ReadFile = Callable[[str], bytes | None]
"""The octets of a file by its path below the folder (always inside it, `/` between segments), or None."""

MAX_DOCUMENTS: Final = 500
MAX_DESCRIPTION_BYTES: Final = 32 * 1024 * 1024
CATALOG: Final = "catalog.json"

XSD_SCHEMA: Final = names.qname(names.XSD, "schema")
WSDL_DEFINITIONS: Final = names.qname(names.WSDL, "definitions")
_LOCATION_OF: Final = {
    names.qname(names.WSDL, "import"): "location",
    names.qname(names.XSD, "import"): "schemaLocation",
    names.qname(names.XSD, "include"): "schemaLocation",
    names.qname(names.XSD, "redefine"): "schemaLocation",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalog:
    """Where documents are that a location does not lead to.

    urls: absolute URL to file name. relative: (document, location as written) to file name.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    relative: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def parse(cls, octets: bytes) -> Catalog:
        """Read `catalog.json` (untrusted): `urls` and `relative` count. Raises DescriptionUnusable."""
        try:
            content: Any = json.loads(octets)
            urls = {str(url): str(name) for url, name in content.get("urls", {}).items()}
            relative = {
                (str(entry["in"]), str(entry["written"])): str(entry["file"]) for entry in content.get("relative", [])
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DescriptionUnusable(f"{CATALOG} is not a catalogue") from None
        return cls(urls=urls, relative=relative)


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentSet:
    """Every reachable document. documents: byte for byte; roots: the same, parsed.

    locations: (document, location as written) to document. missing: locations that lead to no document.
    """

    entry: str
    documents: Mapping[str, bytes]
    roots: Mapping[str, etree._Element]
    locations: Mapping[tuple[str, str], str]
    missing: tuple[tuple[str, str], ...]


def gather(read: ReadFile, entry: str, catalog: Catalog) -> DocumentSet:
    """Read the entry WSDL and, following every import, include and redefine, all other documents.

    A location without a document is not an error here: it may belong to a part that is not used.
    Raises DescriptionUnusable: no entry, not XML, not WSDL or XSD, more or larger documents than allowed.
    """
    documents: dict[str, bytes] = {}
    roots: dict[str, etree._Element] = {}
    locations: dict[tuple[str, str], str] = {}
    missing: list[tuple[str, str]] = []
    urls = {name: url for url, name in reversed(list(catalog.urls.items()))}
    waiting = [entry]
    total = 0
    while waiting:
        name = waiting.pop()
        if name in documents:
            continue
        octets = read(name)
        if octets is None:
            raise DescriptionUnusable(f"{name}: no such file")
        total += len(octets)
        if len(documents) >= MAX_DOCUMENTS or total > MAX_DESCRIPTION_BYTES:
            raise DescriptionUnusable(f"more than {MAX_DOCUMENTS} documents or {MAX_DESCRIPTION_BYTES} octets")
        documents[name] = octets
        roots[name] = _check_root(read_document(octets, name), name)
        for written in locations_in(roots[name]):
            target = _resolve(name, written, catalog, urls)
            if target is None or (target not in documents and read(target) is None):
                missing.append((name, written))
            else:
                locations[(name, written)] = target
                waiting.append(target)
    return DocumentSet(
        entry=entry, documents=documents, roots=roots, locations=locations, missing=tuple(dict.fromkeys(missing))
    )


def _check_root(root: etree._Element, name: str) -> etree._Element:
    if root.tag not in (XSD_SCHEMA, WSDL_DEFINITIONS):
        raise DescriptionUnusable(f"{name}: neither a WSDL 1.1 definitions element nor an XML Schema")
    return root


def location_attributes(root: etree._Element) -> list[tuple[etree._Element, str]]:
    """Every element of a WSDL or XSD document that names another document, with the attribute that does so."""
    return [
        (found, _LOCATION_OF[str(found.tag)])
        for found in root.iter(*_LOCATION_OF)
        if _LOCATION_OF[str(found.tag)] in found.attrib
    ]


def locations_in(root: etree._Element) -> list[str]:
    """The locations as written, each once, in document order."""
    return list(dict.fromkeys(found.get(attribute, "") for found, attribute in location_attributes(root)))


def web_address(document: str, written: str, catalog: Catalog) -> str | None:
    """The web address that a location in a document means, without its fragment; None where it means none."""
    base = next((url for url, name in catalog.urls.items() if name == document), "")
    address = urljoin(base, urldefrag(written.strip()).url)
    return address if address.startswith(("http://", "https://")) else None


def _resolve(document: str, written: str, catalog: Catalog, urls: Mapping[str, str]) -> str | None:
    """The document's name that a location means, or None. Never a path outside the folder."""
    location = urldefrag(written.strip()).url
    base = urls.get(document)
    absolute = urljoin(base, location) if base else location
    if absolute in catalog.urls:
        return catalog.urls[absolute]
    if (document, written) in catalog.relative:
        return catalog.relative[(document, written)]
    if ":" in location.split("/", 1)[0] or location.startswith("/") or not location:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(document), unquote(location).replace("\\", "/")))
    return None if is_unsafe_name(path) else path


def is_unsafe_name(name: str) -> bool:
    """Whether a document's name could leave its folder or be read as something else than a plain relative path."""
    segments = name.split("/")
    return (
        not name
        or name == CATALOG
        or len(name) > 255
        or any(segment in ("", ".", "..") for segment in segments)
        or any(character in name for character in ":\\\0")
        or not name.isprintable()
    )
