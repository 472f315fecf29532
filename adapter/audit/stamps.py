"""Time-stamps over checkpoints: what an outsider says of when the record was as it is, and until when one is due.

A checkpoint is signed by the adapter, by the adapter's clock. A time-stamp authority that the directory names signs the
checkpoint's octets by its own clock: from then on not even the holder of the record's key can make that past anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509

from adapter.audit.document import milliseconds, moment
from adapter.crypto.time_stamps import TimeStamp, verify_stamp
from adapter.errors import RecordBroken, SecurityFailed


class StoredStamp(NamedTuple):
    """A time-stamp as it is stored; nothing of it is believed. size: of the checkpoint that it is over.

    note: that checkpoint, None when there is none of this size.
    """

    size: int
    at_ms: int
    authority: str
    directory_version: int
    token: bytes
    note: str | None

    @property
    def at(self) -> datetime:
        """What the token says, rounded down, as it is filed. Raises RecordBroken: no time that can be."""
        try:
            return moment(self.at_ms)
        except (OverflowError, TypeError):
            raise RecordBroken(
                f"the time-stamp over {self.size} entries is filed under a time that cannot be"
            ) from None


@dataclass(frozen=True, kw_only=True, slots=True)
class StampState:
    """How far a record is stamped. size: its entries; stamped: how many of them the newest stamp covers.

    waiting_since: when the oldest entry without a stamp was made; None when all have one.
    wanted_since: when the directory first named a limit; None when it names none.
    """

    size: int
    stamped: int
    waiting_since: datetime | None
    wanted_since: datetime | None

    def deadline(self, limit: timedelta | None) -> datetime | None:
        """When the oldest entry will have waited longer than the limit; None: it never will."""
        if limit is None or self.waiting_since is None or self.wanted_since is None:
            return None
        return max(self.waiting_since, self.wanted_since) + limit


Trusted = Callable[[int, str], Sequence[x509.Certificate] | None]
"""The certificates of an authority by the version of the directory and its name; None when neither is at hand."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedStamps:
    """count: stamps that are good. covered: entries that the newest of them covers.

    at: before when they existed, by what the authority says of its clock.
    unknown: stamps whose authority no directory at hand names, so that nobody can judge them here.
    """

    count: int
    covered: int
    at: datetime | None
    unknown: int


def verify_stamps(stamps: Iterable[StoredStamp], trusted: Trusted) -> VerifiedStamps:
    """Verify every stamp, by size, of a record whose checkpoints are good. Raises RecordBroken at the first bad one."""
    count = covered = unknown = 0
    at: datetime | None = None
    for stored in stamps:
        certificates = trusted(stored.directory_version, stored.authority)
        if certificates is None:
            unknown += 1
            continue
        stamp = open_stamp(stored, certificates)
        if at is not None and stamp.time + 2 * stamp.accuracy < at:
            raise RecordBroken(f"the time-stamp over {stored.size} entries is older than the one before it")
        count, covered, at = count + 1, stored.size, stamp.time + stamp.accuracy
    return VerifiedStamps(count=count, covered=covered, at=at, unknown=unknown)


def open_stamp(stored: StoredStamp, certificates: Sequence[x509.Certificate]) -> TimeStamp:
    """One stored stamp, verified by the certificates of its authority. Raises RecordBroken."""
    what = f"the time-stamp over {stored.size} entries"
    if stored.note is None:
        raise RecordBroken(f"{what}: there is no checkpoint of that size")
    try:
        stamp = verify_stamp(stored.token, stored.note.encode(), trusted=certificates)
    except SecurityFailed as cause:
        raise RecordBroken(f"{what}: {cause.reason}") from cause
    if milliseconds(stamp.time) != stored.at_ms:
        raise RecordBroken(f"{what} is filed under another time than it says")
    return stamp
