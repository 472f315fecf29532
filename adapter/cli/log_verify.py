"""`adapter log verify`: the whole record, against itself and against what others hold of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.progress import Progress
from rich.text import Text

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin
from adapter.audit.held import MAX_HELD_OCTETS, HeldCheckpoints
from adapter.audit.stamps import VerifiedStamps
from adapter.audit.verify import VerifiedRecord, verify_record
from adapter.cli.files import read_octets, write_octets
from adapter.cli.log_kept import VerifiedKept, kept_value, kept_words, verified_kept
from adapter.cli.log_stamps import (
    earlier_times_value,
    earlier_times_words,
    seen_by_authorities,
    stamps_value,
    stamps_words,
    verified_stamps,
)
from adapter.cli.log_witnesses import verified_witnesses, witnesses_value, witnesses_words
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import JsonValue, Output, counted, good
from adapter.cli.own_record import record_signer
from adapter.cli.progress import progress_bar
from adapter.crypto.note import NoteVerifier
from adapter.errors import CommandRefused, RecordBroken
from adapter.settings import Settings
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from adapter.store.reindexing import check_search_indexes

_MAX_NOTE_BYTES: Final = 1_000_000

VkeyOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="The record's verifier key, instead of its private one; may be repeated."),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Held:
    """What one other holds of this record. checkpoints: signed by the record's key."""

    holder: str
    checkpoints: list[Checkpoint]

    @property
    def words(self) -> str:
        """That all of it fits."""
        sizes = [one.size for one in self.checkpoints]
        if not sizes:
            return f"{self.holder} holds no checkpoint of it."
        held = counted(len(sizes), "checkpoint")
        return f"It continues the {held} that {self.holder} holds, of {min(sizes)} to {max(sizes)} entries."


def verify(
    *,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            "--remembered",
            metavar="FILE",
            help="A checkpoint that was noted earlier and kept elsewhere; may be repeated.",
        ),
    ] = None,
    held_by_others: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What another member wrote with `adapter log witnessed --export`, or a folder of such files; "
            "may be repeated.",
        ),
    ] = None,
    save_checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the newest checkpoint there, to be kept elsewhere.")
    ] = None,
    vkey: VkeyOption = None,
    without_messages: Annotated[
        bool,
        typer.Option("--without-messages", help="Do not open the kept messages, for which the archive key is needed."),
    ] = False,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Read the whole record and prove that nothing was changed, removed or reordered.

    By itself this holds against everybody who lacks the record's key; with a checkpoint that somebody else kept,
    against its holder too, and so with the time-stamps that it has. The kept messages are opened and held against
    their entries, and so are the kept checkpoints of others. Exit code 6: something is not as it was.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    verifiers = verifiers_of(settings, vkey)
    origin = record_origin(settings.member)
    remembered = [_remembered(file, verifiers, origin) for file in against or []]
    held = [_held(file, verifiers, origin) for file in _files(held_by_others or [])]
    database = open_database(settings.database_url)
    reader = LogReader(database)
    with progress_bar(output) as bar:
        task = bar.add_task("Verifying", total=None)
        index = bar.add_task("Index of subjects", total=None, visible=False)
        verified = verify_record(
            reader,
            origin=origin,
            verifiers=verifiers,
            remembered=[*remembered, *(one for holder in held for one in holder.checkpoints)],
            keepers=_keepers(held),
            seen=seen_by_authorities(settings),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            index_progress=lambda done, total: bar.update(index, completed=done, total=total, visible=True),
        )
        searched = bar.add_task("Search indexes", total=1)
        check_search_indexes(database)
        bar.advance(searched)
        kept = _kept(settings, bar, with_messages=not without_messages)
    if save_checkpoint is not None:
        _save_newest(reader, save_checkpoint, output)
    stamps, witnesses = verified_stamps(settings), verified_witnesses(settings)
    output.result(
        {
            **_value(verified, remembered, held, stamps),
            "witnesses": witnesses_value(witnesses),
            **earlier_times_value(verified),
            **kept_value(kept),
        },
        *_words(verified, remembered, held),
        *earlier_times_words(verified),
        *stamps_words(stamps),
        *witnesses_words(witnesses),
        *kept_words(kept),
    )


