"""`adapter log report`: the record for an inspector, what is unusual first."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.report import HOURS, Calendar, count
from adapter.audit.report_patterns import Patterns, unusual
from adapter.cli.files import write_octets
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
from adapter.cli.output import Output, doubtful, good, table_of
from adapter.cli.progress import progress_bar
from adapter.cli.report_page import render_page
from adapter.cli.report_tables import Section, csv_of, report_value, sections_of
from adapter.cli.report_words import Words, minute
from adapter.errors import CommandRefused
from adapter.store.engine import open_database
from adapter.store.report_reader import SpooledPairs, read_askings

_TASHKENT: Final = "Asia/Tashkent"
_NIGHT: Final = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_STANDARD_OUTPUT: Final = Path("-")


def report(
    *,
    since: SinceOption = None,
    until: UntilOption = None,
    zone: Annotated[str, typer.Option(help="The agency's time zone.")] = _TASHKENT,
    night: Annotated[
        str, typer.Option(metavar="HOUR-HOUR", help="Hours in which nobody is expected to work.")
    ] = "22-6",
    top: Annotated[int, typer.Option(min=1, max=100_000, help="Rows of each table; CSV and JSON have all.")] = 20,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write all of it as CSV; - is standard output.")
    ] = None,
    html_file: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write it as one page with plots.")
    ] = None,
    language: LanguageOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Report on who asked how often: per consumer, purpose, rule and official, what is unusual first.

    Unusual is who differs from themselves on other days or from their colleagues: in volume, in hours, in asking again
    and again about one subject, or once each about many about whom nobody else asks. docs/report.md has the rules.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    check_period(since, until)
    words = Words(language=spoken(language), zone=_zone(zone))
    calendar = _calendar(words.zone, night)
    with SpooledPairs() as pairs, progress_bar(output) as bar:
        task = bar.add_task("Reading", total=None)
        database = open_database(settings.database_url)
        askings = read_askings(
            database, since, until, lambda done, total: bar.update(task, completed=done, total=total)
        )
        counts = count(askings, calendar, pairs)
    patterns, period = unusual(counts), words.period(since, until)
    sections = sections_of(counts, words, top=top)
    if html_file is not None:
        page = render_page(
            counts,
            patterns,
            sections,
            words,
            calendar,
            whose=str(settings.member),
            period=period,
            made=minute(now_utc().astimezone(words.zone)),
        )
        write_octets(html_file, page.encode(), mode=0o600)
        output.remark(f"The report was written to {html_file}.")
    if csv_file is not None:
        text = csv_of(counts, patterns, words)
        if csv_file == _STANDARD_OUTPUT:
            output.results.file.write(text)
            return
        write_octets(csv_file, text.encode("utf-8-sig"), mode=0o600)
        output.remark(f"The report was written to {csv_file}.")
    summary = words.summary(counts.asked, counts.unknown)
    value = {"since": _iso(since), "until": _iso(until), "zone": zone, **report_value(counts, patterns, words)}
    output.result(value, Text(period), Text(summary), *_findings(patterns, words), *_tables(sections))


def _findings(patterns: Patterns, words: Words) -> list[RenderableType]:
    if not patterns.shown:
        return [Text(), good(words.no_patterns)]
    shown: list[RenderableType] = []
    for one in patterns.shown:
        shown += [Text(), doubtful(words.pattern(one)), Text(f"  {words.command(one)}")]
    return [*shown, *(Text(words.more(*one)) for one in patterns.left_out())]


def _tables(sections: list[Section]) -> list[RenderableType]:
    shown: list[RenderableType] = []
    for section in sections:
        if section.rows:
            shown += [Text(), table_of((section.heading, *section.columns[1:]), section.rows)]
        if section.note:
            shown += [Text(section.note)] if section.rows else [Text(), Text(section.note)]
    return shown


def _zone(name: str) -> tzinfo:
    """Raises CommandRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        if name == _TASHKENT:  # a machine without a time zone database; Uzbekistan has one offset, all year
            return timezone(timedelta(hours=5), _TASHKENT)
        raise CommandRefused(f"there is no time zone {name!r} on this machine, for example {_TASHKENT}") from None


def _calendar(zone: tzinfo, night: str) -> Calendar:
    """Raises CommandRefused."""
    said = _NIGHT.fullmatch(night)
    if said is None or not all(int(hour) < HOURS for hour in said.groups()):
        raise CommandRefused("--night is written 22-6: from which hour until before which, 0 to 23")
    return Calendar(zone=zone, night_from=int(said[1]), night_until=int(said[2]))


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
