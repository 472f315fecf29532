"""`adapter evidence`: what proves one exchange, in one file, and the judgement on such a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.stamps import StoredStamp, open_stamp
from adapter.cli.directory_source import COPY_FOLDER, anchor_from
from adapter.cli.files import confirm_overwrite, read_octets, write_octets
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    YesOption,
    message_id_reader,
    now_utc,
    settings_from,
)
from adapter.cli.output import JsonValue, Output, facts_of, good, when
from adapter.cli.own_record import ARCHIVE_KEY_FILE
from adapter.directory.proof import DirectoryProof, authenticate_directory, with_anchor
from adapter.errors import CommandRefused, DirectoryUnavailable
from adapter.evidence.export import ProvedEntry, export_evidence
from adapter.evidence.judgement import Judgement
from adapter.evidence.verify import verify_evidence
from adapter.identifiers import MessageId
from adapter.ports import KeptMessage
from adapter.settings import Settings
from adapter.store.archive import read_message
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import Database, open_database
from adapter.store.keyfiles import load_archive_key
from adapter.store.log_reader import LogFilter, LoggedEntry, LogReader
from adapter.store.time_stamps import TimeStamps

_MAX_ENTRIES: Final = 1000
_OWNER_ONLY: Final = 0o600

app = typer.Typer(help="Evidence of one exchange: export it, and verify it offline.", no_args_is_help=True)


@app.command(epilog="adapter evidence export urn:uuid:… -o exchange.evidence")
def export(
    message_id: Annotated[
        MessageId,
        typer.Argument(parser=message_id_reader, metavar="MESSAGE-ID", help="Of the request.", show_default=False),
    ],
    *,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.", show_default=False)],
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put what proves an exchange into one file: messages, entries with proofs, checkpoint, directory.

    The file holds the messages and the keys that open them, so personal data: hand it on accordingly.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    confirm_overwrite(to, yes=yes)
    octets = _gather(settings, open_database(settings.database_url), message_id)
    write_octets(to, octets, mode=_OWNER_ONLY)
    output.result(
        {"file": str(to), "bytes": len(octets), "message_id": str(message_id)},
        Text.assemble(good("Exported "), f"{message_id} to {to}, {len(octets)} octets"),
    )
    output.remark(f"It holds personal data. To judge it: adapter evidence verify {to} --anchor ANCHOR")


def _gather(settings: Settings, database: Database, message_id: MessageId) -> bytes:
    """Read all that belongs to the exchange, and render it. Raises CommandRefused, StoreUnusable, EvidenceInvalid."""
    reader = LogReader(database)
    entries = reader.search(LogFilter(message_id=str(message_id), limit=_MAX_ENTRIES))
    if not entries:
        raise CommandRefused(f"the record has no entry about {message_id}")
    directory = _stored_directory(settings, database, entries)
    stamp = _stamp(settings, database, int(entries[0].number), directory)
    proved_in = reader.prove_entry(entries[0].number, None if stamp is None else stamp.size)
    proofs = [reader.prove_entry(entry.number, proved_in.size) for entry in reversed(entries)]
    kept = _kept_messages(settings, database, [int(entry.number) for entry in entries])
    if "request" not in kept:
        raise CommandRefused("the request of this exchange was not kept: it was refused, or its day was erased")
    return export_evidence(
        exporter=settings.member,
        exported=now_utc().replace(microsecond=0),
        message_id=message_id,
        request=kept["request"],
        reply=kept.get("reply"),
        entries=[ProvedEntry(number=int(one.entry.number), text=one.entry.document, proof=one.path) for one in proofs],
        checkpoint=proved_in.checkpoint,
        stamp=None if stamp is None else stamp.token,
        directory=directory,
    )


def _stamp(settings: Settings, database: Database, newest: int, directory: DirectoryProof) -> StoredStamp | None:
    """The oldest time-stamp over all entries up to `newest`, if this directory vouches for its authority.

    Raises RecordBroken: it is not good.
    """
    stamp = TimeStamps(database).covering(newest)
    if stamp is None:
        return None
    opened = authenticate_directory(directory, anchor_from(settings.directory.anchor))
    authority = opened.time_stamp_authorities.get(stamp.authority)
    if authority is None:
        return None
    open_stamp(stamp, authority.certificates)
    return stamp


def _kept_messages(settings: Settings, database: Database, numbers: list[int]) -> dict[str, KeptMessage]:
    archive_key = load_archive_key(settings.adapter.keys_dir / ARCHIVE_KEY_FILE)
    kept = {}
    for number in numbers:
        for direction in ("request", "reply"):
            message = read_message(database, archive_key, number, direction)
            if message is not None:
                kept[direction] = message
    return kept


def _stored_directory(settings: Settings, database: Database, entries: Sequence[LoggedEntry]) -> DirectoryProof:
    """The directory by which the exchange was judged, as its entries name it; else the newest one."""
    copy = DirectoryCopy(settings.adapter.data_dir / COPY_FOLDER, database)
    versions = [version for entry in entries if isinstance(version := entry.body.get("directory"), int)]
    judged_by = copy.of_version(versions[0]) if versions else None
    stored = judged_by or copy.load()
    if stored is None:
        raise DirectoryUnavailable("this adapter has no copy of the directory: start it once, or mend its data folder")
    return with_anchor(stored, anchor_from(settings.directory.anchor))


@app.command(epilog="adapter evidence verify exchange.evidence --anchor anchor.json")
def verify(
    file: Annotated[Path, typer.Argument(help="What somebody presents as evidence.", show_default=False)],
    *,
    anchor: Annotated[
        Path, typer.Option(metavar="FILE", help="The authority's anchor.json, got on a safe way.", show_default=False)
    ],
    content: Annotated[
        bool, typer.Option("--content", help="Also show request and reply: they hold personal data.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge a file offline, with nothing but the authority's anchor, and say what it proves.

    Exit code 0: it proves what is printed; 7: it does not hold, and why.
    """
    output = Output.of(as_json=as_json)
    judgement = verify_evidence(read_octets(file, what="evidence"), anchor_from(anchor))
    output.result(_value(judgement, content=content), *_words(judgement, content=content))


