"""directory.xml: octets to values and back (xsd/directory.xsd).

Reading checks form and consistency only. That the authority signed the document is `directory.signing`'s business, and
an adapter gets its Directory from there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from lxml import etree

from adapter import xmlsafe
from adapter.contracts import read_contract
from adapter.crypto.certificates import UNREADABLE
from adapter.directory.draft import DirectoryDraft, Registration
from adapter.directory.model import AdapterEntry, Directory, DirectoryService, Member, RegisteredCertificate
from adapter.envelope import names
from adapter.errors import DirectoryRefused, InvalidIdentifier, LimitExceeded
from adapter.identifiers import MemberId, ServiceId, SubsystemId

# 10,000 members with ten certificates each and 50,000 services take about 100 MB.
DIRECTORY_LIMITS: Final = xmlsafe.XmlLimits(
    max_bytes=128 * 1024 * 1024,
    max_depth=20,
    max_nodes=2_000_000,
    max_attributes_in_all=4_000_000,
    max_namespace_declarations=1_000,
    max_canonical_bytes=1024 * 1024 * 1024,
)
REGISTRATION_LIMITS: Final = xmlsafe.XmlLimits(
    max_bytes=4 * 1024 * 1024, max_depth=20, max_nodes=100_000, max_namespace_declarations=100
)

_TRUE: Final = ("true", "1")

_Id = TypeVar("_Id", MemberId, SubsystemId)
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def _tag(local: str) -> str:
    return names.qname(names.DIRECTORY, local)


# --- reading ---------------------------------------------------------------------------------------------------------


def parse_directory(octets: bytes) -> Directory:
    """Read a directory document (untrusted octets; whether they are signed is not looked at here).

    Raises DirectoryRefused when it is oversized, not well-formed, not valid against xsd/directory.xsd, has a critical
    extension (this version knows none), or contradicts itself.
    """
    return index_directory(read_draft(octets))


def read_draft(octets: bytes) -> DirectoryDraft:
    """Read a directory document in order to change it. Raises DirectoryRefused."""
    root = _read_document(octets, "Directory", DIRECTORY_LIMITS)
    registrations = [_read_member(element) for element in _children(root, "Members", "Member")]
    services = [service for registration in registrations for service in registration.services]
    return DirectoryDraft(
        instance=_value(root, "instance"),
        version=int(_value(root, "version")),
        issued=_instant(_value(root, "issued")),
        expires=_instant(_value(root, "expires")),
        signing_cas=_read_authorities(root, "SigningAuthorities"),
        tls_cas=_read_authorities(root, "TlsAuthorities"),
        members=_unique(((one.member.id, one.member) for one in registrations), "member"),
        services=_unique(((one.service, one) for one in services), "service"),
        purposes=_read_coded(root, "Purposes", "Purpose"),
        legal_basis_kinds=_read_coded(root, "LegalBasisKinds", "LegalBasisKind"),
        suite_ends=_unique(
            ((_value(one, "name"), _instant(_value(one, "end"))) for one in _children(root, "Suites", "Suite")), "suite"
        ),
        groups=_unique(
            ((_value(one, "code"), _read_group(one)) for one in _children(root, "Groups", "Group")), "group"
        ),
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
    if root.tag != _tag(root_name):
        raise DirectoryRefused(f"the document is not a {root_name}")
    try:
        _schema().assertValid(root)
    except etree.DocumentInvalid as cause:
        raise DirectoryRefused(f"not valid against directory.xsd: {str(cause)[:300]}") from None
    for extension in root.iter(_tag("Extension")):
        if _value(extension, "critical") in _TRUE:
            raise DirectoryRefused(f"critical extension {_value(extension, 'name')} is not known to this version")
    return root


def _read_member(element: etree._Element) -> Registration:
    member_id = _identifier(MemberId, _value(element, "id"))
    adapter = _only(element, "Adapter")
    subsystems = list(element.iterchildren(_tag("Subsystem")))
    tls = [_certificate(one, "tls", f"{member_id}: TLS") for one in adapter.iterchildren(_tag("TlsCertificate"))]
    record_key = element.find(_tag("RecordKey"))
    member = Member(
        id=member_id,
        names=_unique(((_value(one, "language"), _text(one)) for one in element.iterchildren(_tag("Name"))), "name"),
        stir=_value(element, "stir"),
        suite=_value(element, "suite"),
        adapter=AdapterEntry(address=_value(adapter, "address"), tls_certificates=tuple(tls)),
        signing=_read_certificates(element, "SigningCertificate", f"{member_id}: signing"),
        agreement=_read_certificates(element, "AgreementCertificate", f"{member_id}: agreement"),
        subsystems=frozenset(_value(one, "code") for one in subsystems),
        record_vkey=None if record_key is None else _text(record_key),
    )
    if len(member.subsystems) != len(subsystems):
        raise DirectoryRefused(f"{member_id}: a subsystem is listed twice")
    services = [
        _read_service(service, SubsystemId(member_id, _value(subsystem, "code")))
        for subsystem in subsystems
        for service in subsystem.iterchildren(_tag("Service"))
    ]
    return Registration(member=member, services=tuple(services))


def _read_service(element: etree._Element, subsystem: SubsystemId) -> DirectoryService:
    return DirectoryService(
        service=ServiceId(subsystem, _value(element, "code"), _value(element, "version")),
        title=_text(_only(element, "Title")),
        personal_data=_value(element, "personalData") in _TRUE,
        description_sha256=_value(element, "description"),
        regulations=frozenset(_text(one) for one in element.iterchildren(_tag("Regulation"))),
    )


def _read_group(element: etree._Element) -> frozenset[SubsystemId]:
    return frozenset(_identifier(SubsystemId, _text(one)) for one in element.iterchildren(_tag("Subsystem")))


def _read_authorities(root: etree._Element, name: str) -> tuple[x509.Certificate, ...]:
    authorities = _children(root, name, "Authority")
    return tuple(_certificate(_only(one, "Certificate"), "", name).certificate for one in authorities)


def _read_coded(root: etree._Element, holder: str, name: str) -> Mapping[str, str]:
    return _unique(((_value(one, "code"), _text(one)) for one in _children(root, holder, name)), name)


def _read_certificates(element: etree._Element, name: str, whose: str) -> tuple[RegisteredCertificate, ...]:
    return tuple(_certificate(one, _value(one, "suite"), whose) for one in element.iterchildren(_tag(name)))


def _certificate(element: etree._Element, suite: str, whose: str) -> RegisteredCertificate:
    der = xmlsafe.decode_base64(element.text or "", max_chars=32_768, error=DirectoryRefused)
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.issuer  # read when asked for, not when loaded; chains are built of them
        return RegisteredCertificate(
            certificate=certificate, sha256=certificate.fingerprint(hashes.SHA256()), suite=suite
        )
    except UNREADABLE:
        raise DirectoryRefused(f"{whose} certificate at line {element.sourceline} cannot be read") from None


def _children(root: etree._Element, holder: str, name: str) -> Iterator[etree._Element]:
    for held in root.iterchildren(_tag(holder)):
        yield from held.iterchildren(_tag(name))


def _only(element: etree._Element, name: str) -> etree._Element:
    found = element.find(_tag(name))
    if found is None:  # the schema requires it
        raise DirectoryRefused(f"{name} is missing at line {element.sourceline}")
    return found


def _value(element: etree._Element, name: str) -> str:
    value = element.get(name)
    if value is None:  # the schema requires it
        raise DirectoryRefused(f"{name} is missing at line {element.sourceline}")
    return value


def _text(element: etree._Element) -> str:
    return " ".join((element.text or "").split())  # xs:token collapses white space


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise DirectoryRefused(f"there is no such time as {text}") from None


def _identifier(kind: type[_Id], text: str) -> _Id:
    try:
        return kind.parse(text)
    except InvalidIdentifier as cause:
        raise DirectoryRefused(f"{cause.reason}: {text}") from None


def _unique(pairs: Iterable[tuple[_Key, _Value]], what: str) -> Mapping[_Key, _Value]:
    """A read-only mapping; a key that comes twice is refused."""
    mapping: dict[_Key, _Value] = {}
    for key, value in pairs:
        if key in mapping:
            raise DirectoryRefused(f"{what} {key} is listed twice")
        mapping[key] = value
    return MappingProxyType(mapping)


# --- consistency -----------------------------------------------------------------------------------------------------


def index_directory(draft: DirectoryDraft) -> Directory:
    """Check that the content fits together and index it. The only maker of `Directory`. Raises DirectoryRefused."""
    if draft.expires <= draft.issued:
        raise DirectoryRefused("the directory expires before it is issued")
    for member_id in draft.members:
        if member_id.instance != draft.instance:
            raise DirectoryRefused(f"{member_id} is not of instance {draft.instance}")
    _check_certificates_registered_once(draft.members.values())
    subsystems = {SubsystemId(member.id, code) for member in draft.members.values() for code in member.subsystems}
    for code, group in draft.groups.items():
        if not group <= subsystems:
            raise DirectoryRefused(f"group {code} names a subsystem that is not registered")
    return Directory(
        instance=draft.instance,
        version=draft.version,
        issued=draft.issued,
        expires=draft.expires,
        members=draft.members,
        services=draft.services,
        signing_cas=draft.signing_cas,
        tls_cas=draft.tls_cas,
        purposes=draft.purposes,
        legal_basis_kinds=draft.legal_basis_kinds,
        suite_ends=draft.suite_ends,
        groups=draft.groups,
        by_tls_certificate=MappingProxyType(
            {
                registered.sha256: member.id
                for member in draft.members.values()
                for registered in member.adapter.tls_certificates
            }
        ),
    )


def _check_certificates_registered_once(members: Iterable[Member]) -> None:
    """One certificate, one member, one use: otherwise a name could be borrowed (DESIGN: separate keys)."""
    owners: dict[bytes, MemberId] = {}
    for member in members:
        for registered in (*member.adapter.tls_certificates, *member.signing, *member.agreement):
            if registered.sha256 in owners:
                raise DirectoryRefused(f"{member.id}: a certificate is registered for {owners[registered.sha256]} too")
            owners[registered.sha256] = member.id
