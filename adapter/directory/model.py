"""The directory as values: frozen, indexed once, looked up in constant time. Made by directory.consistency only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapter.crypto.certificates import UNREADABLE
from adapter.directory.content import (
    CertificationAuthority,
    ConsentIssuer,
    EService,
    IdentifierType,
    LegalBasisKind,
    SecrecyKind,
    TimeStampAuthority,
    Titles,
    Witness,
    WitnessRule,
)
from adapter.errors import SecurityFailed, UnknownMember, UnknownService
from adapter.identifiers import MemberId, ServiceId, SubsystemId

_CERTIFICATES_AT_HAND: Final = 4096


@lru_cache(maxsize=_CERTIFICATES_AT_HAND)
def _read(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.issuer  # read when asked for, not when loaded; chains are built of them
    except UNREADABLE:
        raise SecurityFailed("a registered certificate cannot be read") from None
    return certificate


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredCertificate:
    """A member's certificate as the authority registered it.

    Made from a certificate that was read once; it is kept as octets, because a large directory holds many and an
    exchange needs two. sha256: of der.
    """

    der: bytes = field(repr=False)
    sha256: bytes
    suite: str

    @classmethod
    def of(cls, certificate: x509.Certificate, suite: str) -> RegisteredCertificate:
        """The registration of a certificate. suite: `tls` for a TLS certificate."""
        return cls.of_der(certificate.public_bytes(Encoding.DER), suite)

    @classmethod
    def of_der(cls, der: bytes, suite: str) -> RegisteredCertificate:
        """The registration of a certificate that is DER. Its names are first read when `certificate` is asked for."""
        return cls(der=der, sha256=hashlib.sha256(der).digest(), suite=suite)

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate, read. Raises SecurityFailed when it has names that cannot be read: nobody trusts by it."""
        return _read(self.der)


@dataclass(frozen=True, kw_only=True, slots=True)
class AdapterEntry:
    """Where a member's adapter listens, and the TLS certificates that it may show (several while one is renewed)."""

    address: str
    tls_certificates: tuple[RegisteredCertificate, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryService:
    """A service that a subsystem offers. description_sha256 names the published bundle of its WSDL and XSDs.

    regulations: if there are any, it may be asked within these e-services only.
    """

    service: ServiceId
    titles: Titles
    personal_data: bool
    description_sha256: str
    regulations: frozenset[str] = frozenset()

    @property
    def title(self) -> str:
        """In English; where there is none, in the first language that there is."""
        return self.titles.get("en") or next(iter(self.titles.values()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """An organisation. names: language tag (`en`, `ru`, `uz`, `uz-Cyrl`) to name.

    record_vkey: the verifier key (C2SP signed-note) of the checkpoints of the member's record.
    """

    id: MemberId
    names: Titles
    stir: str
    suite: str
    adapter: AdapterEntry
    signing: tuple[RegisteredCertificate, ...]
    agreement: tuple[RegisteredCertificate, ...]
    subsystems: frozenset[str]
    record_vkey: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """A member and the services of its subsystems: what an agency hands to the authority, then untrusted."""

    member: Member
    services: tuple[DirectoryService, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryContent:
    """All that an authority says. Times are aware UTC, whole seconds. That it fits together is not said by the type."""

    instance: str
    version: int
    issued: datetime
    expires: datetime
    signing_authorities: tuple[CertificationAuthority, ...]
    tls_authorities: tuple[CertificationAuthority, ...]
    members: Mapping[MemberId, Member] = field(default_factory=dict)
    services: Mapping[ServiceId, DirectoryService] = field(default_factory=dict)
    purposes: Mapping[str, Titles] = field(default_factory=dict)
    legal_basis_kinds: Mapping[str, LegalBasisKind] = field(default_factory=dict)
    grace: timedelta = timedelta()
    """How long past `expires` an adapter goes on."""
    time_stamp_authorities: Mapping[str, TimeStampAuthority] = field(default_factory=dict)
    time_stamp_limit: timedelta | None = None
    """How long exchanges with personal data go on without a new time-stamp; None: none is wanted."""
    suite_ends: Mapping[str, datetime] = field(default_factory=dict)
    identifier_types: Mapping[str, IdentifierType] = field(default_factory=dict)
    secrecy_kinds: Mapping[str, SecrecyKind] = field(default_factory=dict)
    consent_issuers: Mapping[SubsystemId, ConsentIssuer] = field(default_factory=dict)
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    witness_rule: WitnessRule = field(default_factory=WitnessRule)
    e_services: Mapping[str, EService] = field(default_factory=dict)
    groups: Mapping[str, frozenset[SubsystemId]] = field(default_factory=dict)

    @property
    def signing_cas(self) -> tuple[x509.Certificate, ...]:
        """The certificates that chains of signing and agreement certificates lead to."""
        return tuple(one.certificate for one in self.signing_authorities)

    @property
    def tls_cas(self) -> tuple[x509.Certificate, ...]:
        """The certificates that chains of TLS certificates lead to."""
        return tuple(one.certificate for one in self.tls_authorities)


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory(DirectoryContent):
    """A verified directory: content that fits together, and its indexes.

    `expires` and `grace` are judged by whoever uses it, with the clock at hand.
    """

    by_tls_certificate: Mapping[bytes, MemberId] = field(default_factory=dict)
    """SHA-256 of a TLS certificate to the member whose adapter owns it."""
    by_ca_certificate: Mapping[bytes, CertificationAuthority] = field(default_factory=dict)
    """SHA-256 of a CA certificate to the CA."""
    by_regulation: Mapping[str, EService] = field(default_factory=dict)
    """Id of a regulation to its e-service."""
    document_sha256: bytes = field(default=b"", repr=False, compare=False)
    """Of the document that it was read from; empty when it was not."""
    registrations: Mapping[bytes, Registration] = field(default_factory=dict, repr=False, compare=False)
    """SHA-256 of the octets of a Member element to what was read of them: the next version is read with its help."""

    def member(self, member: MemberId) -> Member:
        """The member. Raises UnknownMember."""
        try:
            return self.members[member]
        except KeyError:
            raise UnknownMember(f"{member} is not in directory version {self.version}") from None

    def check_subsystem(self, subsystem: SubsystemId) -> Member:
        """The member that owns this subsystem. Raises UnknownMember if either is not registered."""
        member = self.member(subsystem.member)
        if subsystem.code not in member.subsystems:
            raise UnknownMember(f"{subsystem} is not in directory version {self.version}")
        return member

    def service(self, service: ServiceId) -> DirectoryService:
        """The service. Raises UnknownService."""
        try:
            return self.services[service]
        except KeyError:
            raise UnknownService(f"{service} is not in directory version {self.version}") from None
