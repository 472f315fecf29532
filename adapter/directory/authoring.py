"""What the authority's officer does to a directory: pure changes of a draft, and a publication at the end.

The source that is edited is the published document itself: `document.read_draft` gives the draft, the functions here
change it, `publish` makes the next version's document. Nothing is trusted or sent anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter.crypto.certificates import Purpose, check_chain, public_key, ski
from adapter.crypto.keys import AGREEMENT_PURPOSES
from adapter.crypto.note import NoteVerifier
from adapter.crypto.suites import suite
from adapter.directory.consistency import index_directory
from adapter.directory.content import CertificationAuthority, LegalBasisKind, Titles
from adapter.directory.defaults import DEFAULT_LEGAL_BASIS_KINDS, DEFAULT_PURPOSES
from adapter.directory.document import parse_directory
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import RegisteredCertificate, Registration
from adapter.directory.rendering import render_directory
from adapter.errors import AdapterError, CommandRefused, DirectoryRefused, SecurityFailed
from adapter.identifiers import MemberId, SubsystemId


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """The document of one version, for the officers to sign (directory.proposal). It was read back before."""

    version: int
    expires: datetime
    xml: bytes


def new_directory(
    instance: str,
    *,
    signing_cas: Iterable[x509.Certificate],
    tls_cas: Iterable[x509.Certificate],
    now: datetime,
    purposes: Mapping[str, Titles] = DEFAULT_PURPOSES,
    legal_basis_kinds: Mapping[str, LegalBasisKind] = DEFAULT_LEGAL_BASIS_KINDS,
) -> DirectoryDraft:
    """An empty federation; version 0 until it is published. instance: the first part of all members' ids."""
    now = now.replace(microsecond=0)
    return DirectoryDraft(
        instance=instance,
        version=0,
        issued=now,
        expires=now,
        signing_authorities=tuple(CertificationAuthority(certificate=one) for one in signing_cas),
        tls_authorities=tuple(CertificationAuthority(certificate=one) for one in tls_cas),
        purposes=purposes,
        legal_basis_kinds=legal_basis_kinds,
    )


def put_member(draft: DirectoryDraft, registration: Registration, *, now: datetime) -> DirectoryDraft:
    """Enter a member as its agency registered it, in place of an earlier entry of the same id.

    registration: read by `document.read_registration`, untrusted; that it comes from the agency is for the officer to
    know. Services that the earlier entry had and this one has not are gone; so are a removed subsystem's places in
    groups. Raises CommandRefused: another instance, a certificate that a chain of the directory's CAs does not reach,
    for another use, or with a key that is registered for another use or member; a bad record key; a foreign service.
    """
    member = registration.member
    if member.id.instance != draft.instance:
        raise CommandRefused(f"{member.id} is not of instance {draft.instance}")
    for service in registration.services:
        if service.service.subsystem.member != member.id or service.service.subsystem.code not in member.subsystems:
            raise CommandRefused(f"{service.service} is not a service of a subsystem of {member.id}")
    _check_certificates(registration, draft, now)
    if member.record_vkey is not None:
        _check_record_key(member.record_vkey)
    without = _without(draft, member.id, keep_in_groups=member.subsystems)
    services = {service.service: service for service in registration.services}
    if len(services) != len(registration.services):
        raise CommandRefused("a service is listed twice")
    return replace(
        without,
        members=MappingProxyType({**without.members, member.id: member}),
        services=MappingProxyType({**without.services, **services}),
    )


def remove_member(draft: DirectoryDraft, member: MemberId) -> DirectoryDraft:
    """Strike a member off, with its services and its places in groups. Raises CommandRefused if it is not there."""
    if member not in draft.members:
        raise CommandRefused(f"{member} is not in the directory")
    return _without(draft, member, keep_in_groups=frozenset())


def remove_certificate(draft: DirectoryDraft, sha256: bytes) -> DirectoryDraft:
    """Strike one certificate of a member off, whatever it was for, also its only one: the member stays without.

    Raises CommandRefused if it is not there.
    """
    for member in draft.members.values():
        kept = replace(
            member,
            signing=_others(member.signing, sha256),
            agreement=_others(member.agreement, sha256),
            adapter=replace(member.adapter, tls_certificates=_others(member.adapter.tls_certificates, sha256)),
        )
        if kept != member:
            return replace(draft, members=MappingProxyType({**draft.members, member.id: kept}))
    raise CommandRefused(f"no member has a certificate {sha256.hex()}")


def _others(certificates: tuple[RegisteredCertificate, ...], sha256: bytes) -> tuple[RegisteredCertificate, ...]:
    return tuple(one for one in certificates if one.sha256 != sha256)


def put_group(draft: DirectoryDraft, code: str, subsystems: Iterable[SubsystemId]) -> DirectoryDraft:
    """Name a set of subsystems. Raises CommandRefused if one is not registered."""
    group = frozenset(subsystems)
    for subsystem in group:
        member = draft.members.get(subsystem.member)
        if member is None or subsystem.code not in member.subsystems:
            raise CommandRefused(f"{subsystem} is not in the directory")
    return replace(draft, groups=MappingProxyType({**draft.groups, code: group}))


