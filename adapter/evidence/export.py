"""Export: what proves one exchange, as the files of one container. Pure; the store reads, the command line signs.

Signing comes after (evidence.asic), and with it what the world outside has to say of the signature.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tuf.api.metadata import Root, Targets

from adapter.directory.proof import DirectoryProof, in_one_form, version_of
from adapter.evidence.contents import (
    CHECKPOINT,
    CLAIMS,
    CONSISTENCY,
    COSIGNED,
    OF_EXCHANGE,
    OF_EXPORTER,
    REPLY,
    REQUEST,
    STAMP,
    Claims,
    DirectoryFiles,
    entry_path,
    proof_path,
    render_claims,
)
from adapter.evidence.cosigned import CosignedCheckpoint
from adapter.evidence.messages import certificate_in
from adapter.evidence.reading import read_json
from adapter.identifiers import MemberId, MessageId
from adapter.ports import KeptMessage
from adapter.stages import MessageKind


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedEntry:
    """An entry of the record with its inclusion proof. text: canonical, as it was hashed. proof: 32 octets each."""

    number: int
    text: str
    proof: tuple[bytes, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedMessage:
    """A message as it went over the wire.

    status: the OCSP response by which its signer was judged, where that was fetched and is not in the message itself.
    """

    kept: KeptMessage
    status: bytes | None = None


def gather_evidence(
    *,
    exporter: MemberId,
    exported: datetime,
    message_id: MessageId,
    request: ExportedMessage,
    reply: ExportedMessage | None,
    entries: Sequence[ProvedEntry],
    checkpoint: str,
    stamp: bytes | None = None,
    cosigned: CosignedCheckpoint | None = None,
    directory: DirectoryProof,
    exporter_directory: DirectoryProof | None = None,
) -> dict[str, bytes]:
    """The files: equal arguments give equal octets.

    exporter: the member whose record this is. exported: when it is signed. message_id: of the request. entries: all
    entries about this exchange, proved in the tree of `checkpoint` (a signed note). stamp: a time-stamp token over that
    note. cosigned: a checkpoint with these entries that witnesses of the directory cosigned.
    The directory should be the version by which the messages were trusted (the entries name it); a later one proves
    the same as long as it still lists both members' certificates. Its roots begin with the exporter's own
    anchor. exporter_directory: another one that names the exporter's certificate, where the first one does not.
    The content keys go with the messages, so that whoever holds the file can read them: hand it on accordingly.
    Raises EvidenceInvalid, and what the gate of a message raises.
    """
    claims = Claims(exporter=exporter, exported=exported, message_id=message_id)
    files = {
        CLAIMS: render_claims(claims),
        **_message(REQUEST, request, MessageKind.REQUEST, exported),
        CHECKPOINT: checkpoint.encode(),
        **directory_files(OF_EXCHANGE, directory),
    }
    if exporter_directory is not None:
        files |= directory_files(OF_EXPORTER, exporter_directory)
    if stamp is not None:
        files[STAMP] = stamp
    if cosigned is not None:
        files |= {COSIGNED: cosigned.note.encode(), CONSISTENCY: render_proof(cosigned.proof)}
    if reply is not None:
        files |= _message(REPLY, reply, MessageKind.REPLY, exported)
    for entry in entries:
        files[entry_path(entry.number)] = entry.text.encode()
        files[proof_path(entry.number)] = render_proof(entry.proof)
    return files


def directory_files(at: DirectoryFiles, directory: DirectoryProof) -> dict[str, bytes]:
    """The directory with what proves it, in the one form that `evidence.verify.open_directory` takes."""
    return {
        at.document: directory.document,
        at.targets: in_one_form(directory.targets, Targets),
        **{at.root(version_of(octets)): in_one_form(octets, Root) for octets in directory.roots},
    }


def _message(path: str, message: ExportedMessage, kind: MessageKind, at: datetime) -> dict[str, bytes]:
    files = {
        f"{path}.xml": message.kept.octets,
        f"{path}.key": message.kept.content_key.hex().encode() + b"\n",
        f"{path}.cer": certificate_in(message.kept.octets, kind, at),
    }
    return files if message.status is None else {**files, f"{path}.ocsp": message.status}


def render_proof(proof: Sequence[bytes]) -> bytes:
    """The hashes from the leaf's neighbour up to the root's child, as JSON."""
    return json.dumps([one.hex() for one in proof], indent=1).encode() + b"\n"


def read_proof(octets: bytes, path: str) -> tuple[bytes, ...]:
    """Read what `render_proof` wrote (untrusted). Raises EvidenceInvalid."""
    return read_json(octets, path, lambda said: tuple(map(bytes.fromhex, said)), render_proof)
