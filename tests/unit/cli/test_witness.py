"""The commands about witnesses, over a real record and a witness of our own; docs/witness.md shows what they print."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter.app.witnessing import WitnessingRule, WitnessKeeper
from adapter.cli.authority_folder import AuthorityFolder
from adapter.cli.own_record import own_log
from adapter.crypto.cosignature import CosignatureVerifier, open_cosignatures
from adapter.directory.content import Witness, WitnessRule
from adapter.directory.model import Directory
from adapter.settings import Settings, load_settings
from adapter.store.alarms import DISPUTED
from adapter.store.appending import append_entries
from adapter.store.cosignatures import Cosignatures
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from adapter.transport.destinations import PeerDestinations
from adapter.transport.witness_client import WitnessClient
from tests.pki import Federation
from tests.records import an_entry
from tests.unit.cli.dialogue import Run, commands_of, played, played_in
from tests.witnesses import serving_witness

pytestmark = pytest.mark.sockets
DIALOGUE = Path(__file__).parent / "witness-dialogue.txt"


@dataclass
class Home:
    """The register's adapter, whose directory names the witness of w1/."""

    settings: Settings
    directory: Directory
    vkey: str

    @property
    def kept(self) -> Cosignatures:
        return Cosignatures(open_database(self.settings.database_url))

    def fill(self) -> None:
        append_entries(
            open_database(self.settings.database_url), own_log(self.settings), [an_entry() for _ in range(3)]
        )

    def witness(self) -> None:
        """One round of the running adapter."""
        database = open_database(self.settings.database_url)
        client = WitnessClient(timeout_s=60, destinations=PeerDestinations(loopback="always"))
        keeper = WitnessKeeper(
            reader=LogReader(database),
            kept=Cosignatures(database),
            submit=client.submit,
            directory=lambda: self.directory,
            clock=lambda: datetime.now(UTC),
            own=own_log(self.settings),
            rule=WitnessingRule(every_s=1, skew=timedelta(minutes=1)),
            lock=self.settings.adapter.data_dir / "lock",
        )

        asyncio.run(keeper.look())
        keeper.release()
        assert not keeper.failures


@pytest.fixture
def home(place: Path, run: Run) -> Iterator[Home]:
    assert run("witness", "init", "w1", "--name", "w1.example.uz").code == 0
    assert run("witness", "know", "w1", "--directory", "fed", "--anchor", "fed/anchor.json").code == 0
    vkey = (place / "w1" / "witness.vkey").read_text().strip()
    with capture_logs(), serving_witness(place / "w1") as address:
        federation = Federation.build(now=datetime.now(UTC).replace(microsecond=0))
        witnesses = {"w-1": Witness(name="w-1", vkey=vkey, address=address)}
        rule = WitnessRule(limit=timedelta(hours=6))
        draft = replace(federation.draft(), witnesses=witnesses, witness_rule=rule)
        federation.write(place / "fed")
        published = federation.repository.publish(federation.signed(draft))
        published.write(place / "fed")
        toml = place / "register" / "adapter.toml"
        text = toml.read_text().replace("[directory]", '[directory]\nloopback_peers = "always"')
        toml.write_text(text.replace("[witnesses]", "[witnesses]\ntimeout_s = 60"))
        settings = load_settings(toml)
        found = published.look(federation.anchor, now=federation.now)
        assert found is not None
        copy = DirectoryCopy(settings.adapter.data_dir / "directory", open_database(settings.database_url))
        assert copy.keep(found, since=0)
        yield Home(settings, federation.directory(draft), vkey)


def test_the_page_shows_what_is_shown(run: Run, authority: AuthorityFolder, home: Home, root: Path) -> None:
    home.fill()
    home.witness()
    home.fill()
    shown, expected = played(DIALOGUE, run, authority.path.parent)
    assert shown == expected
    commands = commands_of((root / "docs/witness.md").read_text())
    assert len(commands) == 7
    assert set(commands) <= played_in(DIALOGUE)


def findings(run: Run) -> list[tuple[str, str]]:
    checks = json.loads(run("doctor", "--settings", "register", "--json").out)["checks"]
    return [(one["health"], one["found"]) for one in checks if one["what"] == "witnesses"]


