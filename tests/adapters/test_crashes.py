"""Promises 3, 6 and 10 over real processes: adapters that are killed at any instant lose nothing and repeat nothing.

`make kills` does the same a thousand times, at instants that chance chooses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from examples.demo.peer_messages import read_verdict
from tests.adapters.exchanges import kept_reply, send_again
from tests.adapters.small_federation import member_plan, running
from tests.adapters.stub_system import StubSystem
from tests.kills.campaign import Aftermath
from tests.kills.judgement import broken_records, findings, ids_by_kind, lost_entries, open_alarms, ran_twice
from tests.kills.load import Load
from tests.kills.victims import Kill, Victim

pytestmark = [pytest.mark.sockets, pytest.mark.timeout(300)]

SAMPLE = 20
# So that its messages are still wanted when they are sent again at the end.
PATIENT = "\n[timing]\npeer_timeout_s = 280\n"

KILLS = (
    Kill(member="provider", victim=Victim.WHOLE, after_s=0.3),
    Kill(member="provider", victim=Victim.WHOLE, after_s=0.1, asked=True),
    Kill(member="consumer", victim=Victim.WORKER, after_s=0.2),
    Kill(member="provider", victim=Victim.PARENT, after_s=0.4),
    Kill(member="provider", victim=Victim.WHOLE, after_s=0.2, asked=True),
    Kill(member="consumer", victim=Victim.WHOLE, after_s=0.3, asked=True),
    Kill(member="provider", victim=Victim.WORKER, after_s=0.1, asked=True, which=1),
    Kill(member="consumer", victim=Victim.PARENT, after_s=0.2),
    Kill(member="provider", victim=Victim.WHOLE, after_s=0.1, asked=True),
)
RUNS = ("adapter-started", "adapter-stopped", "adapter-ended-without-stop")
IN_THE_ACT = sum(kill.asked and kill.victim is Victim.WHOLE and kill.member == "provider" for kill in KILLS)


def interrupted(aftermath: Aftermath) -> set[str]:
    """The ids of messages that were handed to the system and not answered."""
    recorded = ids_by_kind(aftermath, aftermath.provider)
    return recorded["request-received"] - recorded["reply-sent"]


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """Under load, kill a whole adapter, its parent, or a worker, and wait until it works again; all of KILLS."""
    folder = tmp_path_factory.mktemp("crashes") / "federation"
    with StubSystem() as system:
        members = (
            member_plan(1, "provider", suite="p256", system=system, workers=2),
            member_plan(3, "consumer", suite="p256", system=system, workers=2, more_settings=PATIENT),
        )
        with running(folder, *members) as federation:
            load = Load(consumer=federation.homes["consumer"], provider=federation.homes["provider"])
            after = Aftermath.before(federation, system, load)
            for _ in after.run(KILLS):
                pass
            yield after


def test_there_was_something_to_lose(aftermath: Aftermath):
    """The kills hit calls in flight, and calls went through between them; else the tests below say nothing."""
    assert sum(aftermath.killed.values()) == len(KILLS)
    assert len(aftermath.load.answered) >= 2 * len(KILLS)
    assert len(aftermath.load.refused) >= IN_THE_ACT
    assert len(aftermath.load.unanswered) >= 1
    assert len(interrupted(aftermath)) >= IN_THE_ACT


def test_nothing_acknowledged_is_lost(aftermath: Aftermath):
    """Every call that was answered is in both records, request and reply."""
    assert list(lost_entries(aftermath)) == []


def test_the_records_verify_against_what_was_remembered(aftermath: Aftermath):
    """No kill made a record contradict a checkpoint that somebody kept before it, outside or in the other adapter."""
    assert all(len(notes) >= len(KILLS) for notes in aftermath.remembered.values())
    assert list(broken_records(aftermath)) == []
    assert list(open_alarms(aftermath)) == []


def test_nothing_ran_twice_or_unrecorded(aftermath: Aftermath):
    """Promises 1 and 3: at most once, and what the system was asked the record says."""
    assert list(ran_twice(aftermath)) == []


def test_the_judges_notice_what_they_are_for(aftermath: Aftermath):
    """An answer that nobody recorded, a checkpoint of a record that was another one, a person asked about twice."""
    pinfl = next(iter(aftermath.system.asked))
    (other,) = (one for one in aftermath.members if one is not aftermath.provider)
    foreign = aftermath.remembered[other.plan.folder][-1]
    aftermath.load.answered["nobody"] = "urn:uuid:never-recorded"
    aftermath.remembered["provider"].append(foreign)
    aftermath.system.asked[pinfl] += 1
    try:
        found = "\n".join(findings(aftermath))
    finally:
        del aftermath.load.answered["nobody"]
        aftermath.remembered["provider"].pop()
        aftermath.system.asked[pinfl] -= 1
    assert list(findings(aftermath)) == []
    idle = replace(aftermath, load=replace(aftermath.load, answered={}), killed=Counter())
    assert list(findings(idle)) == ["nothing was killed", "no call was answered: nothing could be lost"]
    assert found.count("urn:uuid:never-recorded") == 4
    assert "provider: a checkpoint" in found
    assert "asked more than once" in found


def test_the_same_messages_again_get_the_stored_reply_or_run_at_last(aftermath: Aftermath):
    """After the crash every message is sent again, as a patient consumer does.

    What was answered gets the very octets of its reply. What was interrupted is not run again: whether it took effect
    is not known. What had never been handed to the system is run now, once.
    """
    keys = aftermath.consumer.keyring.decryption
    for message_id in list(aftermath.load.answered.values())[-SAMPLE:]:
        again = send_again(aftermath.consumer, aftermath.provider, message_id)
        assert again.octets == kept_reply(aftermath.consumer, message_id)
    for message_id in interrupted(aftermath):
        again = send_again(aftermath.consumer, aftermath.provider, message_id)
        assert read_verdict(again.octets, keys).code == "OutcomeUnknown"
    for message_id in sorted(never_received(aftermath))[:SAMPLE]:
        again = send_again(aftermath.consumer, aftermath.provider, message_id)
        assert read_verdict(again.octets, keys).code == "answered"
    assert list(ran_twice(aftermath)) == []


def never_received(aftermath: Aftermath) -> set[str]:
    """The ids of messages that the consumer sent and the provider never recorded."""
    received = set().union(*ids_by_kind(aftermath, aftermath.provider).values())
    return ids_by_kind(aftermath, aftermath.consumer)["request-sent"] - received


def test_every_run_is_in_the_record(aftermath: Aftermath):
    """One start for each run; that the one before was killed is noticed; a worker that was replaced is no new run."""
    for home in aftermath.members:
        folder = home.plan.folder
        killed = sum(kill.member == folder and kill.victim is not Victim.WORKER for kill in KILLS)
        if home is aftermath.consumer:
            assert aftermath.federation.processes.stop(folder) == 0
        entries = [entry.outcome for entry in home.record.since(0) if entry.outcome in RUNS]
        stop = ["adapter-stopped"] if home is aftermath.consumer else []
        assert entries == ["adapter-started", *["adapter-ended-without-stop", "adapter-started"] * killed, *stop]
