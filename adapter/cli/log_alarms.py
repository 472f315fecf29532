"""`adapter log alarms` and `close-alarm`: which record is not what it was; `witnessed`: what we hold of others'."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from adapter.audit.held import HeldCheckpoints
from adapter.audit.peer_checkpoints import ShownState
from adapter.cli.approval_gate import Desk, OfficerOption
from adapter.cli.files import write_octets
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    member_reader,
    now_utc,
    settings_from,
    words_reader,
)
from adapter.cli.output import JsonValue, Output, bad, counted, good, table_of, when
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId
from adapter.store.alarms import Alarm, Alarms
from adapter.store.engine import open_database
from adapter.store.peer_checkpoints import KeptCheckpoint, PeerCheckpoints


def witnessed(
    member: Annotated[
        MemberId, typer.Argument(parser=member_reader, metavar="MEMBER", help="Whose record.", show_default=False)
    ],
    *,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them there, for that member's auditor: log verify --held-by-others."),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the checkpoints of another member's record that its messages showed and that are kept here.

    Whoever has them proves to that member, and against it, what its record contained at those sizes.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    kept = PeerCheckpoints(open_database(settings.database_url)).of(member, *ShownState, limit=-1)
    if export is not None:
        good_ones = [(one.seen, one.shown.note) for one in kept if one.state is not ShownState.FORGED]
        if not good_ones:
            raise CommandRefused(f"no checkpoint of {member} is kept here: none of its messages showed one")
        write_octets(export, HeldCheckpoints.made(member, settings.member, good_ones).text.encode())
        output.remark(f"{counted(len(good_ones), 'checkpoint')} of {member} were written to {export}.")
    shown = table_of(("Entries", "First seen", "State", "Root"), [_kept_row(one) for one in kept])
    output.result([_kept_value(one) for one in kept], shown if kept else Text("None."))


def alarms(
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the alarms that nobody has closed: a member's record, or this one by a witness, is not what it was."""
    output = Output.of(as_json=as_json)
    kept = Alarms(open_database(settings_from(settings_file).database_url))
    found = kept.all() if all_of_them else kept.open()
    rows = [
        (str(one.number), when(one.at), bad(one.kind) if one.closed is None else one.kind, one.about, _end(one))
        for one in found
    ]
    shown = table_of(("Record", "Time", "Alarm", "About", "Closed"), rows)
    output.result([_alarm_value(one) for one in found], shown if found else Text("No alarms."))


def close_alarm(
    number: Annotated[int, typer.Argument(min=0, help="The alarm's record number.", show_default=False)],
    *,
    note: Annotated[
        str, typer.Option(parser=words_reader, metavar="TEXT", help="What was found out; no personal data.")
    ],
    officer: OfficerOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Close an alarm that was looked into. The alarm and its proof stay in the record, with who closed it and why."""
    output, desk = Output.of(as_json=as_json), Desk.of(settings_from(settings_file), officer=officer)
    entered = Alarms(desk.database).close(desk.log, number, officer=desk.officer, note=note, now=now_utc())
    output.result({"alarm": number, "record": entered}, good(f"Closed. Entry {entered} says who closed it and why."))


def _kept_row(one: KeptCheckpoint) -> tuple[str, ...]:
    return str(one.shown.size), when(one.seen), one.state.value, one.shown.root.hex()


def _kept_value(one: KeptCheckpoint) -> JsonValue:
    return {
        "size": one.shown.size,
        "root": one.shown.root.hex(),
        "seen": when(one.seen),
        "state": one.state.value,
        "note": one.shown.note,
    }


def _end(alarm: Alarm) -> str:
    closed = alarm.closed
    return "-" if closed is None else f"{when(closed.at)} by {closed.officer}, entry {closed.number}: {closed.note}"


def _alarm_value(alarm: Alarm) -> JsonValue:
    closed = alarm.closed
    return {
        "record": alarm.number,
        "at": when(alarm.at),
        "alarm": alarm.kind,
        "about": alarm.about,
        "closed": None
        if closed is None
        else {"record": closed.number, "at": when(closed.at), "officer": closed.officer, "note": closed.note},
    }
