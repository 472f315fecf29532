"""Having the record's checkpoints cosigned by the witnesses that the directory names, off the path of every message.

One worker, whoever holds the lock, hands the newest checkpoint to each witness every so often. A witness that is down
stops nothing. One that holds another record than ours is an alarm: somebody signed, with our record's key, something
that is not in our record (docs/decisions/0149).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from adapter.app.one_worker import WorkerLock
from adapter.app.rounds import look_every
from adapter.audit.verify import StoredCheckpoint
from adapter.audit.witnessing import HoldsAnother, ProofRefused, Submission, Submitted, read_answer
from adapter.crypto.cosignature import Cosignature, CosignatureVerifier, open_cosignatures
from adapter.directory.content import Witness
from adapter.directory.model import Directory
from adapter.errors import AdapterError, PeerAnswerInvalid, SecurityFailed
from adapter.ports import Clock
from adapter.store.alarms import AHEAD, DISPUTED
from adapter.store.appending import Log
from adapter.store.cosignatures import Cosignatures, WitnessState
from adapter.store.log_reader import LogReader

log = structlog.get_logger(__name__)

LOCK_FILE: Final = "witnesses.lock"
Submit = Callable[[str, Submission], Awaitable[Submitted]]
_ATTEMPTS: Final = 3
"""The size that we thought of, the one that the witness names, and once more when somebody else came between."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WitnessingRule:
    """every_s: seconds between two rounds. skew: how far our clock and a witness's may be apart."""

    every_s: float
    skew: timedelta


