"""The files that evidence consists of, and what it says of itself: who exported what. Claims, until verified."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from adapter.errors import EvidenceInvalid
from adapter.evidence.reading import read_json
from adapter.identifiers import MemberId, MessageId

CLAIMS: Final = "evidence.json"
REQUEST: Final = "messages/request"
REPLY: Final = "messages/reply"
CHECKPOINT: Final = "record/checkpoint.note"
STAMP: Final = "record/checkpoint.tst"
COSIGNED: Final = "record/cosigned.note"
CONSISTENCY: Final = "record/consistency.json"

_FORMAT: Final = "interagency-adapter/evidence/3"
_ENTRY: Final = re.compile(r"record/(entry|proof)-(0|[1-9][0-9]{0,18})\.json")
_ROOT: Final = re.compile(r"(directory|exporter)/([1-9][0-9]{0,17})\.root\.json")
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectoryFiles:
    """Where a directory with its proof is: the document, the targets that officers signed, the roots below."""

    folder: str

    @property
    def document(self) -> str:
        """The document."""
        return f"{self.folder}/directory.xml"

    @property
    def targets(self) -> str:
        """What officers signed."""
        return f"{self.folder}/targets.json"

    def root(self, version: int) -> str:
        """This version of the root: one of those that lead from the anchor to what signed the directory."""
        return f"{self.folder}/{version}.root.json"

    def root_paths(self, files: Mapping[str, bytes]) -> list[str]:
        """Where a container has roots."""
        return [path for path in files if (match := _ROOT.fullmatch(path)) and match[1] == self.folder]

    def roots_of(self, files: Mapping[str, bytes]) -> tuple[bytes, ...]:
        """The roots of a container, in the order of their versions."""
        found = {
            int(match[2]): octets
            for path, octets in files.items()
            if (match := _ROOT.fullmatch(path)) and match[1] == self.folder
        }
        return tuple(found[version] for version in sorted(found))


OF_EXCHANGE: Final = DirectoryFiles(folder="directory")
"""The directory by which the exchange was judged."""
OF_EXPORTER: Final = DirectoryFiles(folder="exporter")
"""The directory that names the exporter's certificate, where the other one does not or had expired."""

DIRECTORY_XML: Final = OF_EXCHANGE.document
DIRECTORY_TARGETS: Final = OF_EXCHANGE.targets

_REQUIRED: Final = frozenset(
    (CLAIMS, *(f"{REQUEST}.{suffix}" for suffix in ("xml", "key", "cer")), CHECKPOINT, DIRECTORY_XML, DIRECTORY_TARGETS)
)
_OF_REPLY: Final = frozenset(f"{REPLY}.{suffix}" for suffix in ("xml", "key", "cer"))
_WITNESSED: Final = frozenset((COSIGNED, CONSISTENCY))
_OPTIONAL: Final = (
    frozenset((f"{REQUEST}.ocsp", f"{REPLY}.ocsp", STAMP, OF_EXPORTER.document, OF_EXPORTER.targets)) | _WITNESSED
)


def entry_path(number: int) -> str:
    """Where the entry of this number is: its canonical text, as it was hashed."""
    return f"record/entry-{number}.json"


def proof_path(number: int) -> str:
    """Where the inclusion proof of this entry is."""
    return f"record/proof-{number}.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claims:
    """Who exported it, when they say they did (whole seconds), and the id of the request."""

    exporter: MemberId
    exported: datetime
    message_id: MessageId


def render_claims(claims: Claims) -> bytes:
    """evidence.json, in its one form."""
    said = {
        "format": _FORMAT,
        "exporter": str(claims.exporter),
        "exported": claims.exported.strftime(_INSTANT),
        "message_id": str(claims.message_id),
    }
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def read_claims(octets: bytes) -> Claims:
    """Read what `render_claims` wrote (untrusted). Raises EvidenceInvalid."""
    return read_json(octets, CLAIMS, _claims, render_claims)


def _claims(said: Mapping[str, Any]) -> Claims:
    if said["format"] != _FORMAT:
        raise EvidenceInvalid(f"{CLAIMS}: of another format than {_FORMAT}")
    return Claims(
        exporter=MemberId.parse(said["exporter"]),
        exported=datetime.strptime(said["exported"], _INSTANT).replace(tzinfo=UTC),
        message_id=MessageId(said["message_id"]),
    )


def check_contents(files: Mapping[str, bytes]) -> tuple[int, ...]:
    """Check that these are exactly the files that evidence consists of; the numbers of the record's entries.

    Raises EvidenceInvalid with the name of the file that is missing or has no place.
    """
    numbers: dict[str, set[int]] = {"entry": set(), "proof": set()}
    for path in files:
        match = _ENTRY.fullmatch(path)
        if match is not None:
            numbers[match[1]].add(int(match[2]))
        elif path not in _REQUIRED | _OF_REPLY | _OPTIONAL and not _ROOT.fullmatch(path):
            raise EvidenceInvalid(f"{path[:100]!r}: a file that has no place in evidence")
    for path in sorted(_REQUIRED - files.keys()):
        raise EvidenceInvalid(f"{path}: missing")
    _check_together(files, f"{REPLY}.", _OF_REPLY)
    _check_together(files, "record/co", _WITNESSED)
    _check_together(files, f"{OF_EXPORTER.folder}/", frozenset((OF_EXPORTER.document, OF_EXPORTER.targets)))
    if not numbers["entry"] or numbers["entry"] != numbers["proof"]:
        raise EvidenceInvalid("record: every entry needs its proof, and there has to be one")
    return tuple(sorted(numbers["entry"]))


def _check_together(files: Mapping[str, bytes], prefix: str, needed: frozenset[str]) -> None:
    """Where there is anything of a group, there is all that it needs."""
    if any(path.startswith(prefix) for path in files):
        for path in sorted(needed - files.keys()):
            raise EvidenceInvalid(f"{path}: missing")
