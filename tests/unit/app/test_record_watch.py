"""Two agencies witness each other: whatever one does to its record after the other kept a checkpoint comes out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.app.record_answers import RecordAnswers
from adapter.app.record_watch import RecordWatch
from adapter.audit.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from adapter.audit.past import read_answer, write_answer, write_question
from adapter.audit.peer_checkpoints import ClaimedPast, Fork, ShownState, shown_checkpoint, verify_fork
from adapter.audit.proofs import verify_inclusion
from adapter.audit.times import Seen, not_before
from adapter.audit.verify import verify_record
from adapter.crypto.note import NoteSigner, NoteVerifier, only_signer
from adapter.errors import PeerMismatch, PeerUnreachable, RecordBroken
from adapter.identifiers import MemberId
from adapter.ports import Entry
from adapter.stages import Peer
from adapter.store.alarms import FORGED, FORKED, SHRUNK, UNPROVEN, Alarms
from adapter.store.appending import Log, append_entries
from adapter.store.engine import Database
from adapter.store.log_reader import LogFilter, LogReader
from adapter.store.migrate import prepare
from adapter.store.peer_checkpoints import MAX_PENDING, KeptCheckpoint, PeerCheckpoints, keep_shown
from tests.pki import NOW, Federation
from tests.records import an_entry

ROUNDS_TO_ALARM = 20


@dataclass
class Watched:
    """Record A (population) and whoever watches it, B (social). `way` is what stands between the two."""

    a: Database
    b: Database
    federation: Federation
    answers: RecordAnswers
    watch: RecordWatch
    kept: PeerCheckpoints
    way: Callable[[bytes], bytes]

    @property
    def id(self) -> MemberId:
        return self.federation.population.id

    @property
    def signer(self) -> NoteSigner:
        return self.federation.population.record_signer

    def append(self, count: int, prefix: str = "a") -> None:
        log = Log(str(self.id), self.signer)
        for number in range(count):
            append_entries(self.a, log, [an_entry(f"urn:uuid:{prefix}-{number}")])

    def show(self, size: int | None = None) -> None:
        """A message from A arrives at B with A's newest checkpoint, or that of a size."""
        reader = LogReader(self.a)
        newest = reader.end_size()
        note = next(one.note for one in reader.checkpoints(newest) if one.size == (size or newest))
        self.keep(note)

    def keep(self, *notes: str) -> None:
        connection = self.b.connect()
        connection.execute("BEGIN")
        for note in notes:
            keep_shown(connection.cursor(), (shown_checkpoint(note.encode(), self.id), NOW))
        connection.execute("COMMIT")
        connection.close()

    def states(self) -> list[tuple[int, ShownState]]:
        return [(one.shown.size, one.state) for one in self.kept.of(self.id, *ShownState, limit=-1)]

    def held(self) -> list[KeptCheckpoint]:
        return self.kept.of(self.id, *ShownState, limit=-1)

    def alarms(self) -> list[str]:
        return [alarm.kind for alarm in self.kept.open_alarms()]


@pytest.fixture
def watched(federation: Federation, tmp_path: Path) -> Watched:
    social, population = federation.social, federation.population
    a, b = (prepare(f"sqlite:///{tmp_path / name}.sqlite") for name in "ab")
    directory = federation.directory()
    answers = RecordAnswers(reader=LogReader(a), kept=PeerCheckpoints(a), directory=lambda: directory)
    kept = PeerCheckpoints(b)

    async def ask(member: MemberId, question: bytes) -> bytes:
        assert member == population.id
        return found.way(await answers(question, Peer(certificate_sha256=social.tls_sha256, address="127.0.0.1")))

    watch = RecordWatch(
        kept=kept,
        ask=ask,
        directory=lambda: directory,
        clock=lambda: NOW,
        own=Log(str(social.id), social.record_signer),
        lock=tmp_path / "lock",
    )
    found = Watched(a=a, b=b, federation=federation, answers=answers, watch=watch, kept=kept, way=lambda octets: octets)
    found.append(5)
    return found


async def test_a_record_that_grows_fits(watched: Watched) -> None:
    watched.show(size=2)
    watched.show(size=4)
    watched.append(6, "b")
    await watched.watch.look()
    assert watched.states() == [(11, ShownState.FITS)]
    watched.append(300, "c")
    watched.show()
    await watched.watch.look()
    assert watched.states() == [(311, ShownState.FITS)]
    assert watched.alarms() == []


# --- what A may try after B has kept a checkpoint --------------------------------------------------------------------


