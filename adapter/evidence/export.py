"""Export: what proves one exchange, put into one container. Pure; the store reads, the command line writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tuf.api.metadata import Root, Targets

from adapter.directory.proof import DirectoryProof, in_one_form, version_of
from adapter.errors import EvidenceInvalid
from adapter.evidence.container import MIMETYPE, render_container
from adapter.evidence.manifest import (
    CHECKPOINT,
    DIRECTORY_TARGETS,
    DIRECTORY_XML,
    MANIFEST,
    MIMETYPE_CONTENT,
    REPLY,
    REQUEST,
    STAMP,
    Manifest,
    entry_path,
    proof_path,
    render_manifest,
    root_path,
)
from adapter.identifiers import MemberId, MessageId
from adapter.ports import KeptMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedEntry:
    """An entry of the record with its inclusion proof. text: canonical, as it was hashed. proof: 32 octets each."""

    number: int
    text: str
    proof: tuple[bytes, ...]


def export_evidence(
    *,
    exporter: MemberId,
    exported: datetime,
    message_id: MessageId,
    request: KeptMessage,
    reply: KeptMessage | None,
    entries: Sequence[ProvedEntry],
    checkpoint: str,
    stamp: bytes | None = None,
    directory: DirectoryProof,
) -> bytes:
    """The container: equal arguments give equal octets.

    exporter: the member whose record this is. message_id: of the request. entries: all entries about this exchange,
    proved in the tree of `checkpoint` (a signed note). stamp: a time-stamp token over that note. The directory should
    be the version by which the messages were trusted (the entries name it); a later one proves the same as long as it
    still lists both members' certificates. Its roots begin with the exporter's own anchor.
    The content keys go with the messages, so that whoever holds the file can read them: hand it on accordingly.
    Raises EvidenceInvalid when it would be too large.
    """
    files = {
        **_message(REQUEST, request),
        CHECKPOINT: checkpoint.encode(),
        DIRECTORY_XML: directory.document,
        DIRECTORY_TARGETS: in_one_form(directory.targets, Targets),
        **{root_path(version_of(octets)): in_one_form(octets, Root) for octets in directory.roots},
    }
    if stamp is not None:
        files[STAMP] = stamp
    if reply is not None:
        files |= _message(REPLY, reply)
    for entry in entries:
        files[entry_path(entry.number)] = entry.text.encode()
        files[proof_path(entry.number)] = render_proof(entry.proof)
    manifest = Manifest(exporter=exporter, exported=exported, message_id=message_id)
    files[MANIFEST] = render_manifest(manifest, files)
    return render_container({MIMETYPE: MIMETYPE_CONTENT, **files})


def _message(path: str, message: KeptMessage) -> dict[str, bytes]:
    return {f"{path}.xml": message.octets, f"{path}.key": message.content_key.hex().encode() + b"\n"}


def render_proof(proof: Sequence[bytes]) -> bytes:
    """The hashes from the leaf's neighbour up to the root's child, as JSON."""
    return json.dumps([one.hex() for one in proof], indent=1).encode() + b"\n"


def read_proof(octets: bytes, path: str) -> tuple[bytes, ...]:
    """Read what `render_proof` wrote (untrusted). Raises EvidenceInvalid."""
    try:
        proof = tuple(bytes.fromhex(one) for one in json.loads(octets))
    except (ValueError, TypeError, RecursionError):
        raise EvidenceInvalid(f"{path}: cannot be read") from None
    if render_proof(proof) != octets:
        raise EvidenceInvalid(f"{path}: not in the form that an export writes")
    return proof
