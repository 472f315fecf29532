"""`adapter log erase` and `adapter log retain`: kept messages go, by their day or by their time; the record stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.app.retention import ERASE, retention_of
from adapter.audit.retention import BY_OFFICER, BY_RETENTION, Retention
from adapter.cli.approval_gate import Desk, OfficerKeyOption, OfficerOption
from adapter.cli.files import confirm
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    YesOption,
    day_reader,
    now_utc,
    service_reader,
    settings_from,
)
from adapter.cli.output import JsonValue, Output, bad, counted, doubtful, table_of
from adapter.cli.own_record import own_archive_key
from adapter.errors import ApprovalNeeded, CommandRefused
from adapter.identifiers import ServiceId
from adapter.store.erasure import Erasable, Eraser, Erasure


def _eraser(desk: Desk) -> Eraser:
    return Eraser(desk.database, own_archive_key(desk.settings), desk.log)


def _erase(desk: Desk, eraser: Eraser, found: Sequence[Erasable], *, why: str, what: dict[str, Any]) -> Erasure:
    """Raises ApprovalNeeded, CommandRefused, StoreUnusable."""
    mandate = desk.mandate(ERASE, what)
    erasure = eraser.erase(
        [one.compartment for one in found], why=why, officer=mandate.officer, now=now_utc(), details=mandate.details
    )
    eraser.finish()
    return erasure


def erase_day(
    day: Annotated[
        date, typer.Argument(parser=day_reader, metavar="DAY", help="A past day, UTC: 2026-11-27.", show_default=False)
    ],
    *,
    service: Annotated[
        ServiceId | None, typer.Option(parser=service_reader, metavar="SERVICE", help="Only of this service.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(help="Only of this purpose.")] = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Destroy the keys of a day's kept messages: nobody can read them again, and every proof of the record stays.

    Messages under a hold stay. Archive files hold no key, so theirs are erased with them; backups of the database hold
    the keys of their time.
    """
    output = Output.of(as_json=as_json)
    desk = Desk.of(settings_from(settings_file), officer=officer, key=officer_key)
    eraser, today = _eraser(desk), now_utc().date()
    if day >= today:
        raise CommandRefused("only the messages of a past day can be erased")
    limits = {"service": None if service is None else str(service), "purpose": purpose}
    found = [
        one
        for one in eraser.of_day(day)
        if limits["service"] in (None, one.compartment.service) and purpose in (None, one.compartment.purpose)
        if not one.is_all_held
    ]
    if not found:
        eraser.finish()  # an erasure that was cut off is ended
        of = "".join(f", {name} {limit}" for name, limit in limits.items() if limit is not None)
        output.result(_value(None), Text(f"There is nothing to erase of {day}{of}."))
        return
    if not yes:
        output.remark(_table(found, None))
        confirm(f"Erase these messages of {day} for good?", refusal="nothing was erased")
    what = {"day": day.isoformat(), **limits}
    _tell(output, _erase(desk, eraser, found, why=BY_OFFICER, what=what))


def retain(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be erased.")] = False,
    as_of: Annotated[
        date | None,
        typer.Option(
            parser=day_reader, metavar="DAY", help="Erase what was over its time on this day. Default: today."
        ),
    ] = None,
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Erase the kept messages that are over their time, as [retention] of the settings says.

    A running adapter does it once an hour, unless it needs two officers. Messages under a hold stay.
    """
    output = Output.of(as_json=as_json)
    desk = Desk.of(settings_from(settings_file), officer=officer, key=officer_key)
    eraser, today = _eraser(desk), now_utc().date()
    retention, day = retention_of(desk.settings), as_of or today
    if day > today:
        raise CommandRefused(f"{day} is not here yet")
    found = eraser.due(retention, day)
    if dry_run or not found:
        if not dry_run:
            eraser.finish()
        shown = _table(found, retention) if found else Text("No messages are over their time.")
        output.result({"due": [_line_value(one, retention) for one in found]}, shown)
        return
    if not yes:
        output.remark(_table(found, retention))
        confirm("Erase these messages for good?", refusal="nothing was erased")
    what = {"as_of": day.isoformat(), "retention": retention.described()}
    try:
        erasure = _erase(desk, eraser, found, why=BY_RETENTION, what=what)
    except ApprovalNeeded:
        if as_of is None:
            output.remark(
                f"Officers sign the day: type it with --as-of {day}, which after midnight UTC is another one."
            )
        raise
    _tell(output, erasure)


def _tell(output: Output, erasure: Erasure) -> None:
    records = ", ".join(map(str, erasure.entries))
    words: list[RenderableType] = [
        Text.assemble(bad("Erased "), f"{counted(erasure.messages, 'message')}, record {records}")
        if erasure.parts
        else Text("Nothing was erased.")
    ]
    if erasure.held:
        words.append(Text(f"{counted(erasure.held, 'message')} under a hold stayed."))
    words += [doubtful(f"Left, as a held message of it is in an archive file: {one.label}") for one in erasure.left]
    output.result(_value(erasure), *words)
    if erasure.parts:
        output.remark("Backups of the database from before hold the keys: destroy those too, or restore none of them.")


def _value(erasure: Erasure | None) -> JsonValue:
    if erasure is None:
        return {"erased": 0, "held": 0, "records": [], "left": []}
    return {
        "erased": erasure.messages,
        "held": erasure.held,
        "records": list(erasure.entries),
        "left": [{"day": one.day, "service": one.service, "purpose": one.purpose} for one in erasure.left],
    }


def _table(found: Sequence[Erasable], retention: Retention | None) -> RenderableType:
    columns = ["Day", "Service", "Purpose", "Messages", "In archives", "Under a hold"]
    rows = [
        [
            one.compartment.day,
            one.compartment.service or "-",
            one.compartment.purpose or "-",
            str(one.messages),
            str(one.archived),
            str(one.held),
        ]
        for one in found
    ]
    if retention is not None:
        columns.append("Kept until")
        for row, one in zip(rows, found, strict=True):
            row.append(str(retention.last_day(one.compartment)))
    return table_of(columns, rows)


def _line_value(one: Erasable, retention: Retention) -> JsonValue:
    return {
        "day": one.compartment.day,
        "service": one.compartment.service,
        "purpose": one.compartment.purpose,
        "messages": one.messages,
        "archived": one.archived,
        "held": one.held,
        "kept_until": str(retention.last_day(one.compartment)),
    }
