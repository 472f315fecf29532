"""`adapter log prove`: one entry with the proof that it is in the record, and the judging of such a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.json import JSON
from rich.text import Text

from adapter.audit.checkpoint import Checkpoint
from adapter.audit.document import read_document
from adapter.audit.merkle import leaf_hash
from adapter.audit.proof_file import MAX_PROOF_FILE_OCTETS, ProofFile
from adapter.cli.directory_source import AnchorOption, DirectoryOption, directory_of
from adapter.cli.files import read_octets, write_octets
from adapter.cli.log_verify import VkeyOption, vkeys_in
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import JsonValue, Output, good
from adapter.crypto.note import NoteVerifier
from adapter.errors import CommandRefused, EvidenceInvalid, InvalidIdentifier, RecordBroken
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader


def prove(
    number: Annotated[int | None, typer.Argument(min=0, help="Record number.", show_default=False)] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the proof there (C2SP tlog-proof).")
    ] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Judge a proof instead of making one.")] = None,
    vkey: VkeyOption = None,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Write an entry with the proof that it is in the record, for somebody who trusts nobody here.

    With --check judge such a file: by --vkey, the verifier key of the record that it is of; by a directory with the
    authority's anchor, which names that key; or by the directory of the adapter of the settings. Neither needs the
    record. Exit code 7: it proves nothing.
    """
    output = Output.of(as_json=as_json)
    if (number is None) == (check is None):
        raise CommandRefused("name the entry to prove by its number, or the file to judge with --check")
    if check is not None:
        _judge(check, vkey, _Directory(directory, anchor, settings_file), output)
    elif number is not None:
        _write(number, out, settings_file, output)


def _write(number: int, out: Path | None, settings_file: Path, output: Output) -> None:
    reader = LogReader(open_database(settings_from(settings_file).database_url))
    proved = reader.prove_entry(number)
    file = ProofFile(document=proved.entry.document, number=number, path=proved.path, note=proved.checkpoint)
    if out is not None:
        write_octets(out, file.text.encode())
    value: dict[str, JsonValue] = {
        "record": number,
        "leaf_hash": proved.entry.leaf_hash.hex(),
        "size": proved.size,
        "path": [octets.hex() for octets in proved.path],
        "checkpoint": proved.checkpoint,
        "file": None if out is None else str(out),
    }
    wrote = f"Entry {number}, proved in a record of {proved.size} entries, was written to {out}."
    output.result(value, Text(file.text.rstrip("\n") if out is None else wrote))


class _Directory:
    """Where the key of the record is looked up, when it is not given."""

    def __init__(self, place: str | None, anchor: Path | None, settings_file: Path) -> None:
        self._of = (place, anchor, settings_file)

    def verifier(self, file: ProofFile) -> NoteVerifier:
        """The key of the record that the file names. Raises RecordBroken, CommandRefused, UnknownMember."""
        try:
            member = file.claimed_member
        except InvalidIdentifier:
            raise RecordBroken("the proof does not say of which member's record it is") from None
        key = directory_of(*self._of).member(member).record_vkey
        if key is None:
            raise CommandRefused(f"the directory names no key of the record of {member}; give it with --vkey")
        return NoteVerifier.parse(key)


def _judge(path: Path, vkey: list[Path] | None, directory: _Directory, output: Output) -> None:
    octets = read_octets(path, what="proof", max_bytes=MAX_PROOF_FILE_OCTETS)
    try:
        file = ProofFile.parse(octets)
        verifiers = vkeys_in(vkey) if vkey else (directory.verifier(file),)
        checkpoint = file.verify(verifiers, origin=verifiers[0].name)
        body, _ = read_document(file.document)
    except RecordBroken as error:
        raise EvidenceInvalid(error.reason) from error
    value: dict[str, JsonValue] = {
        "proved": True,
        "member": checkpoint.origin,
        "record": file.number,
        "leaf_hash": leaf_hash(file.document.encode()).hex(),
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "entry": body,
    }
    output.result(value, *_judgement(file, checkpoint), JSON.from_data(body, ensure_ascii=False))


def _judgement(file: ProofFile, checkpoint: Checkpoint) -> tuple[Text, ...]:
    return (
        Text.assemble(
            good("Proved: "),
            f"this is entry {file.number} of the record of {checkpoint.origin}, as the record's key signed it with "
            f"{checkpoint.size} entries.",
        ),
        Text("What the entry says is what that adapter recorded; nobody changed it since."),
    )
