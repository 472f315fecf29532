"""`adapter log usage`: what one person is told of the record, with proofs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.usage import (
    MAX_PAGE_LINES,
    LineProof,
    RecordLine,
    UsageAnswer,
    UsageLine,
    UsageQuestion,
    UsageView,
)
from adapter.cli.directory_source import own_directory
from adapter.cli.log_subject import read_subject_file, tag_of
from adapter.cli.options import (
    DEFAULT_SETTINGS,
    JsonOption,
    LanguageOption,
    SettingsOption,
    SinceOption,
    UntilOption,
    check_period,
    now_utc,
    settings_from,
    spoken,
)
from adapter.cli.output import JsonValue, Output, facts_of, table_of, when
from adapter.directory.model import Directory
from adapter.envelope.texts import ENGLISH, text_in
from adapter.store.engine import open_database
from adapter.store.usage_reader import UsageReader


def show_usage(
    *,
    subject_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with one line KIND:VALUE; - is standard input. Default: it is asked."),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    page: Annotated[int, typer.Option(min=1, max=1_000_000, help="Which page; the first has the newest.")] = 1,
    page_size: Annotated[int, typer.Option(min=1, max=MAX_PAGE_LINES, help="Lines of a page.")] = 20,
    record_size: Annotated[
        int | None,
        typer.Option(min=1, help="What the first page said with --json, so that the pages fit together."),
    ] = None,
    language: LanguageOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Show a person who got their data from here, what of it, and on which ground.

    The identifier is never an argument, which every user of the machine could read in the list of processes. What a
    secrecy order covers is a number until the order ends. --json adds for each line the proofs that its two entries are
    in the record.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    check_period(since, until)
    directory = own_directory(settings)
    question = UsageQuestion(
        since=since,
        until=until,
        first=(page - 1) * page_size,
        count=page_size,
        size=record_size,
        officials=settings.record.tell_officials,
    )
    reader = UsageReader(open_database(settings.database_url))
    answer = reader.answer(tag_of(settings, read_subject_file(subject_file)), question, directory, now=now_utc())
    output.result(_value(answer), *_words(answer.view, directory, spoken(language)))


def _title(titles: Mapping[str, str], language: str) -> str:
    return titles.get(language) or titles.get(ENGLISH) or next(iter(titles.values()), "")


def _words(view: UsageView, directory: Directory, language: str) -> list[RenderableType]:
    numbers = facts_of(
        [
            (text_in(language, "told in this period"), str(view.total)),
            (text_in(language, "under a secrecy order, not told yet"), str(view.withheld)),
            (text_in(language, "refused, nothing was given"), str(view.refused)),
        ]
    )
    if not view.lines:
        return [numbers]
    headings = (
        text_in(language, "Time"),
        text_in(language, "Receiver"),
        text_in(language, "Receiver's name"),
        text_in(language, "Asked of"),
        text_in(language, "Purpose"),
        text_in(language, "Legal basis"),
        text_in(language, "Official"),
        text_in(language, "Given"),
    )
    return [numbers, Text(), table_of(headings, [_row(line, directory, language) for line in view.lines])]


def _row(line: UsageLine, directory: Directory, language: str) -> tuple[str, ...]:
    kind = directory.legal_basis_kinds.get(line.legal_basis.get("kind", ""))
    title = line.legal_basis.get("kind", "-") if kind is None else _title(kind.titles, language)
    ground = f"{title}: {line.legal_basis['reference']}" if "reference" in line.legal_basis else title
    purpose = line.purpose or "-"
    given = (
        text_in(language, "the whole answer")
        if line.fields is None
        else ", ".join(path.rpartition("/")[2] for path in line.fields)
    )
    return (
        when(line.logged),
        line.receiver,
        _title(line.receiver_names, language) or "-",
        f"{line.system} {line.operation}",
        _title(directory.purposes.get(purpose, {}), language) or purpose,
        ground + (f" ({text_in(language, 'in an emergency')})" if line.emergency else ""),
        line.official or "-",
        given or "-",
    )


def _value(answer: UsageAnswer) -> JsonValue:
    view = answer.view
    return {
        "total": view.total,
        "withheld": view.withheld,
        "refused": view.refused,
        "first": answer.first,
        "record_size": answer.size,
        "checkpoint": answer.checkpoint,
        "usage": [_line_value(line, proof) for line, proof in zip(view.lines, answer.proofs, strict=True)],
    }


def _line_value(line: UsageLine, proof: LineProof) -> JsonValue:
    return {
        "log_time": when(line.logged),
        "action": line.action,
        "receiver": line.receiver,
        "receiver_name": dict(line.receiver_names),
        "system": line.system,
        "purpose": line.purpose,
        "legal_basis": dict(line.legal_basis),
        "emergency": line.emergency,
        "consent": line.consent,
        "regulation": line.regulation,
        "official": line.official,
        "fields": None if line.fields is None else list(line.fields),
        "request": _proof(line.request, proof.request),
        "answer": _proof(line.answer, proof.answer),
    }


def _proof(entry: RecordLine, path: tuple[bytes, ...]) -> JsonValue:
    return {
        "record": entry.number,
        "leaf_hash": entry.leaf_hash.hex(),
        "path": [octets.hex() for octets in path],
    }
