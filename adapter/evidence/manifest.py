"""What the container says of itself: who exported what, and the digest of every file. Claims, until verified."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapter.errors import EvidenceInvalid, InvalidIdentifier
from adapter.evidence.container import MIMETYPE
from adapter.identifiers import MemberId, MessageId

MIMETYPE_CONTENT: Final = b"application/vnd.interagency-adapter.evidence+zip"
MANIFEST: Final = "manifest.json"
REQUEST: Final = "messages/request"
REPLY: Final = "messages/reply"
CHECKPOINT: Final = "record/checkpoint.note"
STAMP: Final = "record/checkpoint.tst"
DIRECTORY_XML: Final = "directory/directory.xml"
DIRECTORY_TARGETS: Final = "directory/targets.json"

_FORMAT: Final = "interagency-adapter/evidence/2"
_ENTRY: Final = re.compile(r"record/(entry|proof)-(0|[1-9][0-9]{0,18})\.json")
_ROOT: Final = re.compile(r"directory/([1-9][0-9]{0,17})\.root\.json")
_REQUIRED: Final = frozenset((f"{REQUEST}.xml", f"{REQUEST}.key", CHECKPOINT, DIRECTORY_XML, DIRECTORY_TARGETS))
_OPTIONAL: Final = frozenset((f"{REPLY}.xml", f"{REPLY}.key", STAMP))
_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


def entry_path(number: int) -> str:
    """Where the entry of this number is: its canonical text, as it was hashed."""
    return f"record/entry-{number}.json"


def root_path(version: int) -> str:
    """Where this version of the root is: one of those that lead from the anchor to what signed the directory."""
    return f"directory/{version}.root.json"


def roots_of(files: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """The roots of a container, in the order of their names."""
    numbered = {int(match[1]): octets for path, octets in files.items() if (match := _ROOT.fullmatch(path))}
    return tuple(numbered[number] for number in sorted(numbered))


def proof_path(number: int) -> str:
    """Where the inclusion proof of this entry is."""
    return f"record/proof-{number}.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """Who exported it, when they say they did, and the id of the request."""

    exporter: MemberId
    exported: datetime
    message_id: MessageId


def render_manifest(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """manifest.json, in its one form. files: all but the manifest and the mimetype."""
    listed = {
        path: {"bytes": len(octets), "sha256": hashlib.sha256(octets).hexdigest()} for path, octets in files.items()
    }
    said = {
        "format": _FORMAT,
        "exporter": str(manifest.exporter),
        "exported": manifest.exported.strftime(_INSTANT),
        "message_id": str(manifest.message_id),
        "files": listed,
    }
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"


def check_manifest(files: Mapping[str, bytes]) -> tuple[Manifest, tuple[int, ...]]:
    """Check that the container has exactly the files that evidence consists of, each as the manifest lists it.

    files: as they came out of the container, untrusted. Gives the manifest and the numbers of the record's entries.
    Raises EvidenceInvalid with the name of the file that is missing, foreign or changed.
    """
    if files[MIMETYPE] != MIMETYPE_CONTENT:
        raise EvidenceInvalid(f"{MIMETYPE}: not a container of evidence")
    content = {path: octets for path, octets in files.items() if path not in (MIMETYPE, MANIFEST)}
    numbers = _check_paths(content)
    if MANIFEST not in files:
        raise EvidenceInvalid(f"{MANIFEST}: missing")
    manifest, listed = _read_manifest(files[MANIFEST])
    for path, octets in content.items():
        said = listed.get(path)
        digest = hashlib.sha256(octets).hexdigest()
        if not isinstance(said, dict) or not hmac.compare_digest(str(said.get("sha256")), digest):
            raise EvidenceInvalid(f"{path}: not as the manifest lists it")
    if render_manifest(manifest, content) != files[MANIFEST]:
        raise EvidenceInvalid(f"{MANIFEST}: does not list exactly the files of the container, or has another form")
    return manifest, numbers


def _check_paths(content: Mapping[str, bytes]) -> tuple[int, ...]:
    """The numbers of the entries. Only known paths are allowed, so that none can lead out of a folder."""
    numbers: dict[str, set[int]] = {"entry": set(), "proof": set()}
    for path in content:
        match = _ENTRY.fullmatch(path)
        if match is not None:
            numbers[match[1]].add(int(match[2]))
        elif path not in _REQUIRED | _OPTIONAL and not _ROOT.fullmatch(path):
            raise EvidenceInvalid(f"{path[:100]!r}: a file that has no place in evidence")
    for path in sorted(_REQUIRED - content.keys()):
        raise EvidenceInvalid(f"{path}: missing")
    if (f"{REPLY}.xml" in content) != (f"{REPLY}.key" in content):
        raise EvidenceInvalid(f"{REPLY}: the message and its key come together")
    if not numbers["entry"] or numbers["entry"] != numbers["proof"]:
        raise EvidenceInvalid("record: every entry needs its proof, and there has to be one")
    return tuple(sorted(numbers["entry"]))


def _read_manifest(octets: bytes) -> tuple[Manifest, dict[str, object]]:
    try:
        said = json.loads(octets)
        manifest = Manifest(
            exporter=MemberId.parse(said["exporter"]),
            exported=datetime.strptime(said["exported"], _INSTANT).replace(tzinfo=UTC),
            message_id=MessageId(said["message_id"]),
        )
        listed = said["files"]
        if said["format"] != _FORMAT or not isinstance(listed, dict):
            raise EvidenceInvalid(f"{MANIFEST}: of another format than {_FORMAT}")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InvalidIdentifier):
        raise EvidenceInvalid(f"{MANIFEST}: cannot be read") from None
    return manifest, listed
