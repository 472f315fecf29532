"""Do the kept cosignatures fit the record? A checkpoint that a witness cosigned cannot be replaced unnoticed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from adapter.crypto.cosignature import CosignatureVerifier, open_cosignatures
from adapter.errors import AdapterError, RecordBroken


class KeptCosignature(Protocol):
    """A cosignature as the store has it. note: the checkpoint of that size as it is stored now."""

    @property
    def size(self) -> int:
        """Of the checkpoint."""

    @property
    def vkey(self) -> str:
        """The witness's verifier key."""

    @property
    def at(self) -> datetime:
        """The witness's time that it is found by."""

    @property
    def line(self) -> str:
        """As in a note."""

    @property
    def note(self) -> str | None:
        """None: the record has no checkpoint of that size."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenBy:
    """What one witness's cosignatures show: the first `size` entries were there at `at`, by its clock."""

    count: int
    size: int
    at: datetime


def verify_cosignatures(kept: Iterable[KeptCosignature]) -> Mapping[str, SeenBy]:
    """Every cosignature against the checkpoint that is stored: by verifier key, what it shows.

    Whose keys these are is for the directory to say. That the checkpoints are the record's is for `audit.verify` to
    see. Raises RecordBroken, which names the first that does not fit.
    """
    verifiers: dict[str, CosignatureVerifier] = {}
    found: dict[str, SeenBy] = {}
    for one in kept:
        if one.note is None:
            raise RecordBroken(f"a witness cosigned a checkpoint of {one.size} entries, and the record has none")
        try:
            verifier = verifiers.get(one.vkey) or CosignatureVerifier.parse(one.vkey)
            _, good = open_cosignatures((one.note + one.line).encode(), [verifier])
        except AdapterError as wrong:
            raise RecordBroken(f"the cosignature over {one.size} entries does not fit: {wrong.reason}") from None
        except UnicodeEncodeError:
            raise RecordBroken(f"the cosignature over {one.size} entries is not text") from None
        if len(good) != 1:
            raise RecordBroken(f"the cosignature over {one.size} entries is not by the key that is kept with it")
        if good[0].at != one.at:
            raise RecordBroken(f"the cosignature over {one.size} entries is kept under another time than it says")
        verifiers[one.vkey] = verifier
        before = found.get(one.vkey)
        now = SeenBy(count=1 if before is None else before.count + 1, size=one.size, at=good[0].at)
        if before is not None and before.size >= one.size:
            now = replace(before, count=now.count)
        found[one.vkey] = now
    return found
