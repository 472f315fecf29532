"""Evidence on the command line, of a real exchange in a real record; docs/evidence.md shows what it really prints."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.exports import evidence_exported
from adapter.cli.output import when
from adapter.cli.own_record import own_log
from adapter.crypto.cosignature import Cosignature, Cosigner
from adapter.directory.content import Witness
from adapter.directory.draft import DirectoryDraft
from adapter.evidence.asic import open_asic
from adapter.evidence.container import read_container, render_container
from adapter.identifiers import MessageId
from adapter.settings import load_settings
from adapter.store.appending import append_entries
from adapter.store.archive import Archive
from adapter.store.batch import BatchWriter
from adapter.store.cosignatures import Cosignatures
from adapter.store.directory_copy import DirectoryCopy
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from adapter.store.record import prepare_write
from tests.outside_world import OutsideWorld, now, outside_world
from tests.pki import Federation
from tests.real_pki.serving import Fault
from tests.two_sides import fault_code, two_sides
from tests.unit.cli.dialogue import MASKS, Run

pytestmark = pytest.mark.sockets


@dataclass
class Home:
    """The register's adapter after one exchange; its directory names whom to ask about a signature."""

    place: Path
    world: OutsideWorld
    federation: Federation
    message_id: str
    directories: int = 0

    def keep_directory(self, draft: DirectoryDraft) -> None:
        """What the adapter's copy is from now on."""
        published = self.federation.repository.publish(self.federation.signed(draft))
        found = published.look(self.federation.anchor, now=self.federation.now)
        assert found is not None
        settings = load_settings(self.place / "register" / "adapter.toml")
        copy = DirectoryCopy(settings.adapter.data_dir / "directory", open_database(settings.database_url))
        assert copy.keep(found, since=self.directories)
        self.directories += 1


