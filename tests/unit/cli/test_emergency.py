"""Emergency access on the command line, with a real exchange in the record; docs/emergency.md shows what is printed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter.audit.checkpoint import record_origin
from adapter.audit.entry import EntryMaker
from adapter.audit.retention import BY_OFFICER
from adapter.audit.subjects import subject_key
from adapter.cli.doctor_checks import Health
from adapter.cli.doctor_reviews import look_at_reviews
from adapter.cli.own_record import own_log, record_signer
from adapter.errors import RecordBroken
from adapter.evidence.kept_reason import reason_of
from adapter.exchange.recording import Recorder
from adapter.settings import Settings, load_settings
from adapter.store.access import AccessRules
from adapter.store.appending import append_entries
from adapter.store.archive import read_message
from adapter.store.engine import open_database
from adapter.store.erasure import Eraser
from adapter.store.record import RecordWriter
from adapter.store.reviews import EmergencyReviews
from tests.get_person import PINFL, emergency_call
from tests.pki import Federation
from tests.two_sides import fault_code, two_sides
from tests.unit.cli.dialogue import Dialogue, Run, blocks_of, play, played, played_in
from tests.unit.store.test_reviews import emergency

HERE = Path(__file__).parent
GRANTING, REVIEWING = HERE / "emergency-granting.txt", HERE / "emergency-reviewing.txt"
ARCHIVE_KEY = bytes(range(32))
REASON = "child missing since 21:00, address of the mother"
CALL = emergency_call(REASON, official="duty-3")


@pytest.fixture
def settings(place: Path) -> Settings:
    return load_settings(place / "register" / "adapter.toml")


@pytest.fixture
def granted(run: Run, settings: Settings) -> Settings:
    """The register after the first command of the page."""
    first = Dialogue.parse(GRANTING.read_text()).exchanges[0]
    play(Dialogue((), (first,)), run, settings.adapter.data_dir)
    assert [rule.id for rule in AccessRules(open_database(settings.database_url)).snapshot().rules] == ["night-duty"]
    return settings


@pytest.fixture
def asked(granted: Settings, todays_federation: Federation, place: Path) -> Settings:
    """And after an emergency of the official whom the rule names: entries 1 and 2."""
    asyncio.run(_ask(granted, todays_federation))
    (place / "person").write_text(f"pinfl:{PINFL}\n")
    return granted


async def _ask(settings: Settings, federation: Federation) -> None:
    database, sides = open_database(settings.database_url), two_sides(federation)
    record = RecordWriter(
        database,
        origin=record_origin(settings.member),
        signer=record_signer(settings),
        archive_key=ARCHIVE_KEY,
        owner="run/1",
    )
    entries = EntryMaker(own=settings.member, subject_key=subject_key(ARCHIVE_KEY))
    sides.clock.now = datetime.now(UTC)
    sides.rules = AccessRules(database).snapshot().rules
    sides.provider = sides.wire.provider = replace(sides.provider, recorder=Recorder(record=record, entries=entries))
    await record.start()
    try:
        assert fault_code(await sides.call(CALL)) == "answered"
    finally:
        await record.close()


def test_granting_is_what_the_commands_print(run: Run, place: Path) -> None:
    shown, expected = played(GRANTING, run, place)
    assert shown == expected


def test_reviewing_is_what_the_commands_print(run: Run, place: Path, asked: Settings) -> None:
    shown, expected = played(REVIEWING, run, place)
    assert shown == expected
    assert PINFL not in shown
    assert run("log", "verify", "--settings", "register").code == 0


def test_the_page_shows_what_is_printed(root: Path) -> None:
    blocks = blocks_of((root / "docs/emergency.md").read_text())
    shown = played_in(GRANTING, REVIEWING)
    assert len(blocks) >= 5
    assert [block for block in blocks if block not in shown] == []


def test_a_script_reads_all_of_a_review_and_the_exit_code(run: Run, asked: Settings) -> None:
    listed = run("access", "reviews", "--settings", "register", "--json")
    said = json.loads(listed.out)
    assert (listed.code, said["open"], said["total"]) == (10, 1, 1)
    (review,) = said["reviews"]
    assert (review["record"], review["official"], review["rule"], review["reason"]) == (
        1,
        "duty-3",
        "night-duty",
        REASON,
    )
    assert (review["asked"], review["closed"]) == ("of us", None)
    closing = ("--finding", "unjustified", "--note", "no such case", "--settings", "register", "--json")
    closed = json.loads(run("access", "close-review", "1", *closing).out)
    assert closed == {"review_of": 1, "finding": "unjustified", "record": 3, "open": 0}
    listed = run("access", "reviews", "--settings", "register", "--json", "--all")
    (review,) = json.loads(listed.out)["reviews"]
    assert (listed.code, review["closed"]["finding"], review["closed"]["officer"]) == (0, "unjustified", "officer")


def test_the_reason_is_nowhere_in_the_database_in_clear(asked: Settings) -> None:
    octets = b"".join(file.read_bytes() for file in asked.adapter.data_dir.iterdir() if file.is_file())
    assert b"night-duty" in octets
    for part in (REASON, PINFL):
        assert part.encode() not in octets
        assert part.encode("utf-16-le") not in octets


def test_when_the_message_was_erased_the_review_stays_open(run: Run, asked: Settings) -> None:
    database = open_database(asked.database_url)
    today = datetime.now(UTC)
    eraser = Eraser(database, bytes(range(32)), own_log(asked))
    found = [one.compartment for one in eraser.of_day(today.date())]
    assert eraser.erase(found, why=BY_OFFICER, officer="officer", now=today + timedelta(days=1)).messages
    listed = run("access", "reviews", "--settings", "register", "--json")
    assert (listed.code, json.loads(listed.out)["reviews"][0]["reason"]) == (10, None)


def test_a_reason_is_shown_only_of_the_message_that_the_entry_is_about(asked: Settings) -> None:
    database = open_database(asked.database_url)
    (review,) = EmergencyReviews(database).open(limit=10)
    kept = read_message(database, ARCHIVE_KEY, review.number, "request")
    assert kept is not None
    assert reason_of(review, kept) == REASON
    with pytest.raises(RecordBroken, match="not the one that the entry is about"):
        reason_of(replace(review, body={**review.body, "signed_sha256": "5e" * 32}), kept)


def test_whoever_asked_does_not_review_it(run: Run, settings: Settings) -> None:
    entry = emergency(kind="request-sent")
    append_entries(open_database(settings.database_url), own_log(settings), [entry])
    closing = ("access", "close-review", "0", "--finding", "justified", "--note", "fine", "--settings", "register")
    refused = run(*closing, "--officer", str(entry.body["official"]).lower())
    assert (refused.code, "does not review it" in refused.err) == (2, True)
    assert run(*closing, "--officer", "somebody-else").code == 0


def test_doctor_says_nothing_where_there_was_no_emergency(settings: Settings) -> None:
    assert list(look_at_reviews(settings)) == []


def test_doctor_warns_until_the_last_review_is_closed(run: Run, asked: Settings) -> None:
    (finding,) = look_at_reviews(asked)
    assert (finding.health, finding.what) == (Health.WARN, "emergency access")
    oldest = EmergencyReviews(open_database(asked.database_url)).summary().oldest
    assert oldest is not None
    assert finding.found == f"1 open review of emergency access, the oldest since {oldest:%Y-%m-%dT%H:%M:%SZ}"
    assert "adapter access reviews" in finding.mend
    run("access", "close-review", "1", "--finding", "justified", "--note", "seen", "--settings", "register")
    (finding,) = look_at_reviews(asked)
    assert (finding.health, finding.found) == (Health.OK, "1 in the record, all reviewed")
