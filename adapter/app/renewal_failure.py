"""The last failure of the renewal by ACME, in a small file: known after a restart, to commands, and without a log.

It holds a time, a code and the reason, which names no person. A renewal that goes well removes it.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from adapter.errors import AdapterError
from adapter.settings import Settings

_FILE: Final = Path("renewal") / "last-failure.json"
_MAX_OCTETS: Final = 4096
_MAX_REASON: Final = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class RenewalFailure:
    """at: when. code: of the error. reason: its sentence, cut off at 300 characters."""

    at: datetime
    code: str
    reason: str

    @classmethod
    def of(cls, error: AdapterError, at: datetime) -> RenewalFailure:
        """What is kept of an error."""
        return cls(at=at, code=error.code, reason=error.reason)


def keep_failure(settings: Settings, failure: RenewalFailure) -> None:
    """Replace what was kept, synced. A disk that is full stops no renewal: then nothing is kept."""
    path = settings.adapter.data_dir / _FILE
    scratch = path.with_suffix(f".{os.getpid()}")
    said = {"at": failure.at.isoformat(), "code": failure.code, "reason": failure.reason[:_MAX_REASON]}
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with scratch.open("w", encoding="utf-8") as file:
            json.dump(said, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)


def forget_failure(settings: Settings) -> None:
    """After a renewal that went well."""
    with suppress(OSError):
        (settings.adapter.data_dir / _FILE).unlink(missing_ok=True)


def last_failure(settings: Settings) -> RenewalFailure | None:
    """None: none since the last one that went well, or what is there cannot be read."""
    try:
        with (settings.adapter.data_dir / _FILE).open("rb") as file:
            said = json.loads(file.read(_MAX_OCTETS))
        return RenewalFailure(at=datetime.fromisoformat(said["at"]), code=str(said["code"]), reason=str(said["reason"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