@pytest.fixture
def home(place: Path, todays_federation: Federation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with outside_world(todays_federation, tmp_path_factory.mktemp("world")) as world:
        toml = place / "register" / "adapter.toml"
        text = toml.read_text().replace("[directory]", '[directory]\nloopback_peers = "always"\nstatus_timeout_s = 60')
        # openssl takes its time on a busy machine
        toml.write_text(text.replace("[time_stamps]", "[time_stamps]\ntimeout_s = 60"))
        made = Home(place, world, todays_federation, asyncio.run(exchanged(place, todays_federation)))
        yield made


@pytest.fixture
def known(home: Home) -> Home:
    """The adapter's directory, by which the exchange was judged, names all of the world."""
    home.keep_directory(home.world.draft(home.federation))
    return home


async def exchanged(place: Path, federation: Federation) -> str:
    """One exchange between two adapters in memory, whose provider's record is then written to the register's."""
    sides = two_sides(federation)
    sides.clock.now = now().replace(microsecond=0)
    assert fault_code(await sides.call()) == "answered"
    settings = load_settings(place / "register" / "adapter.toml")
    writer = BatchWriter(
        open_database(settings.database_url), own_log(settings), Archive(bytes(range(32))), owner="run/1"
    )
    writer.open()
    for write in sides.provider_record.log:
        writer.commit([prepare_write(write)])
    writer.close()
    return next(write.entry.message_id for write in sides.provider_record.log if write.entry.message_id)


def export(run: Run, home: Home, *more: str) -> dict[str, object]:
    done = run("evidence", "export", home.message_id, "-o", "exchange.asice", "--settings", "register", "--json", *more)
    assert done.code == 0, done.err
    said: dict[str, object] = json.loads(done.out)
    return said


def test_the_page_shows_what_is_shown(run: Run, known: Home, root: Path) -> None:
    home = known
    page = (root / "docs" / "evidence.md").read_text()
    shown = re.findall(r"^\$ adapter (evidence [^\n]*)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [command.split()[1] for command, _ in shown] == ["export", "show", "verify"]
    for command, text in shown:
        typed = command.replace("MESSAGE-ID", home.message_id).replace("anchor.json", "fed/anchor.json")
        done = run(*typed.split(), *(("--settings", "register") if "export" in typed else ()))
        assert done.code == 0, done.err
        assert masked(done.out + done.err) == masked(text.replace("MESSAGE-ID", home.message_id)), command


def masked(text: str) -> list[str]:
    text = "\n".join(line.rstrip() for line in text.splitlines())
    for pattern, mask in (*MASKS, (re.compile(r"(?<= )[0-9]+(?=  )"), "<number>")):
        text = pattern.sub(mask, text)
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_what_cannot_be_had_lowers_the_level_and_is_said(run: Run, known: Home) -> None:
    home = known
    assert export(run, home) | {"bytes": 0, "sha256": ""} == {
        "file": "exchange.asice",
        "bytes": 0,
        "sha256": "",
        "record": 2,
        "message_id": home.message_id,
        "level": "XAdES-BASELINE-LT",
        "because": None,
    }
    judged = json.loads(run("evidence", "verify", "exchange.asice", "--anchor", "fed/anchor.json", "--json").out)
    (stamp,) = [one for one in judged["statements"] if one["by"] == "the time-stamp authority clock"]
    by = {"at": stamp["at"], "size": 2, "by": "clock put a time-stamp on the exporter's signature"}
    for entry in judged["dated"]:
        assert entry | {"record": 0, "says": ""} == {
            "record": 0,
            "says": "",
            "not_before": None,
            "before": by,
            "contradicted": False,
        }
    home.world.stamps.play(Fault.DOWN)
    done = run("evidence", "export", home.message_id, "-o", "exchange.asice", "--settings", "register", "--yes")
    assert done.code == 0
    assert "Signed at level XAdES-BASELINE-B: that it was signed then is the exporter's own word" in done.out
    assert "Not XAdES-BASELINE-LT: clock did not stamp: " in done.err
    judged = json.loads(run("evidence", "verify", "exchange.asice", "--anchor", "fed/anchor.json", "--json").out)
    assert (judged["holds"], judged["level"]) == (True, "XAdES-BASELINE-B")
    assert [(one["record"], one["before"]) for one in judged["dated"]] == [(0, None), (1, None)]


def test_each_export_is_an_entry_of_the_record_found_by_the_exchange(run: Run, known: Home) -> None:
    """Before the file is there: what cannot be written is entered all the same, never the other way round."""
    said = export(run, known, "--officer", "r.officer")
    octets = (known.place / "exchange.asice").read_bytes()
    listed = json.loads(run("log", "list", "--message-id", known.message_id, "--settings", "register", "--json").out)
    assert [one["entry"]["kind"] for one in listed] == ["admin", "reply-sent", "request-received"]
    newest = listed[0]["entry"]
    assert (newest["outcome"], newest["officer"], listed[0]["record"]) == (
        "evidence-exported",
        "r.officer",
        said["record"],
    )
    assert newest["details"] == {
        "sha256": hashlib.sha256(octets).hexdigest(),
        "octets": len(octets),
        "level": said["level"],
    }
    assert run("log", "verify", "--settings", "register").code == 0
    nowhere = ("-o", "register/adapter.toml/exchange.asice", "--settings", "register")
    refused = run("evidence", "export", known.message_id, *nowhere)
    again = export(run, known, "--yes")
    assert (refused.code != 0, again["record"]) == (True, int(str(said["record"])) + 2)
    contained = read_container((known.place / "exchange.asice").read_bytes())
    assert sorted(path for path in contained if "/entry-" in path) == ["record/entry-0.json", "record/entry-1.json"]


def test_an_exchange_is_still_found_after_any_number_of_exports(run: Run, known: Home) -> None:
    settings = load_settings(known.place / "register" / "adapter.toml")
    act = evidence_exported(
        MessageId(known.message_id), sha256="0" * 64, octets=1, level="T", officer="r.officer", at=now()
    )
    append_entries(open_database(settings.database_url), own_log(settings), [act] * 1_001)
    export(run, known)
    traced = json.loads(run("trace", known.message_id, "--settings", "register", "--json").out)
    named = [stage["stage"] for stage in traced]
    assert {"record 0: request-received", "record 1: reply-sent"} <= set(named)


def test_a_later_directory_goes_beside_one_that_does_not_say_whom_to_ask(run: Run, home: Home) -> None:
    """The exchange was judged by version 1, which the adapter has kept; version 2 is in force."""
    draft = home.world.draft(home.federation)
    home.keep_directory(replace(draft, time_stamp_authorities={}))
    home.keep_directory(replace(draft, version=2))
    assert export(run, home)["level"] == "XAdES-BASELINE-LT"
    files = open_asic((home.place / "exchange.asice").read_bytes()).files
    assert files["exporter/directory.xml"] != files["directory/directory.xml"]
    judged = json.loads(run("evidence", "verify", "exchange.asice", "--anchor", "fed/anchor.json", "--json").out)
    assert judged["directory_version"] == 1


def test_who_cosigned_a_checkpoint_goes_along(run: Run, home: Home) -> None:
    """Lines of witnesses that the directory does not name are left out."""
    settings = load_settings(home.place / "register" / "adapter.toml")
    database = open_database(settings.database_url)
    checkpoint = LogReader(database).latest_checkpoint()
    assert checkpoint is not None
    text, at = checkpoint.note.partition("\n\n")[0] + "\n", now().replace(microsecond=0)
    for name in ("seen", "stranger"):
        witness = Cosigner(f"witness.example/{name}", Ed25519PrivateKey.generate())
        line = witness.cosign(text, at)
        Cosignatures(database).add(
            checkpoint.size, witness.vkey, Cosignature(witness=f"witness.example/{name}", at=at, line=line)
        )
        named = {name: Witness(name=name, vkey=witness.vkey, address="http://127.0.0.1:1/")}
        if name == "seen":
            home.keep_directory(replace(home.world.draft(home.federation), witnesses=named))
    export(run, home)
    shown = run("evidence", "verify", "exchange.asice", "--anchor", "fed/anchor.json").out
    assert (
        f"the witness “witness.example/seen”, on {when(at)}: cosigned a checkpoint of that record of 2 entries" in shown
    )
    assert "stranger" not in shown
    assert f"entry 1: {when(at)}: the witness witness.example/seen cosigned 2 entries" in shown


def test_show_judges_nobody_and_refuses_what_is_not_as_it_was_signed(run: Run, known: Home) -> None:
    home = known
    export(run, home)
    said = json.loads(run("evidence", "show", "exchange.asice", "--json").out)
    assert (said["exporter"], said["level"]) == ("UZ/GOV/200000001", "XAdES-BASELINE-LT")
    assert {one["path"]: one["media_type"] for one in said["files"]}["messages/request.xml"] == "text/xml"
    files = read_container((home.place / "exchange.asice").read_bytes())
    files["messages/reply.xml"] += b" "
    (home.place / "exchange.asice").write_bytes(render_container(files))
    shown = run("evidence", "show", "exchange.asice")
    assert (shown.code, "messages/reply.xml: not as it was signed" in shown.err) == (7, True)


def test_a_key_that_nobody_registered_signs_nothing(run: Run, home: Home) -> None:
    draft = home.world.draft(home.federation)
    member = draft.members[home.federation.population.id]
    others = {**draft.members, member.id: replace(member, signing=())}
    home.keep_directory(replace(draft, members=others))
    done = run("evidence", "export", home.message_id, "-o", "exchange.asice", "--settings", "register")
    assert done.code != 0
    assert "no signing key of this adapter is registered" in done.err
    assert not (home.place / "exchange.asice").exists()
