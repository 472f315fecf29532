"""The SOAP message of `adapter call`: from a file as it is, or made by zeep from the service's own WSDL."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import zeep
import zeep.exceptions
from lxml import etree

from adapter import xmlsafe
from adapter.envelope import names
from adapter.envelope.description import ServiceDescription
from adapter.envelope.description_documents import location_attributes
from adapter.envelope.description_octets import read_document
from adapter.envelope.schema_own import OWN_SCHEMAS, SOAP11_ENCODING
from adapter.errors import CommandRefused, DescriptionUnusable, MalformedMessage
from adapter.identifiers import OfficialId, SubjectId
from adapter.stages import LegalBasis

_CONTENT_TYPES: Final = {names.SOAP11: "text/xml; charset=utf-8", names.SOAP12: "application/soap+xml; charset=utf-8"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """Who asks, why, about whom: what goes into the RequestContext header. Empty where the settings say it."""

    official: OfficialId | None = None
    purpose: str | None = None
    legal_basis: LegalBasis | None = None
    regulation: str | None = None
    subjects: tuple[SubjectId, ...] = ()
    consent: str | None = None
    issue: str | None = None
    emergency: str | None = None

    def header(self) -> etree._Element | None:
        """The header block (xsd/client.xsd), or None when nothing was said."""
        parts: list[tuple[str, str, dict[str, str]]] = []
        if self.official is not None:
            parts.append(("Official", str(self.official), {}))
        if self.purpose is not None:
            parts.append(("Purpose", self.purpose, {}))
        if self.legal_basis is not None:
            parts.append(("LegalBasis", self.legal_basis.reference, _basis_attributes(self.legal_basis)))
        if self.regulation is not None:
            parts.append(("Regulation", self.regulation, {}))
        parts += [("Subject", subject.value, {"kind": subject.kind}) for subject in self.subjects]
        if self.consent is not None:
            parts.append(("Consent", self.consent, {}))
        if self.issue is not None:
            parts.append(("Issue", self.issue, {}))
        if self.emergency is not None:
            parts.append(("Emergency", self.emergency, {}))
        if not parts:
            return None
        block = etree.Element(names.REQUEST_CONTEXT, nsmap={"ctx": names.CLIENT})
        for name, text, attributes in parts:
            etree.SubElement(block, names.qname(names.CLIENT, name), attributes).text = text
        return block


def _basis_attributes(basis: LegalBasis) -> dict[str, str]:
    return {"kind": basis.kind, **dict(basis.names)}


@dataclass(frozen=True, kw_only=True, slots=True)
class SoapMessage:
    """What is posted. soap_action is empty where the file says nothing of it."""

    octets: bytes
    content_type: str
    soap_action: str


def message_from_file(octets: bytes, asking: Asking) -> SoapMessage:
    """A whole envelope goes as it is; any other element becomes the Body of a SOAP 1.1 envelope, with the header.

    octets: of the file that was named. Raises MalformedMessage, LimitExceeded, CommandRefused.
    """
    root = xmlsafe.parse(octets, error=MalformedMessage)
    header = asking.header()
    if root.tag in (names.SOAP11_ENVELOPE, names.SOAP12_ENVELOPE):
        if header is not None:
            raise CommandRefused(
                "the file is a whole envelope: write the RequestContext into it, or leave the options out"
            )
        namespace = etree.QName(root).namespace or ""
        return SoapMessage(octets=octets, content_type=_CONTENT_TYPES[namespace], soap_action="")
    head = b"" if header is None else b"<soap:Header>" + etree.tostring(header, encoding="utf-8") + b"</soap:Header>"
    octets = b"".join(
        (
            f'<soap:Envelope xmlns:soap="{names.SOAP11}">'.encode(),
            head,
            b"<soap:Body>",
            etree.tostring(root, encoding="utf-8", with_tail=False),  # written, not moved: prefixes in values stay
            b"</soap:Body></soap:Envelope>",
        )
    )
    return SoapMessage(octets=octets, content_type=_CONTENT_TYPES[names.SOAP11], soap_action="")


def message_from_fields(
    description: ServiceDescription, operation: str | None, fields: Sequence[str], asking: Asking
) -> SoapMessage:
    """Let zeep write the request of the operation with these `Path.To.Element=value` fields; it fetches nothing.

    Raises CommandRefused: no such operation, or fields that the schema has no place for; DescriptionUnusable.
    """
    with tempfile.TemporaryDirectory() as folder:
        client = _offline_client(description, Path(folder))
        service, name = _bound(client, description, operation)
        header = asking.header()
        try:
            envelope = client.create_message(  # type: ignore[no-untyped-call]
                service, name, **nested(fields), _soapheaders=[] if header is None else [header]
            )
        except (zeep.exceptions.Error, TypeError, ValueError, KeyError) as cause:
            raise CommandRefused(f"{name} cannot be asked with these fields: {_because(cause)}") from None
    namespace = etree.QName(envelope).namespace or names.SOAP11
    return SoapMessage(
        octets=etree.tostring(envelope, encoding="utf-8"),
        content_type=_CONTENT_TYPES[namespace],
        soap_action=description.operation(name).soap_action,
    )


def _offline_client(description: ServiceDescription, folder: Path) -> zeep.Client:
    """A client over the description's files, every location turned into a file's, so that nothing is fetched."""
    for name, octets in description.documents.items():
        root = read_document(octets, name)
        for element, attribute in location_attributes(root):
            target = description.locations.get((name, element.get(attribute, "")))
            if target is None:
                del element.attrib[attribute]
            else:
                element.set(attribute, (folder / target).as_uri())
        _bring_own_schemas(root, folder)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(etree.tostring(root, encoding="utf-8"))
    settings = zeep.Settings(strict=False, forbid_external=True, forbid_dtd=True, force_https=False)
    try:
        return zeep.Client(str(folder / description.entry), settings=settings)  # type: ignore[no-untyped-call]
    except (zeep.exceptions.Error, etree.LxmlError, LookupError, ValueError, AttributeError) as cause:
        raise DescriptionUnusable(
            f"zeep cannot read this WSDL ({_because(cause)}); write the request into a file and name that"
        ) from None


def _bring_own_schemas(root: etree._Element, folder: Path) -> None:
    """Give imports of usual schemas that lie nowhere in the description our own copies.

    Not that of SOAP encoding: zeep treats it in its own way, which goes wrong with a file in its place.
    """
    for element in root.iter(names.qname(names.XSD, "import")):
        own = OWN_SCHEMAS.get(element.get("namespace", ""))
        encoding = element.get("namespace") == SOAP11_ENCODING
        if own is not None and not encoding and element.get("schemaLocation") is None:
            path = folder / f"own-{hashlib.sha256(own).hexdigest()[:16]}.xsd"
            path.write_bytes(own)
            element.set("schemaLocation", path.as_uri())


def _bound(client: zeep.Client, description: ServiceDescription, wanted: str | None) -> tuple[Any, str]:
    """The port that has the operation. Raises CommandRefused."""
    known = list(dict.fromkeys(operation.name for operation in description.operations))
    if wanted is None and len(known) > 1:
        raise CommandRefused(f"name one --operation: {', '.join(known)}")
    name = wanted or known[0]
    if name not in known:
        raise CommandRefused(f"there is no operation {name}; there are: {', '.join(known)}")
    for service_name, service in client.wsdl.services.items():
        for port_name, port in service.ports.items():
            if name in port.binding.all():
                return client.bind(service_name, port_name), name
    raise DescriptionUnusable(f"zeep finds no port with the operation {name}; write the request into a file")


def nested(fields: Sequence[str]) -> Mapping[str, Any]:
    """`A.B=x` as {"A": {"B": "x"}}; a name that comes again becomes a list. Raises CommandRefused."""
    content: dict[str, Any] = {}
    for field in fields:
        path, equals, value = field.partition("=")
        steps = path.split(".")
        if not equals or not all(steps):
            raise CommandRefused("a field is written Name=value, or Outer.Inner=value for an element inside another")
        here = content
        for step in steps[:-1]:
            here = here.setdefault(step, {})
            if not isinstance(here, dict):
                raise CommandRefused(f"{step} is given a value and inner fields: choose one")
        last = steps[-1]
        if last not in here:
            here[last] = value
        elif isinstance(here[last], dict):
            raise CommandRefused(f"{last} is given a value and inner fields: choose one")
        else:
            here[last] = [*here[last], value] if isinstance(here[last], list) else [here[last], value]
    return content


def _because(cause: Exception) -> str:
    """The words of zeep; they name elements of the WSDL, and what was typed stays on this screen."""
    return str(getattr(cause, "message", "") or cause).strip().rstrip(".") or type(cause).__name__
