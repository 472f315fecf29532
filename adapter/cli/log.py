"""`adapter log`: the tamper-evident record of every exchange and every refusal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.json import JSON
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin
from adapter.audit.stamps import VerifiedStamps
from adapter.audit.subjects import subject_key, subject_tag
from adapter.audit.verify import VerifiedRecord, verify_record
from adapter.cli.files import read_octets, write_octets
from adapter.cli.log_stamps import covered_words, list_stamps, stamps_value, stamps_words, verified_stamps
from adapter.cli.log_tiles import export_tiles
from adapter.cli.log_usage import show_usage
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    message_id_reader,
    settings_from,
    subject_reader,
    time_reader,
)
from adapter.cli.output import JsonValue, Output, bad, facts_of, good, table_of
from adapter.cli.own_record import ARCHIVE_KEY_FILE, record_signer
from adapter.crypto.note import NoteVerifier
from adapter.errors import CommandRefused
from adapter.identifiers import MessageId, SubjectId
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.keyfiles import load_archive_key
from adapter.store.log_reader import LogFilter, LoggedEntry, LogReader

_MAX_NOTE_BYTES = 1_000_000
_GOOD_OUTCOMES = frozenset({"answered", "answered again", "released", "sent"})

app = typer.Typer(
    help="The record of every exchange, refusal and change: list, show, and verify that nothing was altered.",
    no_args_is_help=True,
)


@app.command("list", epilog="adapter log list --outcome AccessDenied --since 2026-03-01")
def list_entries(
    *,
    kind: Annotated[str | None, typer.Option(help="request-sent, reply-received, request-received, refused …")] = None,
    consumer: Annotated[str | None, typer.Option(help="Consumer subsystem.")] = None,
    service: Annotated[str | None, typer.Option(help="Service, by its whole id.")] = None,
    outcome: Annotated[str | None, typer.Option(help="answered, or the code of a fault.")] = None,
    incident: Annotated[str | None, typer.Option(help="The incident id of a fault.")] = None,
    message_id: Annotated[
        MessageId | None, typer.Option(parser=message_id_reader, metavar="ID", help="One exchange.")
    ] = None,
    subject: Annotated[
        SubjectId | None,
        typer.Option(
            parser=subject_reader, metavar="KIND:VALUE", help="About one person or object; needs the archive key."
        ),
    ] = None,
    since: Annotated[datetime | None, typer.Option(parser=time_reader, metavar="TIME")] = None,
    until: Annotated[datetime | None, typer.Option(parser=time_reader, metavar="TIME")] = None,
    before: Annotated[int | None, typer.Option(help="Only entries below this number: the next page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Entries at most.")] = 50,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List entries, newest first."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    which = LogFilter(
        since=since,
        until=until,
        kind=kind,
        consumer=consumer,
        service=service,
        outcome=outcome,
        incident=incident,
        message_id=None if message_id is None else str(message_id),
        subject=None if subject is None else _tag(settings, subject),
        before=before,
        limit=limit,
    )
    entries = _reader(settings).search(which)
    table = table_of(
        ("Record", "Time", "Kind", "Outcome", "Consumer", "Service", "Message"), [_row(entry) for entry in entries]
    )
    output.result([_value(entry) for entry in entries], table if entries else Text("No entries."))


@app.command(epilog="adapter log show 17")
def show(
    number: Annotated[int, typer.Argument(min=0, help="Record number.", show_default=False)],
    *,
    proof: Annotated[bool, typer.Option("--proof", help="Also the proof that the entry is in the record.")] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Show one entry as it is recorded."""
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    reader = _reader(settings)
    entry = reader.show(number)
    value = dict(_value(entry))
    shown: list[RenderableType] = [
        facts_of(
            [
                ("record", str(entry.number)),
                ("leaf hash", entry.leaf_hash.hex()),
                ("time-stamp", covered_words(settings, number)),
            ]
        ),
        JSON.from_data(entry.body, ensure_ascii=False),
    ]
    if proof:
        proved = reader.prove_entry(number)
        path = [octets.hex() for octets in proved.path]
        value |= {"proof": {"size": proved.size, "path": path, "checkpoint": proved.checkpoint}}
        shown += [Text(f"\nIn the record of {proved.size} entries by these hashes:"), *map(Text, path)]
        shown.append(Text(f"\n{proved.checkpoint}"))
    output.result(value, *shown)


