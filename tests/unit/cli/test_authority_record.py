"""The authority's record: all that officers did about the directory, what one of them refused, and that it is whole."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from adapter.cli.authority_folder import AuthorityFolder
from tests.command_line import typed
from tests.unit.cli.authority_office import done, founded, requested, said_besides, signed

REASON = "not agreed with the agency"
RECORD_BROKEN = 6


@pytest.fixture
def home(run: object, place: Path) -> AuthorityFolder:
    """With a first root, and a first directory that waits."""
    made = founded(place)
    done("propose", made.path)
    return made


def refused_by(home: AuthorityFolder, name: str, reason: str = REASON) -> Path:
    """The file that this officer brings back."""
    request, to = requested(home), home.path.parent / "stick" / f"{name}.refusal"
    key = ("--key", home.path.parent / name / "own.key")
    done("refuse", request, *key, "--anchor", home.anchor_file, "--reason", reason, "-o", to)
    return to


def entered(home: AuthorityFolder) -> list[tuple[str, list[str], dict[str, int]]]:
    """What was done, by whom, and of which versions."""
    found = []
    for one in json.loads(typed("authority", "log", home.path, "--json").out):
        details = one["entry"]["details"]
        versions = {kind: said["version"] for kind, said in details["of"].items()}
        found.append((one["entry"]["outcome"].removeprefix("directory-"), details.get("by", []), versions))
    return found


def test_every_step_of_a_change_is_entered(home: AuthorityFolder, place: Path) -> None:
    signed(home, "saidov")
    signed(home, "usmonov")
    done("publish", home.path)
    done("rotate", home.path, "--remove-officer", "saidov")
    assert entered(home) == [
        ("proposed", [], {"root": 1}),
        ("signed", ["karimova", "usmonov"], {"root": 1}),
        ("published", ["karimova", "usmonov"], {"root": 1}),
        ("proposed", [], {"targets": 1}),
        ("signed", ["saidov"], {"targets": 1}),
        ("signed", ["saidov", "usmonov"], {"targets": 1}),
        ("published", ["saidov", "usmonov"], {"targets": 1}),
        ("proposed", [], {"root": 2, "targets": 2}),
    ]
    told = done("log", home.path)
    assert "root 2, directory 2" in told
    assert "The record is whole: 8 entries." in said_besides("log", home.path)


@pytest.mark.parametrize("half_signed", [False, True])
def test_one_officers_refusal_ends_a_request(home: AuthorityFolder, *, half_signed: bool) -> None:
    if half_signed:
        signed(home, "karimova")
    refusal = refused_by(home, "saidov")
    said = done("merge", home.path, refusal)
    assert f"Refused by saidov: {REASON}" in said
    assert "nothing waits for signatures" in typed("authority", "publish", home.path).err
    assert entered(home)[-1] == ("refused", ["saidov"], {"targets": 1})
    assert f"saidov: {REASON}" in done("log", home.path)
    done("set-grace", home.path, "P2D")
    done("propose", home.path)
    again = typed("authority", "merge", home.path, refusal)
    assert (again.code, "of something else than what waits" in again.err) == (1, True)


def test_a_refusal_among_signatures_wins(home: AuthorityFolder) -> None:
    request = requested(home)
    key = ("--key", home.path.parent / "karimova" / "own.key")
    signatures = request.parent / "karimova.signatures"
    done("sign", request, *key, "--anchor", home.anchor_file, "--yes", "-o", signatures)
    done("merge", home.path, signatures, refused_by(home, "saidov"))
    assert entered(home)[-1][0] == "refused"


def test_a_root_is_refused_by_whoever_holds_it_or_is_to(home: AuthorityFolder, place: Path) -> None:
    (place / "yusupova").mkdir()
    done("officer-key", place / "yusupova" / "own.key")
    for name in ("saidov", "yusupova"):
        done("rotate", home.path, "--remove-officer", "saidov", "--officer", f"yusupova={place}/yusupova/own.pem")
        done("merge", home.path, refused_by(home, name))
        assert entered(home)[-1] == ("refused", [name], {"root": 2})


def test_a_stranger_refuses_nothing(home: AuthorityFolder, place: Path) -> None:
    (place / "stranger").mkdir()
    done("officer-key", place / "stranger" / "own.key")
    words = ("--key", place / "stranger" / "own.key", "--anchor", home.anchor_file, "--reason", REASON)
    stopped = typed("authority", "refuse", requested(home), *words, "-o", "x")
    assert (stopped.code, "is no officer's" in stopped.err) == (2, True)


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501])
def test_a_reason_is_a_line(home: AuthorityFolder, place: Path, reason: str) -> None:
    words = ("--key", place / "saidov" / "own.key", "--anchor", home.anchor_file, "--reason", reason)
    assert "one line" in typed("authority", "refuse", requested(home), *words, "-o", "x").err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reason": "another"}, "the signature of saidov is wrong"),
        ({"sig": "00" * 64}, "the signature of saidov is wrong"),
        ({"keyid": "0" * 64}, "no officer's"),
        ({"refused": {}}, "something else"),
        ({"refused": None}, "cannot be read"),
        ({"sig": "no hexadecimal"}, "the signature of saidov is wrong"),
    ],
)
def test_a_refusal_that_was_changed_ends_nothing(home: AuthorityFolder, change: Mapping[str, Any], words: str) -> None:
    file = refused_by(home, "saidov")
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    did = typed("authority", "merge", home.path, file)
    assert (did.code, words in did.err) == (1, True), did
    assert entered(home)[-1][0] == "proposed"
    assert "Waits: directory" in done("status", home.path)


def test_a_record_that_was_changed_or_cut_is_found_out(home: AuthorityFolder, place: Path) -> None:
    done("log", home.path, "--save-checkpoint", place / "kept.note")
    done("log", home.path, "--against", place / "kept.note")
    record, copy = home.path / "record", place / "copy"
    shutil.copytree(record, copy)

    def put_back() -> None:
        shutil.rmtree(record)
        shutil.copytree(copy, record)

    with closing(sqlite3.connect(record / "record.db")) as connection, connection:
        connection.execute("UPDATE entries SET document = replace(document, 'usmonov', 'saidov') WHERE number = 1")
    changed = typed("authority", "log", home.path)
    assert (changed.code, "entry 1 was changed" in changed.err) == (RECORD_BROKEN, True)
    put_back()
    done("propose", home.path)
    done("log", home.path, "--save-checkpoint", place / "longer.note")
    put_back()
    assert "whole" in said_besides("log", home.path), "by itself, what was cut off is not seen"
    assert typed("authority", "log", home.path, "--against", place / "longer.note").code == RECORD_BROKEN


def test_an_authority_from_before_begins_its_record_with_the_next_act(home: AuthorityFolder) -> None:
    for file in (home.path / "record").iterdir():
        file.unlink()
    assert "nothing was entered" in typed("authority", "log", home.path).err
    done("propose", home.path)
    assert entered(home) == [("proposed", [], {"targets": 1})]
    assert (home.path / "record").stat().st_mode & 0o077 == 0


def test_what_cannot_be_recorded_is_not_proposed_nor_published(home: AuthorityFolder) -> None:
    signed(home, "karimova", "saidov")
    (home.path / "record" / "record.db").write_bytes(b"no database")
    before = sorted(home.pending.iterdir())
    assert typed("authority", "publish", home.path).code != 0
    assert home.timestamp() is None
    assert typed("authority", "rotate", home.path, "--online-keys").code != 0
    assert sorted(home.pending.iterdir()) == before
