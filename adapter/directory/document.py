"""directory.xml: octets to values (xsd/directory.xsd).

Reading checks form and consistency only. That the authority signed the document is `directory.proof`'s business, and
an adapter gets its Directory from there.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Collection, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from lxml import etree

from adapter import xmlsafe
from adapter.contracts import read_contract
from adapter.directory.consistency import index_directory
from adapter.directory.content_reading import (
    read_authorities,
    read_consent_issuers,
    read_e_services,
    read_identifier_types,
    read_legal_basis_kinds,
    read_purposes,
    read_secrecy_kinds,
    read_time_stamp_authorities,
    read_witness_rule,
    read_witnesses,
)
from adapter.directory.draft import DirectoryDraft
from adapter.directory.elements import (
    certificate_der,
    children,
    duration,
    flag,
    identifier,
    instant,
    only,
    tag,
    text,
    texts,
    titles,
    unique,
    value,
)
from adapter.directory.model import (
    AdapterEntry,
    Directory,
    DirectoryService,
    Member,
    RegisteredCertificate,
    Registration,
)
from adapter.directory.slicing import SlicedDirectory, alone, slice_directory
from adapter.errors import DirectoryRefused, LimitExceeded
from adapter.identifiers import MemberId, ServiceId, SubsystemId

# 10,000 members with ten certificates each and 50,000 services: 85 MB with keys of p256, 150 MB with keys of rsa.
DIRECTORY_LIMITS: Final = xmlsafe.XmlLimits(
    max_bytes=256 * 1024 * 1024,
    max_depth=20,
    max_nodes=4_000_000,
    max_attributes_in_all=8_000_000,
    max_namespace_declarations=1_000,
    max_canonical_bytes=1024 * 1024 * 1024,
)
REGISTRATION_LIMITS: Final = xmlsafe.XmlLimits(
    max_bytes=4 * 1024 * 1024, max_depth=20, max_nodes=100_000, max_namespace_declarations=100
)


def parse_directory(octets: bytes, earlier: Directory | None = None) -> Directory:
    """Read a directory document (untrusted octets; whether they are signed is not looked at here).

    earlier: a directory that was read before. What did not change since is taken from it: the whole, where it is the
    same document; members whose octets are the same. The result is the same without it.

    Raises DirectoryRefused when it is oversized, not well-formed, not valid against xsd/directory.xsd, has a critical
    extension (this version knows none), or contradicts itself.
    """
    digest = hashlib.sha256(octets).digest()
    if earlier is not None and hmac.compare_digest(digest, earlier.document_sha256):
        return earlier
    draft, registrations = _read(octets, {} if earlier is None else earlier.registrations)
    return index_directory(draft, document_sha256=digest, registrations=registrations)


def read_draft(octets: bytes) -> DirectoryDraft:
    """Read a directory document in order to change it. Raises DirectoryRefused."""
    return _read(octets, {})[0]


def _read(octets: bytes, known: Mapping[bytes, Registration]) -> tuple[DirectoryDraft, Mapping[bytes, Registration]]:
    """The draft, and what was read of each member by the SHA-256 of its octets."""
    sliced = slice_directory(octets) if len(octets) <= DIRECTORY_LIMITS.max_bytes else None
    if sliced is not None:
        try:
            return _read_sliced(sliced, known)
        except DirectoryRefused:
            pass  # read whole below: whatever is wrong is then named by its place in the document
    root = _read_document(octets, "Directory", DIRECTORY_LIMITS)
    return _draft(root, [_read_member(element) for element in children(root, "Members", "Member")]), {}


def _read_sliced(
    sliced: SlicedDirectory, known: Mapping[bytes, Registration]
) -> tuple[DirectoryDraft, Mapping[bytes, Registration]]:
    root = _read_document(sliced.rest, "Directory", DIRECTORY_LIMITS)
    registrations: dict[bytes, Registration] = {}
    for member in sliced.members:
        digest = hashlib.sha256(member).digest()
        if digest in registrations:
            raise DirectoryRefused("a member is listed twice")
        registrations[digest] = known.get(digest) or read_registration(alone(member))
    return _draft(root, registrations.values()), MappingProxyType(registrations)


def _draft(root: etree._Element, registrations: Collection[Registration]) -> DirectoryDraft:
    services = [service for registration in registrations for service in registration.services]
    stamping = root.find(tag("TimeStampAuthorities"))
    return DirectoryDraft(
        instance=value(root, "instance"),
        version=int(value(root, "version")),
        issued=instant(value(root, "issued")),
        expires=instant(value(root, "expires")),
        grace=duration(root, "grace") or timedelta(),
        signing_authorities=read_authorities(root, "SigningAuthorities"),
        tls_authorities=read_authorities(root, "TlsAuthorities"),
        time_stamp_authorities=read_time_stamp_authorities(root),
        time_stamp_limit=None if stamping is None else duration(stamping, "limit"),
        suite_ends=unique(
            ((value(one, "name"), instant(value(one, "end"))) for one in children(root, "Suites", "Suite")), "suite"
        ),
        identifier_types=read_identifier_types(root),
        purposes=read_purposes(root),
        legal_basis_kinds=read_legal_basis_kinds(root),
        secrecy_kinds=read_secrecy_kinds(root),
        consent_issuers=read_consent_issuers(root),
        witnesses=read_witnesses(root),
        witness_rule=read_witness_rule(root),
        e_services=read_e_services(root),
        groups=unique(((value(one, "code"), _read_group(one)) for one in children(root, "Groups", "Group")), "group"),
        members=unique(((one.member.id, one.member) for one in registrations), "member"),
        services=unique(((one.service, one) for one in services), "service"),
    )


def read_registration(octets: bytes) -> Registration:
    """Read what an agency hands in (untrusted). Raises DirectoryRefused."""
    root = _read_document(octets, "Registration", REGISTRATION_LIMITS)
    return _read_member(root[0])


@functools.cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(read_contract("xsd/directory.xsd")))


def _read_document(octets: bytes, root_name: str, limits: xmlsafe.XmlLimits) -> etree._Element:
    try:
        root = xmlsafe.parse(octets, limits, error=DirectoryRefused)
    except LimitExceeded as cause:
        raise DirectoryRefused(f"the document is too large: {cause.reason}") from None
    xmlsafe.refuse_comments(root, error=DirectoryRefused)
    if root.tag != tag(root_name):
        raise DirectoryRefused(f"the document is not a {root_name}")
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as cause:
        raise DirectoryRefused(f"not valid against directory.xsd: {str(cause)[:300]}") from None
    for extension in root.iter(tag("Extension")):
        if flag(extension, "critical"):
            raise DirectoryRefused(f"critical extension {value(extension, 'name')} is not known to this version")
    return root


def _read_member(element: etree._Element) -> Registration:
    member_id = identifier(MemberId, value(element, "id"))
    adapter = only(element, "Adapter")
    subsystems = list(element.iterchildren(tag("Subsystem")))
    tls = [_registered(one, "tls", f"{member_id}: TLS") for one in adapter.iterchildren(tag("TlsCertificate"))]
    record_key = element.find(tag("RecordKey"))
    member = Member(
        id=member_id,
        names=titles(element, "Name"),
        stir=value(element, "stir"),
        suite=value(element, "suite"),
        adapter=AdapterEntry(address=value(adapter, "address"), tls_certificates=tuple(tls)),
        signing=_read_certificates(element, "SigningCertificate", f"{member_id}: signing"),
        agreement=_read_certificates(element, "AgreementCertificate", f"{member_id}: agreement"),
        subsystems=frozenset(value(one, "code") for one in subsystems),
        record_vkey=None if record_key is None else text(record_key),
    )
    if len(member.subsystems) != len(subsystems):
        raise DirectoryRefused(f"{member_id}: a subsystem is listed twice")
    services = [
        _read_service(service, SubsystemId(member_id, value(subsystem, "code")))
        for subsystem in subsystems
        for service in subsystem.iterchildren(tag("Service"))
    ]
    return Registration(member=member, services=tuple(services))


def _read_service(element: etree._Element, subsystem: SubsystemId) -> DirectoryService:
    return DirectoryService(
        service=ServiceId(subsystem, value(element, "code"), value(element, "version")),
        titles=titles(element),
        personal_data=flag(element, "personalData"),
        description_sha256=value(element, "description"),
        regulations=frozenset(texts(element, "RegulationId")),
    )


def _read_group(element: etree._Element) -> frozenset[SubsystemId]:
    return frozenset(identifier(SubsystemId, text(one)) for one in element.iterchildren(tag("Subsystem")))


def _read_certificates(element: etree._Element, name: str, whose: str) -> tuple[RegisteredCertificate, ...]:
    return tuple(_registered(one, value(one, "suite"), whose) for one in element.iterchildren(tag(name)))


def _registered(element: etree._Element, suite: str, whose: str) -> RegisteredCertificate:
    return RegisteredCertificate.of_der(certificate_der(element, whose), suite)
