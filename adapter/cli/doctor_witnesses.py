"""What `adapter doctor` says of neutral witnesses: how long the record has waited, and whether each would answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapter.audit.witnessing import HoldsAnother, Submission, read_answer
from adapter.cli.doctor_checks import Finding, fail, ok, warn
from adapter.cli.doctor_stamps import destinations_of
from adapter.cli.log_witnesses import holds_another
from adapter.crypto.cosignature import CosignatureVerifier
from adapter.directory.content import Witness
from adapter.directory.model import Directory
from adapter.errors import AdapterError
from adapter.settings import Settings
from adapter.store.cosignatures import Cosignatures
from adapter.store.engine import open_database
from adapter.store.log_reader import LogReader
from adapter.transport.witness_client import WitnessClient

_WHAT: Final = "witnesses"
_RUNNING: Final = "Is `adapter serve` running? Its log says which witness did not cosign, and why."
_ASK: Final = "Ask whoever runs that witness; the others are asked meanwhile, and nothing is refused."


def look_at_witnesses(settings: Settings, directory: Directory, now: datetime) -> Iterator[Finding]:
    """Alarms, what waits, and one question to each witness. Raises StoreUnusable."""
    database = open_database(settings.database_url)
    kept = Cosignatures(database)
    for alarm in kept.open_alarms():
        found = f"{holds_another(alarm)}; entry {alarm.number} of {alarm.at:%Y-%m-%d %H:%M:%S} UTC"
        mend = (
            f"adapter log show {alarm.number}; keep the disk as it is and tell the auditor (docs/witness.md); then "
            f"adapter log close-alarm {alarm.number} --note …"
        )
        yield fail(_WHAT, found, mend)
    if not directory.witnesses:
        yield ok(_WHAT, "the directory names no neutral witness: the other members witness this record")
        return
    yield _what_waits(kept, directory, now)
    client = WitnessClient(timeout_s=settings.witnesses.timeout_s, destinations=destinations_of(settings, directory))
    newest = LogReader(database).latest_checkpoint()
    for witness in directory.witnesses.values():
        yield _of_witness(kept, witness, client, None if newest is None else newest.note)


def _what_waits(kept: Cosignatures, directory: Directory, now: datetime) -> Finding:
    rule = directory.witness_rule
    state = kept.state([one.vkey for one in directory.witnesses.values()], rule.threshold)
    wanted = f"{rule.threshold} of {len(directory.witnesses)}"
    if state.waiting_since is None:
        return ok(_WHAT, f"all {state.size} entries were seen by {wanted}")
    waiting = state.size - state.witnessed
    found = f"{waiting} entries wait for {wanted}, since {state.waiting_since:%Y-%m-%d %H:%M:%S} UTC"
    if rule.limit is not None and now - state.waiting_since > rule.limit:
        return warn(_WHAT, f"{found}: longer than the directory allows", _RUNNING)
    return ok(_WHAT, found)


def _of_witness(kept: Cosignatures, witness: Witness, client: WitnessClient, note: str | None) -> Finding:
    last = kept.newest_of(witness.vkey)
    before = "nothing yet" if last is None else f"{last.size} entries, {last.at:%Y-%m-%d %H:%M:%S} UTC"
    cosigned = f"{witness.name} cosigned {before}"
    if note is None:
        return ok(_WHAT, f"{cosigned}; the record is empty")
    try:
        CosignatureVerifier.parse(witness.vkey)
        # From nothing: a witness that has seen this record says how much of it; for another one it is the first.
        submission = Submission(old_size=0, proof=(), note=note)
        answer = read_answer(asyncio.run(client.submit(witness.address, submission)))
    except AdapterError as failure:
        return warn(_WHAT, f"{cosigned}; {failure.reason}", _ASK)
    holds = f", and holds {answer.size}" if isinstance(answer, HoldsAnother) else ""
    return ok(_WHAT, f"{cosigned}{holds}")
