"""`adapter archive`: kept messages in files of their own, still sealed, with what proves them."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.cli.approval_gate import Desk, OfficerOption
from adapter.cli.directory_source import anchor_from
from adapter.cli.evidence_gathering import Directories, directories_for, signing_desk, signing_keys
from adapter.cli.files import make_folder, read_octets, write_octets
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, day_reader, now_utc, settings_from
from adapter.cli.output import Output, counted, facts_of, good, when
from adapter.cli.own_record import own_archive_key
from adapter.errors import CommandRefused
from adapter.evidence.archive_file import ArchivedMessage, gather_archive, verify_archive
from adapter.evidence.export import ProvedEntry
from adapter.ports import SigningKey
from adapter.settings import Settings
from adapter.store.archiving import Archiver
from adapter.store.engine import Database
from adapter.store.log_reader import LogReader

_OWNER_ONLY: Final = 0o600
_MEBIBYTE: Final = 1024 * 1024
_BEFORE_THE_FIRST: Final = -1

app = typer.Typer(
    help="Kept messages in files of their own: write them, verify them, put them back.", no_args_is_help=True
)


@app.command(epilog="adapter archive write --before 2026-01-01 --out /mnt/archive")
def write(
    *,
    before: Annotated[
        date,
        typer.Option(
            parser=day_reader, metavar="DAY", help="Messages of days before this one, UTC.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the files.", show_default=False)],
    max_mib: Annotated[int, typer.Option(min=1, max=128, help="Mebibytes of messages in one file, about.")] = 64,
    officer: OfficerOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Move kept messages from the database to signed ASiC-E files, one or more for each day.

    Messages stay sealed, and their keys stay in the database: a file alone opens nothing, and erasing a day reaches
    all copies of its files. What is under a hold stays where it is.
    """
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    if before > now_utc().date():
        raise CommandRefused("only messages of past days are archived")
    desk, keys = Desk.of(settings, officer=officer), signing_keys(settings)
    directories = directories_for(settings, desk.database, [], keys, now_utc())
    archiver = _archiver(desk)
    make_folder(out, mode=0o700)
    written: list[dict[str, str | int]] = []
    after = _BEFORE_THE_FIRST
    while batch := archiver.next_batch(before, after=after, max_bytes=max_mib * _MEBIBYTE):
        octets = _signed(settings, desk.database, batch, directories, keys)
        path = out / _name(settings, batch)
        _keep(path, octets)
        sha256 = hashlib.sha256(octets).hexdigest()
        number = archiver.moved(batch, file=path.name, sha256=sha256, officer=desk.officer, now=now_utc())
        written.append({"file": str(path), "messages": len(batch), "record": number, "sha256": sha256})
        after = batch[-1].number
    words: list[RenderableType] = [
        Text.assemble(good("Archived "), f"{counted(int(one['messages']), 'message')} in {one['file']}, ")
        + Text(f"record {one['record']}")
        for one in written
    ]
    output.result(written, *(words or [Text("There is nothing to archive.")]))


@app.command(epilog="adapter archive verify UZ-GOV-200000001-2026-03-02-0-71.asice --anchor anchor.json")
def verify(
    file: Annotated[Path, typer.Argument(help="An archive file.", show_default=False)],
    *,
    anchor: Annotated[
        Path, typer.Option(metavar="FILE", help="The authority's anchor.json, got on a safe way.", show_default=False)
    ],
    as_json: JsonOption = False,
) -> None:
    """Verify an archive file offline: its signature, and that all its entries are in the record, unchanged.

    What the sealed messages say, only `adapter archive restore` can look at. Exit code 7: it does not hold, and why.
    """
    output = Output.of(as_json=as_json)
    archive = verify_archive(read_octets(file, what="archive file"), anchor_from(anchor))
    claims = archive.claims
    output.result(
        {
            "holds": True,
            "member": str(claims.member),
            "made": when(claims.made),
            "days": list(claims.days),
            "entries": claims.entries,
            "messages": claims.messages,
            "level": archive.signature.level.value,
            "checkpoint": archive.checkpoint.size,
        },
        good("The archive file holds."),
        facts_of(
            [
                ("from the record of", str(claims.member)),
                ("made", f"{when(claims.made)}, signed at level {archive.signature.level.value}"),
                ("days", " to ".join(dict.fromkeys(claims.days))),
                ("entries", f"{claims.entries}, all in its record of {archive.checkpoint.size} entries"),
                ("messages", f"{claims.messages}, sealed"),
            ]
        ),
    )


