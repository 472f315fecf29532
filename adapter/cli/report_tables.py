"""The tables of the inspector's report: what is shown, what goes into CSV, and what a script reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from adapter.audit.report import About, Counts, Dimension, Emergencies, Official, Tally
from adapter.audit.report_patterns import Pattern, Patterns
from adapter.audit.reviews import ReviewFinding
from adapter.cli.output import JsonValue, when
from adapter.cli.report_words import Words
from adapter.envelope.texts import text_in

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""With what a cell begins that a spreadsheet would carry out."""
_CSV_COLUMNS: Final = (
    *("kind", "name", "asked", "let_in", "refused", "off_hours", "first", "last"),
    *("subjects", "alone", "most_about_one", "finding"),
    *("reviews_open", "reviews_justified", "reviews_unjustified"),
)
_REVIEWS: Final = (None, ReviewFinding.JUSTIFIED, ReviewFinding.UNJUSTIFIED)
"""In the order in which they are shown; None: open."""
_NO_REVIEWS: Final = ("",) * len(_REVIEWS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One table of the report. note: what stands below it, that not all rows are shown for example; may be empty."""

    heading: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    note: str


def sections_of(counts: Counts, words: Words, *, top: int) -> list[Section]:
    """The tables, emergencies first, with at most `top` rows each, the most askings first."""
    made = [
        _section(
            heading,
            (*words.columns, *words.times),
            [words.row(*one) for one in _most(counts.by[dimension])],
            words,
            top,
        )
        for dimension, heading in words.dimensions.items()
    ]
    rows = [words.row(str(one), tally, *_about(counts.about.get(one, About()))) for one, tally in _officials(counts)]
    columns = (*words.columns, *words.about_columns, *words.times)
    return [_emergencies(counts, words, top), *made, _section(words.officials, columns, rows, words, top)]


def _emergencies(counts: Counts, words: Words, top: int) -> Section:
    rows = [words.row(str(one), found.tally, *_reviews(found)) for one, found in _most_emergencies(counts)]
    section = _section(words.emergencies, (*words.columns, *words.review_columns, *words.times), rows, words, top)
    return replace(section, note=section.note or words.about_emergencies(any_of_them=bool(rows)))


def _section(heading: str, columns: tuple[str, ...], rows: list[tuple[str, ...]], words: Words, top: int) -> Section:
    said = text_in(words.language, "{shown} of {found} are shown, the most askings first.")
    return Section(
        heading=heading,
        columns=(words.name, *columns),
        rows=rows[:top],
        note=said.format(shown=top, found=len(rows)) if len(rows) > top else "",
    )


def _most(tallies: dict[str, Tally]) -> list[tuple[str, Tally]]:
    return sorted(tallies.items(), key=lambda one: (-one[1].asked, one[0]))


def _officials(counts: Counts) -> list[tuple[Official, Tally]]:
    return sorted(counts.officials.items(), key=lambda one: (-one[1].asked, str(one[0])))


def _about(about: About) -> tuple[str, ...]:
    return str(about.subjects), str(about.alone), str(about.most)


def _most_emergencies(counts: Counts) -> list[tuple[Official, Emergencies]]:
    return sorted(counts.emergencies.items(), key=lambda one: (-one[1].tally.asked, str(one[0])))


def _reviews(found: Emergencies) -> tuple[str, ...]:
    return tuple(str(found.reviews[one]) for one in _REVIEWS)


# --- CSV -------------------------------------------------------------------------------------------------------------


def csv_of(counts: Counts, patterns: Patterns, words: Words) -> str:
    """Everything, in one table (RFC 4180): findings first, then emergencies, then each consumer, purpose and so on."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(_CSV_COLUMNS)
    writer.writerows([_cell(value) for value in row] for row in _csv_rows(counts, patterns, words))
    return written.getvalue()


def _csv_rows(counts: Counts, patterns: Patterns, words: Words) -> Iterator[Sequence[object]]:
    for one in patterns.shown:
        yield (one.kind.value, one.who, one.count, *[""] * 8, words.pattern(one), *_NO_REVIEWS)
    for official, emergencies in _most_emergencies(counts):
        told = _csv_tally(emergencies.tally)
        yield ("emergency", str(official), *told, *[""] * 4, *_reviews(emergencies))
    for dimension in Dimension:
        for name, tally in _most(counts.by[dimension]):
            yield (dimension.value, name, *_csv_tally(tally), *[""] * 4, *_NO_REVIEWS)
    for official, tally in _officials(counts):
        about = counts.about.get(official, About())
        told = (about.subjects, about.alone, about.most, "")
        yield ("official", str(official), *_csv_tally(tally), *told, *_NO_REVIEWS)
    for day, counted in sorted(counts.days.items()):
        yield ("day", day, counted[True] + counted[False], counted[True], counted[False], *[""] * 7, *_NO_REVIEWS)


def _csv_tally(tally: Tally) -> tuple[object, ...]:
    return tally.asked, tally.let_in, tally.refused, tally.off_hours, _iso(tally, "first"), _iso(tally, "last")


def _iso(tally: Tally, which: str) -> str:
    at = tally.first if which == "first" else tally.last
    return "" if at is None else at.isoformat(timespec="seconds")


def _cell(value: object) -> str:
    """Text that a spreadsheet shows and does not carry out."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


# --- JSON ------------------------------------------------------------------------------------------------------------


def report_value(counts: Counts, patterns: Patterns, words: Words) -> dict[str, JsonValue]:
    """Everything, for a script."""
    return {
        "asked": counts.asked,
        "refused_before_known": counts.unknown,
        "findings": [_pattern_value(one, words) for one in patterns.shown],
        "findings_of_all": {kind.value: found for kind, found in patterns.found.items()},
        "emergency": [
            {
                **_official_value(official),
                **_tally_value(found.tally),
                **{f"reviews_{_review_name(one)}": found.reviews[one] for one in _REVIEWS},
            }
            for official, found in _most_emergencies(counts)
        ],
        **{
            dimension.value: [{"name": name, **_tally_value(tally)} for name, tally in _most(counts.by[dimension])]
            for dimension in Dimension
        },
        "official": [
            {
                **_official_value(official),
                **_tally_value(tally),
                **_about_value(counts.about.get(official, About())),
            }
            for official, tally in _officials(counts)
        ],
        "days": {
            day.isoformat(): {"let_in": counted[True], "refused": counted[False]}
            for day, counted in sorted(counts.days.items())
        },
        "week": counts.week,
    }


def _official_value(official: Official) -> dict[str, JsonValue]:
    return {"member": official.member, "official": official.number}


def _review_name(finding: ReviewFinding | None) -> str:
    return "open" if finding is None else finding.value


def _tally_value(tally: Tally) -> dict[str, JsonValue]:
    return {
        "asked": tally.asked,
        "let_in": tally.let_in,
        "refused": tally.refused,
        "off_hours": tally.off_hours,
        "first": when(tally.first),
        "last": when(tally.last),
    }


def _about_value(about: About) -> dict[str, JsonValue]:
    return {"subjects": about.subjects, "alone": about.alone, "most_about_one": about.most}


def _pattern_value(one: Pattern, words: Words) -> JsonValue:
    return {
        "kind": one.kind.value,
        "who": one.who,
        "count": one.count,
        "usual": one.usual,
        "of": one.of or None,
        "day": None if one.day is None else one.day.isoformat(),
        "subject_tag": one.tag,
        "text": words.pattern(one),
        "entries": words.command(one),
    }
