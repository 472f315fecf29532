"""Real adapters, real sockets, real processes: what they promise each other while everything goes well, and not."""

from __future__ import annotations

import itertools
import os
import resource
import signal
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapter.audit.subjects import subject_key, subject_tag
from adapter.store.engine import open_database
from adapter.store.log_reader import LogFilter, LogReader
from examples.demo.peer_messages import read_verdict
from examples.federation.federation import Federation
from examples.federation.home import Home
from examples.federation.processes import answers
from tests.adapters.exchanges import kept_reply, send_again, verified_size
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem
from tests.adapters.waiting import wait_until

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(180)]

# A provider that cannot record cannot sign a fault either: what it says is a report, and the call may be retried.
SAYS_NOT_RECORDED = {"provider": "PeerUnreachable", "consumer": "RecordUnavailable"}
IMPATIENT = "\n[record]\nbusy_timeout_s = 0.5\n"
# So that a message is still wanted when it is sent again after a restart.
PATIENT = "\n[timing]\npeer_timeout_s = 200\n"
AT_ONCE = 12


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Three agencies, each in another suite; the second with two workers."""

    federation: Federation
    system: StubSystem

    @property
    def elliptic(self) -> Home:
        return self.federation.homes["p256"]

    @property
    def edwards(self) -> Home:
        return self.federation.homes["ed25519"]

    @property
    def rivest(self) -> Home:
        return self.federation.homes["rsa"]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("two") / "federation"
    with StubSystem() as system:
        members = (
            member_plan(1, "p256", suite="p256", system=system, more_settings=IMPATIENT),
            member_plan(2, "ed25519", suite="ed25519", system=system, workers=2, more_settings=IMPATIENT),
            member_plan(3, "rsa", suite="rsa", system=system, more_settings=IMPATIENT + PATIENT),
        )
        with running(folder, *members) as federation:
            yield Ground(federation=federation, system=system)


# --- while everything goes well --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("consumer", "provider"), list(itertools.permutations(("p256", "ed25519", "rsa"), 2)))
def test_members_of_different_suites_understand_each_other(ground: Ground, consumer: str, provider: str):
    asking, asked = ground.federation.homes[consumer], ground.federation.homes[provider]
    pinfl = fresh_pinfl()
    answer = ask(asking, asked, pinfl)
    assert answer.code == "answered"
    assert answer.payload.findtext(".//{*}Pinfl") == pinfl
    assert ground.system.asked[pinfl] == 1
    message_id = answer.headers["Adapter-Message-Id"]
    own = [asking.record.about(message_id, kind=kind).number for kind in ("request-sent", "reply-received")]
    assert answer.headers["Adapter-Record"] == f"{own[0]} {own[1]}"
    received = asked.record.about(message_id, kind="request-received")
    assert answer.headers["Adapter-Peer-Record"] == str(received.number)
    assert asked.record.about(message_id, kind="reply-sent").number > received.number


def test_a_persons_entries_are_found_and_no_file_has_the_identifier(ground: Ground):
    """Every file of every adapter's data folder, with the write-ahead log and what was logged, in each spelling."""
    asking, asked = ground.elliptic, ground.rivest
    person, other = fresh_pinfl(), fresh_pinfl()
    ids = {ask(asking, asked, pinfl).headers["Adapter-Message-Id"] for pinfl in (person, other, person)}
    assert len(ids) == 3
    pinfls = list(ground.system.asked)
    for home, kind in ((asking, "request-sent"), (asked, "request-received")):
        reader = LogReader(open_database(home.settings.database_url))
        found = reader.search(LogFilter(subject=tag_of(home, person), limit=10_000))
        every = reader.search(LogFilter(limit=10_000))
        assert [one.number for one in found] == [
            one.number for one in every if tag_of(home, person) in one.body.get("subjects", ())
        ]
        assert [one.indexed.kind for one in found] == [kind] * 2
        assert {one.indexed.message_id for one in found} < ids
        assert reader.search(LogFilter(subject=tag_of(home, fresh_pinfl()))) == []
    for home in ground.federation.homes.values():
        files = [file for file in home.folder.rglob("*") if file.is_file()]
        assert {"adapter.sqlite", "adapter.sqlite-wal"} <= {file.name for file in files}
        for file in files:
            octets = file.read_bytes()
            for pinfl in pinfls:
                assert not any(spelling in octets for spelling in spellings(pinfl)), file.name


def tag_of(home: Home, pinfl: str) -> str:
    return subject_tag(subject_key(home.keyring.archive_key), "pinfl", pinfl)


def spellings(pinfl: str) -> list[bytes]:
    """The identifier as text, as UTF-16, in base64 wherever it may begin, as hexadecimal, packed, and as a number."""
    octets, number = pinfl.encode(), int(pinfl)
    # Without the characters that also depend on what stands before and behind.
    in_base64 = [b64encode(b"\0" * at + octets)[start : start + 17] for at, start in enumerate((0, 2, 3))]
    return [
        octets,
        octets[::-1],
        pinfl.encode("utf-16-le"),
        *in_base64,
        octets.hex().encode(),
        bytes.fromhex(pinfl),
        number.to_bytes(6, "big"),
        number.to_bytes(6, "little"),
    ]


def test_several_workers_write_one_record(ground: Ground):
    before = verified_size(ground.edwards)
    pinfls = [fresh_pinfl() for _ in range(40)]
    with ThreadPoolExecutor(16) as pool:
        codes = {answer.code for answer in pool.map(lambda pinfl: ask(ground.rivest, ground.edwards, pinfl), pinfls)}
    assert codes == {"answered"}
    assert [ground.system.asked[pinfl] for pinfl in pinfls] == [1] * len(pinfls)
    assert verified_size(ground.edwards) == before + 2 * len(pinfls)
    with sqlite3.connect(ground.edwards.settings.adapter.data_dir / "adapter.sqlite") as database:
        owners = database.execute("SELECT count(DISTINCT owner) FROM exchanges").fetchone()[0]
    assert owners == 2