@app.command(epilog="adapter archive restore UZ-GOV-200000001-2026-03-02-0-71.asice")
def restore(
    file: Annotated[Path, typer.Argument(help="An archive file of this adapter.", show_default=False)],
    *,
    officer: OfficerOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Put the messages of an archive file back into the database, after everything about them was verified.

    What was erased meanwhile stays erased: its key is gone.
    """
    output, settings = Output.of(as_json=as_json), settings_from(settings_file)
    octets = read_octets(file, what="archive file")
    archive = verify_archive(octets, anchor_from(settings.directory.anchor))
    if archive.claims.member != settings.member:
        raise CommandRefused(f"{file} is of {archive.claims.member}, and this adapter is {settings.member}'s")
    desk, sha256 = Desk.of(settings, officer=officer), hashlib.sha256(octets).hexdigest()
    restored = _archiver(desk).restore(archive, file=file.name, sha256=sha256, officer=desk.officer, now=now_utc())
    words = [Text.assemble(good("Restored "), f"{counted(restored.messages, 'message')}, record {restored.entry}")]
    if restored.present:
        words.append(Text(f"{counted(restored.present, 'message')} had not been moved away."))
    if restored.erased:
        words.append(Text(f"{counted(restored.erased, 'message')} cannot be read any more: erased meanwhile."))
    output.result(
        {
            "restored": restored.messages,
            "present": restored.present,
            "erased": restored.erased,
            "record": restored.entry,
        },
        *words,
    )


def _archiver(desk: Desk) -> Archiver:
    archive_key = own_archive_key(desk.settings)
    return Archiver(desk.database, archive_key, desk.log)


def _signed(
    settings: Settings,
    database: Database,
    batch: Sequence[ArchivedMessage],
    directories: Directories,
    keys: Sequence[SigningKey],
) -> bytes:
    """The file's octets, verified as anybody would. Raises EvidenceInvalid, KeyUnusable, SecurityFailed."""
    reader, now = LogReader(database), now_utc().replace(microsecond=0)
    newest = reader.latest_checkpoint()
    if newest is None:
        raise CommandRefused("the record is empty")
    proofs = [reader.prove_entry(number, newest.size) for number in dict.fromkeys(one.number for one in batch)]
    files = gather_archive(
        member=settings.member,
        made=now,
        messages=batch,
        entries=[ProvedEntry(number=int(one.entry.number), text=one.entry.document, proof=one.path) for one in proofs],
        checkpoint=newest.note,
        directory=directories.exchange,
    )
    octets = asyncio.run(signing_desk(settings, directories.signing, keys, now).sign(files, now)).octets
    verify_archive(octets, anchor_from(settings.directory.anchor))
    return octets


def _keep(path: Path, octets: bytes) -> None:
    """Write a new file and be sure that it is on the disk: after this the database forgets. Raises CommandRefused."""
    if path.exists():
        raise CommandRefused(f"{path} exists: move it away; it is never overwritten")
    write_octets(path, octets, mode=_OWNER_ONLY)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    if read_octets(path, what="archive file", max_bytes=len(octets)) != octets:
        raise CommandRefused(f"{path} does not read back as it was written; nothing was moved")


def _name(settings: Settings, batch: Sequence[ArchivedMessage]) -> str:
    member = str(settings.member).replace("/", "-")
    return f"{member}-{batch[0].compartment.day}-{batch[0].number}-{batch[-1].number}.asice"
