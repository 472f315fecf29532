"""A person's view on the command line, over a real record; docs/usage.md shows what it really prints."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import etree

from adapter.audit.checkpoint import open_checkpoint, record_origin
from adapter.audit.proofs import verify_inclusion
from adapter.audit.subjects import subject_key, subject_tag
from adapter.audit.usage import UsageQuestion
from adapter.backends.usage_answer import render_usage
from adapter.cli.directory_source import own_directory
from adapter.cli.log_subject import tag_of
from adapter.cli.own_record import own_log, record_signer
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.identifiers import SubjectId
from adapter.ports import Entry
from adapter.settings import load_settings
from adapter.store.appending import append_entries
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from adapter.store.usage_reader import UsageReader
from tests.unit.cli.dialogue import Run, commands_of, played, played_in

TODAY = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
DIALOGUE = Path(__file__).parent / "usage-dialogue.txt"
PERSON = "pinfl:" + "30101850000008"
OTHER = "pinfl:" + "30101850000015"
NOON = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
ASK = ("log", "usage", "--subject-file", "person", "--settings", "register")
LAW = {"kind": "law", "reference": "ZRU-395, article 12"}
ORDER = {"kind": "secret-inquiry", "reference": "inquiry 7", "until": "2999-12-31"}


def _entry(kind: str, minute: int, message: str, **said: Any) -> Entry:
    at = NOON + timedelta(minutes=minute)
    body = {
        "v": 1,
        "kind": kind,
        "at": at.isoformat(),
        "message_id": message,
        "consumer": "UZ/GOV/200000003/benefits",
        "service": "UZ/GOV/200000001/population/GetPerson/v1",
        "operation": "GetPerson",
        "official": "A-1234",
    }
    return Entry(
        body=body | said,
        kind=kind,
        at=at,
        message_id=message,
        consumer=body["consumer"],  # type: ignore[arg-type]
        service=body["service"],  # type: ignore[arg-type]
        outcome="released",
    )


@pytest.fixture
def home(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record: two releases about the person, one under a secrecy order, a refusal, and one about somebody else."""
    for command in ("log_usage", "log_secrecy"):
        monkeypatch.setattr(f"adapter.cli.{command}.now_utc", lambda: TODAY)
    settings = load_settings(place / "register" / "adapter.toml")
    key = subject_key(bytes(range(32)))
    about = {name: [subject_tag(key, *name.split(":"))] for name in (PERSON, OTHER)}
    append_entries(
        open_database(settings.database_url),
        own_log(settings),
        [
            _entry("request-received", 0, "m1", subjects=about[PERSON], purpose="benefit", legal_basis=LAW),
            _entry("reply-sent", 1, "m1", request_entry=0, fields=["R/Person/Pinfl", "R/Person/NameLatin/Surname"]),
            _entry("request-received", 2, "m2", subjects=about[OTHER], purpose="benefit", legal_basis=LAW),
            _entry("reply-sent", 3, "m2", request_entry=2),
            _entry("request-received", 4, "m3", subjects=about[PERSON], purpose="benefit", legal_basis=ORDER),
            _entry("reply-sent", 5, "m3", request_entry=4),
            _entry("refused", 6, "m4", subjects=about[PERSON], purpose="benefit", legal_basis=LAW),
            _entry("request-received", 1440, "m5", subjects=about[PERSON], purpose="benefit", legal_basis=LAW),
            _entry("reply-sent", 1441, "m5", request_entry=7),
        ],
    )
    (place / "register.vkey").write_text(record_signer(settings).vkey)
    (place / "person").write_text(f"{PERSON}\n")
    (place / "somebody-else").write_text(f"{OTHER}\n")
    return place


def test_the_dialogue_is_what_the_command_prints(run: Run, home: Path) -> None:
    shown, expected = played(DIALOGUE, run, home)
    assert shown == expected
    assert PERSON.partition(":")[2] not in shown


def test_the_page_shows_the_dialogue(root: Path) -> None:
    commands, shown = commands_of((root / "docs/usage.md").read_text()), played_in(DIALOGUE)
    assert len(commands) == 7
    assert [one for one in commands if one not in shown] == []


