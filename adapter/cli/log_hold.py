"""`adapter log hold`: messages that an order says to keep, whatever their time."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from adapter.audit.retention import Hold
from adapter.cli.approval_gate import Desk, OfficerKeyOption, OfficerOption
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from, words_reader
from adapter.cli.output import JsonValue, Output, counted, good, table_of, when
from adapter.errors import InvalidIdentifier
from adapter.identifiers import MessageId
from adapter.store.engine import open_database
from adapter.store.holds import Holds, find_hold

app = typer.Typer(
    help="Keep the messages of an exchange, whatever their time.",
    epilog="adapter log hold list",
    no_args_is_help=True,
)

ReasonOption = Annotated[
    str,
    typer.Option(
        parser=words_reader,
        help="Why, such as the order's number: no personal data.",
        metavar="TEXT",
        show_default=False,
    ),
]


@app.command(epilog="adapter log hold add urn:uuid:… --reason 'court order 17/2026'")
def add(
    about: Annotated[
        str, typer.Argument(metavar="MESSAGE-ID|INCIDENT", help="Of the request, or of a fault.", show_default=False)
    ],
    *,
    reason: ReasonOption,
    officer: OfficerOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Hold an exchange: its messages are not erased before the hold is lifted."""
    output, desk = Output.of(as_json=as_json), Desk.of(settings_from(settings_file), officer=officer)
    message_id, incident = _read(about)
    holds = Holds(desk.database)
    hold = holds.place(
        desk.log, message_id=message_id, incident=incident, reason=reason, officer=desk.officer, now=now_utc()
    )
    kept = holds.messages(hold)
    output.result(
        {"hold": hold.number, "about": hold.about, "messages": kept},
        Text.assemble(good("Held "), f"{hold.about}, {counted(kept, 'message')}, record {hold.number}"),
    )
    if not kept:
        output.remark("None of its messages is here any more: the hold keeps nothing.")


@app.command("list", epilog="adapter log hold list")
def list_holds(
    *,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the holds that nobody has lifted."""
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    holds = Holds(open_database(settings.database_url))
    found = [(hold, holds.messages(hold)) for hold in holds.open()]
    rows = [
        (str(hold.number), when(hold.placed), hold.about, str(kept), hold.officer, hold.reason) for hold, kept in found
    ]
    table = table_of(("Record", "Since", "About", "Messages", "Officer", "Reason"), rows)
    output.result([_value(hold, kept) for hold, kept in found], table if found else Text("No holds."))


@app.command(epilog="adapter log hold lift 42 --reason 'case closed'")
def lift(
    number: Annotated[
        int, typer.Argument(metavar="RECORD", help="The hold's record number, as listed.", show_default=False)
    ],
    *,
    reason: ReasonOption,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Lift a hold: from then on the messages are erased when their time is over."""
    output = Output.of(as_json=as_json)
    desk = Desk.of(settings_from(settings_file), officer=officer, key=officer_key)
    holds = Holds(desk.database)
    found = find_hold({int(hold.number): hold for hold in holds.open()}, number)
    mandate = desk.mandate("hold-lift", {"hold": number, "about": found.about, "reason": reason})
    hold, entry = holds.lift(
        desk.log, number, reason=reason, officer=mandate.officer, now=now_utc(), details=mandate.details
    )
    output.result(
        {"lifted": hold.number, "about": hold.about, "record": entry},
        Text.assemble(good("Lifted "), f"the hold on {hold.about}, record {entry}"),
    )


def _read(about: str) -> tuple[str | None, str | None]:
    """A message id, or else an incident id."""
    try:
        return str(MessageId(about)), None
    except InvalidIdentifier:
        return None, about


def _value(hold: Hold, kept: int) -> JsonValue:
    return {
        "hold": hold.number,
        "since": when(hold.placed),
        "message_id": hold.message_id,
        "incident": hold.incident,
        "messages": kept,
        "officer": hold.officer,
        "reason": hold.reason,
    }
