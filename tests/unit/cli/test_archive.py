"""Archive files on the command line: moved, verified, put back, erased in every copy, and every changed octet found."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.cli.directory_source import anchor_from, own_copy
from adapter.cli.evidence_gathering import signing_keys
from adapter.crypto.note import NoteSigner
from adapter.directory.anchor import Anchor
from adapter.directory.refresh import Known, Refresh
from adapter.errors import AdapterError, EvidenceInvalid
from adapter.evidence.archive_file import CLAIMS, ENTRIES, INDEX, SEALED, verify_archive
from adapter.evidence.asic import open_asic, render_asic, sign_files
from adapter.evidence.container import read_container, render_container
from adapter.evidence.contents import CHECKPOINT
from adapter.evidence.xades import SIGNATURES
from adapter.settings import load_settings
from adapter.store.archive import read_message
from adapter.store.engine import open_database
from adapter.store.kept_messages import check_messages
from adapter.transport.directory_client import DirectoryClient
from tests.kept_messages import ARCHIVE_KEY, keep_messages, message_id_of, octets_of
from tests.unit.cli.dialogue import Run, played

EVERY_OCTET = os.environ.get("ATTACKS") == "every"
DIALOGUE = Path(__file__).parent / "archive-dialogue.txt"
DAY_FILE = "archive/UZ-GOV-200000001-2026-03-02-0-5.asice"
WRITE = ("archive", "write", "--before", "2026-03-04", "--out", "archive", "--settings", "register")
RESTORE = ("archive", "restore", DAY_FILE, "--settings", "register", "--json")


@pytest.fixture
def home(place: Path) -> Path:
    """A register with eight messages on two days, which has a copy of the directory."""
    settings = load_settings(place / "register" / "adapter.toml")
    begun = Refresh(anchor_from(settings.directory.anchor), Known(), now=None, has_document=False)
    found = asyncio.run(DirectoryClient((str(place / "fed"),), timeout_s=60).look(begun))
    assert found is not None
    assert own_copy(settings).keep(found, since=0)
    keep_messages(place / "register")
    return place


@pytest.fixture
def archived(run: Run, home: Path) -> bytes:
    """The file of the first day."""
    typed = run(*WRITE)
    assert typed.code == 0, typed.err
    return (home / DAY_FILE).read_bytes()


@pytest.fixture
def anchor(home: Path) -> Anchor:
    return anchor_from(home / "fed" / "anchor.json")


def kept(home: Path) -> list[bytes | None]:
    database = open_database(load_settings(home / "register" / "adapter.toml").database_url)
    read = [read_message(database, ARCHIVE_KEY, at, ("request", "reply")[at % 2]) for at in range(8)]
    return [None if message is None else message.octets for message in read]


ALL = [octets_of(at // 2, ("request", "reply")[at % 2]) for at in range(8)]


def test_the_dialogue_is_what_the_commands_print(run: Run, home: Path) -> None:
    shown, expected = played(DIALOGUE, run, home)
    assert shown == expected
    assert run("log", "verify", "--settings", "register").code == 0


def test_what_was_moved_is_no_longer_in_the_database_and_comes_back_whole(
    run: Run, home: Path, archived: bytes
) -> None:
    assert kept(home) == [None] * 8
    data = b"".join(file.read_bytes() for file in (home / "register" / "data").glob("adapter.sqlite*"))
    for message in verify_archive(archived, anchor_from(home / "fed" / "anchor.json")).messages:
        assert message.sealed not in data
        assert message.sealed in archived
    assert not any(octets in archived for octets in ALL)
    assert json.loads(run(*RESTORE).out)["restored"] == 6
    assert kept(home) == [*ALL[:6], None, None]
    assert json.loads(run(*RESTORE).out) == {"erased": 0, "present": 6, "record": 11, "restored": 0}


def test_erasing_a_day_reaches_its_archive_files(run: Run, home: Path, archived: bytes) -> None:
    assert run("log", "erase", "2026-03-02", "--yes", "--settings", "register").code == 0
    assert json.loads(run(*RESTORE).out)["erased"] == 6
    assert kept(home) == [None] * 8
    assert run("archive", "verify", DAY_FILE, "--anchor", "fed/anchor.json").code == 0
    assert archived == (home / DAY_FILE).read_bytes()


def test_a_held_message_is_not_moved_and_one_that_was_moved_keeps_its_key(run: Run, home: Path) -> None:
    hold = ("log", "hold", "add", "--reason", "court order 17", "--settings", "register")
    assert run(*hold, message_id_of(3)).code == 0
    assert run(*WRITE).code == 0
    assert kept(home) == [*[None] * 6, *ALL[6:]]
    assert run(*hold, message_id_of(0)).code == 0
    erased = json.loads(run("log", "erase", "2026-03-02", "--yes", "--settings", "register", "--json").out)
    assert [(one["day"], one["purpose"]) for one in erased["left"]] == [("2026-03-02", "benefits")]
    assert erased["erased"] == 2
    assert json.loads(run(*RESTORE).out)["restored"] == 4
    assert run("log", "erase", "2026-03-02", "--yes", "--settings", "register").code == 0
    assert kept(home) == [*ALL[:2], *[None] * 4, *ALL[6:]]


@pytest.mark.timeout(0 if EVERY_OCTET else 120)
def test_a_changed_octet_of_an_archive_file_is_found_and_named(archived: bytes, anchor: Anchor) -> None:
    """Some thousand places, under `make attacks` each; where the octet is one of a file, the file is named."""
    verify_archive(archived, anchor)
    chance = random.Random(11)
    files = read_container(archived)
    starts = {path: archived.index(path.encode() + octets) + len(path) for path, octets in files.items()}
    inside = {start + at: path for path, start in starts.items() for at in range(len(files[path]))}
    for at in range(len(archived)) if EVERY_OCTET else sorted(chance.sample(range(len(archived)), 1_000)):
        changed = archived[:at] + bytes([archived[at] ^ 1 << chance.randrange(8)]) + archived[at + 1 :]
        with pytest.raises(EvidenceInvalid) as refused:
            verify_archive(changed, anchor)
        assert inside.get(at, "") in refused.value.reason, (at, refused.value.reason)


@pytest.mark.timeout(0 if EVERY_OCTET else 120)
def test_a_changed_octet_under_a_checksum_that_fits_is_found_and_named(archived: bytes, anchor: Anchor) -> None:
    """The ZIP file's own checksums say nothing here: what is signed and proved has to notice."""
    files, chance = read_container(archived), random.Random(12)
    spots = [(path, at) for path, octets in files.items() for at in range(len(octets))]
    for path, at in spots if EVERY_OCTET else chance.sample(spots, 300):
        octets = bytearray(files[path])
        octets[at] ^= 1 << chance.randrange(8)
        with pytest.raises(EvidenceInvalid) as refused:
            verify_archive(render_container({**files, path: bytes(octets)}), anchor)
        assert path in refused.value.reason, (path, at, refused.value.reason)


