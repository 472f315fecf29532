"""Handing a checkpoint to a witness (C2SP tlog-witness): one POST, bounded, to the directory's address only."""

from __future__ import annotations

from adapter.audit.witnessing import ADD_CHECKPOINT, MAX_ANSWER_OCTETS, Submission, Submitted, write_submission
from adapter.transport.destinations import PeerDestinations
from adapter.transport.outside_post import OutsidePost


class WitnessClient:
    """No redirect is followed, and no address is connected to that no peer could have (transport.destinations)."""

    def __init__(self, *, timeout_s: float, destinations: PeerDestinations) -> None:
        self._post = OutsidePost(
            whom="the witness",
            content_type="text/plain; charset=utf-8",
            timeout_s=timeout_s,
            max_answer_bytes=MAX_ANSWER_OCTETS,
            destinations=destinations,
        )

    async def submit(self, prefix: str, submission: Submission) -> Submitted:
        """What it answers, untrusted. prefix: its address. Raises PeerUnreachable, PeerTimeout, PeerAnswerInvalid."""
        address = f"{prefix.rstrip('/')}/{ADD_CHECKPOINT}"
        status, octets = await self._post.ask(address, write_submission(submission))
        return Submitted(status=status, octets=octets)
