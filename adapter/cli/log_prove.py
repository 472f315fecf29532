"""`adapter log prove`: one entry with the proof that it is in the record, and the judging of such a file."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.json import JSON
from rich.text import Text

from adapter.audit.checkpoint import Checkpoint
from adapter.audit.document import moment, read_document
from adapter.audit.merkle import leaf_hash
from adapter.audit.proof_file import MAX_PROOF_FILE_OCTETS, ProofFile
from adapter.audit.stamps import StoredStamp, open_stamp
from adapter.audit.times import Dating, Seen, date_entry, stamped_by
from adapter.cli.directory_source import AnchorOption, DirectoryOption, directory_of
from adapter.cli.files import read_octets, write_octets
from adapter.cli.log_dating import dating_facts, dating_of, dating_value, doubted
from adapter.cli.log_verify import VkeyOption, vkeys_in
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, settings_from
from adapter.cli.output import JsonValue, Output, doubtful, facts_of, good, when
from adapter.cli.own_stamps import trusted_authorities
from adapter.crypto.note import NoteVerifier
from adapter.crypto.time_stamps import MAX_TOKEN_BYTES
from adapter.directory.model import Directory
from adapter.errors import CommandRefused, EvidenceInvalid, InvalidIdentifier, RecordBroken, SecurityFailed
from adapter.evidence.signature import judge_stamp
from adapter.settings import Settings
from adapter.store.engine import Database, open_database
from adapter.store.log_reader import LogReader
from adapter.store.time_stamps import TimeStamps


def prove(
    number: Annotated[int | None, typer.Argument(min=0, help="Record number.", show_default=False)] = None,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the proof there (C2SP tlog-proof).")
    ] = None,
    check: Annotated[Path | None, typer.Option(metavar="FILE", help="Judge a proof instead of making one.")] = None,
    stamp: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Prove it in the oldest checkpoint that is time-stamped, and write that time-stamp (RFC 3161) there; "
            "with --check, the time-stamp that came with the proof.",
        ),
    ] = None,
    vkey: VkeyOption = None,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Write an entry with the proof that it is in the record, for somebody who trusts nobody here, and date it.

    With --check judge such a file: by --vkey, the verifier key of the record that it is of; by a directory with the
    authority's anchor, which names that key; or by the directory of the adapter of the settings. Neither needs the
    record. With --stamp too it says before when the entry existed, by an authority that the directory names. Exit
    code 7: it proves nothing.
    """
    output = Output.of(as_json=as_json)
    if (number is None) == (check is None):
        raise CommandRefused("name the entry to prove by its number, or the file to judge with --check")
    if check is not None:
        _judge(check, stamp, vkey, _Directory(directory, anchor, settings_file), output)
    elif number is not None:
        _write(number, _Files(out, stamp), settings_from(settings_file), output)


class _Files(NamedTuple):
    """Where a proof goes and the time-stamp over its checkpoint, as far as they are wanted in files."""

    proof: Path | None
    stamp: Path | None


def _write(number: int, to: _Files, settings: Settings, output: Output) -> None:
    database = open_database(settings.database_url)
    stamped = None if to.stamp is None else _good_stamp(settings, database, number)
    proved = LogReader(database).prove_entry(number, None if stamped is None else stamped.size)
    dating = dating_of(settings, database, proved.entry, [], None)
    file = ProofFile(document=proved.entry.document, number=number, path=proved.path, note=proved.checkpoint)
    if to.proof is not None:
        write_octets(to.proof, file.text.encode())
    if to.stamp is not None and stamped is not None:
        write_octets(to.stamp, stamped.token)
    value: dict[str, JsonValue] = {
        "record": number,
        "leaf_hash": proved.entry.leaf_hash.hex(),
        "size": proved.size,
        "path": [octets.hex() for octets in proved.path],
        "checkpoint": proved.checkpoint,
        "file": None if to.proof is None else str(to.proof),
        "stamp": None if to.stamp is None else str(to.stamp),
        "dated": dating_value(dating),
    }
    if to.proof is None:
        output.result(value, Text(file.text.rstrip("\n")))
        for what, said in dating_facts(dating):
            output.remark(f"{what}  {said}")
        return
    wrote = f"Entry {number}, proved in a record of {proved.size} entries, was written to {to.proof}."
    beside = () if to.stamp is None else (Text(f"The time-stamp over that checkpoint was written to {to.stamp}."),)
    output.result(value, Text(wrote), *beside, facts_of(dating_facts(dating)))


