"""`adapter trace`: one message at every stage of its path, with what is personal masked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.app.provided import load_service, service_folders
from adapter.cli.directory_source import COPY_FOLDER, own_directory
from adapter.cli.message_files import read_message_file
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from
from adapter.cli.output import JsonValue, Output, bad, facts_of, good
from adapter.cli.own_record import own_archive_key
from adapter.cli.trace_stages import RecordedMessage, Stage, stage_of_broken_parts, stages_of_file, stages_of_message
from adapter.cli.wsdl_download import Source
from adapter.envelope.description import ServiceDescription, load_bundle
from adapter.errors import AdapterError, AttachmentsInvalid, CommandRefused, LimitExceeded
from adapter.identifiers import MessageId, ServiceId
from adapter.settings import Settings
from adapter.stages import MessageKind
from adapter.store.archive import read_message
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import Database, open_database
from adapter.store.log_reader import LogFilter, LoggedEntry, LogReader

_MAX_ENTRIES: Final = 100
_OURS: Final = frozenset(("request-sent", "reply-sent", "refused"))
_CLEAR: Final = (
    "outcome", "consumer", "service", "operation", "message_id", "client", "rule", "policy", "directory",
    "incident", "peer_record", "request_entry", "reply_entry", "from",
)  # fmt: skip
"""What an entry says of nobody in particular."""

app = typer.Typer()


@app.command(epilog="adapter trace urn:uuid:… --home /var/lib/adapter    or: adapter trace request.xml --wsdl my.wsdl")
def trace(
    what: Annotated[
        str,
        typer.Argument(help="A message id, a record number, or a file with a request.", show_default=False),
    ],
    *,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    wsdl: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The service's WSDL, for a request in a file.")
    ] = None,
    brief: Annotated[bool, typer.Option("--brief", help="Leave the XML out.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one message at every stage: as received, opened, verified, validated, sent on.

    Every value of the content is masked by its shape; ids, services, times and outcomes are clear. A message of the
    record is opened with the adapter's archive key. Exit code 1: a stage stopped it.
    """
    output = Output.of(as_json=as_json)
    file = Path(what)
    if file.is_file():
        stages = _of_file(file, wsdl)
    elif wsdl is not None:
        raise CommandRefused(f"--wsdl is for a request in a file, and there is no file {what}")
    else:
        stages = _of_record(settings_from(settings_file), what)
    if brief:
        stages = [replace(stage, xml="") for stage in stages]
    if as_json:
        output.result([_value(stage) for stage in stages])
    else:
        for number, stage in enumerate(stages, start=1):
            for line in _words(number, stage):
                output.results.print(line)
    if not all(stage.is_good for stage in stages):
        raise typer.Exit(1)


def _of_file(file: Path, wsdl: Path | None) -> list[Stage]:
    description = None if wsdl is None else Source.at(wsdl).description()
    try:
        message = read_message_file(file, "", what="request")
    except (AttachmentsInvalid, LimitExceeded) as refused:
        return [stage_of_broken_parts(refused)]
    return list(stages_of_file(message, description, now_utc()))


# --- from the record -------------------------------------------------------------------------------------------------


def _of_record(settings: Settings, what: str) -> list[Stage]:
    """Every entry about the exchange, oldest first, each with the messages that were kept with it."""
    database = open_database(settings.database_url)
    entries = _entries(LogReader(database), what)
    archive_key = own_archive_key(settings)
    found = _Descriptions(settings, database)
    stages: list[Stage] = []
    for entry in entries:
        stages.append(_recorded(entry))
        for kind in MessageKind:
            kept = read_message(database, archive_key, int(entry.number), kind.value)
            if kept is None:
                continue
            is_ours = entry.indexed.kind in _OURS and not (
                entry.indexed.kind == "refused" and kind is MessageKind.REQUEST
            )
            message = RecordedMessage(
                kept=kept, kind=kind, is_ours=is_ours, at=_at(entry), facts={"record": str(entry.number)}
            )
            stages += stages_of_message(message, found.of)
    return stages


