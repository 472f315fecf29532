"""Erasing, retention and holds on the command line; docs/retention.md shows what they really print."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapter.cli.own_record import own_log
from adapter.ports import Keeping, KeptMessage, RecordWrite
from adapter.settings import load_settings
from adapter.store.appending import Log
from adapter.store.archive import Archive, read_message
from adapter.store.batch import BatchWriter
from adapter.store.engine import Database, open_database
from adapter.store.record import prepare_write
from tests.records import CONTENT_KEY, NOW, SERVICE, an_entry
from tests.unit.cli.dialogue import Dialogue, Run, blocks_of, play, updating

DIALOGUE = Path(__file__).parent / "retention-dialogue.txt"
ARCHIVE_KEY = bytes(range(32))
RULES = f"""
[[retention.rule]]
service = "{SERVICE}"
purpose = "benefits"
keep_days = 30
"""


def _write(message: str, days: int, purpose: str, direction: str) -> RecordWrite:
    kind = "request-received" if direction == "request" else "reply-sent"
    entry = replace(an_entry(message, kind=kind), at=NOW + timedelta(days=days))
    kept = KeptMessage(direction=direction, octets=b"<message/>", content_key=CONTENT_KEY)
    return RecordWrite(entry=entry, kept=(kept,), keeping=Keeping(SERVICE, purpose))


def fill(database: Database, log: Log) -> None:
    writer = BatchWriter(database, log, Archive(ARCHIVE_KEY), "test/1")
    writer.open()
    exchanges = [(0, "benefits"), (0, "benefits"), (0, "pensions"), (1, "benefits")]
    writer.commit(
        [
            prepare_write(_write(f"urn-message-of-a-case-{at:04d}", days, purpose, direction))
            for at, (days, purpose) in enumerate(exchanges)
            for direction in ("request", "reply")
        ]
    )
    writer.close()


@pytest.fixture
def home(place: Path) -> Path:
    """A register with four exchanges on two days."""
    file = place / "register" / "adapter.toml"
    file.write_text(file.read_text().replace("# keep_days =\n", "keep_days = 1825\n") + RULES)
    settings = load_settings(file)
    fill(open_database(settings.database_url), own_log(settings))
    return place


def test_the_dialogue_is_what_the_commands_print(run: Run, home: Path) -> None:
    expected = Dialogue.parse(DIALOGUE.read_text())
    shown = play(expected, run, home)
    if updating():
        DIALOGUE.write_text(shown.text())
    assert shown.text() == expected.text()
    assert run("log", "verify", "--settings", "register").code == 0


def test_the_page_shows_the_dialogue(root: Path) -> None:
    blocks = blocks_of((root / "docs/retention.md").read_text())
    played = {exchange.text().strip() for exchange in Dialogue.parse(DIALOGUE.read_text()).exchanges}
    assert len(blocks) >= 4
    assert [block for block in blocks if block not in played] == []


def test_nothing_is_erased_without_a_yes(run: Run, home: Path) -> None:
    database = open_database(load_settings(home / "register" / "adapter.toml").database_url)
    for words in (("erase", "2026-03-02"), ("retain",)):
        assert run("log", *words, "--settings", "register", answers="n\n").code == 2
    assert read_message(database, ARCHIVE_KEY, 0, "request") is not None
    typed = run("log", "erase", "2026-03-02", "--settings", "register", "--json", answers="y\n")
    assert (typed.code, json.loads(typed.out)["erased"]) == (0, 6), typed.err
    assert read_message(database, ARCHIVE_KEY, 0, "request") is None
    assert read_message(database, ARCHIVE_KEY, 6, "request") is not None


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", ""])
def test_a_day_is_a_day(run: Run, home: Path, day: str) -> None:
    assert run("log", "erase", day, "--yes", "--settings", "register").code == 2
