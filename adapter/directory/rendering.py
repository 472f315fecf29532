"""A draft to directory.xml: deterministic, indented, one order, so that two versions can be compared line by line."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapter.directory.content import CertificationAuthority, EService, Titles
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import DirectoryService, Member, RegisteredCertificate, Registration
from adapter.envelope import names
from adapter.identifiers import SubsystemId

_LINE: Final = 100
_LANGUAGES: Final = ("en", "ru", "uz", "uz-Cyrl")


def render_directory(draft: DirectoryDraft) -> bytes:
    """The document: UTF-8, equal octets for equal drafts. Not checked: `authoring.publish` reads it back first."""
    root = _root("Directory")
    root.set("instance", draft.instance)
    root.set("version", str(draft.version))
    root.set("issued", write_instant(draft.issued))
    root.set("expires", write_instant(draft.expires))
    if draft.grace:
        root.set("grace", write_duration(draft.grace))
    _add_authorities(root, "SigningAuthorities", draft.signing_authorities)
    _add_authorities(root, "TlsAuthorities", draft.tls_authorities)
    _add_time_stamp_authorities(root, draft)
    _add_suites(root, draft)
    _add_codes(root, draft)
    _add_secrecy_kinds(root, draft)
    _add_consent_issuers(root, draft)
    _add_witnesses(root, draft)
    _add_register(root, draft)
    _add_groups(root, draft)
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


_DAY: Final = 86_400


def write_duration(length: timedelta) -> str:
    """A duration as the directory writes it: one number of the largest unit that fits, P3D, PT36H, PT90S."""
    seconds = int(length.total_seconds())
    if seconds % _DAY == 0 and seconds <= 9999 * _DAY:
        return f"P{seconds // _DAY}D"
    unit, size = next((unit, size) for unit, size in (("H", 3600), ("M", 60), ("S", 1)) if seconds % size == 0)
    return f"PT{seconds // size}{unit}"


def _add_member(parent: etree._Element, member: Member, services: Mapping[SubsystemId, list[DirectoryService]]) -> None:
    element = _add(parent, "Member", id=str(member.id), stir=member.stir, suite=member.suite)
    _add_titles(element, member.names, "Name")
    adapter = _add(element, "Adapter", address=member.adapter.address)
    for tls in member.adapter.tls_certificates:
        _add(adapter, "TlsCertificate", _base64(tls.der))
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
    _add_titles(element, service.titles)
    for regulation in sorted(service.regulations):
        _add(element, "RegulationId", regulation)


def _add_authorities(parent: etree._Element, name: str, authorities: Iterable[CertificationAuthority]) -> None:
    holder = _add(parent, name)
    for one in authorities:
        element = _add(holder, "Authority")
        if one.status_window is not None:
            element.set("statusWindow", write_duration(one.status_window))
        _add(element, "Certificate", _base64(one.certificate.public_bytes(Encoding.DER)))
        for address in one.ocsp_addresses:
            _add(element, "OcspAddress", address)
        for address in one.crl_addresses:
            _add(element, "CrlAddress", address)


def _add_time_stamp_authorities(root: etree._Element, draft: DirectoryDraft) -> None:
    if not draft.time_stamp_authorities:
        return
    holder = _add(root, "TimeStampAuthorities")
    if draft.time_stamp_limit is not None:
        holder.set("limit", write_duration(draft.time_stamp_limit))
    for one in draft.time_stamp_authorities.values():  # in the order in which they are tried
        element = _add(holder, "TimeStampAuthority", name=one.name, address=one.address)
        for certificate in one.certificates:
            _add(element, "StampCertificate", _base64(certificate.public_bytes(Encoding.DER)))


def _add_codes(root: etree._Element, draft: DirectoryDraft) -> None:
    if draft.identifier_types:
        types = _add(root, "IdentifierTypes")
        for code, known in sorted(draft.identifier_types.items()):
            _add_titles(_add(types, "IdentifierType", code=code, pattern=known.pattern.text), known.titles)
    purposes = _add(root, "Purposes")
    for code, titles in sorted(draft.purposes.items()):
        _add_titles(_add(purposes, "Purpose", code=code), titles)
    kinds = _add(root, "LegalBasisKinds")
    for code, kind in sorted(draft.legal_basis_kinds.items()):
        element = _add(kinds, "LegalBasisKind", code=code)
        if kind.withheld:
            element.set("withheld", "true")
        _add_titles(element, kind.titles)
        for name in sorted(one.value for one in kind.must_name):
            _add(element, "Names", name)


def _add_secrecy_kinds(root: etree._Element, draft: DirectoryDraft) -> None:
    if draft.secrecy_kinds:
        kinds = _add(root, "SecrecyKinds")
        for code, kind in sorted(draft.secrecy_kinds.items()):
            _add_titles(_add(kinds, "SecrecyKind", code=code, maximum=write_duration(kind.maximum)), kind.titles)


def _add_consent_issuers(root: etree._Element, draft: DirectoryDraft) -> None:
    if not draft.consent_issuers:
        return
    holder = _add(root, "ConsentIssuers")
    for subsystem, one in sorted(draft.consent_issuers.items()):
        element = _add(holder, "ConsentIssuer", subsystem=str(subsystem), cacheLimit=write_duration(one.cache_limit))
        for kind in sorted(one.kinds):
            _add(element, "Kind", kind)
        for certificate in one.certificates:
            _add(element, "StatementCertificate", _base64(certificate.public_bytes(Encoding.DER)))


def _add_suites(root: etree._Element, draft: DirectoryDraft) -> None:
    if draft.suite_ends:
        suites = _add(root, "Suites")
        for name, end in sorted(draft.suite_ends.items()):
            _add(suites, "Suite", name=name, end=write_instant(end))


def _add_witnesses(root: etree._Element, draft: DirectoryDraft) -> None:
    if draft.witnesses:
        witnesses, rule = _add(root, "Witnesses"), draft.witness_rule
        if rule.threshold != 1:
            witnesses.set("threshold", str(rule.threshold))
        if rule.limit is not None:
            witnesses.set("limit", write_duration(rule.limit))
        for _, witness in sorted(draft.witnesses.items()):
            _add(witnesses, "Witness", name=witness.name, key=witness.vkey, address=witness.address)


def _add_groups(root: etree._Element, draft: DirectoryDraft) -> None:
    if draft.groups:
        groups = _add(root, "Groups")
        for code, subsystems in sorted(draft.groups.items()):
            group = _add(groups, "Group", code=code)
            for subsystem in sorted(subsystems):
                _add(group, "Subsystem", str(subsystem))


def _add_register(root: etree._Element, draft: DirectoryDraft) -> None:
    if draft.e_services:
        register = _add(root, "EServices")
        for _, e_service in sorted(draft.e_services.items()):
            _add_e_service(register, e_service)


def _add_e_service(parent: etree._Element, e_service: EService) -> None:
    element = _add(
        parent,
        "EService",
        code=e_service.code,
        agency=str(e_service.agency),
        workingDays=str(e_service.working_days),
    )
    _add_titles(element, e_service.titles)
    stated = e_service.regulation
    regulation = _add(element, "Regulation", id=stated.id, approved=stated.approved.isoformat())
    _add_titles(regulation, stated.titles)
    for member in sorted(stated.participants):
        _add(regulation, "Participant", str(member))
    for service, fields in sorted(stated.documents.items()):
        document = _add(regulation, "Document", service=str(service))
        for field in sorted(fields):
            _add(document, "Field", field)


def _add_titles(parent: etree._Element, titles: Titles, name: str = "Title") -> None:
    for language in _LANGUAGES:
        if language in titles:
            _add(parent, name, titles[language], language=language)


def _add_suite_certificates(parent: etree._Element, name: str, registered: Iterable[RegisteredCertificate]) -> None:
    for one in registered:
        _add(parent, name, _base64(one.der), suite=one.suite)


def _root(name: str) -> etree._Element:
    return etree.fromstring(f'<{name} xmlns="{names.DIRECTORY}"/>')


def _add(parent: etree._Element, tag: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, names.qname(names.DIRECTORY, tag), attributes)
    element.text = text
    return element


def _base64(der: bytes) -> str:
    octets = base64.b64encode(der).decode()
    return "\n" + "".join(f"{octets[at : at + _LINE]}\n" for at in range(0, len(octets), _LINE))


def _serialize(root: etree._Element) -> bytes:
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"
