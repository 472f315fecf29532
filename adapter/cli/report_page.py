"""The inspector's report as one page that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from adapter.audit.report import HOURS, Calendar, Counts
from adapter.audit.report_patterns import Patterns
from adapter.cli.report_plots import Bar, Node, bars_of, node, plot_bars, plot_week
from adapter.cli.report_tables import Section
from adapter.cli.report_words import Words
from adapter.envelope.texts import text_in

_MONDAY: Final = datetime(2024, 1, 1)  # noqa: DTZ001  any Monday, by whatever clock
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1a202c; --soft: #596579; --line: #d5dbe3; --paper: #fff; --card: #f6f8fb;
  --in: #2b6cb0; --out: #c2410c; --off: #eceff4; --warn: #b45309; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #a3adbd; --line: #3a4456; --paper: #12161d;
  --card: #1b212b; --in: #63a4e6; --out: #f2854d; --off: #202836; --warn: #f0a541; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .75rem; }
p { margin: .25rem 0; } .soft, figcaption { color: var(--soft); }
.finding { background: var(--card); border-left: 4px solid var(--warn); padding: .6rem 1rem; margin: .6rem 0;
  overflow-wrap: anywhere; }
.finding code { display: block; margin-top: .3rem; font-size: .82rem; color: var(--soft); }
figure { margin: 1rem 0; overflow-x: auto; }
svg { width: 100%; min-width: 40rem; height: auto; display: block; font: 12px system-ui, sans-serif; }
svg text { fill: var(--soft); } svg .end { text-anchor: end; } svg .cell { text-anchor: middle; }
svg text.dark { fill: var(--paper); } svg text.light { fill: var(--ink); }
svg .grid { stroke: var(--line); } svg .let-in, svg .asked { fill: var(--in); } svg .refused { fill: var(--out); }
svg .off { fill: var(--off); } svg .on { fill: var(--card); }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; vertical-align: -.05em; }
.key.let-in { background: var(--in); } .key.refused { background: var(--out); } .key.off { background: var(--off); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: right; padding: .35rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.named th:first-child { min-width: 15rem; }
th { color: var(--soft); font-weight: 600; white-space: normal; } details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--soft); }
@media print { body { max-width: none; padding: 0; } .scroll { overflow: visible; } table { font-size: .7rem; }
  .named th:first-child { min-width: 0; } svg { min-width: 0; } .finding, figure, tr { break-inside: avoid; } }
"""


def render_page(
    counts: Counts,
    patterns: Patterns,
    sections: Sequence[Section],
    words: Words,
    calendar: Calendar,
    *,
    whose: str,
    period: str,
    made: str,
) -> str:
    """The page: what is unusual, emergencies, plots, tables. whose: the member whose record it is. made: when."""
    emergencies, *tables = sections
    heading = text_in(words.language, "Report on the record of {member}").format(member=whose)
    body = node(
        "body",
        node("h1", heading),
        node("p", period),
        node("p", words.summary(counts.asked, counts.unknown), class_="soft"),
        node("p", text_in(words.language, "Made {time}.").format(time=made), class_="soft"),
        node("h2", text_in(words.language, "Unusual")),
        *_findings(patterns, words),
        *_table(emergencies),
        *_days(bars_of(counts.days), words),
        *_week(counts, words, calendar),
        *(one for section in tables for one in _table(section)),
    )
    head = node(
        "head",
        node("meta", charset="utf-8"),
        node("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        node("meta", name="viewport", content="width=device-width, initial-scale=1"),
        node("title", heading),
        node("style", _STYLE),
    )
    page = etree.tostring(node("html", head, body, lang=words.language), method="html", encoding="unicode")
    return f"<!DOCTYPE html>\n{page}\n"


def _findings(patterns: Patterns, words: Words) -> Iterable[Node]:
    if not patterns.shown:
        yield node("p", words.no_patterns)
    for one in patterns.shown:
        yield node("div", words.pattern(one), node("code", words.command(one)), class_="finding")
    for kind, shown, found in patterns.left_out():
        yield node("p", words.more(kind, shown, found), class_="soft")


def _days(bars: Sequence[Bar], words: Words) -> Iterable[Node]:
    title = text_in(words.language, "Askings over time")
    let_in, refused = text_in(words.language, "Let in"), text_in(words.language, "Refused")
    description = text_in(words.language, "How many were let in and refused; the table has the same numbers.")
    yield node("h2", title)
    yield node(
        "figure",
        plot_bars(bars, title=title, description=description),
        node("figcaption", node("span", class_="key let-in"), let_in, node("span", class_="key refused"), refused),
    )
    rows = [(bar.label, str(bar.let_in), str(bar.refused)) for bar in bars]
    yield _folded(words, (words.day, let_in, refused), rows)


def _week(counts: Counts, words: Words, calendar: Calendar) -> Iterable[Node]:
    title = text_in(words.language, "Hours of the week")
    description = text_in(
        words.language, "How many askings in each hour of each weekday; the table has the same numbers."
    )

    def is_off(weekday: int, hour: int) -> bool:
        return calendar.is_off(_MONDAY + timedelta(days=weekday, hours=hour))

    yield node("h2", title)
    yield node(
        "figure",
        plot_week(counts.week, words.weekdays, is_off, title=title, description=description),
        node("figcaption", node("span", class_="key off"), text_in(words.language, "Night, weekend")),
    )
    rows = [(day, *map(str, hours)) for day, hours in zip(words.weekdays, counts.week, strict=True)]
    yield _folded(words, (words.day, *(f"{hour:02d}" for hour in range(HOURS))), rows)


def _table(section: Section) -> Iterable[Node]:
    yield node("h2", section.heading)
    if section.rows or not section.note:
        yield node("div", _rows(section.columns, section.rows), class_="scroll named")
    if section.note:
        yield node("p", section.note, class_="soft")


def _folded(words: Words, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Node:
    summary = node("summary", text_in(words.language, "The numbers as a table"))
    return node("details", summary, node("div", _rows(columns, rows), class_="scroll"))


def _rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Node:
    heading = node("thead", node("tr", *(node("th", column, scope="col") for column in columns)))
    return node("table", heading, node("tbody", *(node("tr", *(node("td", cell) for cell in row)) for row in rows)))
