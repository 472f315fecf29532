"""A provider's service description as the consumer's own client systems get it: with their adapter's address.

What changes: addresses of SOAP ports; locations of imported documents, which the adapter serves itself; a SOAP 1.1
port where the provider has only 1.2; the SOAPAction of operations that only an address told apart; the declaration of
the RequestContext header, and a text that explains it; the fault of the catalogue as a declared fault.
What goes: ports that are not SOAP, and policies, which speak of the way to the provider's own system.
Schemas stay byte for byte but for the locations in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final
from urllib.parse import quote

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_documents import WSDL_DEFINITIONS, location_attributes
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.description_octets import read_document
from adapter.envelope.wsdl_fault import declare_fault
from adapter.envelope.wsdl_header import declare_context, drop_broken_headers
from adapter.envelope.wsdl_ports import name_operations, serve_at
from adapter.errors import UnknownService

CONTRACT_PREFIX: Final = "interagency-adapter/"
"""What precedes the names of the adapter's own schemas among a service's documents."""

_POLICY_NAMESPACES: Final = (
    "http://schemas.xmlsoap.org/ws/2004/09/policy",
    "http://www.w3.org/ns/ws-policy",
    "http://schemas.xmlsoap.org/ws/2002/12/policy",
)
_REFERENCE: Final = re.compile(rb"<(?:[\w.-]+:)?(?:import|include|redefine)\b[^>]*>")
_SCHEMA_LOCATION: Final = re.compile(rb"""(\bschemaLocation\s*=\s*)("[^"]*"|'[^']*')""")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedDescription:
    """What the adapter answers to `?wsdl`, `?wsdl=NAME` and `?xsd=NAME`. documents: name to octets, all UTF-8 WSDL."""

    entry: str
    documents: Mapping[str, bytes]

    def document(self, name: str = "") -> bytes:
        """A document by its name; the WSDL to begin with without one. Raises UnknownService."""
        try:
            return self.documents[name or self.entry]
        except KeyError:
            raise UnknownService("the service description has no such document") from None


def publish(
    description: ServiceDescription,
    *,
    address: str,
    contracts: Mapping[str, bytes],
    context_schema: str,
    fault_schema: str,
    json_address: str = "",
) -> PublishedDescription:
    """Make every document of a description ready for client systems.

    address: where the client reaches this service at its adapter; any old `?query` is left out. contracts: the
    adapter's schemas by file name with what they import. context_schema, fault_schema: the ones of RequestContext and
    of the fault. json_address: where the service is had in JSON, for the documentation.
    """
    base = address.partition("?")[0]

    def rework(wsdls: list[etree._Element]) -> None:
        serve_at(wsdls, base)
        name_operations(wsdls, description.own_actions())
        drop_broken_headers(wsdls)
        declare_context(wsdls, query_url(base, "xsd", CONTRACT_PREFIX + context_schema), json_address)
        declare_fault(wsdls, query_url(base, "xsd", CONTRACT_PREFIX + fault_schema))

    return republish(description, location=partial(query_url, base), contracts=contracts, rework=rework)


def publish_plainly(description: ServiceDescription, *, address: str) -> PublishedDescription:
    """The same as the provider's own system would publish it at this address: nothing of the adapter is declared."""
    base = address.partition("?")[0]

    def rework(wsdls: list[etree._Element]) -> None:
        serve_at(wsdls, base)
        drop_broken_headers(wsdls)

    return republish(description, location=partial(query_url, base), contracts={}, rework=rework)


