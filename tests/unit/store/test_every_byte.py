"""Flip any single byte of what the record stores: verification notices, and names the thing that it is in.

One small record, copied into memory and changed there: every row and column of each table that `adapter log verify`
answers for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.admin import admin_entry
from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.cosigned import verify_cosignatures
from adapter.audit.peer_checkpoints import ShownState, shown_checkpoint
from adapter.audit.stamps import verify_stamps
from adapter.crypto.cosignature import Cosignature
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.crypto.time_stamps import verify_stamp
from adapter.errors import RecordBroken
from adapter.identifiers import MemberId
from adapter.ports import RecordWrite, Shown
from adapter.store.appending import append_entries
from adapter.store.cosignatures import Cosignatures
from adapter.store.kept_checkpoints import check_peer_checkpoints
from adapter.store.kept_messages import check_messages
from adapter.store.peer_checkpoints import KeptCheckpoint, PeerCheckpoints
from adapter.store.time_stamps import TimeStamps
from tests.real_pki.making import RealPki
from tests.records import NOW, RecordHome, a_claim, a_request, an_answer, an_entry
from tests.unit.evidence.outsiders import FIRST, stamp_of
from tests.unit.store.changing import Changing

PEER = MemberId.parse("UZ/GOV/200000002")
PEER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def shown(size: int) -> Shown:
    signer = NoteSigner(str(PEER), PEER_KEY)
    note = sign_checkpoint(Checkpoint(origin=str(PEER), size=size, root=bytes([size]) * 32), signer)
    return shown_checkpoint(note.encode(), PEER)


def with_checkpoint(write: RecordWrite, size: int) -> RecordWrite:
    """A message that came with a checkpoint of its sender's, as `audit.entry` says so."""
    one = shown(size)
    body = {**write.entry.body, "peer_checkpoint": {"size": one.size, "root": one.root.hex()}}
    return replace(write, entry=replace(write.entry, body=body), shown=one)


@pytest.fixture
async def small(tmp_path: Path) -> RecordHome:
    """A request with a checkpoint of its sender, its answer, an act of an officer, and two persons."""
    home = RecordHome.make(tmp_path)
    writer = home.writer()
    await writer.start()
    claim = a_claim()
    await writer.write(with_checkpoint(a_request(claim), 7))
    await writer.write(an_answer(claim))
    await writer.close()
    append_entries(home.database, home.log, [admin_entry("access-granted", officer="o", at=NOW, details={"n": 1})])
    append_entries(home.database, home.log, [an_entry(subjects=("tag-one", "tag-two"))])
    kept = PeerCheckpoints(home.database)
    proven = KeptCheckpoint(shown=shown(5), seen=NOW, state=ShownState.FITS)
    kept.settle(shown(5), [proven], NOW)
    home.change("PRAGMA wal_checkpoint(TRUNCATE)")
    return home


def verify(copy: Changing) -> None:
    copy.home.verify()


def messages(copy: Changing) -> None:
    assert check_messages(copy.database, copy.home.archive_key) == 2


def peers(copy: Changing) -> None:
    key = NoteVerifier.parse(NoteSigner(str(PEER), PEER_KEY).vkey)
    checked = check_peer_checkpoints(copy.database, {PEER: key}.get)
    assert (checked.good, checked.unknown) == (2, 0)


JUDGED: dict[str, tuple[Callable[[Changing], None], str]] = {
    "entries": (verify, r"entry {number}\b|entry -?\d+ is (missing|after)|entry numbered"),
    "subjects": (verify, "the index of subjects was changed"),
    "tree_head": (verify, "tree head"),
    "checkpoints": (verify, r"checkpoint|entry \d+ is after the last checkpoint"),
    "messages": (messages, r"the kept (request|reply) of entry|kept with entry {number}"),
    "message_keys": (messages, r"kept (request|reply) of entry|a key of 2026-03-02 does not open"),
    "peer_checkpoints": (peers, "the kept checkpoint of "),
}
EVERY_BIT = {"peer_checkpoints": ["note"], "tree_head": ["hashes"]}
ONLY_TO_READ = {
    # SQLite itself keeps it at 1.
    ("tree_head", "id", None),
    # Of one that came in an answer to a question of ours: nothing else says when, and nothing is proved by it.
    ("peer_checkpoints", "seen_ms", "fits"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("table", JUDGED)
async def test_every_byte_counts(small: RecordHome, table: str) -> None:
    judge, named = JUDGED[table]
    Changing(small).change_every_byte(
        table,
        judge,
        named,
        every_bit=EVERY_BIT.get(table, ()),
        unread=lambda name, said: (table, name, said.get("state")) in ONLY_TO_READ,
    )


# --- what takes more than four entries, or somebody else's signature -------------------------------------------------


def test_every_byte_of_a_stored_tile_hash_counts(tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    home.fill(2, 260)
    Changing(home).change_every_byte(
        "tile_hashes", verify, r"stored hash \d of level 1|stored hashes, and 2 belong", every_bit=["level", "position"]
    )


def test_every_byte_of_a_cosignature_counts(tmp_path: Path) -> None:
    home = RecordHome.make(tmp_path)
    home.fill(2, 3)
    for size in (3, 6):
        note = home.reader.checkpoint_at(size).note
        line = FIRST.cosign(note.partition("\n\n")[0] + "\n", NOW)
        Cosignatures(home.database).add(size, FIRST.vkey, Cosignature(witness="w", at=NOW, line=line))

    def judge(copy: Changing) -> None:
        (seen,) = verify_cosignatures(Cosignatures(copy.database).all()).values()
        assert (seen.count, seen.size) == (2, 6)

    named = r"the cosignature over -?\d+ entries|a witness cosigned a checkpoint of -?\d+ entries"
    Changing(home).change_every_byte("cosignatures", judge, named, every_bit=["line", "vkey"])


@pytest.mark.timeout(300)
def test_every_byte_of_a_time_stamp_counts(tmp_path: Path) -> None:
    """But for the version of the directory: where to look first for who may stamp, whom a directory has to name.

    The directory names the CA. One that names the unit's own certificate has no use for the copy of it in the token.
    """
    pki, home = RealPki.build(tmp_path / "pki"), RecordHome.make(tmp_path)
    authority = pki.time_stamp("first")
    home.fill(1, 3)
    note = home.reader.checkpoint_at(3).note.encode()
    root = pki.authorities["root"].certificate
    token = stamp_of(authority, note, root)
    at = verify_stamp(token, note, trusted=(root,)).time
    TimeStamps(home.database).add(size=3, at=at, authority="clock", directory_version=1, token=token)
    listed = {"clock": (root,)}

    def judge(copy: Changing) -> None:
        verified = verify_stamps(TimeStamps(copy.database).all(), lambda _, name: listed.get(name))
        if verified.unknown:  # as `adapter log verify` says
            raise RecordBroken("time-stamps are of authorities that no directory at hand names")

    Changing(home).change_every_byte(
        "time_stamps",
        judge,
        r"the time-stamp over -?\d+ entries|time-stamps are of authorities",
        every_bit=["size", "authority"],
        unread=lambda name, _: name == "directory_version",
    )
