"""`adapter evidence`: what proves one exchange, in one file, and the judgement on such a file."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.exports import evidence_exported
from adapter.cli.approval_gate import Asking, OfficerOption
from adapter.cli.directory_source import anchor_from
from adapter.cli.evidence_gathering import directories_for, entries_about, gather, signing_desk, signing_keys
from adapter.cli.files import confirm_overwrite, read_octets, write_octets
from adapter.cli.log_dating import dating_value, doubted
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    SettingsOption,
    YesOption,
    message_id_reader,
    now_utc,
    settings_from,
)
from adapter.cli.output import JsonValue, Output, doubtful, facts_of, good, table_of, when
from adapter.cli.own_record import own_log
from adapter.evidence.asic import SignedFiles, open_asic
from adapter.evidence.contents import CLAIMS, check_contents, read_claims
from adapter.evidence.dating import DatedEntry
from adapter.evidence.judgement import Judgement
from adapter.evidence.media_types import media_type
from adapter.evidence.signature import Level, claimed_level
from adapter.evidence.verify import verify_evidence
from adapter.evidence.wording import LEVEL_WORDS
from adapter.identifiers import MessageId
from adapter.store.appending import append_entries
from adapter.store.engine import open_database

_OWNER_ONLY: Final = 0o600

app = typer.Typer(help="Evidence of one exchange: export it, look into it, verify it offline.", no_args_is_help=True)


@app.command(epilog="adapter evidence export urn:uuid:… -o exchange.asice")
def export(
    message_id: Annotated[
        MessageId,
        typer.Argument(parser=message_id_reader, metavar="MESSAGE-ID", help="Of the request.", show_default=False),
    ],
    *,
    to: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write.", show_default=False)],
    officer: OfficerOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put what proves an exchange into one signed ASiC-E container: messages, entries with proofs, directory.

    It is signed with this adapter's signing key. A time-stamp and the statuses of certificates are asked for, of whom
    the directory names; what cannot be had lowers the level of the signature, which is said.

    The file holds the messages and the keys that open them, so personal data: hand it on accordingly. Who exported
    which exchange, and the digest of the file, are an entry of the record before the file is written.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    log, who = own_log(settings), Asking(officer=officer).alone().officer
    confirm_overwrite(to, yes=yes)
    database, now = open_database(settings.database_url), now_utc().replace(microsecond=0)
    entries, keys = entries_about(database, message_id), signing_keys(settings)
    directories = directories_for(settings, database, entries, keys, now)
    files = gather(settings, database, message_id, directories=directories, now=now)
    signed = asyncio.run(signing_desk(settings, directories.signing, keys, now).sign(files, now))
    # Nothing leaves that a judge would refuse.
    verify_evidence(signed.octets, anchor_from(settings.directory.anchor))
    sha256, size = hashlib.sha256(signed.octets).hexdigest(), len(signed.octets)
    entry = evidence_exported(
        message_id, sha256=sha256, octets=size, level=signed.level.value, officer=who, at=now_utc()
    )
    (number,) = append_entries(database, log, [entry])
    write_octets(to, signed.octets, mode=_OWNER_ONLY)
    output.result(
        {
            "file": str(to),
            "bytes": size,
            "sha256": sha256,
            "record": int(number),
            "message_id": str(message_id),
            "level": signed.level.value,
            "because": signed.because or None,
        },
        Text.assemble(good("Exported "), f"{message_id} to {to}, {size} octets, record {number}"),
        Text(f"Signed at level {signed.level.value}: {LEVEL_WORDS[signed.level]}."),
    )
    if signed.because:
        output.remark(f"Not {Level.LT.value}: {signed.because}.")
    output.remark(f"It holds personal data. To judge it: adapter evidence verify {to} --anchor ANCHOR")


@app.command(epilog="adapter evidence verify exchange.asice --anchor anchor.json")
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
                ("signature", f"{judgement.level.value}: {LEVEL_WORDS[judgement.level]}"),
            ]
        ),
        Text("\nIt proves:"),
    ]
    for number, statement in enumerate(judgement.statements, 1):
        at = "" if statement.at is None else f", on {when(statement.at)}"
        words.append(Text(f"{number:>3}. {statement.by}{at}: {statement.what}. [{statement.file}]"))
    words.append(Text("\nBefore when the entries existed:"))
    words += [_dated_words(one) for one in judgement.dated]
    if content:
        words.append(Text(f"\nRequest:\n{judgement.request.decode()}"))
        words.append(Text(f"\nReply:\n{judgement.reply.decode()}" if judgement.reply is not None else "\nNo reply."))
    return words


def _dated_words(entry: DatedEntry) -> Text:
    dating, before = entry.dating, entry.dating.before
    seen = "nobody but the exporter says" if before is None else f"{when(before.at)}: {before.by}"
    said = f"entry {entry.number}: {seen}"
    return doubtful(f"{said}; its own time is {doubted(dating)}") if dating.contradicted else Text(said)


def _value(judgement: Judgement, *, content: bool) -> JsonValue:
    value: dict[str, JsonValue] = {
        "holds": True,
        "exporter": str(judgement.exporter),
        "message_id": str(judgement.message_id),
        "consumer": str(judgement.consumer),
        "service": str(judgement.service),
        "directory_version": judgement.directory_version,
        "level": judgement.level.value,
        "statements": [
            {"by": one.by, "what": one.what, "at": None if one.at is None else when(one.at), "file": one.file}
            for one in judgement.statements
        ],
        "dated": [
            {"record": one.number, "says": when(one.dating.at), **dating_value(one.dating)} for one in judgement.dated
        ],
    }
    if content:
        value["request"] = judgement.request.decode()
        value["reply"] = None if judgement.reply is None else judgement.reply.decode()
    return value


@app.command(epilog="adapter evidence show exchange.asice")
def show(
    file: Annotated[Path, typer.Argument(help="What somebody presents as evidence.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Look into a file: what it is about, its files, the level of its signature. Nobody's word is believed for it.

    Exit code 0: every file is as it was signed, by whom is not judged; 7: it is not.
    """
    output = Output.of(as_json=as_json)
    container = open_asic(read_octets(file, what="evidence"))
    check_contents(container.files)
    output.result(_listed(container), *_listing(container))
    output.remark("Not judged: who signed, and what it proves. For that: adapter evidence verify")


def _listed(container: SignedFiles) -> JsonValue:
    claims, signed = read_claims(container.files[CLAIMS]), container.signature.signed
    return {
        "exporter": str(claims.exporter),
        "message_id": str(claims.message_id),
        "signed_at": when(signed.signed_at),
        "level": claimed_level(container.signature).value,
        "certificate": container.signer.subject.rfc4514_string(),
        "files": [
            {"path": path, "bytes": len(octets), "media_type": media_type(path), "sha256": signed.files[path].hex()}
            for path, octets in sorted(container.files.items())
        ],
    }


def _listing(container: SignedFiles) -> list[RenderableType]:
    claims, level = read_claims(container.files[CLAIMS]), claimed_level(container.signature)
    return [
        facts_of(
            [
                ("exchange", str(claims.message_id)),
                ("exporter, as it says", str(claims.exporter)),
                ("signed, as it says", when(container.signature.signed.signed_at)),
                ("with the certificate of", " ".join(container.signer.subject.rfc4514_string().split())),
                ("signature", f"{level.value}: {LEVEL_WORDS[level]}"),
            ]
        ),
        Text(""),
        table_of(
            ("File", "Octets", "Type"),
            [(path, str(len(octets)), media_type(path)) for path, octets in sorted(container.files.items())],
        ),
    ]
