"""`adapter access`: who may call which service, and why a request would be allowed or refused."""

from __future__ import annotations

import uuid
from dataclasses import replace as changed
from datetime import datetime
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from adapter.cli.access_fields import chosen_fields, fields_of
from adapter.cli.access_reviews import close_review, list_reviews
from adapter.cli.access_words import conditions, decision_value, decision_words, fields_in_short, rule_value
from adapter.cli.approval_gate import Desk, OfficerKeyOption, OfficerOption
from adapter.cli.directory_source import AnchorOption, DirectoryOption, directory_of
from adapter.cli.options import (
    BASIS_FORM,
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    legal_basis_reader,
    now_utc,
    official_reader,
    service_reader,
    settings_from,
    subject_reader,
    subsystem_reader,
    time_reader,
)
from adapter.cli.output import Output, good, table_of
from adapter.errors import CommandRefused
from adapter.identifiers import OfficialId, Purpose, ServiceId, SubjectId, SubsystemId
from adapter.policy.decision import AccessFacts, decide
from adapter.policy.rules import AccessRule
from adapter.released_fields import ReleasedFields
from adapter.settings import Settings
from adapter.stages import LegalBasis, PersonalData
from adapter.store.access import AccessRules, rule_details
from adapter.store.engine import open_database

REFUSED_EXIT_CODE: Final = 10

app = typer.Typer(
    help="Who may call which service. What no rule allows is refused; every change goes into the record.",
    no_args_is_help=True,
)

ServiceValue = Annotated[
    ServiceId,
    typer.Option("--service", parser=service_reader, metavar="SERVICE", help="The whole id of the service."),
]


