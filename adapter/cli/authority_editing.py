"""`adapter authority set-… / bind-service / end-suite / remove / content`: what is entered besides the members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.cli import authority_witnesses
from adapter.cli.authority_draft import (
    DurationValue,
    Title,
    TitlesOption,
    draft_of,
    edit,
    read_title,
    titles_of,
)
from adapter.cli.authority_folder import certificates_from, fingerprint_of
from adapter.cli.options import (
    FolderArgument,
    JsonOption,
    Suite,
    member_reader,
    now_utc,
    reader,
    service_reader,
    subsystem_reader,
    time_reader,
)
from adapter.cli.output import JsonValue, Output, facts_of
from adapter.directory.authoring import end_suite, put_group
from adapter.directory.content import (
    CertificationAuthority,
    ConsentIssuer,
    EService,
    Regulation,
    TimeStampAuthority,
)
from adapter.directory.editing import (
    KINDS,
    bind_service,
    cut_off,
    put_ca,
    put_entry,
    put_subsystem,
    remove_entry,
    set_grace,
    set_time_stamp_limit,
)
from adapter.directory.elements import read_duration
from adapter.directory.facts import Facts, sections
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId, ServiceId, SubsystemId


class CaUse(StrEnum):
    """What a CA issues certificates for."""

    SIGNING = "signing"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Document:
    """A required document, as an option gives it. fields: empty is the whole."""

    service: ServiceId
    fields: frozenset[str]


def read_document(text: str) -> Document:
    """`UZ/GOV/200000001/population/GetPerson/v1=Person/FullName,Person/BirthDate`. Raises InvalidIdentifier."""
    service, _, fields = text.partition("=")
    return Document(ServiceId.parse(service), frozenset(one.strip() for one in fields.split(",") if one.strip()))


AddressesOption = Annotated[list[str] | None, typer.Option(metavar="URL", help="Tried in this order.")]

app = typer.Typer()
app.add_typer(authority_witnesses.app)


@app.command(
    "set-e-service",
    epilog="adapter authority set-e-service authority/ ES-1 --title 'en=Social benefit' --agency UZ/GOV/200000003 "
    "--working-days 5 --regulation REG-1 --approved 2025-11-03 "
    "--document UZ/GOV/200000001/population/GetPerson/v1=FullName,BirthDate",
)
def set_e_service(
    folder: FolderArgument,
    code: str,
    *,
    title: TitlesOption,
    agency: Annotated[MemberId, typer.Option(parser=member_reader, metavar="MEMBER", help="Who is responsible.")],
    working_days: Annotated[int, typer.Option(min=0, max=3650, help="The deadline for the person.")],
    regulation: Annotated[str, typer.Option(metavar="ID", help="The id by which requests name the regulation.")],
    approved: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which it was approved.")],
    regulation_title: Annotated[
        list[Title] | None,
        typer.Option(parser=reader(read_title), metavar="LANGUAGE=TEXT", help="Of the regulation, if it is another."),
    ] = None,
    document: Annotated[
        list[Document] | None,
        typer.Option(
            parser=reader(read_document), metavar="SERVICE[=FIELD,…]", help="A required document; its fields, else all."
        ),
    ] = None,
    participant: Annotated[
        list[MemberId] | None, typer.Option(parser=member_reader, metavar="MEMBER", help="Who takes part as well.")
    ] = None,
) -> None:
    """Enter an e-service with its regulation in the register, or change it."""
    entry = EService(
        code=code,
        titles=titles_of(title),
        agency=agency,
        working_days=working_days,
        regulation=Regulation(
            id=regulation,
            titles=titles_of(regulation_title or title),
            approved=date(approved.year, approved.month, approved.day),
            documents={one.service: one.fields for one in document or ()},
            participants=frozenset(participant or ()),
        ),
    )
    edit(folder, put_entry(draft_of(folder), entry), f"e-service {code}")


@app.command("set-ca", epilog="adapter authority set-ca authority/ signing ca.pem --ocsp http://o.example --window P1D")
def set_ca(
    folder: FolderArgument,
    use: CaUse,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The CA's certificate (PEM).", show_default=False)],
    *,
    ocsp: AddressesOption = None,
    crl: AddressesOption = None,
    window: Annotated[
        timedelta | None,
        typer.Option(parser=reader(read_duration), metavar="DURATION", help="How old a status may be."),
    ] = None,
) -> None:
    """Enter a CA, or say where the statuses of its certificates are and how old they may be."""
    certificates = certificates_from([file])
    if len(certificates) != 1:
        raise CommandRefused(f"{file} holds {len(certificates)} certificates; enter each CA apart")
    authority = CertificationAuthority(
        certificate=certificates[0],
        ocsp_addresses=tuple(ocsp or ()),
        crl_addresses=tuple(crl or ()),
        status_window=window,
    )
    edit(folder, put_ca(draft_of(folder), use.value, authority), f"{use.value} CA {authority.sha256.hex()}")


@app.command("set-tsa", epilog="adapter authority set-tsa authority/ tsa-1 http://tsa.example tsa.pem")
def set_time_stamp_authority(
    folder: FolderArgument,
    name: str,
    address: str,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its certificates, or its CA's (PEM).")],
) -> None:
    """Enter a time-stamp authority (RFC 3161), after those that are there."""
    entry = TimeStampAuthority(name=name, address=address, certificates=certificates_from([file]))
    edit(folder, put_entry(draft_of(folder), entry), f"time-stamp authority {name}")


@app.command("set-time-stamp-limit", epilog="adapter authority set-time-stamp-limit authority/ PT48H")
def limit_time_stamps(folder: FolderArgument, limit: DurationValue) -> None:
    """Say how long exchanges with personal data go on without a time-stamp."""
    edit(folder, set_time_stamp_limit(draft_of(folder), limit), "longest time without a time-stamp")


@app.command("set-grace", epilog="adapter authority set-grace authority/ P3D")
def set_grace_period(folder: FolderArgument, grace: DurationValue) -> None:
    """Say how long adapters go on past the expiry of a version."""
    edit(folder, set_grace(draft_of(folder), grace), "grace after the expiry")


@app.command("set-consent-issuer", epilog="adapter authority set-consent-issuer authority/ UZ/GOV/200000009/consents")
def set_consent_issuer(
    folder: FolderArgument,
    subsystem: Annotated[SubsystemId, typer.Argument(parser=subsystem_reader, metavar="SUBSYSTEM")],
    *,
    kind: Annotated[list[str] | None, typer.Option(help="Kind of legal basis; consent when not given.")] = None,
    cache_limit: Annotated[
        timedelta,
        typer.Option(parser=reader(read_duration), metavar="DURATION", help="How long a statement may be cached."),
    ] = "PT15M",  # type: ignore[assignment]  # read by the parser
    certificate: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="What it signs statements with, if not as its member.")
    ] = None,
) -> None:
    """Enter whose signed statements of consent count."""
    entry = ConsentIssuer(
        subsystem=subsystem,
        kinds=frozenset(kind or ("consent",)),
        cache_limit=cache_limit,
        certificates=certificates_from(certificate or []),
    )
    edit(folder, put_entry(draft_of(folder), entry), f"consent issuer {subsystem}")


@app.command("set-subsystem", epilog="adapter authority set-subsystem authority/ UZ/GOV/200000001/archive")
def set_subsystem(
    folder: FolderArgument,
    subsystem: Annotated[SubsystemId, typer.Argument(parser=subsystem_reader, metavar="SUBSYSTEM")],
) -> None:
    """Register a subsystem of a member that is there."""
    edit(folder, put_subsystem(draft_of(folder), subsystem), f"subsystem {subsystem}")


@app.command("bind-service", epilog="adapter authority bind-service authority/ UZ/GOV/200000001/p/Get/v1 REG-1 REG-2")
def bind(
    folder: FolderArgument,
    service: Annotated[ServiceId, typer.Argument(parser=service_reader, metavar="SERVICE")],
    regulations: Annotated[list[str] | None, typer.Argument(metavar="[REGULATION]...")] = None,
) -> None:
    """Have a service answer within these e-services only; without a regulation, within any and outside of all."""
    edit(folder, bind_service(draft_of(folder), service, frozenset(regulations or ())), f"service {service}")


@app.command("set-group", epilog="adapter authority set-group authority/ one-window UZ/GOV/200000003/social")
def set_group(
    folder: FolderArgument,
    code: str,
    subsystems: Annotated[list[SubsystemId], typer.Argument(parser=subsystem_reader, metavar="SUBSYSTEM...")],
) -> None:
    """Name a set of subsystems, which access rules then call group:CODE."""
    edit(folder, put_group(draft_of(folder), code, subsystems), f"group {code}")


@app.command("end-suite", epilog="adapter authority end-suite authority/ rsa 2030-01-01")
def set_suite_end(
    folder: FolderArgument,
    suite: Suite,
    end: Annotated[datetime, typer.Argument(parser=time_reader, metavar="TIME")],
) -> None:
    """Fix the time from which messages of a suite are refused everywhere."""
    edit(folder, end_suite(draft_of(folder), suite.value, end), f"suite {suite.value}")


@app.command("remove", epilog="adapter authority remove authority/ ca old-ca.pem")
def remove(
    folder: FolderArgument,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}.", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    *,
    cut_off_members: Annotated[
        bool, typer.Option("--cut-off-members", help="A CA that may not be believed any longer, whoever needs it.")
    ] = False,
) -> None:
    """Strike an entry off the draft by its id, code or name (of a CA: its file or SHA-256). What is needed stays."""
    if kind not in KINDS:
        raise CommandRefused(f"there is no kind {kind}; known: {', '.join(KINDS)}")
    draft, named = draft_of(folder), fingerprint_of(name) if kind == "ca" else name
    without = remove_entry(draft, kind, named)
    if kind == "ca" and not cut_off_members and (needed := cut_off(draft, without, now_utc())):
        raise CommandRefused(
            f"certificates of these members are believed by this CA alone: {', '.join(needed)}; they get others first, "
            "or are cut off from the next version on, with --cut-off-members"
        )
    edit(folder, without, f"{kind} {named}")


@app.command("content", epilog="adapter authority content authority/ e-service")
def content(
    folder: FolderArgument,
    what: Annotated[
        str | None,
        typer.Argument(help="Only this kind, called as here or as by `remove`.", show_default=False),
    ] = None,
    name: Annotated[str | None, typer.Argument(help="Only this one.", show_default=False)] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what the draft says, entry by entry."""
    all_of_it = sections(draft_of(folder))
    wanted = [one for one in all_of_it if what is None or _is_called(one.singular, what)]
    if not wanted:
        raise CommandRefused(f"there is no kind {what}; kinds are: {', '.join(one.singular for one in all_of_it)}")
    found = {one.singular: {key: one.facts(key) for key in one.entries if name in (None, key)} for one in wanted}
    if not any(found.values()):
        raise CommandRefused(f"the draft has no {what}{'' if name is None else f' {name}'}")
    words = [
        part
        for singular, entries in found.items()
        for one, facts in entries.items()
        for part in (Text(f"{singular} {one}"), facts_of(_rows(facts)), Text())
    ]
    Output.of(as_json=as_json).result(
        {kind: {one: _json(facts) for one, facts in entries.items()} for kind, entries in found.items()}, *words
    )


def _is_called(singular: str, what: str) -> bool:
    """Whether this is what a section is called, by itself or by `remove`."""
    named = {"secrecy-kind": "kind of secrecy order", "suite-end": "end of suite"}.get(what, what)
    if named == "ca":
        return singular.endswith(" CA")
    return singular.replace("-", " ").casefold() == named.replace("-", " ").casefold()


def _json(facts: Facts) -> dict[str, JsonValue]:
    return {label: list(values) for label, values in facts.items()}


def _rows(facts: Facts) -> list[tuple[str, str]]:
    return [(f"  {label}", value) for label, values in facts.items() for value in values]
