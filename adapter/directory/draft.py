"""A directory that is being written: what the authority's officer edits before it is rendered, signed and published.

A draft is plain content. Nothing about it was checked as a whole, it has no index, and nobody can be trusted by it:
`model.Directory` is what that takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from adapter.directory.model import DirectoryService, Member
from adapter.identifiers import MemberId, ServiceId, SubsystemId


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """What an agency hands to the authority: a member and the services of its subsystems. Untrusted."""

    member: Member
    services: tuple[DirectoryService, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryDraft:
    """The content of a directory. Times are aware UTC, whole seconds. The fields are those of `model.Directory`."""

    instance: str
    version: int
    issued: datetime
    expires: datetime
    signing_cas: tuple[x509.Certificate, ...]
    tls_cas: tuple[x509.Certificate, ...]
    members: Mapping[MemberId, Member] = field(default_factory=dict)
    services: Mapping[ServiceId, DirectoryService] = field(default_factory=dict)
    purposes: Mapping[str, str] = field(default_factory=dict)
    legal_basis_kinds: Mapping[str, str] = field(default_factory=dict)
    suite_ends: Mapping[str, datetime] = field(default_factory=dict)
    groups: Mapping[str, frozenset[SubsystemId]] = field(default_factory=dict)
