"""What the authority states besides the members: elements of the document to values of `directory.content`."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from adapter.directory.content import (
    BasisName,
    CertificationAuthority,
    ConsentIssuer,
    EService,
    IdentifierType,
    LegalBasisKind,
    Regulation,
    SecrecyKind,
    TimeStampAuthority,
    Titles,
    Witness,
    WitnessRule,
)
from adapter.directory.elements import (
    certificate,
    certificates,
    children,
    day,
    duration,
    flag,
    identifier,
    only,
    tag,
    text,
    texts,
    titles,
    unique,
    value,
)
from adapter.directory.identifier_pattern import IdentifierPattern
from adapter.errors import DirectoryRefused
from adapter.identifiers import MemberId, ServiceId, SubsystemId


def read_authorities(root: etree._Element, holder: str) -> tuple[CertificationAuthority, ...]:
    """The CAs of one holder (`SigningAuthorities`, `TlsAuthorities`). Raises DirectoryRefused."""
    return tuple(_authority(one, holder) for one in children(root, holder, "Authority"))


def _authority(element: etree._Element, holder: str) -> CertificationAuthority:
    authority = CertificationAuthority(
        certificate=certificate(only(element, "Certificate"), holder),
        ocsp_addresses=texts(element, "OcspAddress"),
        crl_addresses=texts(element, "CrlAddress"),
        status_window=duration(element, "statusWindow"),
    )
    if (authority.status_window is None) != (not authority.ocsp_addresses and not authority.crl_addresses):
        raise DirectoryRefused(
            f"the CA at line {element.sourceline} of {holder} needs both an address for statuses and a statusWindow, "
            "or neither"
        )
    return authority


def read_time_stamp_authorities(root: etree._Element) -> Mapping[str, TimeStampAuthority]:
    """Name to authority, in the order in which they are tried. Raises DirectoryRefused."""
    return unique(
        (
            (
                value(one, "name"),
                TimeStampAuthority(
                    name=value(one, "name"),
                    address=value(one, "address"),
                    certificates=certificates(one, "StampCertificate", "a time-stamp authority's"),
                ),
            )
            for one in children(root, "TimeStampAuthorities", "TimeStampAuthority")
        ),
        "time-stamp authority",
    )


def read_identifier_types(root: etree._Element) -> Mapping[str, IdentifierType]:
    """Code to type. Raises DirectoryRefused."""
    return unique(
        (
            (
                value(one, "code"),
                IdentifierType(
                    code=value(one, "code"), pattern=IdentifierPattern(value(one, "pattern")), titles=titles(one)
                ),
            )
            for one in children(root, "IdentifierTypes", "IdentifierType")
        ),
        "identifier type",
    )


def read_purposes(root: etree._Element) -> Mapping[str, Titles]:
    """Code to titles. Raises DirectoryRefused."""
    return unique(((value(one, "code"), titles(one)) for one in children(root, "Purposes", "Purpose")), "purpose")


def read_legal_basis_kinds(root: etree._Element) -> Mapping[str, LegalBasisKind]:
    """Code to kind. Raises DirectoryRefused."""
    return unique(
        (
            (
                value(one, "code"),
                LegalBasisKind(
                    code=value(one, "code"),
                    titles=titles(one),
                    must_name=frozenset(map(BasisName, texts(one, "Names"))),
                    withheld=flag(one, "withheld"),
                ),
            )
            for one in children(root, "LegalBasisKinds", "LegalBasisKind")
        ),
        "kind of legal basis",
    )


def read_secrecy_kinds(root: etree._Element) -> Mapping[str, SecrecyKind]:
    """Code to kind. Raises DirectoryRefused."""
    kinds = [_secrecy_kind(one) for one in children(root, "SecrecyKinds", "SecrecyKind")]
    return unique(((one.code, one) for one in kinds), "kind of secrecy order")


def _secrecy_kind(element: etree._Element) -> SecrecyKind:
    maximum = duration(element, "maximum")
    if maximum is None:  # the schema requires it
        raise DirectoryRefused("a kind of secrecy order has no maximum")
    return SecrecyKind(code=value(element, "code"), titles=titles(element), maximum=maximum)


def read_consent_issuers(root: etree._Element) -> Mapping[SubsystemId, ConsentIssuer]:
    """Subsystem to issuer. Raises DirectoryRefused."""
    issuers = [_consent_issuer(one) for one in children(root, "ConsentIssuers", "ConsentIssuer")]
    return unique(((one.subsystem, one) for one in issuers), "consent issuer")


def _consent_issuer(element: etree._Element) -> ConsentIssuer:
    cache_limit = duration(element, "cacheLimit")
    if cache_limit is None:  # the schema requires it
        raise DirectoryRefused("a consent issuer has no cacheLimit")
    return ConsentIssuer(
        subsystem=identifier(SubsystemId, value(element, "subsystem")),
        kinds=frozenset(texts(element, "Kind")),
        cache_limit=cache_limit,
        certificates=certificates(element, "StatementCertificate", "a consent issuer's"),
    )


def read_witnesses(root: etree._Element) -> Mapping[str, Witness]:
    """Name to witness. Raises DirectoryRefused."""
    return unique(
        (
            (
                value(one, "name"),
                Witness(name=value(one, "name"), vkey=value(one, "key"), address=value(one, "address")),
            )
            for one in children(root, "Witnesses", "Witness")
        ),
        "witness",
    )


def read_witness_rule(root: etree._Element) -> WitnessRule:
    """When a checkpoint counts as witnessed."""
    holder = root.find(tag("Witnesses"))
    if holder is None:
        return WitnessRule()
    return WitnessRule(threshold=int(holder.get("threshold", "1")), limit=duration(holder, "limit"))


def read_e_services(root: etree._Element) -> Mapping[str, EService]:
    """Code to e-service. Raises DirectoryRefused."""
    services = [_e_service(one) for one in children(root, "EServices", "EService")]
    return unique(((one.code, one) for one in services), "e-service")


def _e_service(element: etree._Element) -> EService:
    return EService(
        code=value(element, "code"),
        titles=titles(element),
        agency=identifier(MemberId, value(element, "agency")),
        working_days=int(value(element, "workingDays")),
        regulation=_regulation(only(element, "Regulation")),
    )


def _regulation(element: etree._Element) -> Regulation:
    return Regulation(
        id=value(element, "id"),
        titles=titles(element),
        approved=day(value(element, "approved")),
        documents=unique(
            (
                (identifier(ServiceId, value(one, "service")), frozenset(texts(one, "Field")))
                for one in element.iterchildren(tag("Document"))
            ),
            f"regulation {value(element, 'id')}: document",
        ),
        participants=frozenset(identifier(MemberId, text(one)) for one in element.iterchildren(tag("Participant"))),
    )
