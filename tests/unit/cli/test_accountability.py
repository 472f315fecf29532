"""docs/accountability.md: its commands, on records that were kept in order and on ones that were not."""

from __future__ import annotations

import re
import shutil
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from adapter.app.keyring import Keyring, load_keyring
from adapter.app.runs import Run as AdapterRun
from adapter.audit.checkpoint import record_origin
from adapter.settings import Settings, load_settings
from adapter.store.appending import Log, append_entries
from adapter.store.engine import Database, open_database
from adapter.store.record import RecordWriter
from tests.memory_parts import Clock
from tests.records import NOW, a_claim, a_request, an_answer, an_entry
from tests.unit.cli.dialogue import Run, commands_of, played, played_in

DIALOGUE = Path(__file__).parent / "accountability-dialogue.txt"
_TEST: Final = re.compile(r"`(tests/[a-z_/]+\.py)(?:::(\w+))?`")
DAY: Final = timedelta(days=1)


def serve(place: Path, begins: datetime, *, stops: bool = True) -> None:
    """A run of the adapter, as the record has it."""
    settings, keyring, database = opened(place)
    run = AdapterRun(settings, keyring, database, token=f"{begins:%d%H%M%S}", clock=Clock(begins))
    run.begin(settings_file=place / "adapter.toml", workers=2)
    if stops:
        run.end(0)


def opened(place: Path) -> tuple[Settings, Keyring, Database]:
    settings = load_settings(place / "adapter.toml")
    return settings, load_keyring(settings), open_database(settings.database_url)


async def exchange(place: Path) -> None:
    """A request and its answer, with both messages."""
    settings, keyring, database = opened(place)
    record = RecordWriter(
        database,
        origin=record_origin(settings.member),
        signer=keyring.record,
        archive_key=keyring.archive_key,
        owner="run/1",
    )
    await record.start()
    claim = a_claim()
    for write in (a_request(claim), an_answer(claim)):
        await record.write(write)
    await record.close()


@pytest.fixture
async def records(place: Path) -> Path:
    """register/: in order. changed/: a kept message is another one. backdated/: an old entry, added late."""
    register = place / "register"
    serve(register, NOW - DAY)
    file = register / "adapter.toml"
    file.write_text(file.read_text().replace("\n[timing]\n", "\n[timing]\npeer_timeout_s = 20\n"))
    serve(register, NOW - timedelta(hours=1), stops=False)
    await exchange(register)
    serve(register, NOW + timedelta(hours=1))
    (place / "record.vkey").write_text(load_keyring(load_settings(file)).record.vkey)
    for name in ("changed", "backdated"):
        shutil.copytree(register, place / name)
    with sqlite3.connect(place / "changed" / "data" / "adapter.sqlite") as changed:
        changed.execute("UPDATE messages SET sealed = zeroblob(length(sealed)) WHERE direction = 'reply'")
    changed.close()
    settings, keyring, database = opened(place / "backdated")
    late = replace(an_entry("urn:uuid:2c6f0d4e-0c67-4d3c-9d0b-0f5a3d3f5a10"), at=NOW - 20 * DAY)
    append_entries(database, Log(record_origin(settings.member), keyring.record), [late])
    return place


async def test_the_dialogue_is_what_the_commands_print(run: Run, records: Path) -> None:
    shown, expected = played(DIALOGUE, run, records)
    assert shown == expected


def test_the_page_shows_the_dialogue(root: Path) -> None:
    commands, shown = commands_of((root / "docs/accountability.md").read_text()), played_in(DIALOGUE)
    assert len(commands) == len(shown)
    assert [one for one in commands if one not in shown] == []


def test_every_test_that_the_page_names_is_there(root: Path) -> None:
    named = _TEST.findall((root / "docs/accountability.md").read_text())
    assert len(named) >= 10
    for path, function in named:
        text = (root / path).read_text()
        assert not function or f"def {function}(" in text, f"{path}::{function}"