def entries_of(database: Database) -> list[Entry]:
    return [
        replace(an_entry(one.body["message_id"]), body=one.body, at=NOW)
        for one in reversed(LogReader(database).search(LogFilter(limit=1_000)))
    ]


def deleted(entries: list[Entry]) -> list[Entry]:
    return entries[:2] + entries[3:]


def reordered(entries: list[Entry]) -> list[Entry]:
    return [entries[1], entries[0], *entries[2:]]


def backdated(entries: list[Entry]) -> list[Entry]:
    return [*entries[:4], replace(entries[4], at=NOW - timedelta(days=30))]


def inserted(entries: list[Entry]) -> list[Entry]:
    return [*entries[:3], an_entry("urn:uuid:never-happened"), *entries[3:]]


def changed(entries: list[Entry]) -> list[Entry]:
    return [replace(entries[0], body={**entries[0].body, "official": "somebody else"}), *entries[1:]]


def written_anew(watched: Watched, entries: list[Entry], path: Path) -> None:
    """A writes its whole record again, with its own key: by itself such a record verifies."""
    again = prepare(f"sqlite:///{path}")
    log = Log(str(watched.id), watched.signer)
    for entry in entries:
        append_entries(again, log, [entry])
    source = sqlite3.connect(again.path)
    target = sqlite3.connect(watched.a.path)
    source.backup(target)
    source.close()
    target.close()


@pytest.mark.parametrize("change", [deleted, reordered, backdated, inserted, changed])
async def test_a_record_that_is_written_anew_is_found_out_with_a_proof(
    watched: Watched, tmp_path: Path, change: Callable[[list[Entry]], list[Entry]]
) -> None:
    watched.show()
    written_anew(watched, change(entries_of(watched.a)), tmp_path / "again.sqlite")
    watched.append(4, "later")
    own_key = [NoteVerifier.parse(watched.signer.vkey)]
    verify_record(LogReader(watched.a), origin=str(watched.id), verifiers=own_key)  # by itself nothing is wrong with it
    held = [open_checkpoint(one.shown.note, own_key, origin=str(watched.id)) for one in watched.held()]
    with pytest.raises(RecordBroken, match="remembered checkpoint of size 5"):
        verify_record(LogReader(watched.a), origin=str(watched.id), verifiers=own_key, remembered=held)
    await watched.watch.look()
    assert watched.states()[0] == (5, ShownState.FORKED)
    (alarm,) = watched.kept.open_alarms()
    assert (alarm.kind, alarm.about) == (FORKED, str(watched.id))
    claimed = alarm.details["claimed"]
    past = ClaimedPast(
        size=claimed["size"],
        root=bytes.fromhex(claimed["root"]),
        proof=tuple(map(bytes.fromhex, claimed["proof"])),
    )
    fork = Fork(kept=alarm.details["kept"], newer=alarm.details["newer"], past=past)
    verify_fork(fork, [NoteVerifier.parse(watched.signer.vkey)], origin=str(watched.id))
    await watched.watch.look()
    assert len(watched.kept.open_alarms()) == 1


async def test_an_entry_that_is_added_late_with_an_old_time_forks_nothing_and_is_dated_by_others(
    watched: Watched,
) -> None:
    """Its place is at the end, whatever it says: whoever kept a checkpoint from before knows that it was not there."""
    watched.show()
    late = replace(an_entry("urn:uuid:late"), at=NOW - timedelta(days=30))
    append_entries(watched.a, Log(str(watched.id), watched.signer), [late])
    own_key = [NoteVerifier.parse(watched.signer.vkey)]
    verified = verify_record(LogReader(watched.a), origin=str(watched.id), verifiers=own_key)
    assert [(one.number, one.at) for one in verified.earlier_times] == [(5, late.at)]
    # The other side is shown the entry, with the proof of its place.
    proof = LogReader(watched.a).prove_entry(5)
    newest = open_checkpoint(proof.checkpoint, own_key, origin=str(watched.id))
    verify_inclusion(leaf=proof.entry.leaf_hash, index=5, size=newest.size, proof=proof.path, root=newest.root)
    earliest = not_before(5, [Seen(one.shown.size, one.seen, "B") for one in watched.held()])
    assert earliest is not None
    assert earliest.at == NOW > late.at
    await watched.watch.look()
    assert watched.alarms() == []


async def test_the_alarm_is_an_entry_of_a_record_that_verifies(watched: Watched, tmp_path: Path) -> None:
    watched.show()
    written_anew(watched, changed(entries_of(watched.a)), tmp_path / "again.sqlite")
    await watched.watch.look()
    social = watched.federation.social
    verified = verify_record(
        LogReader(watched.b),
        origin=str(social.id),
        verifiers=[NoteVerifier.parse(social.record_signer.vkey)],
    )
    assert verified.entries == 1
    own = Log(str(social.id), social.record_signer)
    assert Alarms(watched.b).close(own, 0, officer="o", note="restored", now=NOW) == 1
    assert watched.alarms() == []


