"""Promises 3 and 10 over real processes: a provider that is killed at any instant loses nothing and repeats nothing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from examples.demo.peer_messages import read_verdict
from examples.federation.federation import Federation
from examples.federation.home import Home
from tests.adapters.exchanges import kept_reply, send_again, verified_size
from tests.adapters.small_federation import ask, fresh_pinfl, member_plan, running
from tests.adapters.stub_system import StubSystem

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(300)]

KILLS = 10
CLIENTS = 3
SEED = 20260302
SAMPLE = 20
# So that its messages are still wanted when they are sent again at the end.
PATIENT = "\n[timing]\npeer_timeout_s = 280\n"


@dataclass(kw_only=True)
class Load:
    """Systems of the consumer that ask one question after the other, each about somebody else, until told to stop."""

    consumer: Home
    provider: Home
    answered: dict[str, str] = field(default_factory=dict)
    """PINFL to message id, for every call that was acknowledged with an answer."""
    refused: dict[str, str] = field(default_factory=dict)
    """PINFL to the code of the fault."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a call hangs"

    def _ask(self) -> None:
        while not self._stopping.is_set():
            pinfl = fresh_pinfl()
            answer = ask(self.consumer, self.provider, pinfl)
            if answer.code == "answered":
                self.answered[pinfl] = answer.headers["Adapter-Message-Id"]
            else:
                self.refused[pinfl] = answer.code
                time.sleep(0.1)  # the provider is down


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What is left after the last kill and restart."""

    federation: Federation
    system: StubSystem
    load: Load

    @property
    def consumer(self) -> Home:
        return self.load.consumer

    @property
    def provider(self) -> Home:
        return self.load.provider

    @property
    def interrupted(self) -> set[str]:
        """The ids of messages that were handed to the system and not answered."""
        entries = self.provider.record.since(0)
        received = {entry.message_id for entry in entries if entry.kind == "request-received"}
        return {one for one in received if one} - {entry.message_id for entry in entries if entry.kind == "reply-sent"}


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """KILLS times: under load, kill the whole provider (both workers and their parent), and start it again.

    Every other time at a random instant, else at the instant at which the information system has been asked.
    """
    instants = random.Random(SEED)
    folder = tmp_path_factory.mktemp("crashes") / "federation"
    with StubSystem() as system:
        members = (
            member_plan(1, "provider", suite="p256", system=system, workers=2),
            member_plan(3, "consumer", suite="p256", system=system, more_settings=PATIENT),
        )
        with running(folder, *members) as federation:
            load = Load(consumer=federation.homes["consumer"], provider=federation.homes["provider"])
            load.start()
            try:
                for at in range(KILLS):
                    time.sleep(instants.uniform(0.05, 0.5))
                    if at % 2:
                        system.hold()
                        system.wait_asked()
                    federation.processes["provider"].kill()
                    system.release()
                    federation.restart(load.provider)
            finally:
                load.stop()
            yield Aftermath(federation=federation, system=system, load=load)


def test_there_was_something_to_lose(aftermath: Aftermath):
    """The kills hit calls in flight, and calls went through between them; else the tests below say nothing."""
    assert len(aftermath.load.answered) >= 2 * KILLS
    assert len(aftermath.load.refused) >= KILLS
    assert len(aftermath.interrupted) >= KILLS // 2


def test_nothing_acknowledged_is_lost(aftermath: Aftermath):
    """Every call that was answered is in both records, request and reply, and the records are whole."""
    for message_id in aftermath.load.answered.values():
        for home, kinds in (
            (aftermath.consumer, ("request-sent", "reply-received")),
            (aftermath.provider, ("request-received", "reply-sent")),
        ):
            for kind in kinds:
                assert home.record.about(message_id, kind=kind).message_id == message_id
    assert verified_size(aftermath.provider) >= 2 * len(aftermath.load.answered)
    assert verified_size(aftermath.consumer) >= 2 * len(aftermath.load.answered)


def test_nothing_ran_twice_or_unrecorded(aftermath: Aftermath):
    """Promises 1 and 3: at most once, and what the system was asked the record says."""
    assert max(aftermath.system.asked.values()) == 1
    asked = sum(aftermath.system.asked.values())
    released = len([1 for entry in aftermath.provider.record.since(0) if entry.kind == "request-received"])
    assert asked <= released


def test_the_same_messages_again_get_the_stored_reply_or_run_at_last(aftermath: Aftermath):
    """After the crash every message is sent again, as a patient consumer does.

    What was answered gets the very octets of its reply. What was interrupted is not run again: whether it took effect
    is not known. What had never been handed to the system is run now, once.
    """
    keys = aftermath.consumer.keyring.decryption
    for message_id in list(aftermath.load.answered.values())[-SAMPLE:]:
        again = send_again(aftermath.consumer, aftermath.provider, message_id)
        assert again.octets == kept_reply(aftermath.consumer, message_id)
    for message_id in aftermath.interrupted:
        again = send_again(aftermath.consumer, aftermath.provider, message_id)
        assert read_verdict(again.octets, keys).code == "OutcomeUnknown"
    for message_id in sorted(never_received(aftermath))[:SAMPLE]:
        again = send_again(aftermath.consumer, aftermath.provider, message_id)
        assert read_verdict(again.octets, keys).code == "answered"
    assert max(aftermath.system.asked.values()) == 1


def never_received(aftermath: Aftermath) -> set[str]:
    """The ids of messages that the consumer sent and the provider never recorded."""
    known = {entry.message_id for entry in aftermath.provider.record.since(0)}
    sent = {entry.message_id for entry in aftermath.consumer.record.since(0) if entry.kind == "request-sent"}
    return {one for one in sent - known if one}
