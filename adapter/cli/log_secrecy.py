"""`adapter log secrecy`: orders under which a person is not told of some entries before a day."""

from __future__ import annotations

from datetime import UTC, date
from typing import Annotated

import typer
from rich.text import Text

from adapter.audit.secrecy import Covered, SecrecyOrder, lift_details, order_details, read_consumer
from adapter.cli.approval_gate import Desk, OfficerKeyOption, OfficerOption
from adapter.cli.directory_source import own_directory
from adapter.cli.log_subject import SubjectFileOption, read_subject_file, tag_of
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    day_reader,
    message_id_reader,
    now_utc,
    service_reader,
    settings_from,
)
from adapter.cli.output import JsonValue, Output, good, table_of, when
from adapter.directory.model import Directory
from adapter.errors import CommandRefused
from adapter.identifiers import MessageId, ServiceId
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.secrecy_orders import SecrecyOrders, find_order

app = typer.Typer(
    help="Secrecy orders: what a person is not told of the record yet, on whose authority, until which day.",
    no_args_is_help=True,
    epilog="adapter log secrecy list",
)
_TAG_SHOWN = 12


@app.command(
    epilog="adapter log secrecy add --kind criminal-inquiry --reference 'City court, 17-2026' --until 2026-12-31 "
    "--consumer UZ/GOV/200000003"
)
def add(
    *,
    kind: Annotated[str, typer.Option(help="A kind of secrecy order of the directory.", show_default=False)],
    reference: Annotated[
        str, typer.Option(help="The authority's own number of the order. No personal data.", show_default=False)
    ],
    until: Annotated[
        date,
        typer.Option(
            parser=day_reader, metavar="DAY", help="Its last day, by the calendar of UTC.", show_default=False
        ),
    ],
    service: Annotated[
        ServiceId | None, typer.Option(parser=service_reader, metavar="SERVICE", help="Requests to this service.")
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(metavar="MEMBER|SUBSYSTEM", help="Requests of this consumer: of a member, all of its subsystems."),
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="Requests for this purpose.")] = None,
    message_id: Annotated[
        MessageId | None, typer.Option(parser=message_id_reader, metavar="ID", help="This exchange.")
    ] = None,
    subject_file: SubjectFileOption = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Place an order. It covers the entries, earlier and later ones, that fit all that is named.

    What it covers is a number to the person until the order's last day is past, and is then told as everything else.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    desk = Desk.of(settings, officer=officer, key=officer_key)
    directory, now = own_directory(settings), now_utc()
    _check_known(settings, directory, service, purpose)
    covered = Covered(
        service=service,
        consumer=None if consumer is None else read_consumer(consumer),
        purpose=purpose,
        message_id=message_id,
        subject=None if subject_file is None else tag_of(settings, read_subject_file(subject_file)),
    )
    known = directory.secrecy_kinds.get(kind)
    if known is None:
        kinds = ", ".join(sorted(directory.secrecy_kinds)) or "none"
        raise CommandRefused(f"the directory has no kind of secrecy order {kind}; it has: {kinds}")
    details = order_details(known, reference, covered, until=until, now=now)
    mandate = desk.mandate("secrecy-add", details)
    orders = SecrecyOrders(desk.database)
    number = orders.place({**details, **mandate.details}, officer=mandate.officer, log=desk.log, now=now)
    output.result(
        {"order": number, **details},
        Text.assemble(good("Placed "), f"order {number}, until {until}: ", _covers(covered)),
    )


def _check_known(settings: Settings, directory: Directory, service: ServiceId | None, purpose: str | None) -> None:
    """An order that a slip of the pen lets cover nothing is told at once. Raises CommandRefused."""
    if service is not None and service.subsystem.member != settings.member:
        raise CommandRefused(f"{service} is not a service of {settings.member}, whose record this is")
    if purpose is not None and purpose not in directory.purposes:
        raise CommandRefused(f"the directory has no purpose {purpose}")


@app.command("list", epilog="adapter log secrecy list --all")
def list_orders(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the orders in force, oldest first."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    today = now_utc().astimezone(UTC).date()
    orders = [
        order
        for order in SecrecyOrders(open_database(settings.database_url)).all().values()
        if everything or order.in_force(today)
    ]
    table = table_of(
        ("Order", "Placed", "Kind", "Reference", "Covers", "Until", "State", "Officer"),
        [
            (
                str(order.number),
                when(order.placed),
                order.kind,
                order.reference,
                _covers(order.covered),
                str(order.until),
                _state(order, today),
                order.officer,
            )
            for order in orders
        ],
    )
    output.result([_value(order, today) for order in orders], table if orders else Text("No secrecy orders."))


@app.command(epilog="adapter log secrecy lift 4711 --reason 'The inquiry is closed, 17-2026'")
def lift(
    number: Annotated[int, typer.Argument(min=0, metavar="ORDER", help="Its number.", show_default=False)],
    *,
    reason: Annotated[str, typer.Option(help="Why, and on whose word. No personal data.", show_default=False)],
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """End an order before its last day: from now on the person is told what it covered."""
    output = Output.of(as_json=as_json)
    desk = Desk.of(settings_from(settings_file), officer=officer, key=officer_key)
    orders, now = SecrecyOrders(desk.database), now_utc()
    order = find_order(orders.all(), number)
    said = lift_details(order, reason, today=now.astimezone(UTC).date())
    what = {**said, "order": order.kind, "reference": order.reference, "covers": order.covered.described()}
    mandate = desk.mandate("secrecy-lift", what)
    entry = orders.lift(number, reason, officer=mandate.officer, log=desk.log, now=now, more=mandate.details)
    output.result({"lifted": number, "record": entry}, Text(f"Lifted order {number}, record {entry}"))


def _covers(covered: Covered) -> str:
    """What an order covers, in words; of a person only the beginning of the keyed hash."""
    said = covered.described()
    if covered.subject is not None:
        said["subject"] = f"{covered.subject[:_TAG_SHOWN]}…"
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())


def _state(order: SecrecyOrder, today: date) -> str:
    if order.lifted is not None:
        return f"lifted {when(order.lifted)}"
    return "in force" if order.in_force(today) else "ended"


def _value(order: SecrecyOrder, today: date) -> JsonValue:
    return {
        "order": order.number,
        "kind": order.kind,
        "reference": order.reference,
        "covers": dict(order.covered.described()),
        "placed": when(order.placed),
        "until": order.until.isoformat(),
        "officer": order.officer,
        "lifted": None if order.lifted is None else when(order.lifted),
        "in_force": order.in_force(today),
    }
