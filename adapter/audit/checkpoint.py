"""Checkpoints: the size and root of the record, signed (C2SP tlog-checkpoint over C2SP signed-note).

Whoever keeps a checkpoint can later prove whether the record still contains everything that it contained then.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from adapter.audit.merkle import HASH_OCTETS, MAX_SIZE
from adapter.crypto.note import NoteSigner, NoteVerifier, open_note
from adapter.errors import RecordBroken, SecurityFailed
from adapter.identifiers import MemberId

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """The record at one size. origin: the name of the log, the same in all its checkpoints."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed: origin, size in decimal, root in base64."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read exactly the three lines, in the one form that `text` writes. Raises RecordBroken."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise RecordBroken("a checkpoint is three lines: origin, size, root")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except ValueError:  # binascii.Error is one, and so is what is not ASCII
            raise RecordBroken("the root in a checkpoint is not base64") from None
        read = cls(origin=lines[0], size=int(lines[1]), root=root)
        if len(root) != HASH_OCTETS or read.size > MAX_SIZE or read.text != text:
            raise RecordBroken("a checkpoint's size or root is malformed")
        return read


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> str:
    """The checkpoint as a signed note."""
    return signer.sign(checkpoint.text)


def open_checkpoint(note: str | bytes, verifiers: Sequence[NoteVerifier], *, origin: str) -> Checkpoint:
    """The checkpoint of this log that one of the verifiers signed. note: untrusted.

    Raises RecordBroken: no good signature, malformed, or of another log (W154).
    """
    try:
        text = open_note(note.encode() if isinstance(note, str) else note, verifiers)
    except (SecurityFailed, UnicodeEncodeError) as error:
        raise RecordBroken(f"a checkpoint's signature is not good: {error}") from error
    checkpoint = Checkpoint.parse(text)
    if checkpoint.origin != origin:
        raise RecordBroken("a checkpoint is of another record")
    return checkpoint


def record_origin(member: MemberId) -> str:
    """The name of a member's record, in its checkpoints and in its verifier key (C2SP tlog-checkpoint, origin line)."""
    return str(member)
