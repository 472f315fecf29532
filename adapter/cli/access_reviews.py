"""`adapter access reviews` and `close-review`: each emergency access is looked at by an officer afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from adapter.audit.reviews import Review, ReviewFinding, Reviews, closing_details
from adapter.cli.approval_gate import Desk, OfficerKeyOption, OfficerOption
from adapter.cli.options import DEFAULT_SETTINGS, JsonOption, SettingsOption, now_utc, settings_from, words_reader
from adapter.cli.output import JsonValue, Output, bad, counted, doubtful, good, table_of, when
from adapter.cli.own_record import own_archive_key
from adapter.errors import CommandRefused
from adapter.evidence.kept_reason import reason_of
from adapter.settings import Settings
from adapter.stages import MessageKind
from adapter.store.archive import read_message
from adapter.store.engine import Database, open_database
from adapter.store.reviews import EmergencyReviews

OPEN_EXIT_CODE: Final = 10
_DEFAULT_LIMIT: Final = 50
_NOT_KEPT: Final = "(the message was erased)"


def list_reviews(
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="The closed ones too, newest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="So many at most.")] = _DEFAULT_LIMIT,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """List the reviews of emergency access that are open, oldest first, with the reason that the official gave.

    The reasons are opened with the adapter's archive key and may be about a person. Exit code 0: none is open; 10: one
    is, listed or not.
    """
    output = Output.of(as_json=as_json)
    settings = settings_from(settings_file)
    database = open_database(settings.database_url)
    reviews = EmergencyReviews(database)
    summary = reviews.summary()
    found = reviews.all(limit=limit) if all_of_them else reviews.open(limit=limit)
    reasons = _reasons(settings, database)
    rows = [(review, reasons(review)) for review in found]
    output.result(
        {
            "open": summary.open,
            "oldest": None if summary.oldest is None else when(summary.oldest),
            "total": summary.total,
            "reviews": [_value(review, reason) for review, reason in rows],
        },
        *_words(summary, rows),
    )
    if summary.open:
        raise typer.Exit(OPEN_EXIT_CODE)


def close_review(
    number: Annotated[
        int, typer.Argument(min=0, metavar="RECORD", help="Record number of the access.", show_default=False)
    ],
    *,
    finding: Annotated[ReviewFinding, typer.Option(help="What you found.", show_default=False)],
    note: Annotated[
        str,
        typer.Option(
            parser=words_reader, metavar="TEXT", help="On which grounds. No personal data.", show_default=False
        ),
    ],
    officer: OfficerOption = None,
    officer_key: OfficerKeyOption = None,
    settings_file: SettingsOption = DEFAULT_SETTINGS,
    as_json: JsonOption = False,
) -> None:
    """Close the review of an emergency access: an entry of the record says who found what. It is not opened again.

    What follows from an access that was not justified (revoking the rule, telling the person) is another act.
    """
    output = Output.of(as_json=as_json)
    desk = Desk.of(settings_from(settings_file), officer=officer, key=officer_key)
    reviews = EmergencyReviews(desk.database)
    _check_closable(reviews.find(number), desk.officer)
    mandate = desk.mandate("access-review-close", closing_details(number, finding, note))
    closed_in = reviews.close(number, finding, note, officer=str(mandate), log=desk.log, now=now_utc())
    left = reviews.summary().open
    output.result(
        {"review_of": number, "finding": finding.value, "record": closed_in, "open": left},
        Text.assemble(
            good("Closed"), f" the review of entry {number}: {finding.value}, record {closed_in}; {left} still open"
        ),
    )


def _check_closable(review: Review, officer: str) -> None:
    """Looked at before an approval is used up. A name proves little, the official's own proves that it is not so.

    Raises CommandRefused.
    """
    if review.closing is not None:
        raise CommandRefused(f"the review of entry {review.number} is closed already, in entry {review.closing.number}")
    if review.ours and officer.casefold() == str(review.body.get("official", "")).casefold():
        raise CommandRefused("whoever asked in the emergency does not review it")


def _reasons(settings: Settings, database: Database) -> Callable[[Review], str | None]:
    """How a reason is read; None: its message was erased. The archive key is read when it is needed."""
    keys: list[bytes] = []

    def reason(review: Review) -> str | None:
        if not keys:
            keys.append(own_archive_key(settings))
        kept = read_message(database, keys[0], review.number, MessageKind.REQUEST.value)
        return None if kept is None else reason_of(review, kept)

    return reason


def _words(summary: Reviews, rows: list[tuple[Review, str | None]]) -> list[RenderableType]:
    if not summary.total:
        return [Text("There was no emergency access.")]
    words: list[RenderableType] = [
        bad(f"{counted(summary.open, 'review')} open, the oldest since {when(summary.oldest)}")
        if summary.open
        else good(f"No review is open; {summary.total} in the record.")
    ]
    if rows:
        columns = ("Record", "Time", "Asked", "Consumer", "Service", "Official", "Reason", "Review")
        words.append(table_of(columns, [_row(review, reason) for review, reason in rows]))
    return words


def _row(review: Review, reason: str | None) -> tuple[RenderableType, ...]:
    body, closing = review.body, review.closing
    return (
        str(review.number),
        when(review.at),
        _asked(review),
        str(body.get("consumer", "")),
        str(body.get("service", "")),
        str(body.get("official", "")),
        _NOT_KEPT if reason is None else reason,
        doubtful("open") if closing is None else f"{closing.finding.value}: {closing.note} ({closing.officer})",
    )


def _asked(review: Review) -> str:
    return "by us" if review.ours else "of us"


def _value(review: Review, reason: str | None) -> JsonValue:
    body, closing = review.body, review.closing
    said = ("message_id", "consumer", "service", "operation", "official", "purpose", "legal_basis", "rule")
    closed: JsonValue = None
    if closing is not None:
        closed = {
            "record": closing.number,
            "at": when(closing.at),
            "officer": closing.officer,
            "finding": closing.finding.value,
            "note": closing.note,
        }
    return {
        "record": review.number,
        "at": when(review.at),
        "asked": _asked(review),
        **{name: body.get(name) for name in said},
        "reason": reason,
        "closed": closed,
    }
