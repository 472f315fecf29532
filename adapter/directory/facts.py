"""Each entry of a directory as facts: label to values in words. What is shown of it, and what is compared of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes

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
)
from adapter.directory.draft import DirectoryDraft
from adapter.directory.model import Directory, DirectoryService, Member, RegisteredCertificate
from adapter.directory.rendering import write_duration, write_instant

Facts = Mapping[str, tuple[str, ...]]
"""Label to values; a label without values is left out. Order of labels: that of reading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One kind of entry: what an officer calls it, the entries by name, and how one is said as facts."""

    singular: str
    entries: Mapping[str, object]
    say: Callable[[Any], Facts]

    def facts(self, name: str) -> Facts:
        """The facts of the entry of this name."""
        return self.say(self.entries[name])


def sections(directory: Directory | DirectoryDraft) -> tuple[Section, ...]:
    """Everything that a directory says but its version and times, what decides about trust first."""
    return (
        Section(singular="directory", entries={directory.instance: _whole(directory)}, say=lambda facts: facts),
        Section(singular="signing CA", entries=_authorities(directory.signing_authorities), say=_authority),
        Section(singular="TLS CA", entries=_authorities(directory.tls_authorities), say=_authority),
        *(
            Section(singular=singular, entries={str(name): one for name, one in entries(directory).items()}, say=facts)
            for singular, entries, facts in _MAPPINGS
        ),
    )


def member_facts(member: Member) -> Facts:
    """A member without its services."""
    return _present(
        {
            **_titles(member.names, "name"),
            "STIR": (member.stir,),
            "suite": (member.suite,),
            "address": (member.adapter.address,),
            "TLS certificate": _registered(member.adapter.tls_certificates),
            "signing certificate": _registered(member.signing),
            "agreement certificate": _registered(member.agreement),
            "record key": () if member.record_vkey is None else (member.record_vkey,),
            "subsystem": tuple(sorted(member.subsystems)),
        }
    )


def service_facts(service: DirectoryService) -> Facts:
    """A service."""
    return _present(
        {
            **_titles(service.titles),
            "personal data": ("yes" if service.personal_data else "no",),
            "description": (service.description_sha256,),
            "only within regulation": tuple(sorted(service.regulations)),
        }
    )


def e_service_facts(entry: EService) -> Facts:
    """An e-service with its regulation."""
    regulation = entry.regulation
    return _present(
        {
            **_titles(entry.titles),
            "responsible agency": (str(entry.agency),),
            "working days": (str(entry.working_days),),
            "regulation": (regulation.id,),
            **_titles(regulation.titles, "title of the regulation"),
            "approved": (regulation.approved.isoformat(),),
            "participant": tuple(map(str, sorted(regulation.participants))),
            "document": tuple(
                f"{service}: {', '.join(sorted(fields)) or 'the whole document'}"
                for service, fields in sorted(regulation.documents.items())
            ),
        }
    )


def _whole(directory: Directory | DirectoryDraft) -> Facts:
    limit = directory.time_stamp_limit
    return _present(
        {
            "grace after its expiry": _duration(directory.grace or None),
            "longest time without a time-stamp": _duration(limit),
            "cosignatures that witness a checkpoint": (str(directory.witness_rule.threshold),)
            * bool(directory.witnesses),
            "longest time without witnesses": _duration(directory.witness_rule.limit),
            "order of time-stamp authorities": tuple(directory.time_stamp_authorities)[1:]
            and (", ".join(directory.time_stamp_authorities),),
        }
    )


def _authorities(authorities: Iterable[CertificationAuthority]) -> Mapping[str, CertificationAuthority]:
    return {_certificate(one.certificate): one for one in authorities}


def _authority(one: CertificationAuthority) -> Facts:
    return _present(
        {
            "OCSP address": one.ocsp_addresses,
            "CRL address": one.crl_addresses,
            "oldest status": _duration(one.status_window),
        }
    )


def _time_stamp_authority(one: TimeStampAuthority) -> Facts:
    return {"address": (one.address,), "certificate": tuple(map(_certificate, one.certificates))}


def _identifier_type(one: IdentifierType) -> Facts:
    return {**_titles(one.titles), "pattern": (one.pattern.text,)}


def _legal_basis_kind(one: LegalBasisKind) -> Facts:
    return _present(
        {
            **_titles(one.titles),
            "must name": tuple(sorted(name.value for name in one.must_name)),
            "withheld from the person": ("yes",) if one.withheld else (),
        }
    )


def _secrecy_kind(one: SecrecyKind) -> Facts:
    return {**_titles(one.titles), "longest order": _duration(one.maximum)}


def _consent_issuer(one: ConsentIssuer) -> Facts:
    return _present(
        {
            "kind of legal basis": tuple(sorted(one.kinds)),
            "longest caching": _duration(one.cache_limit),
            "certificate of statements": tuple(map(_certificate, one.certificates)),
        }
    )


def _witness(one: Witness) -> Facts:
    return {"key": (one.vkey,), "address": (one.address,)}


def _titles(titles: Titles, label: str = "title") -> Facts:
    return {f"{label} ({language})": (text,) for language, text in sorted(titles.items())}


_MAPPINGS: Final[tuple[tuple[str, Callable[[Any], Mapping[Any, Any]], Callable[[Any], Facts]], ...]] = (
    ("time-stamp authority", lambda d: d.time_stamp_authorities, _time_stamp_authority),
    ("end of suite", lambda d: d.suite_ends, lambda end: {"end": (write_instant(end),)}),
    ("member", lambda d: d.members, member_facts),
    ("service", lambda d: d.services, service_facts),
    ("group", lambda d: d.groups, lambda group: _present({"subsystem": tuple(map(str, sorted(group)))})),
    ("e-service", lambda d: d.e_services, e_service_facts),
    ("purpose", lambda d: d.purposes, _titles),
    ("legal basis", lambda d: d.legal_basis_kinds, _legal_basis_kind),
    ("kind of secrecy order", lambda d: d.secrecy_kinds, _secrecy_kind),
    ("consent issuer", lambda d: d.consent_issuers, _consent_issuer),
    ("identifier type", lambda d: d.identifier_types, _identifier_type),
    ("witness", lambda d: d.witnesses, _witness),
)


def _present(facts: Facts) -> Facts:
    return {label: values for label, values in facts.items() if values}


def _duration(length: timedelta | None) -> tuple[str, ...]:
    return () if length is None else (write_duration(length),)


def _registered(certificates: Iterable[RegisteredCertificate]) -> tuple[str, ...]:
    return tuple(f"{_certificate(one.certificate)}, suite {one.suite}" for one in certificates)


def _certificate(certificate: x509.Certificate) -> str:
    until = write_instant(certificate.not_valid_after_utc)
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    return f"{certificate.subject.rfc4514_string()}, until {until}, SHA-256 {digest}"