def _words(judgement: Judgement, *, content: bool) -> list[RenderableType]:
    words: list[RenderableType] = [
        good("The evidence holds."),
        facts_of(
            [
                ("exchange", str(judgement.message_id)),
                ("asked by", str(judgement.consumer)),
                ("service", str(judgement.service)),
                ("from the record of", str(judgement.exporter)),
                ("directory", f"version {judgement.directory_version}"),
            ]
        ),
        Text("\nIt proves:"),
    ]
    for number, statement in enumerate(judgement.statements, 1):
        at = "" if statement.at is None else f", on {when(statement.at)}"
        words.append(Text(f"{number:>3}. {statement.by}{at}: {statement.what}. [{statement.file}]"))
    if content:
        words.append(Text(f"\nRequest:\n{judgement.request.decode()}"))
        words.append(Text(f"\nReply:\n{judgement.reply.decode()}" if judgement.reply is not None else "\nNo reply."))
    return words


def _value(judgement: Judgement, *, content: bool) -> JsonValue:
    value: dict[str, JsonValue] = {
        "holds": True,
        "exporter": str(judgement.exporter),
        "message_id": str(judgement.message_id),
        "consumer": str(judgement.consumer),
        "service": str(judgement.service),
        "directory_version": judgement.directory_version,
        "statements": [
            {"by": one.by, "what": one.what, "at": None if one.at is None else when(one.at), "file": one.file}
            for one in judgement.statements
        ],
    }
    if content:
        value["request"] = judgement.request.decode()
        value["reply"] = None if judgement.reply is None else judgement.reply.decode()
    return value
