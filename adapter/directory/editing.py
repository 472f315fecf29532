"""Single entries of a draft: put, removed, and the whole checked at once: a mistake is told where it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from cryptography import x509

from adapter.crypto.certificates import Purpose, check_chain
from adapter.crypto.cosignature import CosignatureVerifier
from adapter.crypto.keys import AGREEMENT_PURPOSES
from adapter.crypto.suites import suite
from adapter.directory.authoring import remove_member
from adapter.directory.consistency import index_directory
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
from adapter.directory.document import read_draft
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import RegisteredCertificate
from adapter.directory.rendering import render_directory
from adapter.errors import AdapterError, CommandRefused, DirectoryRefused
from adapter.identifiers import MemberId, ServiceId, SubsystemId

_LISTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "e-service": "e_services",
        "purpose": "purposes",
        "legal-basis": "legal_basis_kinds",
        "secrecy-kind": "secrecy_kinds",
        "identifier-type": "identifier_types",
        "time-stamp-authority": "time_stamp_authorities",
        "consent-issuer": "consent_issuers",
        "witness": "witnesses",
        "group": "groups",
        "service": "services",
        "suite-end": "suite_ends",
    }
)
_KIND_OF: Final[Mapping[type, str]] = MappingProxyType(
    {
        EService: "e-service",
        LegalBasisKind: "legal-basis",
        SecrecyKind: "secrecy-kind",
        IdentifierType: "identifier-type",
        TimeStampAuthority: "time-stamp-authority",
        ConsentIssuer: "consent-issuer",
        Witness: "witness",
    }
)
KINDS: Final = ("member", "subsystem", "ca", *_LISTS)
"""The kinds of entry that can be removed by name."""


def put_entry(
    draft: DirectoryDraft,
    entry: EService | IdentifierType | TimeStampAuthority | ConsentIssuer | Witness | LegalBasisKind | SecrecyKind,
) -> DirectoryDraft:
    """Add an entry, or put it in place of the one with its code or name. Raises CommandRefused if it does not fit."""
    key: object
    match entry:
        case ConsentIssuer():
            key = entry.subsystem
        case TimeStampAuthority():
            key = entry.name
        case Witness():
            _check_witness_key(entry)
            key = entry.name
        case _:
            key = entry.code
    return _put(draft, _LISTS[_KIND_OF[type(entry)]], key, entry)


def put_ca(draft: DirectoryDraft, use: str, authority: CertificationAuthority) -> DirectoryDraft:
    """Add a CA, or change where its statuses are. use: `signing` or `tls`. Raises CommandRefused if it does not fit."""
    field = f"{use}_authorities"
    others = tuple(one for one in getattr(draft, field) if one.sha256 != authority.sha256)
    changes: dict[str, Any] = {field: (*others, authority)}
    return checked(replace(draft, **changes))


def put_subsystem(draft: DirectoryDraft, subsystem: SubsystemId) -> DirectoryDraft:
    """Register a subsystem of a member. Raises CommandRefused for an unknown member."""
    member = draft.members.get(subsystem.member)
    if member is None:
        raise CommandRefused(f"{subsystem.member} is not in the directory")
    changed = replace(member, subsystems=member.subsystems | {subsystem.code})
    return checked(replace(draft, members=MappingProxyType({**draft.members, member.id: changed})))


def set_purpose(draft: DirectoryDraft, code: str, titles: Titles) -> DirectoryDraft:
    """Add a purpose, or change its titles. Raises CommandRefused if it does not fit."""
    return _put(draft, "purposes", code, titles)


def bind_service(draft: DirectoryDraft, service: ServiceId, regulations: frozenset[str]) -> DirectoryDraft:
    """Have a service answer within these e-services only; within any, and outside of all, if there are none."""
    known = draft.services.get(service)
    if known is None:
        raise CommandRefused(f"{service} is not in the directory")
    return _put(draft, "services", service, replace(known, regulations=regulations))


def set_grace(draft: DirectoryDraft, grace: timedelta) -> DirectoryDraft:
    """How long adapters go on past the expiry; none is allowed."""
    return checked(replace(draft, grace=grace))


def set_time_stamp_limit(draft: DirectoryDraft, limit: timedelta | None) -> DirectoryDraft:
    """How long personal data goes on without a time-stamp; None: no time-stamp is wanted."""
    return checked(replace(draft, time_stamp_limit=limit))


def set_witness_rule(draft: DirectoryDraft, rule: WitnessRule) -> DirectoryDraft:
    """When a checkpoint counts as witnessed. Raises CommandRefused: no witness is named, or fewer than are wanted."""
    if not draft.witnesses:
        raise CommandRefused("the directory names no witness yet: enter one first")
    return checked(replace(draft, witness_rule=rule))


def _check_witness_key(witness: Witness) -> None:
    try:
        CosignatureVerifier.parse(witness.vkey)
    except AdapterError as cause:
        raise CommandRefused(f"the key of witness {witness.name} cannot be used: {cause.reason}") from None


def remove_entry(draft: DirectoryDraft, kind: str, name: str) -> DirectoryDraft:
    """Strike an entry off by its kind (one of KINDS) and its id, code, name or, of a CA, SHA-256.

    Raises CommandRefused: there is none, or something else still needs it, which is named.
    """
    if kind == "member":
        return checked(remove_member(draft, _read(MemberId, name)))
    if kind == "subsystem":
        return checked(_without_subsystem(draft, _read(SubsystemId, name)))
    if kind == "ca":
        return checked(_without_ca(draft, name.lower()))
    held: Mapping[Any, object] = getattr(draft, _LISTS[kind])
    kept = {key: entry for key, entry in held.items() if str(key) != name}
    if len(kept) == len(held):
        raise CommandRefused(f"there is no {kind} {name} in the directory")
    changes: dict[str, Any] = {_LISTS[kind]: MappingProxyType(kept)}
    return checked(replace(draft, **changes))


def checked(draft: DirectoryDraft) -> DirectoryDraft:
    """The draft, if adapters would accept it. Raises CommandRefused that says why they would not."""
    valid = replace(draft, version=max(draft.version, 1), expires=draft.issued + timedelta(days=1))
    try:
        index_directory(valid)
        read_draft(render_directory(valid))
    except DirectoryRefused as cause:
        raise CommandRefused(f"adapters would refuse this directory: {cause.reason}") from None
    return draft


def _put(draft: DirectoryDraft, field: str, key: object, entry: object) -> DirectoryDraft:
    changes: dict[str, Any] = {field: MappingProxyType({**getattr(draft, field), key: entry})}
    return checked(replace(draft, **changes))


def _without_subsystem(draft: DirectoryDraft, subsystem: SubsystemId) -> DirectoryDraft:
    member = draft.members.get(subsystem.member)
    if member is None or subsystem.code not in member.subsystems:
        raise CommandRefused(f"{subsystem} is not in the directory")
    changed = replace(member, subsystems=member.subsystems - {subsystem.code})
    return replace(
        draft,
        members=MappingProxyType({**draft.members, member.id: changed}),
        services=MappingProxyType({key: one for key, one in draft.services.items() if key.subsystem != subsystem}),
        groups=MappingProxyType({code: group - {subsystem} for code, group in draft.groups.items()}),
    )


def _without_ca(draft: DirectoryDraft, digest: str) -> DirectoryDraft:
    signing = tuple(one for one in draft.signing_authorities if one.sha256.hex() != digest)
    tls = tuple(one for one in draft.tls_authorities if one.sha256.hex() != digest)
    if len(signing) + len(tls) == len(draft.signing_authorities) + len(draft.tls_authorities):
        raise CommandRefused(f"there is no CA {digest} in the directory")
    return replace(draft, signing_authorities=signing, tls_authorities=tls)


def cut_off(before: DirectoryDraft, after: DirectoryDraft, now: datetime) -> tuple[str, ...]:
    """Whom a change of CAs would make unbelievable: `MEMBER (signing, tls)` for each, in order.

    A certificate counts that has a path to a CA in `before`, at this time, and none in `after`.
    """
    found = []
    for member in after.members.values():
        uses = [
            use
            for use, certificates, old, new in (
                ("signing", member.signing, before.signing_cas, after.signing_cas),
                ("agreement", member.agreement, before.signing_cas, after.signing_cas),
                ("tls", member.adapter.tls_certificates, before.tls_cas, after.tls_cas),
            )
            if any(_has_path(one, use, old, now) and not _has_path(one, use, new, now) for one in certificates)
        ]
        if uses:
            found.append(f"{member.id} ({', '.join(uses)})")
    return tuple(sorted(found))


def _has_path(one: RegisteredCertificate, use: str, cas: Sequence[x509.Certificate], now: datetime) -> bool:
    purpose = {"signing": Purpose.SIGNING, "tls": Purpose.TLS}.get(use)
    try:
        check_chain(one.certificate, cas, now, purpose or AGREEMENT_PURPOSES[suite(one.suite).agreement_usage])
    except AdapterError:
        return False
    return True


def _read(kind: type[MemberId | SubsystemId], text: str) -> Any:  # noqa: ANN401  of the kind that is given
    try:
        return kind.parse(text)
    except AdapterError as cause:
        raise CommandRefused(f"{cause.reason}: {text}") from None