def test_a_changed_message_of_a_file_is_named(archived: bytes, anchor: Anchor) -> None:
    sealed = open_asic(archived).files[SEALED]
    at = archived.index(sealed) + len(sealed) // 2
    with pytest.raises(EvidenceInvalid, match=SEALED):
        verify_archive(archived[:at] + bytes([archived[at] ^ 1]) + archived[at + 1 :], anchor)
    assert INDEX in open_asic(archived).files


def rows(octets: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in octets.splitlines()]


def lines(said: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one, sort_keys=True, separators=(",", ":")).encode() + b"\n" for one in said)


def with_row(octets: bytes, at: int, **changes: object) -> bytes:
    said = rows(octets)
    said[at] |= changes
    return lines(said)


def claiming(octets: bytes, **changes: object) -> bytes:
    return json.dumps(json.loads(octets) | changes, indent=1, sort_keys=True).encode() + b"\n"


def less_a_message(files: dict[str, bytes]) -> dict[str, bytes]:
    """The last message of the last entry, which then has none."""
    said = rows(files[INDEX])
    return {INDEX: lines(said[:-1]), SEALED: files[SEALED][: -said[-1]["bytes"]]}


WRONG: dict[str, tuple[str, Callable[[dict[str, bytes]], dict[str, bytes]]]] = {
    "of another member": (SIGNATURES, lambda files: {CLAIMS: claiming(files[CLAIMS], member="UZ/GOV/200000003")}),
    "of nobody": (CLAIMS, lambda files: {CLAIMS: claiming(files[CLAIMS], member=7)}),
    "more entries claimed": (CLAIMS, lambda files: {CLAIMS: claiming(files[CLAIMS], entries=9)}),
    "another time claimed": (CLAIMS, lambda files: {CLAIMS: claiming(files[CLAIMS], made="2026-03-05T09:00:00Z")}),
    "a file more": ("extra.txt", lambda _: {"extra.txt": b"x"}),
    "a checkpoint by another key": (
        CHECKPOINT,
        lambda files: {
            CHECKPOINT: NoteSigner("UZ/GOV/200000001", Ed25519PrivateKey.generate())
            .sign(files[CHECKPOINT].decode().partition("\n\n")[0] + "\n")
            .encode()
        },
    ),
    "another entry": (ENTRIES, lambda files: {ENTRIES: files[ENTRIES].replace(b"benefit", b"penefit")}),
    "entries in another order": (ENTRIES, lambda files: {ENTRIES: lines(rows(files[ENTRIES])[::-1])}),
    "a proof that is no hash": (ENTRIES, lambda files: {ENTRIES: with_row(files[ENTRIES], 0, proof=["ü"])}),
    "a proof of numbers": (ENTRIES, lambda files: {ENTRIES: with_row(files[ENTRIES], 0, proof=[7])}),
    "a text that is no Unicode": (ENTRIES, lambda files: {ENTRIES: with_row(files[ENTRIES], 0, text="\ud800")}),
    "messages in another order": (INDEX, lambda files: {INDEX: lines(rows(files[INDEX])[::-1])}),
    "a message of an entry that is not there": (INDEX, lambda files: {INDEX: with_row(files[INDEX], -1, number=99)}),
    "a message of another day": (INDEX, lambda files: {INDEX: with_row(files[INDEX], 0, day="2026-03-01")}),
    "a number that is a text": (INDEX, lambda files: {INDEX: with_row(files[INDEX], 0, number="0")}),
    "a digest that is no ASCII": (SEALED, lambda files: {INDEX: with_row(files[INDEX], 0, sha256="ü" * 64)}),
    "an octet that nobody lists": (INDEX, lambda files: {SEALED: files[SEALED] + b"x"}),
    "an entry without its message": (INDEX, less_a_message),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_its_own_signer_made_wrong_is_refused_and_named(
    home: Path, archived: bytes, anchor: Anchor, wrong: str
) -> None:
    """The signature over all of it is good: each of the other steps has to find it."""
    named, change = WRONG[wrong]
    files = dict(open_asic(archived).files)
    signed_at = datetime.fromisoformat(json.loads(files[CLAIMS])["made"])
    key, *_ = signing_keys(load_settings(home / "register" / "adapter.toml"))
    verify_archive(render_asic(files, sign_files(files, key, signed_at)), anchor)
    changed = change(files)
    assert changed != {path: files.get(path) for path in changed}
    files |= changed
    with pytest.raises(EvidenceInvalid, match=re.escape(named)):
        verify_archive(render_asic(files, sign_files(files, key, signed_at)), anchor)


def test_a_changed_kept_message_is_not_archived(run: Run, home: Path) -> None:
    database = open_database(load_settings(home / "register" / "adapter.toml").database_url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE messages SET sealed = zeroblob(length(sealed)) WHERE number = 3")
    typed = run(*WRITE)
    assert (typed.code, "kept reply of entry 3" in typed.err) == (6, True)
    with pytest.raises(AdapterError, match="kept reply of entry 3"):
        check_messages(database, ARCHIVE_KEY)


def test_a_file_of_another_record_is_not_put_back(run: Run, home: Path, archived: bytes) -> None:
    """The same adapter, with another record: an entry of the file is not the entry of this number here."""
    database = open_database(load_settings(home / "register" / "adapter.toml").database_url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE entries SET document = replace(document, 'A-1234', 'A-9999')")
    typed = run(*RESTORE)
    assert typed.code == 2
    assert "is not entry 0 of this record" in typed.err
    assert kept(home) == [None] * 8


def test_no_file_is_overwritten(run: Run, home: Path, archived: bytes) -> None:
    assert run(*RESTORE).code == 0
    typed = run(*WRITE)
    assert (typed.code, "never overwritten" in typed.err) == (2, True)
    assert kept(home)[:6] == ALL[:6]
