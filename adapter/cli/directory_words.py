"""A verified directory for a person and for a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from adapter.cli.output import JsonValue, bad, facts_of, good, table_of, when
from adapter.directory.model import Directory, DirectoryService, Member, RegisteredCertificate
from adapter.identifiers import MemberId


def directory_words(directory: Directory, member: MemberId | None, now: datetime) -> Iterator[RenderableType]:
    """For a person. member: only this one, in full. Raises UnknownMember."""
    if member is not None:
        yield from _member_words(directory.member(member), _services_of(directory, member))
        return
    current = good("current") if now < directory.expires else bad("expired")
    yield facts_of(
        [
            ("Directory", f"{directory.instance}, version {directory.version}"),
            ("Issued", when(directory.issued)),
            ("Expires", Text.assemble(when(directory.expires), " ", current)),
            ("Purposes", ", ".join(sorted(directory.purposes))),
            ("Legal bases", ", ".join(sorted(directory.legal_basis_kinds))),
            *((f"Suite {name} ends", when(end)) for name, end in sorted(directory.suite_ends.items())),
            *(
                (f"Group {code}", ", ".join(map(str, sorted(subsystems))))
                for code, subsystems in sorted(directory.groups.items())
            ),
        ]
    )
    yield Text()
    yield table_of(
        ("Member", "Name", "Suite", "Address", "Subsystems"),
        [
            (str(one.id), one.names.get("en", ""), one.suite, one.adapter.address, ", ".join(sorted(one.subsystems)))
            for _, one in sorted(directory.members.items())
        ],
    )
    if directory.services:
        yield Text()
        yield table_of(
            ("Service", "Title", "Personal data", "Regulations"),
            [_service_row(one) for _, one in sorted(directory.services.items())],
        )


def _member_words(member: Member, services: Sequence[DirectoryService]) -> Iterator[RenderableType]:
    yield facts_of(
        [
            ("Member", str(member.id)),
            *((f"Name ({language})", name) for language, name in member.names.items()),
            ("STIR", member.stir),
            ("Suite", member.suite),
            ("Address", member.adapter.address),
            ("Subsystems", ", ".join(sorted(member.subsystems))),
            ("Record key", member.record_vkey or "none"),
        ]
    )
    yield Text()
    rows = [
        (use, one.certificate.subject.rfc4514_string(), when(one.certificate.not_valid_after_utc), one.sha256.hex())
        for use, certificates in _certificates(member)
        for one in certificates
    ]
    yield table_of(("Use", "Certificate", "Expires", "SHA-256"), rows)
    if services:
        yield Text()
        yield table_of(("Service", "Title", "Personal data", "Regulations"), [_service_row(one) for one in services])


def _service_row(service: DirectoryService) -> tuple[str, str, str, str]:
    return (
        str(service.service),
        service.title,
        "yes" if service.personal_data else "no",
        ", ".join(sorted(service.regulations)),
    )


def directory_value(directory: Directory, member: MemberId | None) -> JsonValue:
    """For a script. Raises UnknownMember."""
    if member is not None:
        return _member_value(directory.member(member), _services_of(directory, member))
    return {
        "instance": directory.instance,
        "version": directory.version,
        "issued": when(directory.issued),
        "expires": when(directory.expires),
        "purposes": {code: dict(titles) for code, titles in directory.purposes.items()},
        "legal_basis_kinds": {code: dict(kind.titles) for code, kind in directory.legal_basis_kinds.items()},
        "suite_ends": {name: when(end) for name, end in directory.suite_ends.items()},
        "groups": {code: sorted(map(str, group)) for code, group in directory.groups.items()},
        "members": [
            _member_value(one, _services_of(directory, one.id)) for _, one in sorted(directory.members.items())
        ],
    }


def _member_value(member: Member, services: Sequence[DirectoryService]) -> JsonValue:
    return {
        "id": str(member.id),
        "names": dict(member.names),
        "stir": member.stir,
        "suite": member.suite,
        "address": member.adapter.address,
        "subsystems": sorted(member.subsystems),
        "record_vkey": member.record_vkey,
        "certificates": [
            {"use": use, "sha256": one.sha256.hex(), "expires": when(one.certificate.not_valid_after_utc)}
            for use, certificates in _certificates(member)
            for one in certificates
        ],
        "services": [
            {
                "id": str(one.service),
                "title": one.title,
                "personal_data": one.personal_data,
                "description_sha256": one.description_sha256,
                "regulations": sorted(one.regulations),
            }
            for one in services
        ],
    }


def _certificates(member: Member) -> tuple[tuple[str, tuple[RegisteredCertificate, ...]], ...]:
    return (
        ("signing", member.signing),
        ("agreement", member.agreement),
        ("tls", member.adapter.tls_certificates),
    )


def _services_of(directory: Directory, member: MemberId) -> list[DirectoryService]:
    return [one for _, one in sorted(directory.services.items()) if one.service.subsystem.member == member]
