"""What has to hold after any number of kills, and where it does not: sentences, none when all is well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import select

from adapter.audit.checkpoint import open_checkpoint, record_origin
from adapter.audit.peer_checkpoints import ShownState
from adapter.audit.verify import VerifiedRecord, verify_record
from adapter.crypto.note import NoteVerifier
from adapter.errors import AdapterError
from adapter.store.alarms import UNPROVEN
from adapter.store.kept_messages import check_messages
from adapter.store.log_reader import LogReader
from adapter.store.peer_checkpoints import PeerCheckpoints
from adapter.store.schema import entries
from examples.federation.home import Home
from tests.kills.campaign import Aftermath

CONSUMERS_ENTRIES = ("request-sent", "reply-received")
PROVIDERS_ENTRIES = ("request-received", "reply-sent")
_SHOWN = 5
"""Message ids that a finding names at most."""


def findings(after: Aftermath) -> Iterator[str]:
    """All that is wrong."""
    yield from nothing_at_stake(after)
    yield from lost_entries(after)
    yield from broken_records(after)
    yield from open_alarms(after)
    yield from ran_twice(after)


def nothing_at_stake(after: Aftermath) -> Iterator[str]:
    """Where nobody was killed, or no call was acknowledged, the other judgements say nothing."""
    if not after.killed:
        yield "nothing was killed"
    if not after.load.answered:
        yield "no call was answered: nothing could be lost"


def lost_entries(after: Aftermath) -> Iterator[str]:
    """Of every call that was acknowledged, the request and the answer are in both records."""
    acknowledged = set(after.load.answered.values())
    for home, kinds in ((after.consumer, CONSUMERS_ENTRIES), (after.provider, PROVIDERS_ENTRIES)):
        recorded = ids_by_kind(after, home)
        for kind in kinds:
            lost = acknowledged - recorded[kind]
            if lost:
                yield f"{home.plan.folder}: no {kind} for {len(lost)} acknowledged calls: {sorted(lost)[:_SHOWN]}"


def broken_records(after: Aftermath) -> Iterator[str]:
    """Each record verifies, against every checkpoint that was remembered outside and that the other side holds."""
    for home in after.members:
        try:
            verified(after, home)
            check_messages(after.databases[home.plan.folder], home.keyring.archive_key)
        except AdapterError as broken:
            yield f"{home.plan.folder}: {broken.reason}"


def verified(after: Aftermath, home: Home) -> VerifiedRecord:
    """The record, verified. Raises RecordBroken."""
    key, origin = NoteVerifier.parse(home.keyring.record.vkey), record_origin(home.plan.member)
    notes = {*after.remembered[home.plan.folder], *held_by_the_other(after, home)}
    return verify_record(
        LogReader(after.databases[home.plan.folder]),
        origin=origin,
        verifiers=(key,),
        remembered=[open_checkpoint(note, (key,), origin=origin) for note in notes],
    )


def held_by_the_other(after: Aftermath, home: Home) -> list[str]:
    """The checkpoints of this record that the other adapter was shown in messages and keeps."""
    (other,) = (one for one in after.members if one is not home)
    kept = PeerCheckpoints(after.databases[other.plan.folder])
    return [one.shown.note for one in kept.of(home.plan.member, *ShownState, limit=-1)]


def open_alarms(after: Aftermath) -> Iterator[str]:
    """Neither adapter saw the other's record contradict what it had shown before.

    One that could not be asked for five minutes is an alarm too, and no contradiction: on a slow machine an adapter
    that is killed again and again is away for so long.
    """
    for folder, database in after.databases.items():
        contradicting = (alarm for alarm in PeerCheckpoints(database).open_alarms() if alarm.kind != UNPROVEN)
        for alarm in contradicting:
            yield f"{folder}: {alarm.kind} about {alarm.about}, entry {alarm.number}"


def ran_twice(after: Aftermath) -> Iterator[str]:
    """Promises 1 and 3: the system was asked once about each person, and what it was asked the record says."""
    twice = [pinfl for pinfl, times in after.system.asked.items() if times > 1]
    if twice:
        yield f"the information system was asked more than once by {len(twice)} messages"
    asked, released = sum(after.system.asked.values()), len(ids_by_kind(after, after.provider)["request-received"])
    if asked > released:
        yield f"the information system was asked {asked} times, and the record says {released}"


def ids_by_kind(after: Aftermath, home: Home) -> dict[str, set[str]]:
    """The ids of the exchanges that a record has entries about, by kind of entry."""
    found: dict[str, set[str]] = defaultdict(set)
    wanted = select(entries.c.kind, entries.c.message_id).where(entries.c.message_id.is_not(None))
    with after.databases[home.plan.folder].reading() as connection:
        for kind, message_id in connection.execute(wanted):
            found[kind].add(message_id)
    return found
