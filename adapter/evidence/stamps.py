"""The time-stamp in evidence: which of the directory's authorities says that the checkpoint was there, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapter.crypto.time_stamps import verify_stamp
from adapter.directory.model import Directory
from adapter.errors import SecurityFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedStamp:
    """authority: its name in the directory. time: the latest that its token allows for, by its own accuracy."""

    authority: str
    time: datetime


def judge_stamp(token: bytes, checkpoint: bytes, directory: Directory) -> ProvedStamp:
    """A token (untrusted) over a checkpoint's octets, by an authority of the directory. Raises SecurityFailed."""
    failure = SecurityFailed("the directory names no time-stamp authority")
    for authority in directory.time_stamp_authorities.values():
        try:
            stamp = verify_stamp(token, checkpoint, trusted=authority.certificates)
        except SecurityFailed as cause:
            failure = cause
        else:
            return ProvedStamp(authority=authority.name, time=stamp.time + stamp.accuracy)
    raise failure
