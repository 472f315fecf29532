"""Erasing, retention and holds on the command line; docs/retention.md shows what they really print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapter.settings import load_settings
from adapter.store.archive import read_message
from adapter.store.engine import open_database
from tests.kept_messages import ARCHIVE_KEY, keep_messages
from tests.records import SERVICE
from tests.unit.cli.dialogue import Run, blocks_of, played, played_in

DIALOGUE = Path(__file__).parent / "retention-dialogue.txt"
ARCHIVE_DIALOGUE = DIALOGUE.with_name("archive-dialogue.txt")
RULES = f"""
[[retention.rule]]
service = "{SERVICE}"
purpose = "benefits"
keep_days = 30
"""


@pytest.fixture
def home(place: Path) -> Path:
    """A register with four exchanges on two days."""
    file = place / "register" / "adapter.toml"
    file.write_text(file.read_text().replace("# keep_days =\n", "keep_days = 1825\n") + RULES)
    keep_messages(place / "register")
    return place


def test_the_dialogue_is_what_the_commands_print(run: Run, home: Path) -> None:
    shown, expected = played(DIALOGUE, run, home)
    assert shown == expected
    assert run("log", "verify", "--settings", "register").code == 0


def test_the_page_shows_the_dialogue(root: Path) -> None:
    blocks = blocks_of((root / "docs/retention.md").read_text())
    shown = played_in(DIALOGUE, ARCHIVE_DIALOGUE)
    assert len(blocks) >= 9
    assert [block for block in blocks if block not in shown] == []


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
