"""A connection between two real adapters that breaks in the middle of an attachment, and malware in either direction.

A fault at the client, an entry in both records, nothing handed on, and nothing left in either spool.
"""

from __future__ import annotations

import random
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import requests

from examples.federation.federation import build_federation
from examples.federation.free_ports import free_ports
from examples.federation.home import Home
from examples.federation.plan import FederationPlan
from examples.federation.processes import Processes
from tests.adapters.document_service import AskingAndAsked
from tests.adapters.document_system import DocumentSystem, envelope, put, related, related_type
from tests.adapters.test_attachments import code_of, plans
from tests.adapters.test_clamd import EICAR, clamd

__all__ = ["clamd"]

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(300)]

MIB = 1 << 20
OCTETS = random.Random("broken").randbytes(4 * MIB)


class Way:
    """TCP between the two adapters. cut_request_after, cut_reply_after: octets after which it breaks, or None."""

    def __init__(self, port: int, target: int) -> None:
        self.cut_request_after: int | None = None
        self.cut_reply_after: int | None = None
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                called = socket.create_connection(("127.0.0.1", self._target))
                ends = (caller, called)
                cuts = (lambda: self.cut_request_after), (lambda: self.cut_reply_after)
                for one, other, cut in ((*ends, cuts[0]), (*ends[::-1], cuts[1])):
                    threading.Thread(target=_forward, args=(one, other, cut), daemon=True).start()

    def close(self) -> None:
        self._listening.close()


def _forward(one: socket.socket, other: socket.socket, cut_after: Callable[[], int | None]) -> None:
    """Pass octets on; of those that come once there is a bound, so many."""
    passed = 0
    with suppress(OSError):
        while octets := one.recv(65536):
            bound = cut_after()
            passed = 0 if bound is None else passed + len(octets)
            if bound is not None and passed > bound:
                break
            other.sendall(octets)
        for end in (one, other):
            end.shutdown(socket.SHUT_RDWR)
    other.close()


@dataclass(frozen=True, kw_only=True)
class Ground(AskingAndAsked):
    system: DocumentSystem
    way: Way

    def send(self, octets: bytes) -> requests.Response:
        body = related(envelope(put("")), ("one@client", "a/b", octets))
        return requests.post(self.address("swa"), data=body, headers={"Content-Type": related_type()}, timeout=120)

    def spooled(self) -> int:
        """Files of attachments that either adapter has open."""
        found = 0
        for home in (self.asking, self.asked):
            folder = Path(f"/proc/{self.federation.processes[home.plan.folder].pid}/fd")
            for each in folder.iterdir():
                with suppress(OSError):  # it was closed just now
                    found += "/spool/" in str(each.readlink())
        return found

    def is_empty(self) -> bool:
        """Whether nothing is left in the spools, given some seconds."""
        until = time.monotonic() + 20
        while self.spooled() and time.monotonic() < until:
            time.sleep(0.2)
        return not self.spooled()

    def outcome_of(self, home: Home, before: int, kind: str) -> str | None:
        """Of the entry of this kind that was made since then, given some seconds."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            for entry in home.record.since(before):
                if entry.kind == kind:
                    return entry.outcome
            time.sleep(0.2)
        return None


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, clamd: Path) -> Iterator[Ground]:
    if shutil.which("clamd") is None:
        pytest.skip("clamd is not installed")
    folder = tmp_path_factory.mktemp("broken")
    scan = f'\n[scan]\nclamd = "{clamd}"\nwhen_down = "deliver"\n'
    with DocumentSystem() as system, Processes(folder / "logs") as processes:
        members = tuple(replace(plan, more_settings=scan) for plan in plans(folder, system))
        federation = build_federation(FederationPlan(members=members), folder / "federation", processes)
        asked = federation.homes["asked"]
        (port,) = free_ports(1)
        text = asked.settings_file.read_text(encoding="utf-8")
        assert text.count(f"port = {asked.ports.peers}\n") == 1
        asked.settings_file.write_text(text.replace(f"port = {asked.ports.peers}\n", f"port = {port}\n"), "utf-8")
        way = Way(asked.ports.peers, port)
        federation.start()
        yield Ground(federation=federation, system=system, way=way)
        way.close()


@pytest.fixture
def quiet(ground: Ground) -> Iterator[Ground]:
    """Nothing is cut, and the system answers without a file."""
    ground.system.asked.clear()
    ground.system.packaging, ground.system.content = "inline", b""
    yield ground
    ground.way.cut_request_after = ground.way.cut_reply_after = None


def test_unbroken_it_gets_through(quiet: Ground) -> None:
    answer = quiet.send(OCTETS)
    assert answer.status_code == 200, answer.text
    assert quiet.system.asked[-1].size > len(OCTETS)
    assert quiet.is_empty()


def test_a_request_that_breaks_off(quiet: Ground) -> None:
    before = quiet.asking.record.size(), quiet.asked.record.size()
    quiet.way.cut_request_after = MIB
    answer = quiet.send(OCTETS)
    code = code_of(answer)
    assert code in ("PeerUnreachable", "PeerTimeout"), answer.text
    assert quiet.outcome_of(quiet.asking, before[0], "call-refused") == code
    assert quiet.outcome_of(quiet.asked, before[1], "refused") == "RequestIncomplete"
    assert not quiet.system.asked
    assert quiet.is_empty()


def test_a_reply_that_breaks_off(quiet: Ground) -> None:
    before = quiet.asking.record.size(), quiet.asked.record.size()
    quiet.system.packaging, quiet.system.content = "swa", OCTETS
    quiet.way.cut_reply_after = MIB
    answer = quiet.send(b"1")
    code = code_of(answer)
    assert code in ("PeerTimeout", "PeerAnswerInvalid"), answer.text
    assert OCTETS[:1000] not in answer.content
    assert quiet.outcome_of(quiet.asking, before[0], "call-refused") == code
    assert quiet.outcome_of(quiet.asked, before[1], "reply-sent") == "answered"
    assert len(quiet.system.asked) == 1
    assert quiet.is_empty()


def test_malware_in_a_request_does_not_reach_the_system(quiet: Ground) -> None:
    before = quiet.asked.record.size()
    assert code_of(quiet.send(EICAR)) == "AttachmentInfected"
    assert quiet.outcome_of(quiet.asked, before, "refused") == "AttachmentInfected"
    assert not quiet.system.asked


def test_malware_in_an_answer_does_not_reach_the_client(quiet: Ground) -> None:
    before = quiet.asking.record.size()
    quiet.system.packaging, quiet.system.content = "swa", EICAR
    answer = quiet.send(b"1")
    assert code_of(answer) == "AnswerInfected"
    assert EICAR not in answer.content
    assert quiet.outcome_of(quiet.asking, before, "call-refused") == "AnswerInfected"
    assert len(quiet.system.asked) == 1