def test_both_entries_of_a_line_are_proved_by_the_checkpoint_alone(run: Run, home: Path) -> None:
    settings = load_settings(home / "register" / "adapter.toml")
    shown = json.loads(run("log", "usage", "--subject-file", "person", "--settings", "register", "--json").out)
    verifier = NoteVerifier.parse(record_signer(settings).vkey)
    checkpoint = open_checkpoint(shown["checkpoint"], (verifier,), origin=record_origin(settings.member))
    assert [line["request"]["record"] for line in shown["usage"]] == [7, 0]
    reader = LogReader(open_database(settings.database_url))
    for line in shown["usage"]:
        for said in (line["request"], line["answer"]):
            assert said["leaf_hash"] == reader.show(said["record"]).leaf_hash.hex()
            verify_inclusion(
                leaf=bytes.fromhex(said["leaf_hash"]),
                index=said["record"],
                size=checkpoint.size,
                proof=[bytes.fromhex(one) for one in said["path"]],
                root=checkpoint.root,
            )
    assert b64decode(shown["checkpoint"].splitlines()[2]) == checkpoint.root
    assert "inquiry" not in json.dumps(shown)


def test_whoever_has_the_records_key_checks_an_answer_by_a_command(run: Run, home: Path) -> None:
    settings = load_settings(home / "register" / "adapter.toml")
    tag = tag_of(settings, SubjectId(*PERSON.split(":")))
    reader, directory = UsageReader(open_database(settings.database_url)), own_directory(settings)
    answer = reader.answer(tag, UsageQuestion(), directory, now=TODAY)
    element = etree.tostring(render_usage(answer, directory)).decode()
    soap = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{element}</e:Body></e:Envelope>'
    other = NoteSigner(record_signer(settings).vkey.partition("+")[0], Ed25519PrivateKey.generate())
    (home / "other.vkey").write_text(other.vkey)

    def checked(text: str, key: str = "register.vkey") -> tuple[int, str]:
        (home / "answer").write_text(text)
        typed = run("log", "check-usage", "answer", "--vkey", key, "--json")
        return typed.code, typed.out or typed.err

    printed = run(*ASK, "--json").out
    for text in (printed, element, soap):
        code, said = checked(text)
        assert (code, json.loads(said)["entries"]) == (0, [7, 8, 0, 1]), said
        assert checked(text, "other.vkey")[0] == 7
    leaf, path = answer.view.lines[0].request.leaf_hash, answer.proofs[0].request[0]
    for octets in (leaf, path):
        wrong = bytes([octets[0] ^ 1]) + octets[1:]
        assert checked(printed.replace(octets.hex(), wrong.hex()))[0] == 7
        assert checked(element.replace(b64encode(octets).decode(), b64encode(wrong).decode()))[0] == 7
    assert checked(element.replace('number="7"', 'number="6"'))[0] == 7
    assert checked(printed.replace('"record": 7', '"record": Infinity'))[0] == 7
    for text in ("{}", '{"usage": [{}], "checkpoint": ""}', "<x/>", element * 2, "nothing"):
        assert checked(text)[0] == 7


@pytest.mark.parametrize("setting", ["true", "false"])
def test_the_settings_say_whether_the_official_is_told(run: Run, home: Path, setting: str) -> None:
    file = home / "register" / "adapter.toml"
    file.write_text(file.read_text().replace("# tell_officials = false", f"tell_officials = {setting}"))
    typed = run("log", "usage", "--subject-file", "person", "--settings", "register", "--json")
    told = {line["official"] for line in json.loads(typed.out)["usage"]}
    assert told == ({"A-1234"} if setting == "true" else {None}), typed.err


@pytest.mark.parametrize("given", [("--subject-file", "-"), ()])
def test_the_identifier_is_read_from_standard_input(run: Run, home: Path, given: tuple[str, ...]) -> None:
    typed = run("log", "usage", *given, "--settings", "register", "--json", answers=f"{OTHER}\n")
    assert (typed.code, json.loads(typed.out)["total"]) == (0, 1)


@pytest.mark.parametrize("said", ["", "\n", "30101850000008", "pinfl:30101850000007"])
def test_who_is_not_named_rightly_is_not_looked_for_and_not_repeated(run: Run, home: Path, said: str) -> None:
    typed = run("log", "usage", "--settings", "register", answers=said)
    assert typed.code != 0
    assert not typed.out
    assert not re.search(r"[0-9]{14}", typed.err)
