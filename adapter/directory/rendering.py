"""A draft to directory.xml: deterministic, indented, one order, so that two versions can be compared line by line."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from adapter.directory.draft import DirectoryDraft, Registration
from adapter.directory.model import DirectoryService, Member, RegisteredCertificate
from adapter.envelope import names
from adapter.identifiers import SubsystemId

_LANGUAGES: Final = ("en", "ru", "uz", "uz-Cyrl")


def render_directory(draft: DirectoryDraft) -> bytes:
    """The document: UTF-8, equal octets for equal drafts. Not checked: `signing.sign_directory` reads it back first."""
    root = _root("Directory")
    root.set("instance", draft.instance)
    root.set("version", str(draft.version))
    root.set("issued", write_instant(draft.issued))
    root.set("expires", write_instant(draft.expires))
    _add_authorities(root, "SigningAuthorities", draft.signing_cas)
    _add_authorities(root, "TlsAuthorities", draft.tls_cas)
    if draft.suite_ends:
        suites = _add(root, "Suites")
        for name, end in sorted(draft.suite_ends.items()):
            _add(suites, "Suite", name=name, end=write_instant(end))
    _add_coded(root, "Purposes", "Purpose", draft.purposes)
    _add_coded(root, "LegalBasisKinds", "LegalBasisKind", draft.legal_basis_kinds)
    if draft.groups:
        groups = _add(root, "Groups")
        for code, subsystems in sorted(draft.groups.items()):
            group = _add(groups, "Group", code=code)
            for subsystem in sorted(subsystems):
                _add(group, "Subsystem", str(subsystem))
    members = _add(root, "Members")
    services: dict[SubsystemId, list[DirectoryService]] = {}
    for service in draft.services.values():
        services.setdefault(service.service.subsystem, []).append(service)
    for _, member in sorted(draft.members.items()):
        _add_member(members, member, services)
    return _serialize(root)


def render_registration(registration: Registration) -> bytes:
    """What an agency hands to the authority: UTF-8 octets, valid against xsd/directory.xsd."""
    root = _root("Registration")
    services: dict[SubsystemId, list[DirectoryService]] = {}
    for service in registration.services:
        services.setdefault(service.service.subsystem, []).append(service)
    _add_member(root, registration.member, services)
    return _serialize(root)


def write_instant(at: datetime) -> str:
    """A time as the directory writes it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _add_member(parent: etree._Element, member: Member, services: Mapping[SubsystemId, list[DirectoryService]]) -> None:
    element = _add(parent, "Member", id=str(member.id), stir=member.stir, suite=member.suite)
    for language in _LANGUAGES:
        if language in member.names:
            _add(element, "Name", member.names[language], language=language)
    adapter = _add(element, "Adapter", address=member.adapter.address)
    for tls in member.adapter.tls_certificates:
        _add(adapter, "TlsCertificate", _base64(tls.certificate))
    _add_suite_certificates(element, "SigningCertificate", member.signing)
    _add_suite_certificates(element, "AgreementCertificate", member.agreement)
    if member.record_vkey is not None:
        _add(element, "RecordKey", member.record_vkey)
    for code in sorted(member.subsystems):
        subsystem = _add(element, "Subsystem", code=code)
        for service in sorted(services.get(SubsystemId(member.id, code), ()), key=lambda one: one.service):
            _add_service(subsystem, service)


def _add_service(parent: etree._Element, service: DirectoryService) -> None:
    element = _add(
        parent,
        "Service",
        code=service.service.code,
        version=service.service.version,
        personalData="true" if service.personal_data else "false",
        description=service.description_sha256,
    )
    _add(element, "Title", service.title)
    for regulation in sorted(service.regulations):
        _add(element, "Regulation", regulation)


def _add_authorities(parent: etree._Element, name: str, certificates: Iterable[x509.Certificate]) -> None:
    authorities = _add(parent, name)
    for certificate in certificates:
        _add(_add(authorities, "Authority"), "Certificate", _base64(certificate))


def _add_coded(parent: etree._Element, holder: str, name: str, coded: Mapping[str, str]) -> None:
    element = _add(parent, holder)
    for code, text in sorted(coded.items()):
        _add(element, name, text, code=code)


def _add_suite_certificates(parent: etree._Element, name: str, registered: Iterable[RegisteredCertificate]) -> None:
    for one in registered:
        _add(parent, name, _base64(one.certificate), suite=one.suite)


def _root(name: str) -> etree._Element:
    return etree.fromstring(f'<{name} xmlns="{names.DIRECTORY}"/>')


def _add(parent: etree._Element, tag: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, names.qname(names.DIRECTORY, tag), attributes)
    element.text = text
    return element


def _base64(certificate: x509.Certificate) -> str:
    octets = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
    return "\n" + "\n".join(textwrap.wrap(octets, 100)) + "\n"


def _serialize(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
