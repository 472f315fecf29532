"""The checkpoints of one record that somebody else holds, in a file that its holder writes and its keeper is given.

Nothing in the file is believed but what the record's own key has signed: the checkpoints themselves.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.crypto.note import NoteVerifier
from adapter.envelope.instants import write_instant
from adapter.errors import InvalidIdentifier, RecordBroken
from adapter.identifiers import MemberId

MAX_HELD_OCTETS: Final = 64 * 1024 * 1024
_VERSION: Final = 1


class HeldNote(NamedTuple):
    """A checkpoint as its holder has it. seen: when a message showed it first. note: untrusted."""

    seen: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldCheckpoints:
    """What a file says. of: whose record the checkpoints are of. holder: who wrote the file."""

    of: MemberId
    holder: MemberId
    notes: tuple[HeldNote, ...]

    @classmethod
    def made(cls, of: MemberId, holder: MemberId, notes: Sequence[tuple[datetime, str]]) -> HeldCheckpoints:
        """What we hold of another member's record."""
        return cls(of=of, holder=holder, notes=tuple(HeldNote(write_instant(seen), note) for seen, note in notes))

    @property
    def text(self) -> str:
        """The file."""
        said = {
            "v": _VERSION,
            "checkpoints_of": str(self.of),
            "held_by": str(self.holder),
            "checkpoints": [{"seen": one.seen, "note": one.note} for one in self.notes],
        }
        return json.dumps(said, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def parse(cls, octets: bytes) -> HeldCheckpoints:
        """Read a file. octets: untrusted. Raises RecordBroken."""
        try:
            said: dict[str, Any] = json.loads(octets)
            if said["v"] != _VERSION:
                raise RecordBroken("the file of checkpoints is of a version that this program does not know")
            return cls(
                of=MemberId.parse(said["checkpoints_of"]),
                holder=MemberId.parse(said["held_by"]),
                notes=tuple(HeldNote(str(one["seen"]), str(one["note"])) for one in said["checkpoints"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidIdentifier) as error:
            raise RecordBroken(
                "the file is not one of checkpoints as `adapter log witnessed --export` writes it"
            ) from error

    def opened(self, verifiers: Sequence[NoteVerifier], *, origin: str) -> list[Checkpoint]:
        """The checkpoints, their signatures verified. Raises RecordBroken: of another record, or not signed by it."""
        return [open_checkpoint(one.note, verifiers, origin=origin) for one in self.notes]

    def seen(self, verifiers: Sequence[NoteVerifier], *, origin: str) -> list[tuple[datetime, Checkpoint]]:
        """The same with when the holder says that it first saw each. Raises RecordBroken."""
        opened = self.opened(verifiers, origin=origin)
        return list(zip(map(_instant, self.notes), opened, strict=True))


def _instant(note: HeldNote) -> datetime:
    try:
        at = datetime.fromisoformat(note.seen)
    except ValueError:
        raise RecordBroken("the file of checkpoints does not say when one was seen") from None
    if at.tzinfo is None:
        raise RecordBroken("the file of checkpoints does not say when one was seen")
    return at
