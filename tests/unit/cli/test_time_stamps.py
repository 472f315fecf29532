"""What the commands say of time-stamps and of what ends, over a real record stamped by a real authority."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.app.expiries import what_expires
from adapter.app.time_stamping import StampingRule, StampKeeper
from adapter.audit.checkpoint import record_origin
from adapter.cli.own_record import record_signer
from adapter.directory.content import TimeStampAuthority as Listed
from adapter.directory.draft import DirectoryDraft
from adapter.settings import load_settings
from adapter.store.appending import Log, append_entries
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.store.time_stamps import TimeStamps
from adapter.transport.destinations import PeerDestinations
from adapter.transport.time_stamp_client import TimeStampClient
from examples.federation.federation import CHECKOUT
from tests.pki import Federation
from tests.real_pki.making import RealPki
from tests.real_pki.serving import Fault
from tests.real_pki.tsa import TimeStampAuthority
from tests.records import NOW, an_entry
from tests.unit.cli.dialogue import MASKS, Run

pytestmark = pytest.mark.sockets
BY_DIRECTORY = ("--vkey", "record.vkey", "--directory", "fed", "--anchor", "fed/anchor.json")


@dataclass
class Home:
    """The register's adapter, whose directory names one authority."""

    place: Path
    tsa: TimeStampAuthority
    federation: Federation
    listed: dict[str, Listed]

    def fill(self, at: datetime = NOW) -> None:
        settings = load_settings(self.place / "register" / "adapter.toml")
        log = Log(record_origin(settings.member), record_signer(settings))
        made = [replace(an_entry(), at=at) for _ in range(3)]
        append_entries(open_database(settings.database_url), log, made)

    def stamp(self) -> None:
        settings = load_settings(self.place / "register" / "adapter.toml")
        directory = self.federation.directory(self.draft())
        keeper = StampKeeper(
            stamps=TimeStamps(open_database(settings.database_url)),
            client=TimeStampClient(timeout_s=10, destinations=PeerDestinations(loopback="always")),
            directory=lambda: directory,
            clock=lambda: datetime.now(UTC),
            rule=StampingRule(every_s=1, skew=timedelta(minutes=1)),
            lock=self.place / "lock",
        )
        asyncio.run(keeper.look())
        keeper.release()

    def draft(self) -> DirectoryDraft:
        return replace(self.federation.draft(), time_stamp_authorities=self.listed, time_stamp_limit=timedelta(hours=1))