def test_doctor_says_what_waits_who_answers_and_what_is_disputed(run: Run, home: Home, place: Path) -> None:
    home.fill()  # of March: long past the directory's limit
    found = findings(run)
    assert [health for health, _ in found] == ["warn", "ok"]
    assert "3 entries wait for 1 of 1" in found[0][1]
    assert "longer than the directory allows" in found[0][1]
    home.witness()
    assert findings(run)[0] == ("ok", "all 3 entries were seen by 1 of 1")
    assert re.fullmatch(r"w-1 cosigned 3 entries, .* UTC, and holds 3", findings(run)[1][1])
    number = home.kept.raise_alarm(own_log(home.settings), DISPUTED, "w-1", {"holds": 2}, datetime.now(UTC))
    assert findings(run)[0][0] == "fail"
    assert f"entry {number}" in findings(run)[0][1]
    (place / "w1" / "logs").write_text("")
    assert findings(run)[-1][0] == "warn"
    assert "does not know this record" in findings(run)[-1][1]
    assert "fail" in {health for health, _ in findings(run)}
    (listed,) = json.loads(run("log", "alarms", "--settings", "register", "--json").out)
    assert (listed["record"], listed["alarm"], listed["about"], listed["closed"]) == (number, DISPUTED, "w-1", None)
    closing = ("log", "close-alarm", str(number), "--settings", "register", "--officer", "dilnoza", "--note")
    assert run(*closing, " ").code == 2
    assert run(*closing, "a trial").code == 0
    assert run(*closing, "again").code == 2
    assert "fail" not in {health for health, _ in findings(run)}
    assert json.loads(run("log", "alarms", "--settings", "register", "--json").out) == []
    (closed,) = json.loads(run("log", "alarms", "--all", "--settings", "register", "--json").out)
    assert (closed["closed"]["officer"], closed["closed"]["note"]) == ("dilnoza", "a trial")


def test_what_is_saved_is_cosigned(run: Run, home: Home, place: Path) -> None:
    refused = run("log", "witnesses", "--save", "note", "--settings", "register")
    assert (refused.code, refused.err.strip()) == (2, "adapter: no checkpoint has enough cosignatures yet")
    home.fill()
    home.witness()
    said = json.loads(run("log", "witnesses", "--save", "note", "--settings", "register", "--json").out)
    assert (said["entries"], said["witnessed"], said["witnesses"]["w-1"]["size"]) == (3, 3, 3)
    _, found = open_cosignatures((place / "note").read_bytes(), [CosignatureVerifier.parse(home.vkey)])
    assert [one.witness for one in found] == ["w1.example.uz"]
    home.fill()
    assert run("log", "export", "--tiles", "tiles", "--witnessed", "--settings", "register").code == 0
    assert (place / "tiles" / "checkpoint").read_bytes() == (place / "note").read_bytes()


def test_verify_names_a_cosignature_that_does_not_fit(run: Run, home: Home) -> None:
    home.fill()
    home.witness()
    shown = run("log", "verify", "--settings", "register", "--json")
    assert json.loads(shown.out)["witnesses"]["w-1"]["size"] == 3
    with open_database(home.settings.database_url).writing() as connection:
        connection.exec_driver_sql("UPDATE cosignatures SET size = 2")
    shown = run("log", "verify", "--settings", "register")
    assert shown.code == 6
    assert "a witness cosigned a checkpoint of 2 entries" in shown.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("at_s = at_s + 1", "the cosignature over 3 entries is kept under another time than it says"),
        ("at_s = 1 << 61", "the cosignature over 3 entries is kept under a time that cannot be"),
        ("at_s = 'late'", "the cosignature over 3 entries is kept under a time that cannot be"),
        ("line = CAST(x'ff' || line AS TEXT)", "the cosignature over 3 entries is not text"),
        ("size = -size", "a witness cosigned a checkpoint of -3 entries, and the record has none"),
    ],
)
def test_verify_names_a_cosignature_that_is_not_as_it_was_kept(run: Run, home: Home, change: str, said: str) -> None:
    home.fill()
    home.witness()
    with open_database(home.settings.database_url).writing() as connection:
        connection.exec_driver_sql(f"UPDATE cosignatures SET {change}")
    done = run("log", "verify", "--settings", "register")
    assert (done.code, said in " ".join(done.err.split())) == (6, True), done.err


def test_a_witness_has_one_key_and_knows_only_keys(run: Run, place: Path) -> None:
    assert run("witness", "init", "w", "--name", "w.example").code == 0
    assert run("witness", "init", "w", "--name", "w.example").code != 0, "a key is never overwritten"
    assert run("witness", "init", "x", "--name", "with space").code == 2
    assert "which records?" in run("witness", "know", "w").err
    assert "needs --anchor" in run("witness", "know", "w", "--directory", "fed").err
    vkey = (place / "w" / "witness.vkey").read_text()
    assert run("witness", "know", "w", vkey.strip()).code != 0, "a witness's key is no record's"
    (place / "w" / "witness.vkey").write_text(vkey.replace("w.example", "v.example"))
    assert "do not belong together" in run("witness", "show", "w").err
