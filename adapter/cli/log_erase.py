"""`adapter log erase` and `adapter log retain`: kept messages go, by their day or by their time; the record stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.app.retention import ERASE, retention_of
from adapter.audit.approvals import Act
from adapter.audit.retention import BY_OFFICER, BY_RETENTION, Retention
from adapter.cli.approval_gate import Asking, OfficerKeyOption, OfficerOption, mandate_for
from adapter.cli.files import confirm
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, YesOption, now_utc, reader, settings_from
from adapter.cli.output import JsonValue, Output, bad, counted, doubtful, table_of
from adapter.cli.own_record import ARCHIVE_KEY_FILE, own_log
from adapter.errors import CommandRefused
from adapter.settings import Settings
from adapter.store.appending import Log
from adapter.store.engine import Database, open_database
from adapter.store.erasure import Erasable, Eraser, Erasure
from adapter.store.keyfiles import load_archive_key


def read_day(text: str) -> date:
    """`2026-11-27`. Raises CommandRefused."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandRefused("a day is written 2026-11-27") from None


day_reader = reader(read_day)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Desk:
    """What both commands work with."""

    settings: Settings
    database: Database
    log: Log
    eraser: Eraser
    asking: Asking
    now: datetime

    @classmethod
    def of(cls, settings: Settings, asking: Asking) -> _Desk:
        database, log = open_database(settings.database_url), own_log(settings)
        archive_key = load_archive_key(settings.adapter.keys_dir / ARCHIVE_KEY_FILE)
        eraser = Eraser(database, archive_key, log)
        return cls(settings=settings, database=database, log=log, eraser=eraser, asking=asking, now=now_utc())

    def erase(self, found: Sequence[Erasable], *, why: str, what: dict[str, Any]) -> Erasure:
        """Raises ApprovalNeeded, CommandRefused, StoreUnusable."""
        act = Act(kind=ERASE, what=what)
        mandate = mandate_for(self.settings, act, self.asking, self.database, self.log)
        erasure = self.eraser.erase(
            [one.compartment for one in found],
            why=why,
            officer=mandate.officer,
            now=self.now,
            details=mandate.details,
        )
        self.eraser.finish()
        return erasure


def erase_day(
    day: Annotated[
        date, typer.Argument(parser=day_reader, metavar="DAY", help="A past day, UTC: 2026-11-27.", show_default=False)
    ],
    *,
    service: Annotated[str | None, typer.Option(help="Only of this service, by its whole id.")] = None,
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
    desk = _Desk.of(settings_from(settings_file), Asking(officer=officer, key=officer_key))
    if day >= desk.now.date():
        raise CommandRefused("only the messages of a past day can be erased")
    found = [
        one
        for one in desk.eraser.of_day(day)
        if service in (None, one.compartment.service) and purpose in (None, one.compartment.purpose)
        if not one.is_all_held
    ]
    if not found:
        desk.eraser.finish()  # an erasure that was cut off is ended
        output.result(_value(None), Text(f"There is nothing to erase of {day}."))
        return
    if not yes:
        output.remark(_table(found, None))
        confirm(f"Erase these messages of {day} for good?", refusal="nothing was erased")
    what = {"day": day.isoformat(), "service": service, "purpose": purpose}
    _tell(output, desk.erase(found, why=BY_OFFICER, what=what))


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
    desk = _Desk.of(settings_from(settings_file), Asking(officer=officer, key=officer_key))
    retention, day = retention_of(desk.settings), as_of or desk.now.date()
    if day > desk.now.date():
        raise CommandRefused(f"{day} is not here yet")
    found = desk.eraser.due(retention, day)
    if dry_run or not found:
        if not dry_run:
            desk.eraser.finish()
        shown = _table(found, retention) if found else Text("No messages are over their time.")
        output.result({"due": [_line_value(one, retention) for one in found]}, shown)
        return
    if not yes:
        output.remark(_table(found, retention))
        confirm("Erase these messages for good?", refusal="nothing was erased")
    what = {"as_of": day.isoformat(), "retention": retention.described()}
    _tell(output, desk.erase(found, why=BY_RETENTION, what=what))


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