@pytest.fixture
def home(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    pki = RealPki.build(tmp_path_factory.mktemp("pki"))
    with pki.time_stamp("first") as tsa:
        root = pki.authorities["root"].certificate
        listed = {"clock": Listed(name="clock", address=tsa.address, certificates=(root,))}
        made = Home(place, tsa, Federation.build(now=datetime.now(UTC).replace(microsecond=0)), listed)
        made.federation.write(place / "fed")
        repository = made.federation.repository
        published = repository.publish(made.federation.signed(made.draft()))
        published.write(place / "fed")
        toml = place / "register" / "adapter.toml"
        text = toml.read_text().replace("[directory]", '[directory]\nloopback_peers = "always"')
        # openssl takes its time on a busy machine
        toml.write_text(text.replace("[time_stamps]", "[time_stamps]\ntimeout_s = 60"))
        settings = load_settings(toml)
        (place / "record.vkey").write_text(record_signer(settings).vkey)  # the federation's is another one
        found = published.look(made.federation.anchor, now=made.federation.now)
        assert found is not None
        copy = DirectoryCopy(settings.adapter.data_dir / "directory", open_database(settings.database_url))
        assert copy.keep(found, since=0)
        yield made


def test_which_entries_are_covered_by_which_stamp(run: Run, home: Home) -> None:
    assert "No time-stamps." in run("log", "stamps", "--settings", "register").out
    home.fill()
    shown = run("log", "stamps", "--settings", "register").out
    assert "3 entries wait for a time-stamp" in shown
    home.stamp()
    home.fill()
    home.stamp()
    home.fill()
    shown = run("log", "stamps", "--settings", "register").out
    assert [line.split("  ")[0].strip() for line in shown.splitlines()[1:3]] == ["3 to 5", "0 to 2"]
    said = json.loads(run("log", "stamps", "--settings", "register", "--json").out)
    assert (said["entries"], said["covered"], [one["size"] for one in said["stamps"]]) == (9, 6, [6, 3])
    assert "by clock, over 6 entries" in " ".join(run("log", "show", "4", "--settings", "register").out.split())
    dated = json.loads(run("log", "show", "4", "--settings", "register", "--json").out)["dated"]
    assert [dated[side]["by"] for side in ("not_before", "before")] == [
        "clock put a time-stamp on 3 entries",
        "clock put a time-stamp on 6 entries",
    ]
    assert "not yet" in run("log", "show", "7", "--settings", "register").out
    verified = run("log", "verify", "--settings", "register")
    assert "2 time-stamps are good: the first 6 entries existed before" in verified.out


def test_openssl_judges_what_is_saved_for_an_outsider(run: Run, home: Home) -> None:
    home.fill()
    home.stamp()
    assert run("log", "stamps", "--save", "out", "--settings", "register").code == 0
    command = ["openssl", "ts", "-verify", "-token_in", "-in", "checkpoint.tst", "-data", "checkpoint.note"]
    command += ["-partial_chain", "-CAfile", "authority.pem"]
    found = subprocess.run(command, cwd=home.place / "out", capture_output=True, text=True, check=False)
    assert "Verification: OK" in found.stdout, found.stderr
    note = home.place / "out" / "checkpoint.note"
    note.write_bytes(note.read_bytes() + b"x")
    found = subprocess.run(command, cwd=home.place / "out", capture_output=True, text=True, check=False)
    assert found.returncode != 0


def proved(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    done = run("log", "prove", *words, "--json")
    return done.code, json.loads(done.out) if done.out else {}


def test_a_proof_goes_out_with_the_time_stamp_that_dates_it(run: Run, home: Home) -> None:
    """In the oldest stamped checkpoint; whoever has the directory needs nothing else to say before when it existed."""
    for _ in range(2):
        home.fill()
        home.stamp()
    home.fill()
    own = ("--settings", "register")
    code, made = proved(run, "1", "--out", "one", "--stamp", "one.tst", *own)
    assert (code, made["size"], made["stamp"]) == (0, 3, "one.tst")
    assert (made["dated"]["not_before"], made["dated"]["before"]["size"]) == (None, 3)
    assert proved(run, "4", "--out", "four", "--stamp", "four.tst", *own)[1]["dated"]["not_before"]["size"] == 3
    code, judged = proved(run, "--check", "one", "--stamp", "one.tst", *BY_DIRECTORY)
    assert (code, judged["proved"], judged["size"]) == (0, True, 3)
    before = datetime.fromisoformat(judged["dated"]["before"]["at"])
    assert abs(before - datetime.now(UTC)) < timedelta(minutes=5)
    assert judged["dated"]["before"] | {"at": ""} == {"at": "", "size": 3, "by": "clock put a time-stamp on 3 entries"}
    assert judged["dated"]["contradicted"] is False
    assert proved(run, "--check", "one", *BY_DIRECTORY)[1]["dated"]["before"] is None
    shown = run("log", "prove", "--check", "one", "--stamp", "one.tst", *BY_DIRECTORY).out
    assert "clock put a time-stamp on 3 entries." in shown


def test_a_time_stamp_of_something_else_dates_no_proof(run: Run, home: Home) -> None:
    for _ in range(2):
        home.fill()
        home.stamp()
    for number in ("1", "4"):
        assert (
            run("log", "prove", number, "--out", number, "--stamp", f"{number}.tst", "--settings", "register").code == 0
        )
    token = (home.place / "1.tst").read_bytes()
    (home.place / "cut.tst").write_bytes(token[:-1])
    (home.place / "empty.tst").write_bytes(b"")
    for spoilt in ("4.tst", "cut.tst", "empty.tst"):
        done = run("log", "prove", "--check", "1", "--stamp", spoilt, *BY_DIRECTORY)
        assert (done.code, done.out) == (7, ""), spoilt
        assert "the time-stamp: " in done.err


def test_an_entry_that_says_a_later_time_than_its_stamp_is_marked(run: Run, home: Home) -> None:
    home.fill(datetime.now(UTC) + timedelta(minutes=10))
    home.stamp()
    made = run("log", "prove", "0", "--out", "p", "--stamp", "p.tst", "--settings", "register")
    assert "not to be relied on" in made.out
    judged = run("log", "prove", "--check", "p", "--stamp", "p.tst", *BY_DIRECTORY)
    assert (judged.code, "Its own time is not to be relied on" in judged.out) == (0, True)


def test_what_no_stamp_covers_is_proved_without_one_and_says_so(run: Run, home: Home) -> None:
    home.fill()
    refused = run("log", "prove", "0", "--stamp", "p.tst", "--settings", "register")
    assert (refused.code, refused.out) == (2, "")
    assert "no time-stamp covers entry 0 yet" in refused.err
    home.stamp()
    database = open_database(load_settings(home.place / "register" / "adapter.toml").database_url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE time_stamps SET authority = 'gone'")
    refused = run("log", "prove", "0", "--stamp", "p.tst", "--settings", "register")
    assert (refused.code, "no directory at hand names the time-stamp authority gone" in refused.err) == (2, True)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE time_stamps SET authority = 'clock', token = zeroblob(9)")
    assert run("log", "prove", "0", "--stamp", "p.tst", "--settings", "register").code == 6
    assert not (home.place / "p.tst").exists()


def test_verify_names_a_stamp_that_was_changed_and_one_that_nobody_vouches_for(run: Run, home: Home) -> None:
    home.fill()
    home.stamp()
    database = open_database(load_settings(home.place / "register" / "adapter.toml").database_url)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE time_stamps SET authority = 'gone'")
    shown = run("log", "verify", "--settings", "register")
    assert shown.code == 0
    assert "1 time-stamps are of authorities that no directory at hand names" in shown.out
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE time_stamps SET authority = 'clock', token = zeroblob(9)")
    shown = run("log", "verify", "--settings", "register")
    assert shown.code == 6
    assert "the time-stamp over 3 entries" in shown.err


@pytest.mark.parametrize("at_ms", [1 << 62, -(1 << 62), "'late'", "x'00'"])
def test_a_stamp_that_is_filed_under_no_time_is_named_and_no_accident(run: Run, home: Home, at_ms: object) -> None:
    home.fill()
    home.stamp()
    database = open_database(load_settings(home.place / "register" / "adapter.toml").database_url)
    with database.writing() as connection:
        connection.exec_driver_sql(f"UPDATE time_stamps SET at_ms = {at_ms}")
    for words in (("verify",), ("show", "0"), ("stamps",), ("prove", "0")):
        done = run("log", *words, "--settings", "register")
        assert (done.code, done.out) == (6, ""), words
        assert "the time-stamp over 3 entries is filed under a time that cannot be" in done.err


def test_the_page_shows_what_is_shown(run: Run, home: Home) -> None:
    """docs/timestamps.md: its commands, in the state that it tells of."""
    for _ in range(2):
        home.fill(datetime.now(UTC))
        home.stamp()
    home.fill(datetime.now(UTC))
    page = (CHECKOUT / "docs" / "timestamps.md").read_text()
    shown = re.findall(r"^\$ adapter (log [^\n]*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 5
    for command, text in shown:
        of = () if "--check" in command else ("--settings", "register")
        typed = command.replace("https://directory.example.uz", "fed").replace("anchor.json", "fed/anchor.json")
        done = run(*typed.split(), *of)
        assert done.code == 0
        assert _masked(done.out + done.err) == _masked(text), command


def _masked(text: str) -> list[str]:
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def findings(run: Run, what: str) -> list[tuple[str, str]]:
    checks = json.loads(run("doctor", "--settings", "register", "--json").out)["checks"]
    return [(one["health"], one["found"]) for one in checks if one["what"] == what]


def test_doctor_asks_the_authority_and_says_what_waits(run: Run, home: Home) -> None:
    home.fill()
    found = findings(run, "time-stamps")
    assert [health for health, _ in found] == ["warn", "ok"], found
    assert "clock stamps" in found[1][1]
    home.tsa.play(Fault.CLOCK_AHEAD)
    told = [(health, said) for health, said in findings(run, "time-stamps") if said.startswith("clock: ")]
    assert [health for health, _ in told] == ["warn"]
    assert told[0][1].endswith("from this machine's clock")
    home.tsa.play(Fault.NONE)
    home.stamp()
    assert findings(run, "time-stamps")[0] == ("ok", "all 3 entries are covered")
    settings = load_settings(home.place / "register" / "adapter.toml")
    home.fill()
    with open_database(settings.database_url).writing() as connection:
        connection.exec_driver_sql("UPDATE time_stamp_duty SET since_ms = 0")
    found = findings(run, "time-stamps")
    assert found[0][0] == "fail", "the entries are of March"
    assert "overdue since" in found[0][1]


def test_what_ends_is_in_the_report(run: Run, home: Home) -> None:
    settings = load_settings(home.place / "register" / "adapter.toml")
    names = {(one.what, one.name) for one in what_expires(settings, home.federation.directory())}
    own = {(f"{one} certificate", f"{one}.pem") for one in ("signing", "agreement", "tls")}
    assert own <= names
    assert {"directory", "signing CA", "TLS CA"} <= {what for what, _ in names}
    (settings.adapter.keys_dir / "tls.pem").write_text("no certificate")
    assert "tls certificate" not in {one.what for one in what_expires(settings, None)}
    assert [health for health, _ in findings(run, "ends")][-1] == "ok"