def _kept(settings: Settings, bar: Progress, *, with_messages: bool) -> VerifiedKept:
    opening = bar.add_task("Opening messages", total=None)
    gone = bar.add_task("Looking for missing ones", total=None, visible=False)
    return verified_kept(
        settings,
        with_messages=with_messages,
        progress=lambda done, total: bar.update(opening, completed=done, total=total),
        gone_progress=lambda done, total: bar.update(gone, completed=done, total=total, visible=True),
    )


def verifiers_of(settings: Settings, files: Sequence[Path] | None) -> tuple[NoteVerifier, ...]:
    """The record's keys: those in the files, or the one whose private half is here. Raises KeyUnusable."""
    return vkeys_in(files) if files else (NoteVerifier.parse(record_signer(settings).vkey),)


def vkeys_in(files: Sequence[Path]) -> tuple[NoteVerifier, ...]:
    """The verifier keys in these files. Raises KeyUnusable, CommandRefused."""
    texts = [read_octets(file, what="verifier key", max_bytes=4096).decode("ascii", "replace") for file in files]
    return tuple(NoteVerifier.parse(text) for text in texts)


def _words(verified: VerifiedRecord, remembered: list[Checkpoint], held: list[_Held]) -> list[RenderableType]:
    words: list[RenderableType] = [
        Text.assemble(
            good("The record is whole: "), f"{verified.entries} entries, {verified.checkpoints} signed checkpoints"
        )
    ]
    words += [Text(f"It continues the remembered checkpoint of {one.size} entries.") for one in remembered]
    words += [Text(one.words) for one in held]
    if verified.newest is not None:
        words.append(Text(f"Root of {verified.newest.size} entries: {verified.newest.root.hex()}"))
    return words


def _value(
    verified: VerifiedRecord, remembered: list[Checkpoint], held: list[_Held], stamps: VerifiedStamps
) -> dict[str, JsonValue]:
    return {
        "whole": True,
        "entries": verified.entries,
        "checkpoints": verified.checkpoints,
        "root": None if verified.newest is None else verified.newest.root.hex(),
        "against": [one.size for one in remembered],
        "held_by_others": [
            {"holder": one.holder, "sizes": sorted(checkpoint.size for checkpoint in one.checkpoints)} for one in held
        ],
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


def _remembered(file: Path, verifiers: tuple[NoteVerifier, ...], origin: str) -> Checkpoint:
    return open_checkpoint(read_octets(file, what="checkpoint", max_bytes=_MAX_NOTE_BYTES), verifiers, origin=origin)


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        found = sorted(place.glob("*.json")) if place.is_dir() else [place]
        if not found:
            raise CommandRefused(f"the folder {place} has no file of checkpoints (*.json)")
        yield from found


def _held(file: Path, verifiers: tuple[NoteVerifier, ...], origin: str) -> _Held:
    """Raises RecordBroken: not checkpoints of this record; CommandRefused: no such file. Both name the file."""
    octets = read_octets(file, what="file of checkpoints", max_bytes=MAX_HELD_OCTETS)
    try:
        read = HeldCheckpoints.parse(octets)
    except RecordBroken as error:
        raise CommandRefused(f"{file.name}: {error.reason}") from error
    try:
        return _Held(holder=str(read.holder), checkpoints=read.opened(verifiers, origin=origin))
    except RecordBroken as error:
        raise RecordBroken(f"{file.name}, which {read.holder} holds: {error.reason}") from error


def _keepers(held: Iterable[_Held]) -> dict[Checkpoint, str]:
    keepers: dict[Checkpoint, list[str]] = {}
    for one in held:
        for checkpoint in one.checkpoints:
            keepers.setdefault(checkpoint, []).append(one.holder)
    return {checkpoint: " and ".join(dict.fromkeys(holders)) for checkpoint, holders in keepers.items()}
