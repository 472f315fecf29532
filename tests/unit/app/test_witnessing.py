"""The task that has checkpoints cosigned, with witnesses that play every fault, and the forks that they see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from adapter.app.own_witness import WitnessDesk
from adapter.app.witnessing import WitnessingRule, WitnessKeeper
from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.cosigned import verify_cosignatures
from adapter.audit.witnessing import Refused, Submission, Submitted, WitnessVerdict, write_submission
from adapter.crypto.cosignature import CosignatureVerifier, Cosigner, open_cosignatures
from adapter.crypto.note import NoteVerifier
from adapter.directory.content import Witness, WitnessRule
from adapter.directory.model import Directory
from adapter.errors import PeerUnreachable, RecordBroken, StoreUnusable
from adapter.store.alarms import AHEAD, DISPUTED, Alarms
from adapter.store.cosignatures import Cosignatures
from adapter.store.log_reader import LogFilter
from adapter.store.witness_states import WitnessStates
from adapter.transport.destinations import PeerDestinations
from adapter.transport.witness_client import WitnessClient
from adapter.transport.witness_listener import witness_application
from tests.pki import NOW, Federation
from tests.records import ORIGIN, RecordHome

Way = Callable[[Submission, Submitted], Submitted]


@dataclass
class OneWitness:
    """A witness in this process. `way` is what stands between it and the adapter."""

    cosigner: Cosigner
    desk: WitnessDesk
    states: WitnessStates
    way: Way = lambda _, answer: answer
    sent: list[Submission] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path, name: str, verifier: NoteVerifier, *, off: timedelta = timedelta()) -> OneWitness:
        folder.mkdir()
        cosigner, states = Cosigner(f"{name}.example", Ed25519PrivateKey.generate()), WitnessStates(folder)
        desk = WitnessDesk(
            logs=lambda: {verifier.name: [verifier]}, states=states, cosigner=cosigner, clock=lambda: NOW + off
        )
        return cls(cosigner=cosigner, desk=desk, states=states)

    async def submit(self, submission: Submission) -> Submitted:
        self.sent.append(submission)
        decided = await self.desk(write_submission(submission))
        if isinstance(decided, Refused):
            size = decided.held_size if decided.verdict is WitnessVerdict.CONFLICT else 0
            answer = Submitted(status=decided.verdict.value, octets=f"{size}\n".encode())
        else:
            answer = Submitted(status=200, octets=decided.encode())
        return self.way(submission, answer)


@dataclass
class Site:
    """A record, its witnesses, and a directory that names them."""

    home: RecordHome
    witnesses: dict[str, OneWitness]
    directory: Directory
    folder: Path

    @property
    def kept(self) -> Cosignatures:
        return Cosignatures(self.home.database)

    @property
    def vkeys(self) -> list[str]:
        return [one.cosigner.vkey for one in self.witnesses.values()]

    def keeper(self, lock: str = "lock") -> WitnessKeeper:
        async def submit(address: str, submission: Submission) -> Submitted:
            return await self.witnesses[address.removeprefix("https://")].submit(submission)

        return WitnessKeeper(
            reader=self.home.reader,
            kept=self.kept,
            submit=submit,
            directory=lambda: self.directory,
            clock=lambda: NOW,
            own=self.home.log,
            rule=WitnessingRule(every_s=60, skew=timedelta(seconds=60)),
            lock=self.folder / lock,
        )

    def alarms(self) -> list[tuple[str, str]]:
        return sorted((one.kind, one.about) for one in self.kept.open_alarms())


@pytest.fixture
def site(tmp_path: Path, federation: Federation) -> Site:
    home = RecordHome.make(tmp_path)
    home.fill(1, 3)
    witnesses = {name: OneWitness.make(tmp_path / name, name, home.verifiers[0]) for name in ("one", "two")}
    directory = replace(
        federation.directory(),
        witnesses={
            name: Witness(name=name, vkey=one.cosigner.vkey, address=f"https://{name}")
            for name, one in witnesses.items()
        },
        witness_rule=WitnessRule(threshold=2),
    )
    return Site(home=home, witnesses=witnesses, directory=directory, folder=tmp_path)


async def test_each_witness_cosigns_the_newest_checkpoint_once(site: Site) -> None:
    keeper = site.keeper()
    await keeper.look()
    await keeper.look()
    assert [len(one.sent) for one in site.witnesses.values()] == [1, 1], "nothing new, nobody is asked"
    site.home.fill(2, 2)
    await keeper.look()
    assert [[one.old_size for one in each.sent] for each in site.witnesses.values()] == [[0, 3], [0, 3]]
    assert site.kept.state(site.vkeys, 2).witnessed == 7
    assert keeper.state == site.kept.state(site.vkeys, 2)
    assert (keeper.failures, keeper.alarms) == ({}, 0)
    cosigned = site.kept.cosigned(7)
    assert cosigned is not None
    verifiers = [CosignatureVerifier.parse(vkey) for vkey in site.vkeys]
    text, found = open_cosignatures(cosigned.note.encode(), verifiers)
    assert {one.witness for one in found} == {"one.example", "two.example"}
    assert {one.at for one in found} == {NOW}
    assert open_checkpoint(cosigned.note, site.home.verifiers, origin=ORIGIN).text == text


async def test_the_oldest_checkpoint_with_enough_cosignatures_covers_an_entry(site: Site) -> None:
    keeper = site.keeper()
    await keeper.look()
    site.witnesses["two"].way = unreachable
    site.home.fill(1, 2)
    await keeper.look()
    site.witnesses["two"].way = lambda _, answer: answer
    site.home.fill(1, 2)
    await keeper.look()
    kept = site.kept
    covering = [kept.covering(number, site.vkeys, 2) for number in (0, 2, 3, 6, 7)]
    assert [None if one is None else one.size for one in covering] == [3, 3, 7, 7, None]
    alone = kept.covering(3, site.vkeys, 1)
    assert alone is not None
    assert alone.size == 5
    assert kept.covering(0, [], 1) is None
    assert [one.size for one in kept.all()] == [3, 3, 5, 7, 7]
    seen = verify_cosignatures(kept.all())
    assert [(seen[vkey].count, seen[vkey].size, seen[vkey].at) for vkey in site.vkeys] == [(3, 7, NOW), (2, 7, NOW)]


def unreachable(_submission: Submission, _answer: Submitted) -> Submitted:
    raise PeerUnreachable("nobody is there")


def answered(status: int, octets: bytes) -> Way:
    return lambda _submission, _answer: Submitted(status=status, octets=octets)


FAULTS: dict[str, tuple[Way, str]] = {
    "down": (unreachable, "PeerUnreachable"),
    "unknown record": (answered(404, b""), "PeerAnswerInvalid"),
    "nothing signed": (answered(200, b""), "PeerAnswerInvalid"),
    "by nobody that is known": (
        answered(200, Cosigner("one.example", Ed25519PrivateKey.generate()).cosign("a\n", NOW).encode()),
        "PeerAnswerInvalid",
    ),
    "no lines": (answered(200, b"thank you\n"), "SecurityFailed"),
    "another checkpoint": (
        lambda _, answer: replace(answer, octets=answer.octets + b"\n" + answer.octets),
        "SecurityFailed",
    ),
    "a conflict with itself": (
        lambda sent, _: Submitted(status=409, octets=b"%d\n" % sent.old_size),
        "PeerAnswerInvalid",
    ),
    "another size each time": (
        lambda sent, _: Submitted(status=409, octets=b"%d\n" % (3 - sent.old_size)),
        "PeerAnswerInvalid",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_one_does_the_other_cosigns_and_the_reason_is_said(site: Site, fault: str) -> None:
    way, code = FAULTS[fault]
    site.witnesses["one"].way = way
    keeper = site.keeper()
    with capture_logs() as logged:
        await keeper.look()
    assert [one.vkey for one in site.kept.all()] == [site.vkeys[1]]
    ((witness, said), count) = next(iter(keeper.failures.items()))
    assert (witness, said, count) == ("one", code, 1)
    assert [line["witness"] for line in logged if line["event"] == "not witnessed"] == ["one"]
    assert site.alarms() == []
    assert keeper.state is not None
    assert (keeper.state.size, keeper.state.witnessed, keeper.state.waiting_since) == (3, 0, NOW)


@pytest.mark.parametrize("off_s", [-90, 90])
async def test_a_witness_with_another_clock_is_not_believed(site: Site, off_s: int) -> None:
    off = timedelta(seconds=off_s)
    site.witnesses["one"] = OneWitness.make(site.folder / "off", "one", site.home.verifiers[0], off=off)
    vkey = site.witnesses["one"].cosigner.vkey
    named = {**site.directory.witnesses, "one": replace(site.directory.witnesses["one"], vkey=vkey)}
    site.directory = replace(site.directory, witnesses=named)
    keeper = site.keeper()
    await keeper.look()
    assert keeper.failures == {("one", "SecurityFailed"): 1}
    assert site.kept.newest_of(vkey) is None


async def test_what_a_witness_knows_already_is_gone_on_from(site: Site) -> None:
    """A lost answer, a peer that showed it our checkpoint, a new database of ours with the same entries."""
    one = site.witnesses["one"]
    one.way = unreachable  # it cosigned, and the answer was lost
    await site.keeper("a").look()
    held = one.states.held(ORIGIN)
    assert held is not None
    assert held.size == 3
    one.way = lambda _, answer: answer
    site.home.fill(1, 2)
    keeper = site.keeper("b")
    await keeper.look()
    assert [sent.old_size for sent in one.sent] == [0, 0, 3]
    assert keeper.failures == {}
    assert site.kept.state(site.vkeys, 2).witnessed == 5


async def test_a_record_that_was_rewritten_is_an_alarm_in_the_record(site: Site) -> None:
    """Whoever has the database and the record's key writes another history: the witness does not follow."""
    keeper = site.keeper()
    await keeper.look()
    rewritten = RecordHome.make(site.folder / "two")
    rewritten = replace(rewritten, key=site.home.key)
    rewritten.fill(1, 4, prefix="other")
    site.home = rewritten
    keeper = site.keeper("b")
    with capture_logs() as logged:
        await keeper.look()
    assert site.alarms() == [(DISPUTED, "one"), (DISPUTED, "two")]
    assert len([line for line in logged if line["event"] == "alarm about this record"]) == 2
    await keeper.look()
    assert keeper.alarms == 2, "one of a kind is open for a witness"
    entry = rewritten.reader.search(LogFilter(outcome=DISPUTED))[-1]
    assert entry.body["details"]["holds"] == 3
    assert entry.body["details"]["sent"].startswith(f"{ORIGIN}\n4\n")
    (number,) = (one.number for one in site.kept.open_alarms() if one.about == "one")
    Alarms(rewritten.database).close(rewritten.log, number, officer="karimova", note="a trial", now=NOW)
    assert site.alarms() == [(DISPUTED, "two")]