def test_a_worker_that_dies_is_replaced(ground: Ground):
    parent = ground.federation.processes["ed25519"].pid
    before = children(parent)
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(set(children(parent)) - set(before)), wanted=1)
    ground.federation.wait_ready(ground.edwards)
    codes = [ask(ground.elliptic, ground.edwards, fresh_pinfl()).code for _ in range(6)]
    assert codes == ["answered"] * 6


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


# --- stopping, starting, and the same message again ------------------------------------------------------------------


@pytest.mark.parametrize("stopped", ["provider", "consumer"])
def test_sigterm_finishes_what_is_in_flight(ground: Ground, stopped: str):
    home = ground.elliptic if stopped == "provider" else ground.rivest
    pinfl = fresh_pinfl()
    ground.system.hold()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, ground.rivest, ground.elliptic, pinfl)
        ground.system.wait_asked()
        running_adapter = ground.federation.processes[home.plan.folder]
        running_adapter.signal(signal.SIGTERM)
        wait_until(lambda: answers(home.ready_url), wanted=False)  # it has understood: it takes no new connections
        ground.system.release()
        assert answer.result(30).code == "answered"
    assert running_adapter.process.wait(30) == 0
    ground.federation.restart(home)
    assert ground.system.asked[pinfl] == 1
    assert ask(ground.rivest, ground.elliptic, fresh_pinfl()).code == "answered"


def test_after_a_restart_the_same_message_gets_the_stored_reply(ground: Ground):
    pinfl = fresh_pinfl()
    answer = ask(ground.rivest, ground.elliptic, pinfl)
    message_id = answer.headers["Adapter-Message-Id"]
    assert ground.federation.processes.stop("p256") == 0
    ground.federation.restart(ground.elliptic)
    again = send_again(ground.rivest, ground.elliptic, message_id)
    assert again.octets == kept_reply(ground.rivest, message_id)
    assert ground.system.asked[pinfl] == 1


def test_one_message_many_times_at_one_instant_runs_once(ground: Ground):
    """A first message, to two workers, over a dozen connections: one runs it, the others are told to ask again."""
    assert ground.federation.processes.stop("ed25519") == 0
    pinfl = fresh_pinfl()
    answer = ask(ground.rivest, ground.edwards, pinfl)
    assert answer.code == "PeerUnreachable"
    message_id = answer.headers["Adapter-Message-Id"]
    ground.federation.restart(ground.edwards)
    before = verified_size(ground.edwards)
    ground.system.hold()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = [pool.submit(send_again, ground.rivest, ground.edwards, message_id) for _ in range(AT_ONCE)]
        ground.system.wait_asked()
        done, waiting = wait(sent, timeout=30, return_when=FIRST_COMPLETED)
        while len(waiting) > 1 and done:
            done, waiting = wait(waiting, timeout=30, return_when=FIRST_COMPLETED)
        ground.system.release()
        replies = [one.result(30) for one in sent]
    keys = ground.rivest.keyring.decryption
    codes = sorted(read_verdict(reply.octets, keys).code for reply in replies)
    assert codes == ["MessageInProgress"] * (AT_ONCE - 1) + ["answered"]
    assert ground.system.asked[pinfl] == 1
    assert verified_size(ground.edwards) == before + AT_ONCE + 1, "each refusal, the request and its reply"
    (reply,) = [one for one in replies if read_verdict(one.octets, keys).code == "answered"]
    assert send_again(ground.rivest, ground.edwards, message_id).octets == reply.octets


# --- a record that cannot be written ---------------------------------------------------------------------------------


@pytest.mark.parametrize("locked", ["provider", "consumer"])
def test_nothing_is_released_while_the_record_is_locked(ground: Ground, locked: str):
    home = ground.elliptic if locked == "provider" else ground.rivest
    pinfl = fresh_pinfl()
    database = sqlite3.connect(home.settings.adapter.data_dir / "adapter.sqlite", isolation_level=None)
    before = {name: member.record.size() for name, member in ground.federation.homes.items()}
    database.execute("BEGIN IMMEDIATE")
    try:
        answer = ask(ground.rivest, ground.elliptic, pinfl)
    finally:
        database.execute("ROLLBACK")
        database.close()
    assert answer.code == SAYS_NOT_RECORDED[locked]
    assert ground.system.asked[pinfl] == 0
    assert home.record.size() == before[home.plan.folder]
    assert ask(ground.rivest, ground.elliptic, pinfl).code == "answered"


@pytest.mark.parametrize("full", ["provider", "consumer"])
def test_nothing_is_released_while_the_disk_is_full(ground: Ground, full: str):
    """A limit on the size of files does to the database what a full disk does."""
    home = ground.elliptic if full == "provider" else ground.rivest
    for _ in range(8):  # so that the write-ahead log is longer than the limit
        ask(ground.rivest, ground.elliptic, fresh_pinfl())
    pinfl = fresh_pinfl()
    pid = ground.federation.processes[home.plan.folder].pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    before = home.record.size()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (48 * 1024, hard))
    try:
        answer = ask(ground.rivest, ground.elliptic, pinfl)
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert answer.code == SAYS_NOT_RECORDED[full]
    assert ground.system.asked[pinfl] == 0
    assert home.record.size() == before
    assert ask(ground.rivest, ground.elliptic, pinfl).code == "answered"
    verified_size(home)
