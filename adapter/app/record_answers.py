"""Answering other members' questions about our record, and showing them what we hold of theirs (audit.past)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from adapter.audit.past import MAX_HELD, Answer, read_question, write_answer
from adapter.audit.peer_checkpoints import ClaimedPast, ShownState
from adapter.directory.model import Directory
from adapter.errors import PeerMismatch, RecordUnavailable
from adapter.stages import Peer
from adapter.store.log_reader import LogReader
from adapter.store.peer_checkpoints import PeerCheckpoints


class RecordAnswers:
    """For the listener of peers: members only, one question at a time, so that asking cannot cost others their turn."""

    def __init__(self, *, reader: LogReader, kept: PeerCheckpoints, directory: Callable[[], Directory]) -> None:
        self._reader = reader
        self._kept = kept
        self._directory = directory
        self._one_at_a_time = asyncio.Semaphore(1)

    async def __call__(self, question: bytes, peer: Peer) -> bytes:
        """The answer to a question. Raises PeerMismatch, MalformedMessage, RecordUnavailable, StoreUnusable."""
        member = self._directory().by_tls_certificate.get(peer.certificate_sha256 or b"")
        if member is None:
            raise PeerMismatch("whoever asks about the record is no member's adapter")
        sizes = read_question(question)
        async with self._one_at_a_time:
            newest, past = await asyncio.to_thread(self._reader.prove_past, sizes)
            states = (ShownState.FITS, ShownState.PENDING, ShownState.FORKED)
            held = await asyncio.to_thread(self._kept.of, member, *states, limit=MAX_HELD)
        if newest is None:
            raise RecordUnavailable("the record is empty")
        claimed = tuple(ClaimedPast(size=size, root=root, proof=proof) for size, root, proof in past)
        answer = Answer(newest=newest.note, past=claimed, held=tuple(one.shown.note for one in held))
        return await asyncio.to_thread(write_answer, answer)
