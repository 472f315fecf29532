"""A foreign witness (litewitness of filippo.io/torchwood) cosigns our record; Go judges what it and ours signed."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.app.witnessing import WitnessingRule, WitnessKeeper
from adapter.crypto.cosignature import Cosigner
from adapter.directory.content import Witness
from adapter.store.alarms import DISPUTED
from adapter.store.cosignatures import Cosignatures
from adapter.transport.destinations import PeerDestinations
from adapter.transport.witness_client import WitnessClient
from tests.interop.stacks import go_program, no_program
from tests.pki import Federation
from tests.records import ORIGIN, RecordHome

MISSING = no_program("go", "ssh-agent", "ssh-add", "ssh-keygen")
WITHIN_S = 120
pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(600),  # a fresh machine compiles all that litewitness needs
    pytest.mark.skipif(MISSING is not None, reason=str(MISSING)),
]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_program("go_witness", tmp_path_factory.mktemp("judge") / "judge")


@pytest.fixture(scope="module")
def litewitness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("witness") / "litewitness"
    return go_program("go_witness", made, "filippo.io/torchwood/cmd/litewitness")


def judged(judge: Path, note: Path, *vkeys: str) -> subprocess.CompletedProcess[str]:
    command = [str(judge), str(note), *vkeys]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=WITHIN_S)


@dataclass
class Foreign:
    """litewitness as it runs: where, and its verifier key."""

    address: str
    vkey: str


@contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    with log.open("w") as written, subprocess.Popen(command, stdout=written, stderr=written) as process:
        try:
            yield
        finally:
            process.terminate()


def waited_for(what: str, file: Path) -> str:
    """What the log says, once it says it."""
    ends = time.monotonic() + WITHIN_S
    while time.monotonic() < ends:
        found = re.search(what, file.read_text())
        if found is not None:
            return found[found.re.groups]
        time.sleep(0.05)
    raise AssertionError(file.read_text())


@pytest.fixture
def foreign(litewitness: Path, tmp_path: Path, record: RecordHome) -> Iterator[Foreign]:
    """Its key lives in an ssh-agent; the logs that it knows are rows of its database."""
    key, agent, database = tmp_path / "key", tmp_path / "agent", tmp_path / "witness.db"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", str(key)], check=True, capture_output=True, text=True)
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER, tree_hash TEXT)")
        connection.execute("CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL)")
        empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="  # SHA-256 of nothing, the root of an empty log
        connection.execute("INSERT INTO log VALUES (?, 0, ?)", (ORIGIN, empty))
        connection.execute("INSERT INTO key VALUES (?, ?)", (ORIGIN, record.signer.vkey))
    connection.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ExitStack() as stack:
        stack.enter_context(running(["ssh-agent", "-D", "-a", str(agent)], tmp_path / "agent.log"))
        waited_for("(SSH_AUTH_SOCK)", tmp_path / "agent.log")
        environment = {**os.environ, "SSH_AUTH_SOCK": str(agent)}
        subprocess.run(["ssh-add", "-q", str(key)], env=environment, check=True)
        command = [str(litewitness), "-db", str(database), "-name", "foreign.example/w", "-ssh-agent", str(agent)]
        command += ["-key", shown.stdout.split()[1], "-listen", f"127.0.0.1:{port}"]
        stack.enter_context(running(command, tmp_path / "witness.log"))
        vkey = waited_for(r'vkey="?([^\s"]+)', tmp_path / "witness.log")
        waited_for("(msg=listening)", tmp_path / "witness.log")
        yield Foreign(f"http://127.0.0.1:{port}", vkey)


@pytest.fixture
def record(tmp_path: Path) -> RecordHome:
    home = RecordHome.make(tmp_path)
    home.fill(2, 3)
    return home


def keeper(home: RecordHome, foreign: Foreign, lock: Path) -> WitnessKeeper:
    witness = Witness(name="foreign", vkey=foreign.vkey, address=foreign.address)
    directory = replace(Federation.build().directory(), witnesses={"foreign": witness})
    client = WitnessClient(timeout_s=WITHIN_S, destinations=PeerDestinations(loopback="always"))
    return WitnessKeeper(
        reader=home.reader,
        kept=Cosignatures(home.database),
        submit=client.submit,
        directory=lambda: directory,
        clock=lambda: datetime.now(UTC),
        own=home.log,
        rule=WitnessingRule(every_s=60, skew=timedelta(seconds=60)),
        lock=lock,
    )


def test_a_foreign_witness_cosigns_what_grows_and_not_what_was_rewritten(
    foreign: Foreign, judge: Path, record: RecordHome, tmp_path: Path
) -> None:
    rounds = keeper(record, foreign, tmp_path / "lock")
    note, kept = tmp_path / "note", Cosignatures(record.database)
    for size in (6, 11):
        asyncio.run(rounds.look())
        cosigned = kept.cosigned(size)
        assert cosigned is not None, rounds.failures
        note.write_text(cosigned.note)
        done = judged(judge, note, record.signer.vkey, foreign.vkey)
        assert done.returncode == 0, done.stderr
        newest = kept.newest_of(foreign.vkey)
        assert newest is not None
        assert done.stdout == f"foreign.example/w {int(newest.at.timestamp())}\n"
        record.fill(1, 5, prefix="more")
    assert not rounds.failures
    rewritten = replace(RecordHome.make(tmp_path / "lock.folder"), key=record.key)
    rewritten.fill(1, 12, prefix="other")
    asyncio.run(keeper(rewritten, foreign, tmp_path / "lock-2").look())
    alarms = Cosignatures(rewritten.database).open_alarms()
    assert [(one.kind, one.details["holds"]) for one in alarms] == [(DISPUTED, 11)]


def test_go_opens_what_our_witness_cosigned(judge: Path, record: RecordHome, tmp_path: Path) -> None:
    ours = Cosigner("ours.example", Ed25519PrivateKey.generate())
    at, note = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), tmp_path / "note"
    stored = record.reader.checkpoint_of(0)
    note.write_text(stored.note + ours.cosign(record.reader.checkpoint_of(0).note.partition("\n\n")[0] + "\n", at))
    done = judged(judge, note, record.signer.vkey, ours.vkey)
    assert (done.returncode, done.stdout) == (0, f"ours.example {int(at.timestamp())}\n"), done.stderr
    other = Cosigner("ours.example", Ed25519PrivateKey.generate())
    assert judged(judge, note, record.signer.vkey, other.vkey).returncode == 1
    text = note.read_text()
    note.write_text(text.replace("\n3\n", "\n4\n"))
    assert judged(judge, note, record.signer.vkey, ours.vkey).returncode == 1
