"""Kept checkpoints of others, judged one by one; that each byte counts is in test_every_byte.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapter.audit.checkpoint import Checkpoint, sign_checkpoint
from adapter.audit.peer_checkpoints import ShownState, shown_checkpoint
from adapter.crypto.note import NoteSigner, NoteVerifier
from adapter.errors import RecordBroken
from adapter.identifiers import MemberId
from adapter.ports import Shown
from adapter.store.appending import append_entries
from adapter.store.kept_checkpoints import CheckedCheckpoints, check_peer_checkpoints
from adapter.store.peer_checkpoints import PeerCheckpoints, keep_shown
from tests.records import NOW, RecordHome, a_claim, a_request, an_entry

PEER = MemberId.parse("UZ/GOV/200000002")
SIGNER = NoteSigner(str(PEER), Ed25519PrivateKey.generate())
KEYS = {PEER: NoteVerifier.parse(SIGNER.vkey)}
NOBODYS: dict[MemberId, NoteVerifier] = {}


def show(home: RecordHome, signer: NoteSigner = SIGNER, *, said: bool = True) -> None:
    """A message came with a checkpoint. said: and its entry says so."""
    checkpoint = Checkpoint(origin=str(PEER), size=7, root=b"r" * 32)
    entry = an_entry()
    if said:
        body = {**entry.body, "peer_checkpoint": {"size": 7, "root": checkpoint.root.hex()}}
        entry = type(entry)(body=body, kind=entry.kind, at=entry.at)
    append_entries(home.database, home.log, [entry])
    connection = home.database.connect()
    keep_shown(connection.cursor(), (shown_checkpoint(sign_checkpoint(checkpoint, signer).encode(), PEER), NOW))
    connection.close()


@pytest.fixture
def home(tmp_path: Path) -> RecordHome:
    return RecordHome.make(tmp_path)


def test_none_is_nothing(home: RecordHome) -> None:
    assert check_peer_checkpoints(home.database, KEYS.get) == CheckedCheckpoints(good=0, unknown=0)


def test_one_that_is_as_it_was_signed(home: RecordHome) -> None:
    show(home)
    assert check_peer_checkpoints(home.database, KEYS.get) == CheckedCheckpoints(good=1, unknown=0)


def test_of_a_member_without_a_known_key_only_the_form_is_judged(home: RecordHome) -> None:
    show(home)
    assert check_peer_checkpoints(home.database, NOBODYS.get) == CheckedCheckpoints(good=0, unknown=1)


def test_one_of_another_key_is_named_unless_it_is_known_to_be_forged(home: RecordHome) -> None:
    show(home, NoteSigner(str(PEER), Ed25519PrivateKey.generate()))
    with pytest.raises(RecordBroken, match="the kept checkpoint of 'UZ/GOV/200000002', of 7 entries, was changed"):
        check_peer_checkpoints(home.database, KEYS.get)
    home.change("UPDATE peer_checkpoints SET state = 'forged'")
    assert check_peer_checkpoints(home.database, KEYS.get) == CheckedCheckpoints(good=1, unknown=0)


def test_one_that_no_entry_speaks_of_was_put_there(home: RecordHome) -> None:
    show(home, said=False)
    with pytest.raises(RecordBroken, match="no entry of that time says that it was shown"):
        check_peer_checkpoints(home.database, KEYS.get)
    home.change("UPDATE peer_checkpoints SET state = 'fits'")  # it may have come in an answer
    assert check_peer_checkpoints(home.database, KEYS.get) == CheckedCheckpoints(good=1, unknown=0)


async def test_a_batch_keeps_what_its_messages_showed_and_nothing_of_a_claim_that_was_known(home: RecordHome) -> None:
    def shown_of(size: int) -> Shown:
        note = sign_checkpoint(Checkpoint(origin=str(PEER), size=size, root=b"r" * 32), SIGNER)
        return shown_checkpoint(note.encode(), PEER)

    claim, record = a_claim(), home.writer()
    writes = [(claim, 7), (a_claim(), 8), (a_claim(), 8), (claim, 9)]
    await record.start()
    try:
        await asyncio.gather(*(record.write(replace(a_request(one), shown=shown_of(size))) for one, size in writes))
    finally:
        await record.close()
    kept = PeerCheckpoints(home.database).of(PEER, ShownState.PENDING, limit=10)
    assert [one.shown.size for one in kept] == [7, 8]