@app.command(
    epilog="adapter access grant --consumer UZ/GOV/200000003/social "
    "--service UZ/GOV/200000001/population/GetPerson/v1 --purpose social-benefit --basis-kind law "
    "--field GetPersonResponse/Person/Surname --replace GetPersonResponse/Person/BirthDate=year"
)
def grant(
    *,
    consumer: Annotated[
        str, typer.Option(help="A subsystem, a whole member, or group:NAME of the directory.", show_default=False)
    ],
    service: ServiceValue,
    operation: Annotated[list[str] | None, typer.Option(help="Only this operation; may be repeated.")] = None,
    purpose: Annotated[list[str] | None, typer.Option(help="Only for this purpose; may be repeated.")] = None,
    basis_kind: Annotated[
        list[str] | None, typer.Option(help="Only with this kind of legal basis; may be repeated.")
    ] = None,
    regulation: Annotated[list[str] | None, typer.Option(help="Only under this regulation; may be repeated.")] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH", help="A field of the answer that goes out; may be repeated; PATH/* names all below it."
        ),
    ] = None,
    replace: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH=HOW", help="What stands for a field: nil, empty, mask, zero, year or initial."),
    ] = None,
    all_fields: Annotated[bool, typer.Option("--all-fields", help="The whole answer goes out.")] = False,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="For emergencies only, of officials whom --official names.")
    ] = False,
    official: Annotated[
        list[OfficialId] | None,
        typer.Option(parser=official_reader, metavar="ID", help="Who may ask in an emergency; may be repeated."),
    ] = None,
    valid_from: Annotated[datetime | None, typer.Option("--from", parser=time_reader, metavar="TIME")] = None,
    valid_until: Annotated[
        datetime | None,
        typer.Option("--until", parser=time_reader, metavar="TIME", help="No longer from this time on."),
    ] = None,
    rule_id: Annotated[str | None, typer.Option("--id", help="Name of the rule.", show_default="made up")] = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    note: Annotated[str, typer.Option(help="Why: number of the agreement, for instance. No personal data.")] = "",
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Allow a consumer to call a service, under conditions. What is not named is not limited.

    Only of the answer more is asked: of a service with personal data a rule says which fields go out (--field,
    --replace), or that all do (--all-fields). `adapter service fields` lists them. An emergency rule allows requests
    that say that they are an emergency, and no others; each opens a review (docs/emergency.md).
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    if service.subsystem.member != settings.member:
        raise CommandRefused(f"{service} is not a service of {settings.member}; its own adapter grants access to it")
    fields = _fields(settings, service, operation, field, replace, all_fields=all_fields)
    wanted = AccessRule(
        id=rule_id or "",
        consumer=consumer,
        service=service,
        operations=_listed(operation),
        purposes=_listed(purpose),
        legal_basis_kinds=_listed(basis_kind),
        regulations=_listed(regulation),
        valid_from=valid_from,
        valid_until=valid_until,
        granted_by="",
        note=note,
        fields=fields,
        all_fields=all_fields,
        emergency_officials=_emergency_officials(official, emergency=emergency),
    )
    desk = Desk.of(settings, officer=officer, key=officer_key)
    mandate = desk.mandate("access-grant", _asked(wanted))
    made_up = mandate.approval or f"rule-{uuid.uuid4().hex[:8]}"
    rule = changed(wanted, id=rule_id or made_up, granted_by=str(mandate))
    number = AccessRules(desk.database).grant(rule, log=desk.log, now=now_utc())
    output.result(
        {"rule": rule_value(rule), "record": number},
        Text.assemble(good("Granted "), f"{rule.id}: {rule.consumer} may call {rule.service}, record {number}"),
    )


@app.command(epilog="adapter access revoke rule-1f2e3d4c")
def revoke(
    rule_id: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.", show_default=False)],
    *,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Take a rule away. Running workers notice within a second."""
    output = Output.of(as_json=as_json)
    desk = Desk.of(settings_from(settings_file), officer=officer, key=officer_key)
    mandate = desk.mandate("access-revoke", {"rule": rule_id})
    number = AccessRules(desk.database).revoke(rule_id, officer=str(mandate), log=desk.log, now=now_utc())
    output.result({"revoked": rule_id, "record": number}, Text(f"Revoked {rule_id}, record {number}"))


app.command("reviews", epilog="adapter access reviews --json")(list_reviews)
app.command(
    "close-review", epilog="adapter access close-review 17 --finding justified --note 'case 4/26, as the duty log says'"
)(close_review)


def _asked(rule: AccessRule) -> dict[str, Any]:
    """The rule as its entry will say it, without what is not known yet: who grants it, and a name that is made up."""
    return {name: value for name, value in rule_details(rule).items() if name != "granted_by" and value != ""}


@app.command("list", epilog="adapter access list --json")
def list_rules(
    *,
    service: Annotated[
        ServiceId | None, typer.Option(parser=service_reader, metavar="SERVICE", help="Only of this service.")
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the rules in force."""
    output = Output.of(as_json=as_json)
    snapshot = AccessRules(open_database(settings_from(settings_file).database_url)).snapshot()
    rules = snapshot.rules if service is None else snapshot.rules_for(service)
    table = table_of(
        ("Rule", "Consumer", "Service", "Conditions", "Fields", "Granted by"),
        [
            (
                rule.id,
                rule.consumer,
                str(rule.service),
                "; ".join(conditions(rule)) or "none",
                fields_in_short(rule),
                rule.granted_by,
            )
            for rule in rules
        ],
    )
    output.result(
        {"policy": snapshot.version, "rules": [rule_value(rule) for rule in rules]},
        table if rules else Text("No rules: every request is refused. `adapter access grant` adds one."),
    )


@app.command(
    epilog="adapter access explain --consumer UZ/GOV/200000003/social "
    "--service UZ/GOV/200000001/population/GetPerson/v1 --operation GetPerson --purpose social-benefit"
)
def explain(
    *,
    consumer: Annotated[
        SubsystemId,
        typer.Option(parser=subsystem_reader, metavar="SUBSYSTEM", help="Who would ask.", show_default=False),
    ],
    service: ServiceValue,
    operation: Annotated[str, typer.Option(help="The operation asked for.", show_default=False)],
    purpose: Annotated[str, typer.Option(help="The purpose named in the request.", show_default=False)],
    basis: Annotated[
        LegalBasis | None,
        typer.Option(parser=legal_basis_reader, metavar=BASIS_FORM, help="The legal basis named in the request."),
    ] = None,
    subject: Annotated[
        list[SubjectId] | None, typer.Option(parser=subject_reader, metavar="KIND:VALUE", help="Whom it is about.")
    ] = None,
    regulation: Annotated[str | None, typer.Option(help="The regulation named in the request.")] = None,
    consent: Annotated[str | None, typer.Option(help="The consent named in the request.")] = None,
    issue: Annotated[str | None, typer.Option(help="The application or case named in the request.")] = None,
    official: Annotated[
        OfficialId | None, typer.Option(parser=official_reader, metavar="ID", help="Who would ask.")
    ] = None,
    emergency: Annotated[bool, typer.Option("--emergency", help="The request says that it is an emergency.")] = False,
    at: Annotated[
        datetime | None, typer.Option(parser=time_reader, metavar="TIME", help="When.", show_default="now")
    ] = None,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Say whether a request would be allowed, by which rule, or which condition of each rule is not met.

    For one that would be, also which fields of the answer go out and what is done with the others.

    Asks the same function as the running adapter does. Exit code 0: allowed; 10: refused.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    snapshot = AccessRules(open_database(settings.database_url)).snapshot()
    facts = AccessFacts(
        consumer=consumer,
        service=service,
        operation=operation,
        regulation=regulation,
        personal_data=PersonalData(
            purpose=Purpose(purpose),
            subjects=tuple(subject or ()),
            legal_basis=basis,
            consent=consent,
            issue=issue,
            emergency="asked hypothetically" if emergency else None,
        ),
        official=official,
    )
    known = directory_of(directory, anchor, settings_file)
    decision = decide(facts, policy=snapshot, directory=known, now=at or now_utc())
    allowed_by = next((rule for rule in snapshot.rules_for(service) if rule.id == decision.rule_id), None)
    lets_out = fields_of(settings, service, (operation,)) if allowed_by is not None else None
    output.result(decision_value(decision, allowed_by, lets_out), *decision_words(decision, allowed_by, lets_out))
    if decision.rule_id is None:
        raise typer.Exit(REFUSED_EXIT_CODE)


def _fields(
    settings: Settings,
    service: ServiceId,
    operations: list[str] | None,
    fields: list[str] | None,
    replacements: list[str] | None,
    *,
    all_fields: bool,
) -> ReleasedFields | None:
    """What a rule lets out, as it was typed; None for all of it. Raises CommandRefused."""
    known = fields_of(settings, service, operations)
    if not fields and not replacements:
        if not all_fields and (known is None or known.settings.personal_data):
            raise CommandRefused(
                "say which fields of the answer go out, with --field PATH (`adapter service fields` lists them), "
                "or --all-fields"
            )
        return None
    if all_fields:
        raise CommandRefused("--all-fields and single fields do not go together")
    if known is None:
        raise CommandRefused(f"this adapter does not provide {service} yet, so nobody knows its fields")
    return chosen_fields(known, fields or (), replacements or ())


def _emergency_officials(officials: list[OfficialId] | None, *, emergency: bool) -> frozenset[str] | None:
    """Whom an emergency rule names; None: it is none. Raises CommandRefused."""
    if emergency != bool(officials):
        raise CommandRefused("--emergency and --official go together: an emergency rule names each official")
    return frozenset(map(str, officials or ())) if emergency else None


def _listed(values: list[str] | None) -> frozenset[str] | None:
    return frozenset(values) if values else None