async def test_a_record_that_lost_its_end_is_an_alarm(site: Site) -> None:
    """A backup was restored: the witness has seen more than there is."""
    await site.keeper().look()
    shorter = replace(RecordHome.make(site.folder / "two"), key=site.home.key)
    shorter.fill(1, 2)
    site.home = shorter
    await site.keeper("b").look()
    assert site.alarms() == [(AHEAD, "one"), (AHEAD, "two")]


async def test_another_root_of_the_same_size_is_an_alarm(site: Site) -> None:
    await site.keeper().look()
    other = replace(RecordHome.make(site.folder / "two"), key=site.home.key)
    other.fill(1, 3, prefix="other")
    site.home = other
    await site.keeper("b").look()
    assert site.alarms() == [(DISPUTED, "one"), (DISPUTED, "two")]


async def test_a_checkpoint_that_was_replaced_does_not_fit_its_cosignature(site: Site) -> None:
    await site.keeper().look()
    other = replace(RecordHome.make(site.folder / "two"), key=site.home.key)
    other.fill(1, 3, prefix="other")
    note = other.reader.checkpoint_of(0).note
    assert site.home.change("UPDATE checkpoints SET note = ? WHERE size = 3", note) == 1
    with pytest.raises(RecordBroken, match="the cosignature over 3 entries does not fit"):
        verify_cosignatures(site.kept.all())
    site.home.change("DELETE FROM checkpoints")
    with pytest.raises(RecordBroken, match="and the record has none"):
        verify_cosignatures(site.kept.all())


