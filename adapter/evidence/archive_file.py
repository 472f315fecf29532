"""An archive file: kept messages, still sealed, with the record's entries about them, their proofs, and one signature.

It holds no key: the keys stay in the database, so that erasing a day reaches every copy of its archive files. Whoever
has the file and the authority's anchor can verify that it is whole, and read nothing of the messages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from adapter.audit.checkpoint import Checkpoint
from adapter.audit.document import moment, read_document
from adapter.audit.merkle import leaf_hash
from adapter.audit.proofs import verify_inclusion
from adapter.audit.retention import Compartment
from adapter.directory.anchor import Anchor
from adapter.directory.proof import DirectoryProof
from adapter.errors import EvidenceInvalid
from adapter.evidence.asic import open_asic
from adapter.evidence.contents import CHECKPOINT, DirectoryFiles
from adapter.evidence.export import ProvedEntry, directory_files
from adapter.evidence.reading import about, read_json
from adapter.evidence.signature import ProvedSignature, judge_signature
from adapter.evidence.verify import open_directory, open_record_checkpoint
from adapter.evidence.xades import SIGNATURES
from adapter.identifiers import MemberId

CLAIMS: Final = "archive.json"
ENTRIES: Final = "record/entries.jsonl"
INDEX: Final = "messages/index.jsonl"
SEALED: Final = "messages/sealed.bin"
OF_ARCHIVE: Final = DirectoryFiles(folder="directory")

_FORMAT: Final = "interagency-adapter/archive/1"
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"
_FILES: Final = (CLAIMS, ENTRIES, CHECKPOINT, INDEX, SEALED, OF_ARCHIVE.document, OF_ARCHIVE.targets)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedMessage:
    """A kept message as it is stored: sealed under the key of its compartment, bound to its entry and direction."""

    number: int
    direction: str
    compartment: Compartment
    sealed: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveClaims:
    """What the file says of itself. Claims, until verified. made: whole seconds. days: first and last, UTC."""

    member: MemberId
    made: datetime
    days: tuple[str, str]
    entries: int
    messages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedArchive:
    """An archive file of which everything holds. Made by `verify_archive` only. entries: canonical texts by number."""

    claims: ArchiveClaims
    signature: ProvedSignature
    checkpoint: Checkpoint
    entries: Mapping[int, str]
    messages: tuple[ArchivedMessage, ...]


def gather_archive(
    *,
    member: MemberId,
    made: datetime,
    messages: Sequence[ArchivedMessage],
    entries: Sequence[ProvedEntry],
    checkpoint: str,
    directory: DirectoryProof,
) -> dict[str, bytes]:
    """The files of one archive file, to be signed (evidence.asic). entries: of all messages, proved by the checkpoint.

    Both in the order of their numbers; messages is not empty.
    """
    days = sorted(one.compartment.day for one in messages)
    claims = ArchiveClaims(
        member=member, made=made, days=(days[0], days[-1]), entries=len(entries), messages=len(messages)
    )
    return {
        CLAIMS: _render_claims(claims),
        ENTRIES: _lines({"number": one.number, "text": one.text, "proof": _hexes(one.proof)} for one in entries),
        CHECKPOINT: checkpoint.encode(),
        INDEX: _lines(map(_indexed, messages)),
        SEALED: b"".join(one.sealed for one in messages),
        **directory_files(OF_ARCHIVE, directory),
    }


def verify_archive(octets: bytes, anchor: Anchor) -> VerifiedArchive:
    """Verify an archive file (untrusted octets) with the authority's anchor alone. EvidenceInvalid names the file.

    1. An ASiC-E container in its one form, whose one signature covers every file; exactly the files of an archive.
    2. Enough of the authority's officers signed the directory, by a root that follows from the anchor.
    3. The signature is of the member whose archive it claims to be.
    4. That member's record key signed the checkpoint.
    5. Every entry is in the record that the checkpoint is of, and is the member's.
    6. The index has every octet of the sealed messages once, each message of an entry here, of that entry's day.
    7. It has as many of both as it claims, of the days that it claims.
    """
    container = open_asic(octets)
    files = container.files
    for path in _FILES:
        if path not in files:
            raise EvidenceInvalid(f"{path}: missing")
    claims = read_json(files[CLAIMS], CLAIMS, _claims, _render_claims)
    directory = open_directory(files, OF_ARCHIVE, anchor)
    for path in files.keys() - set(_FILES) - set(OF_ARCHIVE.root_paths(files)):
        raise EvidenceInvalid(f"{path[:100]!r}: a file that has no place in an archive")
    with about(SIGNATURES):
        signature = judge_signature(container, claims.member, directory)
    checkpoint = open_record_checkpoint(files, CHECKPOINT, claims.member, directory)
    entries = dict(_entries(files[ENTRIES], claims.member, checkpoint))
    messages = tuple(_messages(files[INDEX], files[SEALED], entries))
    _check_claims(claims, signature, entries, messages)
    return VerifiedArchive(
        claims=claims, signature=signature, checkpoint=checkpoint, entries=entries, messages=messages
    )


def _check_claims(
    claims: ArchiveClaims,
    signature: ProvedSignature,
    entries: Mapping[int, str],
    messages: Sequence[ArchivedMessage],
) -> None:
    """Step 7."""
    days = sorted(one.compartment.day for one in messages)
    found = ArchiveClaims(
        member=claims.member,
        made=signature.signed_at,
        days=(days[0], days[-1]),
        entries=len(entries),
        messages=len(messages),
    )
    if found != claims:
        raise EvidenceInvalid(f"{CLAIMS}: says something else than the file holds")


def _entries(octets: bytes, member: MemberId, checkpoint: Checkpoint) -> Iterator[tuple[int, str]]:
    """Step 5. In the order of their numbers, each once."""
    before = -1
    for said in _read_lines(octets, ENTRIES, {"number": int, "text": str, "proof": list}):
        number, text = said["number"], said["text"]
        if number <= before:
            raise EvidenceInvalid(f"{ENTRIES}: entry {number} is not in its place")
        before = number
        with about(f"{ENTRIES}, entry {number}"):
            verify_inclusion(
                leaf=leaf_hash(text.encode()),
                index=number,
                size=checkpoint.size,
                proof=tuple(bytes.fromhex(one) for one in said["proof"]),
                root=checkpoint.root,
            )
            body, _ = read_document(text)
        if body.get("by") != str(member):
            raise EvidenceInvalid(f"{ENTRIES}: entry {number} is not of {member}")
        yield number, text


def _messages(index: bytes, sealed: bytes, entries: Mapping[int, str]) -> Iterator[ArchivedMessage]:
    """Step 6."""
    at, before, with_messages = 0, (-1, ""), set()
    fields = dict.fromkeys(("day", "service", "purpose", "direction", "sha256"), str)
    for said in _read_lines(index, INDEX, {**fields, "number": int, "generation": int, "bytes": int}):
        place = (said["number"], said["direction"])
        what = f"the {said['direction'][:20]!r} of entry {said['number']}"
        if place <= before or said["number"] not in entries or said["bytes"] < 0:
            raise EvidenceInvalid(f"{INDEX}: {what} is not in its place")
        octets = sealed[at : at + said["bytes"]]
        if hashlib.sha256(octets).hexdigest() != said["sha256"]:
            raise EvidenceInvalid(f"{SEALED}: {what} is not as {INDEX} lists it")
        _, indexed = read_document(entries[said["number"]])
        if moment(indexed.at_ms).date().isoformat() != said["day"]:
            raise EvidenceInvalid(f"{INDEX}: {what} is of another day")
        before, at = place, at + len(octets)
        with_messages.add(said["number"])
        yield ArchivedMessage(
            number=said["number"],
            direction=said["direction"],
            compartment=Compartment(said["day"], said["service"], said["purpose"], said["generation"]),
            sealed=octets,
        )
    if at != len(sealed) or with_messages != entries.keys() or not with_messages:
        raise EvidenceInvalid(f"{INDEX}: does not list exactly what is in {SEALED} and {ENTRIES}")


# --- JSON in one form ------------------------------------------------------------------------------------------------


def _indexed(one: ArchivedMessage) -> dict[str, Any]:
    return {
        "number": one.number,
        "direction": one.direction,
        **one.compartment._asdict(),
        "bytes": len(one.sealed),
        "sha256": hashlib.sha256(one.sealed).hexdigest(),
    }


def _hexes(proof: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in proof]


def _lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return b"".join(_line(row) for row in rows)


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _read_lines(octets: bytes, path: str, fields: Mapping[str, type]) -> Iterator[dict[str, Any]]:
    """The rows, each with exactly these fields of these types, in the form that `_lines` writes. EvidenceInvalid."""
    for line in octets.splitlines(keepends=True):
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            said = None
        is_ours = isinstance(said, dict) and {name: type(value) for name, value in said.items()} == dict(fields)
        if not is_ours or _line(said) != line:
            raise EvidenceInvalid(f"{path}: a line is not in the form that an archive has")
        yield said


def _render_claims(claims: ArchiveClaims) -> bytes:
    said = {
        "format": _FORMAT,
        "member": str(claims.member),
        "made": claims.made.strftime(_INSTANT),
        "first_day": claims.days[0],
        "last_day": claims.days[1],
        "entries": claims.entries,
        "messages": claims.messages,
    }
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def _claims(said: Mapping[str, Any]) -> ArchiveClaims:
    return ArchiveClaims(
        member=MemberId.parse(said["member"]),
        made=datetime.strptime(said["made"], _INSTANT).replace(tzinfo=UTC),
        days=(said["first_day"], said["last_day"]),
        entries=said["entries"],
        messages=said["messages"],
    )
