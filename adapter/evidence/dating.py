"""Before when the entries of evidence existed, by what is in the container: the word of others, not the exporter's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.audit.times import Dating, Seen, cosigned_by, date_entry, stamped_by
from adapter.evidence.cosigned import ProvedCosignatures
from adapter.evidence.entries import ExchangeEntry
from adapter.evidence.signature import AuthorityStamp


@dataclass(frozen=True, kw_only=True, slots=True)
class DatedEntry:
    """An entry of the exporter's record by its number, and who else says when it was there."""

    number: int
    dating: Dating


def date_entries(
    entries: Sequence[ExchangeEntry],
    *,
    size: int,
    checkpoint_stamp: AuthorityStamp | None,
    signature_stamp: AuthorityStamp | None,
    witnessed: ProvedCosignatures | None,
) -> tuple[DatedEntry, ...]:
    """Date entries whose place is proved, by stamps and cosignatures that were judged. size: of the checkpoint.

    The earliest counts. A stamp over the exporter's signature is one over all files, so over the entries as well.
    """
    seen = list(_seen(size, checkpoint_stamp, signature_stamp, witnessed))
    return tuple(DatedEntry(number=one.number, dating=date_entry(one.number, one.at, seen)) for one in entries)


def _seen(
    size: int,
    checkpoint_stamp: AuthorityStamp | None,
    signature_stamp: AuthorityStamp | None,
    witnessed: ProvedCosignatures | None,
) -> Iterator[Seen]:
    if checkpoint_stamp is not None:
        yield Seen(size, checkpoint_stamp.before, stamped_by(checkpoint_stamp.authority, size))
    if signature_stamp is not None:
        by = f"{signature_stamp.authority} put a time-stamp on the exporter's signature"
        yield Seen(size, signature_stamp.before, by)
    if witnessed is not None:
        for one in witnessed.cosignatures:
            yield Seen(witnessed.size, one.at, cosigned_by(one.witness, witnessed.size))
