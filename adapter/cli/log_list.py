"""`adapter log list` and `adapter log follow`: the entries that fit, those that are there and those that come."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from adapter.cli.log_subject import SubjectFileOption, read_subject_file, tag_of
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    SinceOption,
    UntilOption,
    check_period,
    member_reader,
    message_id_reader,
    official_reader,
    service_reader,
    settings_from,
    subject_reader,
    subsystem_reader,
)
from adapter.cli.output import JsonValue, Output, bad, good, table_of
from adapter.errors import CommandRefused
from adapter.identifiers import MemberId, MessageId, OfficialId, ServiceId, SubjectId, SubsystemId
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.log_reader import LogFilter, LoggedEntry, LogReader

_GOOD_OUTCOMES: Final = frozenset({"answered", "answered again", "released", "sent"})
_COLUMNS: Final = ("Record", "Time", "Kind", "Outcome", "Consumer", "Service", "Message")
_LOOK_EVERY_S: Final = 0.5
_FOLLOWED_AT_ONCE: Final = 1_000

KindOption = Annotated[str | None, typer.Option(help="request-sent, reply-received, request-received, refused …")]
MemberOption = Annotated[
    MemberId | None,
    typer.Option(parser=member_reader, metavar="MEMBER", help="Who asked, or whose service was asked for."),
]
ConsumerOption = Annotated[
    SubsystemId | None, typer.Option(parser=subsystem_reader, metavar="SUBSYSTEM", help="Consumer subsystem.")
]
ServiceOption = Annotated[
    ServiceId | None, typer.Option(parser=service_reader, metavar="SERVICE", help="Service, by its whole id.")
]
OfficialOption = Annotated[
    OfficialId | None,
    typer.Option(
        parser=official_reader, metavar="ID", help="Requests and refusals of one official, by their agency's number."
    ),
]
PurposeOption = Annotated[str | None, typer.Option(help="Requests and refusals for one purpose, by its code.")]
OutcomeOption = Annotated[str | None, typer.Option(help="answered, or the code of a fault.")]
IncidentOption = Annotated[str | None, typer.Option(help="The incident id of a fault.")]
MessageOption = Annotated[MessageId | None, typer.Option(parser=message_id_reader, metavar="ID", help="One exchange.")]
SubjectOption = Annotated[
    SubjectId | None,
    typer.Option(
        parser=subject_reader,
        metavar="KIND:VALUE",
        help="About one person or object; needs the archive key. Others on this machine can read it: --subject-file.",
    ),
]
TagOption = Annotated[str | None, typer.Option(metavar="HASH", help="About one person, as entries name them.")]


def list_entries(
    *,
    kind: KindOption = None,
    member: MemberOption = None,
    consumer: ConsumerOption = None,
    service: ServiceOption = None,
    official: OfficialOption = None,
    purpose: PurposeOption = None,
    outcome: OutcomeOption = None,
    incident: IncidentOption = None,
    message_id: MessageOption = None,
    subject: SubjectOption = None,
    subject_file: SubjectFileOption = None,
    subject_tag: TagOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    before: Annotated[int | None, typer.Option(help="What comes after this entry in the list: the next page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Entries at most.")] = 50,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List entries, newest first; of several conditions all have to fit."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    check_period(since, until)
    which = LogFilter(
        since=since,
        until=until,
        kind=kind,
        member=_text(member),
        consumer=_text(consumer),
        service=_text(service),
        official=_text(official),
        purpose=purpose,
        outcome=outcome,
        incident=incident,
        message_id=_text(message_id),
        subject=_tag(settings, subject, subject_file, subject_tag),
        before=before,
        limit=limit,
    )
    entries = _reader(settings).search(which)
    shown = table_of(_COLUMNS, [_row(entry) for entry in entries]) if entries else Text("No entries.")
    output.result([entry_value(entry) for entry in entries], shown)


def follow(
    *,
    kind: KindOption = None,
    member: MemberOption = None,
    consumer: ConsumerOption = None,
    service: ServiceOption = None,
    official: OfficialOption = None,
    purpose: PurposeOption = None,
    outcome: OutcomeOption = None,
    subject: SubjectOption = None,
    subject_file: SubjectFileOption = None,
    subject_tag: TagOption = None,
    last: Annotated[int, typer.Option(min=0, max=10_000, help="First the newest that are there already.")] = 10,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on each line, for a script.")] = False,
) -> None:
    """Show entries as they are recorded, oldest first, until Ctrl-C. What they say is committed and on disk."""
    settings = settings_from(settings_file)
    which = LogFilter(
        kind=kind,
        member=_text(member),
        consumer=_text(consumer),
        service=_text(service),
        official=_text(official),
        purpose=purpose,
        outcome=outcome,
        subject=_tag(settings, subject, subject_file, subject_tag),
        limit=max(last, 1),
    )
    output = Output.of(as_json=as_json)
    try:
        for entry in followed(_reader(settings), which, last):
            _show_line(entry, output)
    except KeyboardInterrupt:
        output.remarks.print()


def followed(reader: LogReader, which: LogFilter, last: int) -> Iterator[LoggedEntry]:
    """The newest `last` that fit, oldest first, and then every one that comes. Ends only by an interruption."""
    at = reader.end_size()
    yield from reversed(reader.search(which) if last else ())
    while True:
        found, end = reader.following(at, which, _FOLLOWED_AT_ONCE)
        yield from found
        if end == at:
            time.sleep(_LOOK_EVERY_S)
        at = end


def entry_value(entry: LoggedEntry) -> dict[str, JsonValue]:
    """An entry for a script."""
    return {"record": entry.number, "leaf_hash": entry.leaf_hash.hex(), "entry": entry.body}


def _show_line(entry: LoggedEntry, output: Output) -> None:
    if output.as_json:
        output.results.file.write(json.dumps(entry_value(entry), ensure_ascii=False) + "\n")
        output.results.file.flush()
        return
    output.results.print(Text("  ").join(one if isinstance(one, Text) else Text(one) for one in _row(entry)))


def _row(entry: LoggedEntry) -> tuple[str | Text, ...]:
    indexed, outcome = entry.indexed, entry.indexed.outcome or ""
    administrative = indexed.kind == "admin"
    return (
        str(entry.number),
        str(entry.body.get("at", "")),
        indexed.kind,
        good(outcome) if outcome in _GOOD_OUTCOMES or administrative else bad(outcome),
        indexed.consumer or "",
        indexed.service or "",
        indexed.message_id or "",
    )


def _tag(settings: Settings, subject: SubjectId | None, file: Path | None, tag: str | None) -> str | None:
    if sum(one is not None for one in (subject, file, tag)) > 1:
        raise CommandRefused("a person is named once: by --subject-file, --subject or --subject-tag")
    if file is not None:
        subject = read_subject_file(file)
    return tag if subject is None else tag_of(settings, subject)


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)


def _reader(settings: Settings) -> LogReader:
    return LogReader(open_database(settings.database_url))