@app.command(epilog="adapter log verify --against monday.checkpoint --save-checkpoint today.checkpoint")
def verify(
    *,
    against: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A checkpoint that was kept elsewhere; may be repeated."),
    ] = None,
    save_checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the newest checkpoint there, to be kept elsewhere.")
    ] = None,
    vkey: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="The record's verifier key, instead of its private one; may be repeated."),
    ] = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Read the whole record and prove that nothing was changed, removed or reordered.

    Without --against this holds against everybody who lacks the record's key; with a checkpoint that somebody else
    kept, against its holder too, and so with the time-stamps that it has. Exit code 6: something is not as it was.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    verifiers = _verifiers(settings, vkey)
    origin = record_origin(settings.member)
    remembered = [_remembered(file, verifiers, origin) for file in against or []]
    reader = _reader(settings)
    with _bar(output) as bar:
        task = bar.add_task("Verifying", total=None)
        verified = verify_record(
            reader,
            origin=origin,
            verifiers=verifiers,
            remembered=remembered,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if save_checkpoint is not None:
        _save_newest(reader, save_checkpoint, output)
    stamps = verified_stamps(settings)
    output.result(
        _verified_value(verified, remembered, stamps), *_verified_words(verified, remembered), *stamps_words(stamps)
    )


app.command("export", epilog="adapter log export --tiles for-the-mirror")(export_tiles)
app.command("stamps", epilog="adapter log stamps --save for-the-auditor")(list_stamps)
app.command("usage", epilog="adapter log usage --subject-file person --since 2026-01-01")(show_usage)


def _verified_words(verified: VerifiedRecord, remembered: list[Checkpoint]) -> list[RenderableType]:
    words: list[RenderableType] = [
        Text.assemble(
            good("The record is whole: "), f"{verified.entries} entries, {verified.checkpoints} signed checkpoints"
        )
    ]
    words += [Text(f"It continues the remembered checkpoint of {one.size} entries.") for one in remembered]
    if verified.newest is not None:
        words.append(Text(f"Root of {verified.newest.size} entries: {verified.newest.root.hex()}"))
    return words


def _verified_value(verified: VerifiedRecord, remembered: list[Checkpoint], stamps: VerifiedStamps) -> JsonValue:
    return {
        "whole": True,
        "entries": verified.entries,
        "checkpoints": verified.checkpoints,
        "root": None if verified.newest is None else verified.newest.root.hex(),
        "against": [one.size for one in remembered],
        "time_stamps": stamps_value(stamps),
    }


def _save_newest(reader: LogReader, path: Path, output: Output) -> None:
    newest = reader.latest_checkpoint()
    if newest is None:
        raise CommandRefused("the record is empty: there is no checkpoint to save yet")
    write_octets(path, newest.note.encode())
    output.remark(
        f"The checkpoint of {newest.size} entries was written to {path}; keep it where nobody here can write."
    )


def _bar(output: Output) -> Progress:
    """A progress bar on standard error, for a person at a terminal only."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=output.remarks,
        transient=True,
        disable=not output.remarks.is_terminal,
    )


def _reader(settings: Settings) -> LogReader:
    return LogReader(open_database(settings.database_url))


def _verifiers(settings: Settings, files: list[Path] | None) -> tuple[NoteVerifier, ...]:
    if not files:
        return (NoteVerifier.parse(record_signer(settings).vkey),)
    texts = [read_octets(file, what="verifier key", max_bytes=4096).decode("ascii", "replace") for file in files]
    return tuple(NoteVerifier.parse(text) for text in texts)


def _remembered(file: Path, verifiers: tuple[NoteVerifier, ...], origin: str) -> Checkpoint:
    return open_checkpoint(read_octets(file, what="checkpoint", max_bytes=_MAX_NOTE_BYTES), verifiers, origin=origin)


def _tag(settings: Settings, subject: SubjectId) -> str:
    key = subject_key(load_archive_key(settings.adapter.keys_dir / ARCHIVE_KEY_FILE))
    return subject_tag(key, subject.kind, subject.value)


def _row(entry: LoggedEntry) -> tuple[RenderableType, ...]:
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


def _value(entry: LoggedEntry) -> dict[str, JsonValue]:
    return {"record": entry.number, "leaf_hash": entry.leaf_hash.hex(), "entry": entry.body}