def _entries(reader: LogReader, what: str) -> list[LoggedEntry]:
    """The entries of one exchange. Raises CommandRefused."""
    if what.isdecimal() and len(what) <= 18:
        entry = reader.show(int(what))
        message_id = _exchange_of(reader, entry)
        if message_id is None:
            return [entry]
    else:
        try:
            message_id = str(MessageId(what))
        except AdapterError:
            raise CommandRefused(f"{what} is no file, no record number and no message id") from None
    found = list(reversed(reader.search(LogFilter(message_id=message_id, with_acts=False, limit=_MAX_ENTRIES))))
    if not found:
        raise CommandRefused(f"the record has no entry about {message_id}")
    return found


def _exchange_of(reader: LogReader, entry: LoggedEntry) -> str | None:
    """The id of the request that an entry is about."""
    request = entry.body.get("request_entry")
    if isinstance(request, int) and entry.indexed.message_id is None:
        return reader.show(request).indexed.message_id
    return entry.indexed.message_id


def _recorded(entry: LoggedEntry) -> Stage:
    facts = {name: str(entry.body[name]) for name in _CLEAR if entry.body.get(name) is not None}
    outcome = entry.indexed.outcome or ""
    return Stage(
        name=f"record {entry.number}: {entry.indexed.kind}",
        facts={"at": str(entry.body.get("at", "")), "outcome": outcome, **facts, **_recorded_attachments(entry)},
        is_good=not entry.indexed.kind.endswith("refused"),
    )


def _recorded_attachments(entry: LoggedEntry) -> dict[str, str]:
    """What the entry says of each; names of files are not in it."""
    return {
        f"attachment {number}": f"{one['id']}: {one['media_type']}, {one['size']} octets, SHA-256 {one['sha256']}"
        for number, one in enumerate(entry.body.get("attachments", ()), 1)
    }


def _at(entry: LoggedEntry) -> datetime:
    return datetime.fromisoformat(str(entry.body["at"])).astimezone(UTC)


class _Descriptions:
    """Descriptions of our own services, and of those of others whose bundle the running adapter has fetched."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._copy = DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, database)
        self._known: dict[str, ServiceDescription | None] = {}

    def of(self, service: str) -> ServiceDescription | None:
        """The description, or None when it is not here."""
        if service not in self._known:
            self._known[service] = self._own(service) or self._fetched(service)
        return self._known[service]

    def _own(self, service: str) -> ServiceDescription | None:
        for folder in service_folders(self._settings.adapter.services_dir):
            try:
                settings, description = load_service(folder)
            except AdapterError:
                continue  # `service list` says what is wrong with it
            if str(settings.service_id(self._settings.member)) == service:
                return description
        return None

    def _fetched(self, service: str) -> ServiceDescription | None:
        try:
            listed = own_directory(self._settings).service(ServiceId.parse(service))
            bundle = self._copy.description(listed.description_sha256)
            return None if bundle is None else load_bundle(bundle)
        except AdapterError:
            return None


# --- shown -----------------------------------------------------------------------------------------------------------


def _words(number: int, stage: Stage) -> list[RenderableType]:
    heading = Text.assemble(f"{number}. ", good(stage.name) if stage.is_good else bad(stage.name))
    lines: list[RenderableType] = [heading, facts_of((f"   {name}", Text(text)) for name, text in stage.facts.items())]
    for problem in stage.problems:
        place = f"line {problem.line}, " if problem.line else ""
        lines.append(
            Text.assemble(f"   {place}{problem.element or 'the document'}: ", bad(problem.text), f" [{problem.rule}]")
        )
    if stage.xml:
        lines.append(Text("\n".join(f"   {line}" for line in stage.xml.splitlines())))
    return lines


def _value(stage: Stage) -> dict[str, JsonValue]:
    return {
        "stage": stage.name,
        "good": stage.is_good,
        "facts": stage.facts,
        "problems": [
            {"line": problem.line, "element": problem.element, "rule": problem.rule, "text": problem.text}
            for problem in stage.problems
        ],
        "xml": stage.xml,
    }