def _good_stamp(settings: Settings, database: Database, number: int) -> StoredStamp:
    """The oldest stamp that covers the entry. Raises CommandRefused: none does; RecordBroken: it is not good."""
    stamp = TimeStamps(database).covering(number)
    if stamp is None:
        raise CommandRefused(f"no time-stamp covers entry {number} yet; `adapter log stamps` says what waits")
    certificates = trusted_authorities(settings, database)(stamp.directory_version, stamp.authority)
    if certificates is None:
        raise CommandRefused(f"no directory at hand names the time-stamp authority {stamp.authority}")
    open_stamp(stamp, certificates)
    return stamp


class _Directory:
    """Where the key of the record is looked up, when it is not given, and who may time-stamp."""

    def __init__(self, place: str | None, anchor: Path | None, settings_file: Path) -> None:
        self._of = (place, anchor, settings_file)

    @cached_property
    def _opened(self) -> Directory:
        return directory_of(*self._of)

    def verifier(self, file: ProofFile) -> NoteVerifier:
        """The key of the record that the file names. Raises RecordBroken, CommandRefused, UnknownMember."""
        try:
            member = file.claimed_member
        except InvalidIdentifier:
            raise RecordBroken("the proof does not say of which member's record it is") from None
        key = self._opened.member(member).record_vkey
        if key is None:
            raise CommandRefused(f"the directory names no key of the record of {member}; give it with --vkey")
        return NoteVerifier.parse(key)

    def seen(self, token: bytes, file: ProofFile, size: int) -> Seen:
        """What a time-stamp (untrusted) over the checkpoint of a proof says. Raises EvidenceInvalid."""
        try:
            stamp = judge_stamp(token, file.note.encode(), self._opened)
        except SecurityFailed as error:
            raise EvidenceInvalid(f"the time-stamp: {error.reason}") from error
        return Seen(size, stamp.before, stamped_by(stamp.authority, size))


def _judge(path: Path, stamp: Path | None, vkey: list[Path] | None, directory: _Directory, output: Output) -> None:
    octets = read_octets(path, what="proof", max_bytes=MAX_PROOF_FILE_OCTETS)
    try:
        file = ProofFile.parse(octets)
        verifiers = vkeys_in(vkey) if vkey else (directory.verifier(file),)
        checkpoint = file.verify(verifiers, origin=verifiers[0].name)
        body, indexed = read_document(file.document)
    except RecordBroken as error:
        raise EvidenceInvalid(error.reason) from error
    seen: list[Seen] = []
    if stamp is not None:
        token = read_octets(stamp, what="time-stamp", max_bytes=MAX_TOKEN_BYTES)
        seen.append(directory.seen(token, file, checkpoint.size))
    dating = date_entry(file.number, moment(indexed.at_ms), seen)
    value: dict[str, JsonValue] = {
        "proved": True,
        "member": checkpoint.origin,
        "record": file.number,
        "leaf_hash": leaf_hash(file.document.encode()).hex(),
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "entry": body,
        "dated": dating_value(dating),
    }
    output.result(value, *_judgement(file, checkpoint, dating), JSON.from_data(body, ensure_ascii=False))


def _judgement(file: ProofFile, checkpoint: Checkpoint, dating: Dating) -> Iterator[Text]:
    yield Text.assemble(
        good("Proved: "),
        f"this is entry {file.number} of the record of {checkpoint.origin}, as the record's key signed it with "
        f"{checkpoint.size} entries.",
    )
    yield Text("What the entry says is what that adapter recorded; nobody changed it since.")
    before = dating.before
    if before is None:
        yield Text("When it was made is that adapter's word: no time-stamp was given with the proof.")
    else:
        yield Text(f"It existed before {when(before.at)}: {before.by}.")
    if dating.contradicted:
        yield doubtful(f"Its own time is {doubted(dating)}.")
