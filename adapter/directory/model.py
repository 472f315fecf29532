"""The directory as values: frozen, indexed once, looked up in constant time. Made by directory.document only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from adapter.errors import UnknownMember, UnknownService
from adapter.identifiers import MemberId, ServiceId, SubsystemId


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredCertificate:
    """A member's certificate as the authority registered it."""

    certificate: x509.Certificate
    sha256: bytes
    suite: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AdapterEntry:
    """Where a member's adapter listens, and the TLS certificates that it may show (several while one is renewed)."""

    address: str
    tls_certificates: tuple[RegisteredCertificate, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryService:
    """A service that a subsystem offers. description_sha256 names the published bundle of its WSDL and XSDs."""

    service: ServiceId
    title: str
    personal_data: bool
    description_sha256: str
    regulations: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """An organisation. names: language tag (`en`, `ru`, `uz`, `uz-Cyrl`) to name.

    record_vkey: the verifier key (C2SP signed-note) of the checkpoints of the member's record.
    """

    id: MemberId
    names: Mapping[str, str]
    stir: str
    suite: str
    adapter: AdapterEntry
    signing: tuple[RegisteredCertificate, ...]
    agreement: tuple[RegisteredCertificate, ...]
    subsystems: frozenset[str]
    record_vkey: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """A verified directory. Times are aware UTC; `expires` is judged by whoever uses it, with the clock at hand."""

    instance: str
    version: int
    issued: datetime
    expires: datetime
    members: Mapping[MemberId, Member]
    services: Mapping[ServiceId, DirectoryService]
    signing_cas: tuple[x509.Certificate, ...]
    tls_cas: tuple[x509.Certificate, ...]
    purposes: Mapping[str, str]
    legal_basis_kinds: Mapping[str, str]
    suite_ends: Mapping[str, datetime] = field(default_factory=dict)
    groups: Mapping[str, frozenset[SubsystemId]] = field(default_factory=dict)
    by_tls_certificate: Mapping[bytes, MemberId] = field(default_factory=dict)
    """SHA-256 of a TLS certificate to the member whose adapter owns it."""

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
