"""The task that has the record stamped, against real authorities (`openssl ts`) that play every fault."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from structlog.testing import capture_logs

from adapter.app.time_stamping import StampingRule, StampKeeper
from adapter.audit.stamps import verify_stamps
from adapter.directory.content import TimeStampAuthority as Listed
from adapter.directory.model import Directory
from adapter.errors import RecordBroken
from adapter.store.time_stamps import TimeStamps
from adapter.transport.destinations import PeerDestinations
from adapter.transport.time_stamp_client import TimeStampClient
from tests.pki import Federation
from tests.real_pki.making import RealPki, make_time_stamp_authority
from tests.real_pki.serving import Fault
from tests.real_pki.tsa import TimeStampAuthority
from tests.records import RecordHome

pytestmark = pytest.mark.sockets
LIMIT = timedelta(hours=1)


@dataclass
class Site:
    """A record, two authorities, a directory that names them, and a clock that can be moved."""

    home: RecordHome
    pki: RealPki
    first: TimeStampAuthority
    second: TimeStampAuthority
    directory: Directory
    folder: Path
    off: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    def keeper(self, *, loopback: bool = True, every_s: float = 60, timeout_s: float = 100) -> StampKeeper:
        destinations = PeerDestinations(loopback="always" if loopback else "never")
        return StampKeeper(
            stamps=TimeStamps(self.home.database),
            client=TimeStampClient(timeout_s=timeout_s, destinations=destinations),
            directory=lambda: self.directory,
            clock=self.now,
            rule=StampingRule(every_s=every_s, skew=timedelta(seconds=60)),
            lock=self.folder / "time-stamps.lock",
        )

    def made_by(self) -> list[str]:
        return [one.authority for one in TimeStamps(self.home.database).all()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    pki = RealPki.build(tmp_path)
    root = pki.authorities["root"]
    with (
        make_time_stamp_authority(root, tmp_path / "one", name="one", now=pki.now) as first,
        make_time_stamp_authority(root, tmp_path / "two", name="two", now=pki.now) as second,
    ):
        listed = {
            name: Listed(name=name, address=one.address, certificates=(root.certificate,))
            for name, one in (("first", first), ("second", second))
        }
        directory = replace(Federation.build().directory(), time_stamp_authorities=listed, time_stamp_limit=LIMIT)
        home = RecordHome.make(tmp_path)
        home.fill(2, 2)
        yield Site(home=home, pki=pki, first=first, second=second, directory=directory, folder=tmp_path)


async def test_the_newest_checkpoint_is_stamped_once_for_all_before_it(site: Site) -> None:
    keeper = site.keeper(every_s=0.001)
    await keeper.look()
    await keeper.look()
    assert site.made_by() == ["first"]
    assert site.first.asked == 1, "nothing new, nobody is asked"
    assert keeper.deadline() is None
    site.home.fill(1, 1)
    await keeper.look()
    verified = verify_stamps(
        TimeStamps(site.home.database).all(), lambda _, name: site.directory.time_stamp_authorities[name].certificates
    )
    assert (verified.count, verified.covered, verified.unknown) == (2, 5, 0)


FAULTS = {
    Fault.DOWN: "PeerUnreachable",
    Fault.SLOW: "PeerTimeout",
    Fault.ERROR: "PeerAnswerInvalid",
    Fault.ENDLESS: "PeerAnswerInvalid",
    Fault.TRY_LATER: "SecurityFailed",
    Fault.GARBAGE: "SecurityFailed",
    Fault.EMPTY: "SecurityFailed",
    Fault.WRONG_NONCE: "SecurityFailed",
    Fault.WRONG_KEY: "SecurityFailed",
    Fault.BAD_SIGNATURE: "SecurityFailed",
    Fault.OTHER: "SecurityFailed",
    Fault.CLOCK_AHEAD: "SecurityFailed",
    Fault.CLOCK_BEHIND: "SecurityFailed",
}


async def test_whatever_the_first_does_the_second_is_asked_and_the_reason_is_said(site: Site) -> None:
    site.first.slow_s = 20
    for at, (fault, code) in enumerate(FAULTS.items(), 1):
        site.first.play(fault)
        keeper = site.keeper(timeout_s=3 if fault is Fault.SLOW else 100)
        with capture_logs() as logged:
            await keeper.look()
        assert site.made_by() == ["second"] * at, fault
        assert keeper.failures == {("first", code): 1}, fault
        told = [line for line in logged if line["event"] == "not time-stamped"]
        assert [(line["authority"], line["code"]) for line in told] == [("first", code)]
        assert told[0]["because"]
        site.home.fill(1, 1)
        keeper.release()
        site.first.play(Fault.NONE)


async def test_a_redirect_is_not_followed(site: Site) -> None:
    with _redirecting(site.second.address) as address:
        first = replace(site.directory.time_stamp_authorities["first"], address=address)
        site.directory = replace(site.directory, time_stamp_authorities={"first": first})
        keeper = site.keeper()
        await keeper.look()
    assert keeper.failures == {("first", "PeerAnswerInvalid"): 1}
    assert site.second.asked == 0


async def test_no_address_is_connected_to_that_no_peer_could_have(site: Site) -> None:
    keeper = site.keeper(loopback=False)
    await keeper.look()
    assert site.made_by() == []
    assert site.first.asked == site.second.asked == 0
    assert keeper.failures == {("first", "PeerUnreachable"): 1, ("second", "PeerUnreachable"): 1}


async def test_past_the_limit_it_is_overdue_and_it_recovers_by_itself(site: Site) -> None:
    for authority in (site.first, site.second):
        authority.play(Fault.DOWN)
    keeper = site.keeper()
    await keeper.look()
    deadline = keeper.deadline()
    assert deadline is not None
    assert timedelta() < deadline - site.now() <= LIMIT
    site.off = LIMIT + timedelta(minutes=5)
    with capture_logs() as logged:
        await keeper.look()
    assert [line["event"] for line in logged if line["log_level"] == "error"] == [
        "time-stamp overdue: refusing exchanges with personal data"
    ]
    assert keeper.deadline() == deadline
    site.off = timedelta()
    site.second.play(Fault.NONE)
    again = site.keeper()
    keeper.release()
    await again.look()
    assert site.made_by() == ["second"]
    assert again.deadline() is None


async def test_without_a_limit_nothing_is_ever_overdue(site: Site) -> None:
    site.directory = replace(site.directory, time_stamp_limit=None)
    site.first.play(Fault.DOWN)
    site.second.play(Fault.DOWN)
    keeper = site.keeper()
    await keeper.look()
    assert keeper.deadline() is None


async def test_one_of_several_workers_stamps_and_another_one_when_it_is_gone(site: Site) -> None:
    """flock is of an open file: two keepers in one process stand for two workers."""
    workers = [site.keeper() for _ in range(3)]
    another = site.keeper()
    await asyncio.gather(*(worker.look() for worker in workers))
    await another.look()
    assert site.made_by() == ["first"]
    assert site.first.asked == 1
    site.home.fill(1, 1)
    for worker in workers:
        worker.release()
    await another.look()
    assert site.made_by() == ["first", "first"]


def test_a_worker_that_is_killed_while_it_stamps_loses_nothing(site: Site) -> None:
    site.first.slow_s = 30
    site.first.play(Fault.SLOW)
    child = multiprocessing.get_context("fork").Process(target=_stamp, args=(site,))
    child.start()
    deadline = datetime.now(UTC) + timedelta(seconds=20)
    while not site.first.asked and datetime.now(UTC) < deadline:
        os.sched_yield()
    assert site.first.asked == 1
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    site.first.play(Fault.NONE)
    site.home.fill(1, 1)
    asyncio.run(site.keeper().look())
    assert site.made_by() == ["first"]
    assert site.home.verify().entries == 5


def _stamp(site: Site) -> None:
    keeper = StampKeeper(
        stamps=TimeStamps(site.home.database),
        client=TimeStampClient(timeout_s=60, destinations=PeerDestinations(loopback="always")),
        directory=lambda: site.directory,
        clock=site.now,
        rule=StampingRule(every_s=60, skew=timedelta(seconds=60)),
        lock=site.folder / "time-stamps.lock",
    )
    asyncio.run(keeper.look())


async def test_what_is_stored_is_verified_again(site: Site) -> None:
    await site.keeper().look()
    stamps = TimeStamps(site.home.database)
    root = (site.pki.authorities["root"].certificate,)

    assert verify_stamps(stamps.all(), lambda _version, _name: None).unknown == 1
    for change, words in (
        ("UPDATE time_stamps SET at_ms = at_ms - 1000", "another time"),
        ("UPDATE checkpoints SET note = note || ' ' WHERE size = 4", "about other octets"),
        ("UPDATE time_stamps SET size = 2", "about other octets"),
        ("UPDATE time_stamps SET size = 3", "no checkpoint"),
        ("UPDATE time_stamps SET size = 4, token = zeroblob(100)", "can be read"),
    ):
        site.home.change(change)
        with pytest.raises(RecordBroken, match=words):
            verify_stamps(stamps.all(), lambda _version, _name: root)


@contextmanager
def _redirecting(to: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(307)
            self.send_header("Location", to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
