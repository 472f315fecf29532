"""A service's description as another stack needs it that takes the place of an adapter.

The binding is SOAP 1.2 with the envelope's own header blocks and a WS-SecurityPolicy that says how a message is signed
and encrypted. A consumer without an adapter calls the provider's adapter by it; a provider without an adapter serves by
it. How messages are made in detail: xsd/envelope.xsd; a recipe: docs/peers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.description_model import ServiceDescription
from adapter.envelope.wsdl_elements import resolve
from adapter.envelope.wsdl_header import element_with_qname, explain_service, import_schema, insert_behind
from adapter.envelope.wsdl_policy import PROTECTION, REPLY_PARTS, REQUEST_PARTS, policies, policy_reference
from adapter.envelope.wsdl_publish import CONTRACT_PREFIX, PublishedDescription, query_url, republish

PEER_QUERY: Final = "peer-wsdl"
"""The key of the query under which the WSDL documents are served (`?peer-wsdl`)."""
ENVELOPE_SCHEMA: Final = "envelope.xsd"
ENVELOPE_CONTRACTS: Final = (
    ENVELOPE_SCHEMA,
    "identifiers.xsd",
    "legal-basis.xsd",
    "wsu-id.xsd",
    "soap12-attributes.xsd",
)
"""The schema of the envelope's header blocks, and what it imports."""

_HTTP: Final = "http://schemas.xmlsoap.org/soap/http"
_SERVICE_HEADERS: Final = tuple(
    names.qname(namespace, kind)
    for namespace in (names.WSDL_SOAP11, names.WSDL_SOAP12)
    for kind in ("header", "headerfault")
)
_MESSAGE: Final = "InteragencyEnvelopeHeaders"
# The parts of that message: their elements, and whether a reply has them too.
_HEADERS: Final = (("exchange", "Exchange", True), ("personalData", "PersonalData", False))
_TEXT: Final = (
    "For a stack that speaks to the adapters of other agencies itself. Who may call or answer is in the signed "
    "directory: a member there, with its certificates for signing, agreement and TLS. The connection is HTTPS "
    "(TLS 1.3) with a client certificate; no assertion can say so beside the asymmetric binding. The algorithm suite "
    "is AES-128-GCM and SHA-256 with the signature of the sender's suite and the key encryption of the recipient's "
    "suite; docs/peers.md of the Interagency Adapter says how to set them."
)


def served_below(base: str) -> Callable[[str, str], str]:
    """How documents name each other that are served below an address without a query, for `publish_for_peers`."""
    return lambda kind, name: query_url(base, PEER_QUERY if kind == "wsdl" else kind, name)


def beside_each_other(_kind: str, name: str) -> str:
    """How documents name each other that lie in one folder, for `publish_for_peers`: it is their file's name."""
    return name.replace("/", "_")


def publish_for_peers(
    description: ServiceDescription,
    *,
    location: Callable[[str, str], str],
    peer_address: str,
    contracts: Mapping[str, bytes],
) -> PublishedDescription:
    """Make every document of a description ready for another stack on the peer side.

    location: see `served_below` and `beside_each_other`. peer_address: where the provider listens for other members.
    contracts: those of ENVELOPE_CONTRACTS at least, by file name.
    """

    def rework(wsdls: list[etree._Element]) -> None:
        kept = _one_binding_for_each_port_type(wsdls)
        for root in wsdls:
            _secure_bindings(root, location("xsd", CONTRACT_PREFIX + ENVELOPE_SCHEMA))
            for service in root.iterchildren(_wsdl("service")):
                _serve(service, kept, peer_address)

    return republish(description, location=location, contracts=contracts, rework=rework)


def _wsdl(local: str) -> str:
    return names.qname(names.WSDL, local)


def _soap12(local: str) -> str:
    return names.qname(names.WSDL_SOAP12, local)


def _soap_extensions(element: etree._Element) -> list[etree._Element]:
    return list(element.iter(names.qname(names.WSDL_SOAP11, "*"), names.qname(names.WSDL_SOAP12, "*")))


def _one_binding_for_each_port_type(roots: list[etree._Element]) -> set[str]:
    """Take out all bindings but the first SOAP binding of each port type; the names of those that stay."""
    kept: dict[str, str] = {}
    for root in roots:
        for binding in list(root.iterchildren(_wsdl("binding"))):
            port_type = resolve(binding, binding.get("type", ""))
            if port_type in kept or not _soap_extensions(binding):
                root.remove(binding)
            else:
                kept[port_type] = names.qname(root.get("targetNamespace", ""), binding.get("name", ""))
    return set(kept.values())


# --- bindings --------------------------------------------------------------------------------------------------------


def _secure_bindings(root: etree._Element, schema_url: str) -> None:
    bindings = list(root.iterchildren(_wsdl("binding")))
    if not bindings:
        return
    for binding in bindings:
        _speak_soap12(binding)
        binding.insert(0, policy_reference(PROTECTION))
        for operation in binding.iterchildren(_wsdl("operation")):
            _secure(operation, root.get("targetNamespace", ""))
    message = etree.Element(_wsdl("message"), name=_MESSAGE)
    insert_behind(root, message, kinds=("import", "documentation", "types"))
    for part, local, _ in _HEADERS:
        message.append(_part(root, part, local))
    import_schema(root, names.ENVELOPE, schema_url)
    for policy in reversed(policies()):
        insert_behind(root, policy, kinds=("documentation",))


def _speak_soap12(binding: etree._Element) -> None:
    """SOAP 1.2 whatever the provider's own system speaks (the extension elements have the same attributes)."""
    etree.strip_elements(binding, *_SERVICE_HEADERS)  # the envelope has no place for headers of the service
    for extension in _soap_extensions(binding):
        local = etree.QName(extension).localname
        extension.tag = _soap12(local)
        if local == "binding":
            extension.set("transport", _HTTP)


def _secure(operation: etree._Element, target_namespace: str) -> None:
    for kind, policy in (("input", REQUEST_PARTS), ("output", REPLY_PARTS)):
        for bound in operation.iterchildren(_wsdl(kind)):
            for body in list(bound.iter(_soap12("body"))):
                for part, _, in_reply in _HEADERS:
                    if in_reply or kind == "input":
                        _add_header(body, part, target_namespace)
            bound.insert(0, policy_reference(policy))


def _add_header(body: etree._Element, part: str, target_namespace: str) -> None:
    header = element_with_qname(body, _soap12("header"), "message", (target_namespace, _MESSAGE))
    header.set("part", part)
    header.set("use", "literal")
    body.addnext(header)


def _part(root: etree._Element, name: str, local: str) -> etree._Element:
    part = element_with_qname(root, _wsdl("part"), "element", (names.ENVELOPE, local))
    part.set("name", name)
    return part


# --- services --------------------------------------------------------------------------------------------------------


def _serve(service: etree._Element, kept: set[str], peer_address: str) -> None:
    for port in list(service.iterchildren(_wsdl("port"))):
        if resolve(port, port.get("binding", "")) not in kept:
            service.remove(port)
            continue
        for extension in list(port):
            port.remove(extension)
        etree.SubElement(port, _soap12("address"), location=peer_address)
    explain_service(service, _TEXT)
