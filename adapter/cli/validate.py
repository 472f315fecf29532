"""`adapter validate`: an envelope in a file, judged offline, every problem at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.attachments import Attachment
from adapter.cli.attachment_words import attachment_value, attachment_words
from adapter.cli.directory_source import AnchorOption, DirectoryOption, open_directory
from adapter.cli.envelope_security import Judges, check_security, decryption_keys
from adapter.cli.message_files import read_message_file
from adapter.cli.options import JsonOption, now_utc
from adapter.cli.output import JsonValue, Output, bad, counted, doubtful, good
from adapter.cli.wsdl_download import Source
from adapter.directory.model import Directory
from adapter.envelope.description import ServiceDescription
from adapter.envelope.lint import Examination, examine, unreadable_parts
from adapter.envelope.lint_words import mending_for
from adapter.errors import AttachmentsInvalid, CommandRefused, LimitExceeded, Problem
from adapter.xmlsafe import DEFAULT_LIMITS

FOUND_PROBLEMS: Final = 1


app = typer.Typer()


@app.command(epilog="adapter validate request.xml --wsdl person.wsdl")
def validate(
    files: Annotated[list[Path], typer.Argument(help="Files, each with one SOAP message.", show_default=False)],
    *,
    directory: DirectoryOption = None,
    anchor: AnchorOption = None,
    wsdl: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The service's WSDL: the Body of a client's call is checked too."),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The recipient's keys folder: the message is opened, its signature checked."),
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Passphrase of the keys in --keys.")
    ] = None,
    content_type: Annotated[
        str,
        typer.Option(
            metavar="TEXT",
            help="The Content-Type of a message with attachments; not needed when the file begins with its boundary "
            "or with the HTTP headers.",
            show_default=False,
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Check envelopes offline: well-formedness, limits, profile, schema, and with a directory who signed.

    Takes a message between adapters or a client system's call with its RequestContext header, alone or with
    attachments (multipart/related, as it goes over HTTP). Names every problem with line, column, rule, and how to mend
    it; lines are those of the envelope. Exit code 0: nothing wrong; 1: problems.
    """
    output = Output.of(as_json=as_json)
    description = None if wsdl is None else Source.at(wsdl).description()
    known = _known_directory(directory, anchor, keys)
    judges = None
    if known is not None:
        opened_by = decryption_keys(keys, passphrase_file)
        judges = Judges(directory=known, keys=opened_by, description=description)
    results = [(file, _examine(file, content_type, description, judges)) for file in files]
    if as_json:
        output.result([_value(file, result) for file, result in results])
    else:
        for file, result in results:
            for line in _lines(file, result):
                output.results.print(line)
    if any(result.problems for _, result in results):
        raise typer.Exit(FOUND_PROBLEMS)


def _known_directory(directory: str | None, anchor: Path | None, keys: Path | None) -> Directory | None:
    if directory is None:
        if anchor is not None or keys is not None:
            raise CommandRefused("--anchor and --keys are only of use with --directory")
        return None
    if anchor is None:
        raise CommandRefused("--directory needs --anchor: without the authority's key nothing can be believed")
    return open_directory(directory, anchor)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Examined:
    """A file's message and what was found. attachments: what came beside the envelope."""

    examination: Examination
    attachments: tuple[Attachment, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.examination.problems


def _examine(file: Path, content_type: str, description: ServiceDescription | None, judges: Judges | None) -> _Examined:
    try:
        message = read_message_file(file, content_type, what="envelope")
    except (AttachmentsInvalid, LimitExceeded) as refused:
        return _Examined(examination=unreadable_parts(refused))
    examined = examine(message.octets, DEFAULT_LIMITS, now=now_utc(), description=description, attachments=message.said)
    if judges is not None and examined.gated is not None:
        examined = check_security(examined, examined.gated, judges)
    return _Examined(examination=examined, attachments=message.said)


def _lines(file: Path, examined: _Examined) -> list[RenderableType]:
    result = examined.examination
    lines: list[RenderableType] = [
        Text(f"{file}: attachment {attachment_words(said)}") for said in examined.attachments
    ]
    for problem in result.problems:
        lines.append(
            Text.assemble(f"{file}:{problem.line}:{problem.column}: ", bad(problem.text), f" [{problem.rule}]")
        )
        lines.append(Text(f"    {mending_for(problem.rule)}", style="dim"))
    lines += [doubtful(f"{file}: {remark}") for remark in result.remarks]
    count = len(result.problems)
    verdict = good("no problem found") if not count else bad(counted(count, "problem"))
    lines.append(Text.assemble(f"{file}: {result.kind.value}: ", verdict))
    return lines


def _value(file: Path, examined: _Examined) -> JsonValue:
    result = examined.examination
    return {
        "file": str(file),
        "kind": result.kind.name.lower().replace("_", "-"),
        "valid": not result.problems,
        "problems": [_problem(problem) for problem in result.problems],
        "remarks": list(result.remarks),
        **({"attachments": [attachment_value(said) for said in examined.attachments]} if examined.attachments else {}),
    }


def _problem(problem: Problem) -> JsonValue:
    return {
        "line": problem.line,
        "column": problem.column,
        "element": problem.element,
        "rule": problem.rule,
        "text": problem.text,
        "mend": mending_for(problem.rule),
    }
