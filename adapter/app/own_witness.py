"""A witness of our own: decides on one checkpoint at a time, and cosigns only what is on disk already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from adapter.audit.witnessing import Refused, Submission, judge, log_of, read_submission
from adapter.crypto.cosignature import Cosigner
from adapter.crypto.note import NoteVerifier
from adapter.ports import Clock
from adapter.store.witness_states import WitnessStates

Logs = Callable[[], Mapping[str, Sequence[NoteVerifier]]]
"""The logs that are looked at, by origin, with the keys of each; asked for each checkpoint."""


class WitnessDesk:
    """For the listener. One process per folder of states, or two could cosign what does not fit together."""

    def __init__(self, *, logs: Logs, states: WitnessStates, cosigner: Cosigner, clock: Clock) -> None:
        self._logs = logs
        self._states = states
        self._cosigner = cosigner
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, octets: bytes) -> str | Refused:
        """The cosignature line, or why there is none. octets: untrusted. Raises StoreUnusable: nothing is signed."""
        submission = read_submission(octets)
        if isinstance(submission, Refused):
            return submission
        origin = log_of(submission)
        if isinstance(origin, Refused):
            return origin
        async with self._one_at_a_time:
            # Not to be broken off between the decision and the state on disk, whoever hangs up meanwhile.
            return await asyncio.shield(asyncio.to_thread(self._decide, origin, submission))

    def _decide(self, origin: str, submission: Submission) -> str | Refused:
        held = self._states.held(origin)
        judged = judge(submission, self._logs().get(origin, ()), held)
        if isinstance(judged, Refused):
            return judged
        if judged.checkpoint != held:
            self._states.keep(judged.checkpoint)
        return self._cosigner.cosign(judged.checkpoint.text, self._clock())
