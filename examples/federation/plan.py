"""What a federation looks like before it is built: plain values. Everything in it is made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapter.directory.content import EService, LegalBasisKind, Titles
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS, DEFAULT_PURPOSES
from adapter.identifiers import MemberId, ServiceId, SubsystemId


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """A service that a member provides. toml: the text of service.toml. description: folder of its WSDL and XSDs."""

    toml: str
    description: Path


@dataclass(frozen=True, kw_only=True)
class GrantPlan:
    """An access rule of a provider. consumer: as in `policy.rules.AccessRule`. purposes: None means any."""

    consumer: str
    service: ServiceId
    purposes: frozenset[str] | None = None
    legal_basis_kinds: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class ClientPlan:
    """A system of the member that may call its adapter.

    token, user with password, certificate_sha256 (hexadecimal): what it proves itself with; without any it is known by
    its loopback address, as one client of a member may be. context: the lines of [client.context], for a system that
    sends plain SOAP and nothing else.
    """

    name: str
    subsystem: str
    token: str | None = None
    user: str | None = None
    password: str | None = None
    certificate_sha256: str | None = None
    services: tuple[str, ...] = ("UZ/*",)
    context: str = ""


@dataclass(frozen=True, kw_only=True)
class MemberPlan:
    """A member and its adapter.

    folder: name of its home, of its processes and in what is printed. more_settings: tables that are added to its
    adapter.toml as they are. client_listener: more lines of that table; has_client_tls: they make it speak TLS.
    is_registered: an outsider has keys and certificates but is in no directory.
    """

    id: str
    folder: str
    names: Mapping[str, str]
    subsystems: tuple[str, ...]
    suite: str = "p256"
    services: tuple[ServicePlan, ...] = ()
    grants: tuple[GrantPlan, ...] = ()
    clients: tuple[ClientPlan, ...] = ()
    more_settings: str = ""
    client_listener: str = ""
    has_client_tls: bool = False
    workers: int = 1
    is_registered: bool = True

    @property
    def member(self) -> MemberId:
        """The member's identifier."""
        return MemberId.parse(self.id)

    def subsystem(self, code: str) -> SubsystemId:
        """The full id of one of its subsystems."""
        return SubsystemId(self.member, code)

    def service(self, subsystem: str, code: str, version: str = "v1") -> ServiceId:
        """The full id of one of its services."""
        return ServiceId(self.subsystem(subsystem), code, version)


@dataclass(frozen=True, kw_only=True)
class FederationPlan:
    """All members, and what the authority lists for them."""

    members: tuple[MemberPlan, ...]
    purposes: Mapping[str, Titles] = field(default_factory=lambda: PURPOSES)
    legal_basis_kinds: Mapping[str, LegalBasisKind] = field(default_factory=lambda: LEGAL_BASIS_KINDS)
    e_services: tuple[EService, ...] = ()
    instance: str = "UZ"


PURPOSES: Mapping[str, Titles] = {code: DEFAULT_PURPOSES[code] for code in ("social-benefit", "registration-of-rights")}
LEGAL_BASIS_KINDS: Mapping[str, LegalBasisKind] = {
    code: DEFAULT_LEGAL_BASIS_KINDS[code] for code in ("law", "consent", "court-order")
}