async def test_one_worker_asks_and_nobody_is_asked_where_none_is_named(site: Site) -> None:
    first, second = site.keeper(), site.keeper()
    await first.look()
    site.home.fill(1, 1)
    await second.look()
    assert [len(one.sent) for one in site.witnesses.values()] == [1, 1]
    assert second.state is not None
    assert second.state.witnessed == 3
    site.directory = replace(site.directory, witnesses={})
    await first.look()
    assert first.state is None


# --- the witness of our own ------------------------------------------------------------------------------------------


async def test_a_witness_signs_nothing_that_it_could_not_keep(site: Site) -> None:
    one = site.witnesses["one"]
    submission = Submission(old_size=0, proof=(), note=site.home.reader.checkpoint_of(2).note)
    folder = site.folder / "one"
    folder.rename(site.folder / "gone")
    with pytest.raises(StoreUnusable):
        await one.desk(write_submission(submission))
    (site.folder / "gone").rename(folder)
    assert one.states.held(ORIGIN) is None
    assert isinstance(await one.desk(write_submission(submission)), str)
    kept = one.states.held(ORIGIN)
    assert kept == site.home.checkpoint()
    next(folder.glob("*.checkpoint")).write_text("spoilt")
    with pytest.raises(StoreUnusable):
        await one.desk(write_submission(submission))


