"""When an entry was there, and when it was not yet, by the clocks of others: what `adapter log show` says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapter.audit.checkpoint import record_origin
from adapter.audit.document import moment
from adapter.audit.held import MAX_HELD_OCTETS, HeldCheckpoints
from adapter.audit.times import TOLERANCE, Seen, existed_before, not_before
from adapter.cli.files import read_octets
from adapter.cli.log_verify import verifiers_of
from adapter.cli.output import JsonValue, when
from adapter.errors import CommandRefused, RecordBroken
from adapter.settings import Settings
from adapter.store.cosignatures import Cosignatures
from adapter.store.engine import Database
from adapter.store.log_reader import LoggedEntry, LogReader
from adapter.store.time_stamps import TimeStamps


@dataclass(frozen=True, kw_only=True, slots=True)
class Dating:
    """Of one entry, which says itself that it was made `at`. after, before: what others saw, if they did."""

    at: datetime
    after: Seen | None
    before: Seen | None

    @property
    def contradicted(self) -> bool:
        """Whether the entry says an earlier time than its place allows, or a later one than it was seen at."""
        is_old = self.after is not None and self.at < self.after.at - TOLERANCE
        return is_old or (self.before is not None and self.at > self.before.at + TOLERANCE)

    @property
    def value(self) -> JsonValue:
        """For a script."""
        return {"not_before": _value(self.after), "before": _value(self.before), "contradicted": self.contradicted}

    @property
    def facts(self) -> list[tuple[str, str]]:
        """In words."""
        after, before = self.after, self.before
        facts = [
            ("existed before", "nobody else says" if before is None else f"{when(before.at)}: {before.by}"),
            ("not there before", "nobody else says" if after is None else f"{when(after.at)}: {after.by}"),
        ]
        return [*facts, ("time", f"not to be relied on: it says {when(self.at)}")] if self.contradicted else facts


def _value(seen: Seen | None) -> JsonValue:
    return None if seen is None else {"at": when(seen.at), "size": seen.size, "by": seen.by}


def dating_of(
    settings: Settings, database: Database, entry: LoggedEntry, held: Sequence[Path], vkey: list[Path] | None
) -> Dating:
    """What time-stamps, witnesses and the files of other members say of an entry's time.

    Stamps and cosignatures are taken as they are stored: `adapter log verify` judges them. held: files of `adapter log
    witnessed --export`; that each of their checkpoints is of this record is proved. Raises RecordBroken,
    CommandRefused.
    """
    number = int(entry.number)
    seen = [
        Seen(one.size, moment(one.at_ms), f"{one.authority} put a time-stamp on {one.size} entries")
        for one in TimeStamps(database).around(number)
    ]
    seen += [
        Seen(one.size, one.at, f"the witness {one.vkey.partition('+')[0]} cosigned {one.size} entries")
        for one in Cosignatures(database).around(number)
    ]
    for file in held:
        seen += _held(settings, LogReader(database), file, vkey)
    return Dating(at=moment(entry.indexed.at_ms), after=not_before(number, seen), before=existed_before(number, seen))


def _held(settings: Settings, reader: LogReader, file: Path, vkey: list[Path] | None) -> list[Seen]:
    """Raises CommandRefused: no such file; RecordBroken: not checkpoints of this record."""
    octets = read_octets(file, what="file of checkpoints", max_bytes=MAX_HELD_OCTETS)
    try:
        held = HeldCheckpoints.parse(octets)
        opened = held.seen(verifiers_of(settings, vkey), origin=record_origin(settings.member))
    except RecordBroken as error:
        raise CommandRefused(f"{file.name}: {error.reason}") from error
    _, past = reader.prove_past(sorted({checkpoint.size for _, checkpoint in opened}))
    roots = {size: root for size, root, _ in past}
    for _, checkpoint in opened:
        if roots.get(checkpoint.size) != checkpoint.root:
            raise RecordBroken(
                f"{held.holder} holds a checkpoint of {checkpoint.size} entries that is not of this record as it is now"
            )
    return [
        Seen(one.size, at, f"{held.holder} says that it received the checkpoint of {one.size} entries")
        for at, one in opened
    ]
