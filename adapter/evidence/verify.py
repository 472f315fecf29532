"""Offline verification: from octets that anybody may have made to a Judgement, with the authority's anchor alone.

A numbered checklist. Every step names the file that fails it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tuf.api.metadata import Root, Targets

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin
from adapter.audit.merkle import leaf_hash
from adapter.audit.proofs import verify_inclusion
from adapter.crypto.note import NoteVerifier
from adapter.directory.anchor import Anchor
from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, authenticate_directory, in_one_form, version_of
from adapter.errors import AdapterError, EvidenceInvalid
from adapter.evidence.container import read_container
from adapter.evidence.entries import ExchangeEntry, check_entries, read_entry
from adapter.evidence.export import read_proof
from adapter.evidence.judgement import Judgement
from adapter.evidence.manifest import (
    CHECKPOINT,
    DIRECTORY_TARGETS,
    DIRECTORY_XML,
    MANIFEST,
    REPLY,
    REQUEST,
    STAMP,
    Manifest,
    check_manifest,
    entry_path,
    proof_path,
    root_path,
    roots_of,
)
from adapter.evidence.messages import SignedMessage, check_answers, open_message
from adapter.evidence.stamps import ProvedStamp, judge_stamp
from adapter.evidence.wording import state
from adapter.identifiers import MemberId
from adapter.stages import MessageKind
from adapter.xmlsafe import canonical


@dataclass(frozen=True, kw_only=True, slots=True)
class Proved:
    """Everything that held together, before it is put into words."""

    manifest: Manifest
    directory: Directory
    checkpoint: Checkpoint
    stamp: ProvedStamp | None
    entries: tuple[ExchangeEntry, ...]
    request: SignedMessage
    reply: SignedMessage | None


def verify_evidence(octets: bytes, anchor: Anchor) -> Judgement:
    """Judge a container. octets: untrusted. anchor: the authority's root, known from elsewhere.

    Raises EvidenceInvalid, naming the file and the reason, unless every step holds.
    """
    # 1. The container has its one canonical form, exactly the files that evidence consists of, and their digests.
    files = read_container(octets)
    with _about(MANIFEST):
        manifest, numbers = check_manifest(files)
    # 2. Enough of the authority's officers signed the directory, by a root that follows from the anchor.
    #    (Whether it was current is judged at the messages' times, in step 5.)
    with _about(DIRECTORY_XML):
        proof = DirectoryProof(document=files[DIRECTORY_XML], targets=files[DIRECTORY_TARGETS], roots=roots_of(files))
        directory = authenticate_directory(proof, anchor)
        _check_form(proof)
    # 3. The exporter's record key, which the directory names, signed the checkpoint of the exporter's record.
    with _about(CHECKPOINT):
        checkpoint = _open_checkpoint(files[CHECKPOINT], manifest.exporter, directory)
    #    If it is time-stamped: by an authority that the directory names.
    with _about(STAMP):
        stamp = judge_stamp(files[STAMP], files[CHECKPOINT], directory) if STAMP in files else None
    # 4. Every entry is in the record that the checkpoint is of.
    entries = tuple(_proved_entry(files, number, checkpoint) for number in numbers)
    # 5. The messages decrypt, their signatures are good, and their signers were members, at the time of signing.
    request = _message(files, REQUEST, MessageKind.REQUEST, directory)
    reply = _message(files, REPLY, MessageKind.REPLY, directory) if f"{REPLY}.xml" in files else None
    # 6. The request is the one that the manifest names, and the reply answers it.
    if request.verified.header.message_id != manifest.message_id:
        raise EvidenceInvalid(f"{REQUEST}.xml: not the message that the manifest names")
    if reply is not None:
        check_answers(request, reply)
    # 7. The entries are the exporter's, about this exchange, and fix exactly these messages.
    check_entries(entries, exporter=manifest.exporter, request=request, reply=reply)
    return _judgement(
        Proved(
            manifest=manifest,
            directory=directory,
            checkpoint=checkpoint,
            stamp=stamp,
            entries=entries,
            request=request,
            reply=reply,
        )
    )


def _check_form(proof: DirectoryProof) -> None:
    """Every octet counts: metadata that is laid out in another way is not what an export wrote."""
    if in_one_form(proof.targets, Targets) != proof.targets:
        raise EvidenceInvalid(f"{DIRECTORY_TARGETS}: not in the form that an export writes")
    for root in proof.roots:
        if in_one_form(root, Root) != root:
            raise EvidenceInvalid(f"{root_path(version_of(root))}: not in the form that an export writes")


def _open_checkpoint(note: bytes, exporter: MemberId, directory: Directory) -> Checkpoint:
    vkey = directory.member(exporter).record_vkey
    if vkey is None:
        raise EvidenceInvalid(f"{CHECKPOINT}: the directory names no record key of {exporter}")
    return open_checkpoint(note, (NoteVerifier.parse(vkey),), origin=record_origin(exporter))


def _proved_entry(files: Mapping[str, bytes], number: int, checkpoint: Checkpoint) -> ExchangeEntry:
    text, path = files[entry_path(number)], proof_path(number)
    proof = read_proof(files[path], path)
    with _about(f"{entry_path(number)} or {path}"):
        verify_inclusion(leaf=leaf_hash(text), index=number, size=checkpoint.size, proof=proof, root=checkpoint.root)
    with _about(entry_path(number)):
        return read_entry(number, text)


def _message(files: Mapping[str, bytes], path: str, kind: MessageKind, directory: Directory) -> SignedMessage:
    with _about(f"{path}.xml or {path}.key"):
        return open_message(files[f"{path}.xml"], files[f"{path}.key"], kind, directory)


@contextmanager
def _about(file: str) -> Iterator[None]:
    """Whatever is wrong inside is wrong with this file."""
    try:
        yield
    except EvidenceInvalid:
        raise
    except AdapterError as cause:
        raise EvidenceInvalid(f"{file}: {cause.reason}") from None


def _judgement(proved: Proved) -> Judgement:
    header = proved.request.verified.header
    return Judgement(
        exporter=proved.manifest.exporter,
        message_id=header.message_id,
        consumer=header.claimed_consumer,
        service=header.service,
        directory_version=proved.directory.version,
        statements=state(
            directory=proved.directory,
            exporter=proved.manifest.exporter,
            checkpoint_size=proved.checkpoint.size,
            stamp=proved.stamp,
            entries=proved.entries,
            request=proved.request,
            reply=proved.reply,
        ),
        request=canonical(proved.request.verified.payload),
        reply=None if proved.reply is None else canonical(proved.reply.verified.payload),
    )
