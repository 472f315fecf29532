"""When an entry was there, and when it was not yet, by the clocks of others: what commands say of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapter.audit.checkpoint import record_origin
from adapter.audit.document import moment
from adapter.audit.held import MAX_HELD_OCTETS, HeldCheckpoints
from adapter.audit.times import Dating, Seen, cosigned_by, date_entry, stamped_by
from adapter.cli.files import read_octets
from adapter.cli.log_verify import verifiers_of
from adapter.cli.output import JsonValue, when
from adapter.errors import CommandRefused, RecordBroken
from adapter.settings import Settings
from adapter.store.cosignatures import Cosignatures
from adapter.store.engine import Database
from adapter.store.log_reader import LoggedEntry, LogReader
from adapter.store.time_stamps import TimeStamps


def dating_value(dating: Dating) -> dict[str, JsonValue]:
    """For a script."""
    return {
        "not_before": _value(dating.after),
        "before": _value(dating.before),
        "contradicted": dating.contradicted,
    }


def dating_facts(dating: Dating) -> list[tuple[str, str]]:
    """In words."""
    after, before = dating.after, dating.before
    facts = [
        ("existed before", "nobody else says" if before is None else f"{when(before.at)}: {before.by}"),
        ("not there before", "nobody else says" if after is None else f"{when(after.at)}: {after.by}"),
    ]
    return [*facts, ("time", doubted(dating))] if dating.contradicted else facts


def doubted(dating: Dating) -> str:
    """What is said of an entry whose own time does not fit what others saw."""
    return f"not to be relied on: it says {when(dating.at)}"


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
    seen = [Seen(one.size, one.at, stamped_by(one.authority, one.size)) for one in TimeStamps(database).around(number)]
    seen += [
        Seen(one.size, one.at, cosigned_by(one.vkey.partition("+")[0], one.size))
        for one in Cosignatures(database).around(number)
    ]
    for file in held:
        seen += _held(settings, LogReader(database), file, vkey)
    return date_entry(number, moment(entry.indexed.at_ms), seen)


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