def put_purpose(draft: DirectoryDraft, code: str, titles: Titles) -> DirectoryDraft:
    """Add a purpose, or change its titles."""
    return replace(draft, purposes=MappingProxyType({**draft.purposes, code: titles}))


def put_legal_basis_kind(draft: DirectoryDraft, kind: LegalBasisKind) -> DirectoryDraft:
    """Add a kind of legal basis, or change it."""
    return replace(draft, legal_basis_kinds=MappingProxyType({**draft.legal_basis_kinds, kind.code: kind}))


def end_suite(draft: DirectoryDraft, suite: str, end: datetime) -> DirectoryDraft:
    """From `end` on, messages in this suite are refused."""
    return replace(draft, suite_ends=MappingProxyType({**draft.suite_ends, suite: end.replace(microsecond=0)}))


def put_authorities(
    draft: DirectoryDraft,
    *,
    signing: Iterable[CertificationAuthority] | None = None,
    tls: Iterable[CertificationAuthority] | None = None,
) -> DirectoryDraft:
    """Replace the CAs of the members' certificates, of the TLS certificates, or both."""
    return replace(
        draft,
        signing_authorities=draft.signing_authorities if signing is None else tuple(signing),
        tls_authorities=draft.tls_authorities if tls is None else tuple(tls),
    )


def publish(draft: DirectoryDraft, *, now: datetime, valid_for: timedelta) -> Publication:
    """The next version, issued now. Raises CommandRefused for content that adapters would refuse."""
    issued = now.replace(microsecond=0)
    following = replace(draft, version=draft.version + 1, issued=issued, expires=issued + valid_for)
    try:
        index_directory(following)
        xml = render_directory(following)
        parse_directory(xml)
    except DirectoryRefused as cause:
        raise CommandRefused(f"adapters would refuse this directory: {cause.reason}") from None
    return Publication(version=following.version, expires=following.expires, xml=xml)


def _without(draft: DirectoryDraft, member: MemberId, *, keep_in_groups: frozenset[str]) -> DirectoryDraft:
    members = {key: value for key, value in draft.members.items() if key != member}
    return replace(
        draft,
        members=MappingProxyType(members),
        services=MappingProxyType(
            {key: value for key, value in draft.services.items() if key.subsystem.member != member}
        ),
        groups=MappingProxyType(
            {
                code: frozenset(one for one in group if one.member != member or one.code in keep_in_groups)
                for code, group in draft.groups.items()
            }
        ),
    )


# --- what an officer would otherwise have to see with the naked eye ---------------------------------------------------


def _check_certificates(registration: Registration, draft: DirectoryDraft, now: datetime) -> None:
    """Every certificate for its own use, current, under the directory's CAs; every key for one use of one member."""
    member = registration.member
    try:
        for one in member.signing:
            suite(one.suite).check_signing_key(public_key(one.certificate))
            check_chain(one.certificate, draft.signing_cas, now, Purpose.SIGNING)
        for one in member.agreement:
            row = suite(one.suite)
            row.check_agreement_key(public_key(one.certificate))
            ski(one.certificate)  # by which the recipient's key is named in a message
            check_chain(one.certificate, draft.signing_cas, now, AGREEMENT_PURPOSES[row.agreement_usage])
        for one in member.adapter.tls_certificates:
            check_chain(one.certificate, draft.tls_cas, now, Purpose.TLS)
    except SecurityFailed as cause:
        raise CommandRefused(f"a certificate of {member.id} cannot be entered: {cause.reason}") from None
    if not member.adapter.tls_certificates:
        raise CommandRefused(f"{member.id} has no TLS certificate")
    for use, certificates in (("signing", member.signing), ("agreement", member.agreement)):
        if not any(one.suite == member.suite for one in certificates):
            raise CommandRefused(f"{member.id} has no {use} certificate of its suite {member.suite}")
    _check_keys_used_once(registration, draft)


def _check_keys_used_once(registration: Registration, draft: DirectoryDraft) -> None:
    uses: dict[bytes, tuple[MemberId, str]] = {}
    members = [other for other in draft.members.values() if other.id != registration.member.id]
    for member in (*members, registration.member):
        for use, certificates in (
            ("tls", member.adapter.tls_certificates),
            ("signing", member.signing),
            ("agreement", member.agreement),
        ):
            for one in certificates:
                key = _spki(one)
                if uses.setdefault(key, (member.id, use)) != (member.id, use):
                    raise CommandRefused(
                        f"a key of {member.id} for {use} is the key of {' '.join(map(str, uses[key]))}"
                    )


def _spki(registered: RegisteredCertificate) -> bytes:
    return public_key(registered.certificate).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _check_record_key(vkey: str) -> None:
    try:
        NoteVerifier.parse(vkey)
    except AdapterError as cause:
        raise CommandRefused(f"the record key cannot be read: {cause.reason}") from None
