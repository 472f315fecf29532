"""Does the content of a directory fit together? Checked as a whole, then indexed: the only maker of `Directory`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from itertools import chain
from types import MappingProxyType
from typing import Final

from adapter.directory.content import BasisName, EService
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Directory, Member, Registration
from adapter.errors import DirectoryRefused
from adapter.identifiers import IDENTIFIER_KINDS, MemberId, SubsystemId

_DAY: Final = timedelta(days=1)
_CONTENT: Final = tuple(one.name for one in fields(DirectoryDraft))


def index_directory(
    draft: DirectoryDraft,
    *,
    document_sha256: bytes = b"",
    registrations: Mapping[bytes, Registration] = MappingProxyType({}),
) -> Directory:
    """Check that the content fits together and index it. The only maker of `Directory`. Raises DirectoryRefused.

    document_sha256, registrations: of the document that the draft was read from, for reading the next version.
    """
    if draft.expires <= draft.issued:
        raise DirectoryRefused("the directory expires before it is issued")
    for member_id in draft.members:
        if member_id.instance != draft.instance:
            raise DirectoryRefused(f"{member_id} is not of instance {draft.instance}")
    _check_certificates_registered_once(draft.members.values())
    _check_subsystems(draft)
    _check_codes(draft)
    by_regulation = _by_regulation(draft.e_services)
    _check_register(draft, by_regulation)
    return Directory(
        **{name: getattr(draft, name) for name in _CONTENT},
        by_tls_certificate=MappingProxyType(
            {
                registered.sha256: member.id
                for member in draft.members.values()
                for registered in member.adapter.tls_certificates
            }
        ),
        by_ca_certificate=MappingProxyType(
            {ca.sha256: ca for ca in chain(draft.tls_authorities, draft.signing_authorities)}
        ),
        by_regulation=by_regulation,
        document_sha256=document_sha256,
        registrations=registrations,
    )


def _check_certificates_registered_once(members: Iterable[Member]) -> None:
    """One certificate, one member, one use: otherwise a name could be borrowed (DESIGN: separate keys)."""
    owners: dict[bytes, MemberId] = {}
    for member in members:
        for registered in (*member.adapter.tls_certificates, *member.signing, *member.agreement):
            if registered.sha256 in owners:
                raise DirectoryRefused(f"{member.id}: a certificate is registered for {owners[registered.sha256]} too")
            owners[registered.sha256] = member.id


def _check_subsystems(draft: DirectoryDraft) -> None:
    """Groups and consent issuers name registered subsystems."""

    def registered(subsystem: SubsystemId) -> bool:
        member = draft.members.get(subsystem.member)
        return member is not None and subsystem.code in member.subsystems

    for code, group in draft.groups.items():
        for subsystem in sorted(group):
            if not registered(subsystem):
                raise DirectoryRefused(f"group {code} names {subsystem}, which is not registered")
    for subsystem in draft.consent_issuers:
        if not registered(subsystem):
            raise DirectoryRefused(f"the consent issuer {subsystem} is not registered")


def _check_codes(draft: DirectoryDraft) -> None:
    """What lists of codes say of each other."""
    for kind in draft.legal_basis_kinds.values():
        if kind.withheld and BasisName.UNTIL not in kind.must_name:
            raise DirectoryRefused(f"legal basis {kind.code} is withheld and does not have to name until when")
    for secrecy in draft.secrecy_kinds.values():
        if secrecy.maximum < _DAY or secrecy.maximum % _DAY:
            raise DirectoryRefused(f"the kind of secrecy order {secrecy.code} does not last whole days at most")
    for issuer in draft.consent_issuers.values():
        for code in sorted(issuer.kinds - draft.legal_basis_kinds.keys()):
            raise DirectoryRefused(f"the consent issuer {issuer.subsystem} names {code}, no kind of legal basis")
    for code in draft.identifier_types:
        if code in IDENTIFIER_KINDS:
            raise DirectoryRefused(f"identifier type {code} is one that every adapter knows; it cannot be changed")
    if draft.time_stamp_limit is not None and not draft.time_stamp_authorities:
        raise DirectoryRefused("time-stamps are wanted, and no time-stamp authority is named")
    _check_witnesses(draft)


def _check_witnesses(draft: DirectoryDraft) -> None:
    """As many as are wanted, and each with a key of its own: one key would count twice."""
    if draft.witnesses and draft.witness_rule.threshold > len(draft.witnesses):
        raise DirectoryRefused(
            f"{draft.witness_rule.threshold} cosignatures are wanted of {len(draft.witnesses)} witnesses"
        )
    owners: dict[str, str] = {}
    for witness in draft.witnesses.values():
        key = witness.vkey.rpartition("+")[2]
        if owners.setdefault(key, witness.name) != witness.name:
            raise DirectoryRefused(f"witnesses {owners[key]} and {witness.name} have the same key")


def _by_regulation(e_services: Mapping[str, EService]) -> Mapping[str, EService]:
    found: dict[str, EService] = {}
    for one in e_services.values():
        other = found.setdefault(one.regulation.id, one)
        if other is not one:
            raise DirectoryRefused(f"regulation {one.regulation.id} is one of e-services {other.code} and {one.code}")
    return MappingProxyType(found)


def _check_register(draft: DirectoryDraft, by_regulation: Mapping[str, EService]) -> None:
    """The register names what is registered, and what names the register is in it."""
    for one in by_regulation.values():
        for member in sorted({one.agency, *one.regulation.participants}):
            if member not in draft.members:
                raise DirectoryRefused(f"e-service {one.code} names {member}, which is not registered")
        for service in sorted(one.regulation.documents):
            if service not in draft.services:
                raise DirectoryRefused(f"e-service {one.code} requires {service}, which is not registered")
    for known in draft.services.values():
        for regulation in sorted(known.regulations):
            found = by_regulation.get(regulation)
            if found is None or known.service not in found.regulation.documents:
                raise DirectoryRefused(f"{known.service} names regulation {regulation}, which does not list it")
