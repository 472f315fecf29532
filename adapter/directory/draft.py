"""A directory that is being written: what the authority's officer edits before it is rendered, signed and published.

A draft is plain content. Nothing about it was checked as a whole, it has no index, and nobody can be trusted by it:
`model.Directory` is what that takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from adapter.directory.content import (
    CertificationAuthority,
    ConsentIssuer,
    EService,
    IdentifierType,
    LegalBasisKind,
    TimeStampAuthority,
    Titles,
    Witness,
)
from adapter.directory.model import DirectoryService, Member, Registration
from adapter.identifiers import MemberId, ServiceId, SubsystemId

__all__ = ["DirectoryDraft", "Registration"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryDraft:
    """The content of a directory. Times are aware UTC, whole seconds. The fields are those of `model.Directory`."""

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
    time_stamp_authorities: Mapping[str, TimeStampAuthority] = field(default_factory=dict)
    time_stamp_limit: timedelta | None = None
    suite_ends: Mapping[str, datetime] = field(default_factory=dict)
    identifier_types: Mapping[str, IdentifierType] = field(default_factory=dict)
    consent_issuers: Mapping[SubsystemId, ConsentIssuer] = field(default_factory=dict)
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
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