async def test_of_two_at_a_time_one_is_told_what_the_other_changed(site: Site) -> None:
    """The race of tlog-witness: old size compared and new size kept are one step."""
    site.home.fill(1, 2)
    one = site.witnesses["one"]
    notes = [site.home.reader.checkpoint_of(number).note for number in (0, 4)]
    sent = [write_submission(Submission(old_size=0, proof=(), note=note)) for note in notes]
    decided = await asyncio.gather(*(one.desk(octets) for octets in sent * 5))
    assert sum(isinstance(each, str) for each in decided) == 1
    assert {each.verdict for each in decided if isinstance(each, Refused)} == {WitnessVerdict.CONFLICT}


@pytest.mark.sockets
async def test_over_http_the_statuses_are_those_of_the_specification(site: Site) -> None:
    desk = site.witnesses["one"].desk
    async with TestServer(witness_application(desk)) as server:
        client = WitnessClient(timeout_s=60, destinations=PeerDestinations(loopback="always"))
        address = str(server.make_url("/"))
        note = site.home.reader.checkpoint_of(0).note
        first = await client.submit(address, Submission(old_size=0, proof=(), note=note))
        assert first.status == 200
        again = await client.submit(address, Submission(old_size=0, proof=(), note=note))
        assert (again.status, again.octets) == (409, b"3\n")
        foreign = note.replace(ORIGIN, "other")
        assert (await client.submit(address, Submission(old_size=0, proof=(), note=foreign))).status == 404
        assert (await client.submit(address, Submission(old_size=0, proof=(), note="x"))).status == 400
        wrong = Submission(old_size=3, proof=(bytes(32),), note=note)
        assert (await client.submit(address, wrong)).status == 422
        refused = WitnessClient(timeout_s=60, destinations=PeerDestinations(loopback="never"))
        with pytest.raises(PeerUnreachable):
            await refused.submit(address, wrong)


def test_a_state_is_of_one_log(tmp_path: Path) -> None:
    states = WitnessStates(tmp_path)
    states.keep(Checkpoint(origin="a", size=1, root=bytes(32)))
    next(tmp_path.glob("*.checkpoint")).rename(states._file("b"))
    with pytest.raises(StoreUnusable, match="of another log"):
        states.held("b")


def test_every_bit_of_a_state_counts(tmp_path: Path) -> None:
    """Nobody signed it; a witness that remembered something else would dispute a record that is as it was."""
    states, kept = WitnessStates(tmp_path), Checkpoint(origin="a", size=1234, root=bytes(range(32)))
    states.keep(kept)
    file = states._file("a")
    octets = file.read_bytes()
    for at in range(8 * len(octets)):
        file.write_bytes(octets[: at // 8] + bytes([octets[at // 8] ^ 1 << at % 8]) + octets[at // 8 + 1 :])
        with pytest.raises(StoreUnusable, match=file.name):
            states.held("a")
    file.write_bytes(octets)
    assert states.held("a") == kept


def test_a_state_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    states, kept = WitnessStates(tmp_path), Checkpoint(origin="a", size=7, root=bytes(32))
    states._file("a").write_text(kept.text)
    assert states.held("a") == kept