class WitnessKeeper:
    """One for each worker."""

    def __init__(
        self,
        *,
        reader: LogReader,
        kept: Cosignatures,
        submit: Submit,
        directory: Callable[[], Directory],
        clock: Clock,
        own: Log,
        rule: WitnessingRule,
        lock: Path,
    ) -> None:
        """submit: hands a submission to the witness at an address. own: our log, for alarms.

        lock: a file that the worker which asks holds locked.
        """
        self._reader = reader
        self._kept = kept
        self._hand_over = submit
        self._directory = directory
        self._clock = clock
        self._own = own
        self._rule = rule
        self._lock = WorkerLock(lock)
        self.state: WitnessState | None = None
        """As last looked at; None: never, or no witness is named."""
        self.alarms = 0
        """Open ones, as last looked at."""
        self.failures: Counter[tuple[str, str]] = Counter()
        """Of this worker: by witness and code of the error."""

    async def keep_witnessed(self) -> None:
        """Look until cancelled. Whatever fails, the next round is tried."""
        await look_every(self._rule.every_s, self.look, failed="witnesses not asked", lock=self._lock)

    def release(self) -> None:
        """Let another worker ask."""
        self._lock.release()

    async def look(self) -> None:
        """One round. Raises StoreUnusable, DirectoryUnavailable, DirectoryExpired."""
        directory = self._directory()
        self.alarms = len(await asyncio.to_thread(self._kept.open_alarms))
        if not directory.witnesses:
            self.state = None
            return
        if self._lock.acquire():
            newest = await asyncio.to_thread(self._reader.latest_checkpoint)
            if newest is not None:
                await asyncio.gather(*(self._ask(one, newest) for one in directory.witnesses.values()))
        vkeys = [one.vkey for one in directory.witnesses.values()]
        self.state = await asyncio.to_thread(self._kept.state, vkeys, directory.witness_rule.threshold)

    async def _ask(self, witness: Witness, newest: StoredCheckpoint) -> None:
        """Hand it to one witness, and say why not when it does not cosign. Raises StoreUnusable."""
        try:
            await self._submit(witness, newest)
        except AdapterError as failure:
            self.failures[witness.name, failure.code] += 1
            log.warning("not witnessed", witness=witness.name, code=failure.code, because=failure.reason)

    async def _submit(self, witness: Witness, newest: StoredCheckpoint) -> None:
        """Raises KeyUnusable, SecurityFailed, PeerUnreachable, PeerTimeout, PeerAnswerInvalid, StoreUnusable."""
        verifier = CosignatureVerifier.parse(witness.vkey)
        last = await asyncio.to_thread(self._kept.newest_of, witness.vkey)
        old = 0 if last is None else last.size
        if old >= newest.size:
            return
        for _ in range(_ATTEMPTS):
            submission = await asyncio.to_thread(self._submission, old, newest)
            asked = self._clock()
            answer = read_answer(await self._hand_over(witness.address, submission))
            if isinstance(answer, ProofRefused):
                await self._alarm(DISPUTED, witness, submission)
                return
            if not isinstance(answer, HoldsAnother):
                cosignature = self._accept(newest, answer.lines, verifier, asked)
                await asyncio.to_thread(self._kept.add, newest.size, witness.vkey, cosignature)
                log.info("witnessed", witness=witness.name, entries=newest.size)
                return
            if answer.size == old:
                if old != newest.size:
                    raise PeerAnswerInvalid("the witness refuses the very size that it names")
                await self._alarm(DISPUTED, witness, submission)
                return
            if answer.size > newest.size:
                newest = await self._grown_to(answer.size, newest)
            if answer.size > newest.size:
                await self._alarm(AHEAD, witness, submission, holds=answer.size)
                return
            old = answer.size
        raise PeerAnswerInvalid("the witness names another size each time that it is asked")

    def _submission(self, old: int, newest: StoredCheckpoint) -> Submission:
        proof = self._reader.prove_consistency(old, newest.size) if 0 < old < newest.size else ()
        return Submission(old_size=old, proof=proof, note=newest.note)

    async def _grown_to(self, size: int, newest: StoredCheckpoint) -> StoredCheckpoint:
        """Somebody may have shown it a checkpoint of ours that is newer than the one that we began with."""
        read_again = await asyncio.to_thread(self._reader.latest_checkpoint)
        return newest if read_again is None or read_again.size < size else read_again

    def _accept(
        self, sent: StoredCheckpoint, lines: bytes, verifier: CosignatureVerifier, asked: datetime
    ) -> Cosignature:
        """The witness's cosignature over exactly what it was sent. Raises SecurityFailed, PeerAnswerInvalid.

        1. The lines continue the checkpoint as a note, and one of them is by the key that the directory names. 2. It
        fits the text. 3. Its time lies between question and answer, but for the clocks' skew: it must not say that the
        record was seen earlier, or later, than it was.
        """
        text, found = open_cosignatures(sent.note.encode() + lines, [verifier])
        if not found or not sent.note.startswith(f"{text}\n"):
            raise PeerAnswerInvalid("the witness did not sign by the key that the directory names")
        cosignature = found[0]
        # The cosignature's time is in whole seconds.
        if not asked - self._rule.skew - timedelta(seconds=1) < cosignature.at <= self._clock() + self._rule.skew:
            off = (cosignature.at - asked).total_seconds()
            raise SecurityFailed(f"the witness's clock is off by {off:.0f} s from this machine's clock")
        return cosignature

    async def _alarm(self, kind: str, witness: Witness, submission: Submission, *, holds: int | None = None) -> None:
        """An entry with what shows it: what we sent and, where we have it, what the witness had cosigned before."""
        held = submission.old_size if holds is None else holds
        cosigned = await asyncio.to_thread(self._kept.cosigned, held)
        details: dict[str, Any] = {
            "vkey": witness.vkey,
            "holds": held,
            "sent": submission.note,
            "proof": [one.hex() for one in submission.proof],
        }
        if cosigned is not None:
            details["cosigned"] = cosigned.note
        now = self._clock()
        number = await asyncio.to_thread(self._kept.raise_alarm, self._own, kind, witness.name, details, now)
        log.error("alarm about this record", kind=kind, witness=witness.name, entries=held, record=number)
