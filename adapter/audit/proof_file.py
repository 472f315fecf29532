"""One entry and the proof that it is in a record, in one file (C2SP tlog-proof, v1).

    c2sp.org/tlog-proof@v1
    extra <the entry's canonical text, base64>
    index <its number>
    <the hashes that lead from the entry to the root, base64, one on each line>

    <the signed checkpoint>

Whoever has the file and the record's verifier key needs nothing else, and trusts nobody: neither who handed it over
nor the text in it. The text is believed when its leaf hash leads to the root that the record's key has signed.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from adapter.audit.checkpoint import Checkpoint, open_checkpoint
from adapter.audit.merkle import leaf_hash
from adapter.audit.proofs import verify_inclusion
from adapter.crypto.note import MAX_NOTE_OCTETS, NoteVerifier
from adapter.errors import RecordBroken
from adapter.identifiers import MemberId

MAX_PROOF_FILE_OCTETS: Final = 2 * MAX_NOTE_OCTETS
_HEAD: Final = "c2sp.org/tlog-proof@v1"
_MAX_HASHES: Final = 63


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofFile:
    """What a file says; nothing of it is believed. document: the entry's text. note: the signed checkpoint."""

    document: str
    number: int
    path: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """The file."""
        hashes = [_base64(one) for one in self.path]
        return "\n".join(
            (_HEAD, f"extra {_base64(self.document.encode())}", f"index {self.number}", *hashes, "", self.note)
        )

    @property
    def claimed_member(self) -> MemberId:
        """Whose record it says that it is of: by whose key it has to be verified. Raises InvalidIdentifier."""
        return MemberId.parse(self.note.partition("\n")[0])

    @classmethod
    def parse(cls, octets: bytes) -> ProofFile:
        """Read a file in exactly the form that `text` writes. octets: untrusted. Raises RecordBroken."""
        try:
            head, _, note = octets.decode().partition("\n\n")
            _, extra, index, *hashes = head.split("\n", 3 + _MAX_HASHES)
            read = cls(
                document=base64.b64decode(extra.removeprefix("extra "), validate=True).decode(),
                number=int(index.removeprefix("index ")),
                path=tuple(base64.b64decode(one, validate=True) for one in hashes),
                note=note,
            )
            # What can be read in a second way is not what was written: one proof, one text of it.
            is_as_written = len(octets) <= MAX_PROOF_FILE_OCTETS and read.text.encode() == octets
        except ValueError:  # UnicodeError and binascii.Error are such
            is_as_written = False
        if not is_as_written:
            raise RecordBroken("the file is not a proof as `adapter log prove` writes it")
        return read

    def verify(self, verifiers: tuple[NoteVerifier, ...], *, origin: str) -> Checkpoint:
        """The checkpoint that proves the entry.

        origin: of the record whose keys these are. Raises RecordBroken: not signed by one of them, of another record,
        or the entry is not at this place in it.
        """
        checkpoint = open_checkpoint(self.note, verifiers, origin=origin)
        leaf = leaf_hash(self.document.encode())
        verify_inclusion(leaf=leaf, index=self.number, size=checkpoint.size, proof=self.path, root=checkpoint.root)
        return checkpoint


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