async def test_a_record_that_was_cut_off_is_found_out(watched: Watched, tmp_path: Path) -> None:
    watched.show()
    written_anew(watched, entries_of(watched.a)[:3], tmp_path / "again.sqlite")
    await watched.watch.look()
    assert watched.alarms() == [SHRUNK]


async def test_two_checkpoints_of_one_size_are_found_out(watched: Watched) -> None:
    watched.show()
    other = Checkpoint(origin=str(watched.id), size=5, root=b"o" * 32)
    watched.keep(sign_checkpoint(other, watched.signer))
    await watched.watch.look()
    assert watched.alarms() == [FORKED]


async def test_a_checkpoint_that_the_records_key_did_not_sign_is_no_fork_but_an_alarm(watched: Watched) -> None:
    forger = NoteSigner(str(watched.id), watched.federation.social.record_key)
    watched.keep(sign_checkpoint(Checkpoint(origin=str(watched.id), size=3, root=b"o" * 32), forger))
    await watched.watch.look()
    assert watched.alarms() == [FORGED]


def without_proofs(octets: bytes) -> bytes:
    return write_answer(replace(read_answer(octets), past=()))


def with_another_root(octets: bytes) -> bytes:
    answer = read_answer(octets)
    return write_answer(replace(answer, past=tuple(replace(one, root=b"x" * 32) for one in answer.past)))


def of_another_key(octets: bytes) -> bytes:
    """All of it right, but for the signature of the newest checkpoint."""
    answer = read_answer(octets)
    text, name = only_signer(answer.newest.encode())
    forger = NoteSigner(name, Ed25519PrivateKey.generate())
    return write_answer(replace(answer, newest=sign_checkpoint(Checkpoint.parse(text), forger)))


def unreachable(_: bytes) -> bytes:
    raise PeerUnreachable("nobody there")


@pytest.mark.parametrize("way", [without_proofs, with_another_root, of_another_key, unreachable])
async def test_an_answer_that_proves_nothing_is_an_alarm_after_a_while(
    watched: Watched, way: Callable[[bytes], bytes]
) -> None:
    watched.show(size=3)
    watched.way = way
    for _ in range(ROUNDS_TO_ALARM - 1):
        await watched.watch.look()
    assert watched.alarms() == []
    await watched.watch.look()
    assert watched.alarms() == [UNPROVEN]
    assert watched.states() == [(3, ShownState.PENDING)]


async def test_of_what_nobody_can_judge_only_so_much_is_kept(watched: Watched) -> None:
    watched.keep(
        *(
            sign_checkpoint(Checkpoint(origin=str(watched.id), size=size, root=b"o" * 32), watched.signer)
            for size in range(1, MAX_PENDING + 102)
        )
    )
    assert watched.kept.thin(watched.id) == (MAX_PENDING + 100) // 2
    left = [size for size, _ in watched.states()]
    assert (left[0], left[-1]) == (1, MAX_PENDING + 101)
    assert watched.kept.thin(watched.id) == 0


# --- the question ----------------------------------------------------------------------------------------------------


async def test_only_a_members_adapter_is_answered(watched: Watched) -> None:
    with pytest.raises(PeerMismatch):
        await watched.answers(write_question([1]), Peer(certificate_sha256=b"x" * 32, address="127.0.0.1"))


async def test_a_peer_is_shown_what_is_held_of_its_own_record(watched: Watched) -> None:
    social = watched.federation.social
    note = sign_checkpoint(Checkpoint(origin=str(social.id), size=9, root=b"s" * 32), social.record_signer)
    connection = watched.a.connect()
    keep_shown(connection.cursor(), (shown_checkpoint(note.encode(), social.id), NOW))
    connection.close()
    peer = Peer(certificate_sha256=social.tls_sha256, address="127.0.0.1")
    answer = read_answer(await watched.answers(write_question([1, 5, 6]), peer))
    assert answer.held == (note,)
    assert [one.size for one in answer.past] == [1, 5]


def test_a_fork_that_is_none_is_refused(watched: Watched) -> None:
    notes = [one.note for one in LogReader(watched.a).checkpoints(5)]
    with pytest.raises(RecordBroken):
        verify_fork(
            Fork(kept=notes[0], newer=notes[1], past=None),
            [NoteVerifier.parse(watched.signer.vkey)],
            origin=str(watched.id),
        )