def republish(
    description: ServiceDescription,
    *,
    location: Callable[[str, str], str],
    contracts: Mapping[str, bytes],
    rework: Callable[[list[etree._Element]], None],
) -> PublishedDescription:
    """Every document of a description with new locations, its WSDL documents reworked in place.

    location: (`wsdl` or `xsd`, the document's name) to what the other documents call it by. contracts: the adapter's
    schemas by file name. rework: gets the roots of the WSDL documents, policies taken out.
    """
    roots = {name: read_document(octets, name) for name, octets in description.documents.items()}
    urls = {name: location("wsdl" if root.tag == WSDL_DEFINITIONS else "xsd", name) for name, root in roots.items()}
    documents = {CONTRACT_PREFIX + name: _contract(octets, location, roots, urls) for name, octets in contracts.items()}
    wsdls = [root for root in roots.values() if root.tag == WSDL_DEFINITIONS]
    for name, root in roots.items():
        targets = _targets(description, name, root, urls)
        if root.tag == WSDL_DEFINITIONS or not _rewritten(description.documents[name], name, targets, documents):
            _set_locations(root, targets)
            _drop_policies(root)
    rework(wsdls)
    documents.update({name: _octets(root) for name, root in roots.items() if name not in documents})
    return PublishedDescription(entry=description.entry, documents=documents)


def query_url(base: str, kind: str, name: str) -> str:
    """The address of one document. kind: `wsdl`, `peer-wsdl` or `xsd`."""
    return f"{base}?{kind}={quote(name, safe='/')}"


def _octets(root: etree._Element) -> bytes:
    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def _targets(
    description: ServiceDescription, name: str, root: etree._Element, urls: Mapping[str, str]
) -> dict[str, str | None]:
    """For each location as written in a document its new address; None where it leads to no document that we have."""
    written = [element.get(attribute, "") for element, attribute in location_attributes(root)]
    return {location: urls.get(description.locations.get((name, location), "")) for location in written}


def _rewritten(octets: bytes, name: str, targets: Mapping[str, str | None], documents: dict[str, bytes]) -> bool:
    """Whether a schema could be kept as it came but for its locations; then it is among the documents."""
    if not _is_plain(octets):
        return False
    changed = _rewrite(octets, targets) if targets else octets
    if targets and _locations(read_document(changed, name)) != {url for url in targets.values() if url}:
        return False
    documents[name] = changed
    return True


def _set_locations(root: etree._Element, targets: Mapping[str, str | None]) -> None:
    for element, attribute in location_attributes(root):
        url = targets[element.get(attribute, "")]
        if url is None:
            del element.attrib[attribute]  # nobody shall look for it elsewhere
        else:
            element.set(attribute, url)


def _is_plain(octets: bytes) -> bool:
    """Whether the octets can be searched as they are and be read by every client: no DOCTYPE, no two-octet encoding."""
    return b"<!DOCTYPE" not in octets and not octets.startswith((b"\xff\xfe", b"\xfe\xff"))


def _rewrite(octets: bytes, targets: Mapping[str, str | None]) -> bytes:
    def location(found: re.Match[bytes]) -> bytes:
        written = etree.fromstring(b"<a b=" + found.group(2) + b"/>").get("b", "")
        url = targets.get(written)
        return b"" if url is None else found.group(1) + b'"' + url.replace("&", "&amp;").encode() + b'"'

    try:
        return _REFERENCE.sub(lambda tag: _SCHEMA_LOCATION.sub(location, tag.group()), octets)
    except etree.XMLSyntaxError:
        return octets


def _locations(root: etree._Element) -> set[str]:
    return {element.get(attribute, "") for element, attribute in location_attributes(root)}


def _contract(
    octets: bytes,
    location: Callable[[str, str], str],
    roots: Mapping[str, etree._Element],
    urls: Mapping[str, str],
) -> bytes:
    """A schema of the adapter with its imports as the clients fetch them.

    Where the service has a schema for the xml namespace, that one is imported: generators of code refuse two.
    """
    of_xml = next((urls[name] for name, root in roots.items() if root.get("targetNamespace") == names.XML), None)
    root = read_document(octets, "contract")
    for element, attribute in location_attributes(root):
        own = location("xsd", CONTRACT_PREFIX + element.get(attribute, ""))
        is_of_xml = element.get("namespace") == names.XML
        element.set(attribute, of_xml if is_of_xml and of_xml else own)
    return _octets(root)


def _drop_policies(root: etree._Element) -> None:
    etree.strip_elements(root, *(names.qname(namespace, "*") for namespace in _POLICY_NAMESPACES))
