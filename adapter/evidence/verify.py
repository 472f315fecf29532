"""Offline verification: from octets that anybody may have made to a Judgement, with the authority's anchor alone.

A numbered checklist. Every step names the file that fails it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding
from tuf.api.metadata import Root, Targets

from adapter.audit.checkpoint import Checkpoint, open_checkpoint, record_origin
from adapter.audit.merkle import leaf_hash
from adapter.audit.proofs import verify_inclusion
from adapter.crypto.note import NoteVerifier
from adapter.directory.anchor import Anchor
from adapter.directory.model import Directory
from adapter.directory.proof import DirectoryProof, authenticate_directory, in_one_form, version_of
from adapter.errors import EvidenceInvalid
from adapter.evidence.asic import SignedFiles, open_asic
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
    check_contents,
    entry_path,
    proof_path,
    read_claims,
)
from adapter.evidence.cosigned import ProvedCosignatures, judge_cosigned
from adapter.evidence.dating import date_entries
from adapter.evidence.entries import ExchangeEntry, check_entries, read_entry
from adapter.evidence.export import read_proof
from adapter.evidence.judgement import Judgement
from adapter.evidence.messages import check_answers, open_message, status_of_signer
from adapter.evidence.reading import about
from adapter.evidence.signature import AuthorityStamp, ProvedSignature, StatusThen, judge_signature, judge_stamp
from adapter.evidence.wording import ProvedMessage, state
from adapter.evidence.xades import SIGNATURES
from adapter.identifiers import MemberId
from adapter.stages import MessageKind
from adapter.xmlsafe import canonical


@dataclass(frozen=True, kw_only=True, slots=True)
class Proved:
    """Everything that held together, before it is put into words. exporter_directory: the one that names the signer."""

    claims: Claims
    signature: ProvedSignature
    directory: Directory
    exporter_directory: Directory
    checkpoint: Checkpoint
    stamp: AuthorityStamp | None
    witnessed: ProvedCosignatures | None
    entries: tuple[ExchangeEntry, ...]
    request: ProvedMessage
    reply: ProvedMessage | None


def verify_evidence(octets: bytes, anchor: Anchor) -> Judgement:
    """Judge a container. octets: untrusted. anchor: the authority's root, known from elsewhere.

    Raises EvidenceInvalid, naming the file and the reason, unless every step holds.
    """
    # 1. An ASiC-E container in its one form, whose one signature covers every file; exactly the files of evidence.
    container = open_asic(octets)
    files = container.files
    numbers = check_contents(files)
    claims = read_claims(files[CLAIMS])
    # 2. Enough of the authority's officers signed the directory, by a root that follows from the anchor.
    #    (Whether it was current is judged at the messages' times, in step 6.)
    directory = open_directory(files, OF_EXCHANGE, anchor)
    exporter_directory = open_directory(files, OF_EXPORTER, anchor) if OF_EXPORTER.document in files else directory
    # 3. The signature of the container is the exporter's, and what others say of it fits.
    signature = _signature(container, claims, exporter_directory)
    # 4. The exporter's record key, which the directory names, signed the checkpoint of the exporter's record.
    checkpoint = open_record_checkpoint(files, CHECKPOINT, claims.exporter, directory)
    #    If it is time-stamped: by an authority that the directory names.
    with about(STAMP):
        stamp = judge_stamp(files[STAMP], files[CHECKPOINT], directory) if STAMP in files else None
    # 5. Every entry is in the record that the checkpoint is of; and in the one that witnesses saw, if they did.
    entries = tuple(_proved_entry(files, number, checkpoint) for number in numbers)
    witnessed = _witnessed(files, numbers, checkpoint, directory) if COSIGNED in files else None
    # 6. The messages decrypt, their signatures are good, and their signers were members, at the time of signing.
    request = _message(files, REQUEST, MessageKind.REQUEST, directory)
    reply = _message(files, REPLY, MessageKind.REPLY, directory) if f"{REPLY}.xml" in files else None
    # 7. The request is the one that the container claims to be about, and the reply answers it.
    if request.message.verified.header.message_id != claims.message_id:
        raise EvidenceInvalid(f"{REQUEST}.xml: not the message that {CLAIMS} names")
    signed_reply = None if reply is None else reply.message
    if signed_reply is not None:
        check_answers(request.message, signed_reply)
    # 8. The entries are the exporter's, about this exchange, and fix exactly these messages.
    check_entries(entries, exporter=claims.exporter, request=request.message, reply=signed_reply)
    return _judgement(
        Proved(
            claims=claims,
            signature=signature,
            directory=directory,
            exporter_directory=exporter_directory,
            checkpoint=checkpoint,
            stamp=stamp,
            witnessed=witnessed,
            entries=entries,
            request=request,
            reply=reply,
        )
    )


def open_directory(files: Mapping[str, bytes], at: DirectoryFiles, anchor: Anchor) -> Directory:
    """Step 2, for archive files too: every octet counts, so metadata has the form that an export writes.

    Raises EvidenceInvalid.
    """
    with about(at.document):
        proof = DirectoryProof(document=files[at.document], targets=files[at.targets], roots=at.roots_of(files))
        directory = authenticate_directory(proof, anchor)
        if in_one_form(proof.targets, Targets) != proof.targets:
            raise EvidenceInvalid(f"{at.targets}: not in the form that an export writes")
        for root in proof.roots:
            path = at.root(version_of(root))
            if in_one_form(root, Root) != root or files.get(path) != root:
                raise EvidenceInvalid(f"{path}: not in the form that an export writes")
    return directory


def _signature(container: SignedFiles, claims: Claims, directory: Directory) -> ProvedSignature:
    """Step 3."""
    with about(SIGNATURES):
        signature = judge_signature(container, claims.exporter, directory)
    if signature.signed_at != claims.exported:
        raise EvidenceInvalid(f"{CLAIMS}: names another time of the export than {SIGNATURES}")
    return signature


def open_record_checkpoint(files: Mapping[str, bytes], path: str, member: MemberId, directory: Directory) -> Checkpoint:
    """A checkpoint that the member's record key signed, for archive files too. Raises EvidenceInvalid."""
    with about(path):
        vkey = directory.member(member).record_vkey
        if vkey is None:
            raise EvidenceInvalid(f"{path}: the directory names no record key of {member}")
        return open_checkpoint(files[path], (NoteVerifier.parse(vkey),), origin=record_origin(member))


def _proved_entry(files: Mapping[str, bytes], number: int, checkpoint: Checkpoint) -> ExchangeEntry:
    text, path = files[entry_path(number)], proof_path(number)
    proof = read_proof(files[path], path)
    with about(f"{entry_path(number)} or {path}"):
        verify_inclusion(leaf=leaf_hash(text), index=number, size=checkpoint.size, proof=proof, root=checkpoint.root)
    with about(entry_path(number)):
        return read_entry(number, text)


def _witnessed(
    files: Mapping[str, bytes], numbers: tuple[int, ...], checkpoint: Checkpoint, directory: Directory
) -> ProvedCosignatures:
    proof = read_proof(files[CONSISTENCY], CONSISTENCY)
    cosigned = open_record_checkpoint(files, COSIGNED, MemberId.parse(checkpoint.origin), directory)
    with about(f"{COSIGNED} or {CONSISTENCY}"):
        return judge_cosigned(
            files[COSIGNED], proof, cosigned=cosigned, checkpoint=checkpoint, entries=numbers, directory=directory
        )


def _message(files: Mapping[str, bytes], path: str, kind: MessageKind, directory: Directory) -> ProvedMessage:
    with about(f"{path}.xml or {path}.key"):
        message = open_message(files[f"{path}.xml"], files[f"{path}.key"], kind, directory)
    if message.verified.signer.public_bytes(Encoding.DER) != files[f"{path}.cer"]:
        raise EvidenceInvalid(f"{path}.cer: not the certificate that the message was signed with")
    status: StatusThen | None = None
    file = f"{path}.ocsp" if f"{path}.ocsp" in files else f"{path}.xml"
    octets = files.get(f"{path}.ocsp", message.verified.header.certificate_status)
    if octets is not None:
        with about(file):
            status = status_of_signer(message, octets, directory)
    return ProvedMessage(message=message, status=status, status_file=file)


def _judgement(proved: Proved) -> Judgement:
    request = proved.request.message.verified
    return Judgement(
        exporter=proved.claims.exporter,
        message_id=request.header.message_id,
        consumer=request.header.claimed_consumer,
        service=request.header.service,
        directory_version=proved.directory.version,
        level=proved.signature.level,
        statements=state(
            directory=proved.directory,
            exporter_directory=proved.exporter_directory,
            exporter=proved.claims.exporter,
            signature=proved.signature,
            checkpoint_size=proved.checkpoint.size,
            stamp=proved.stamp,
            witnessed=proved.witnessed,
            entries=proved.entries,
            request=proved.request,
            reply=proved.reply,
        ),
        dated=date_entries(
            proved.entries,
            size=proved.checkpoint.size,
            checkpoint_stamp=proved.stamp,
            signature_stamp=proved.signature.stamp,
            witnessed=proved.witnessed,
        ),
        request=canonical(request.payload),
        reply=None if proved.reply is None else canonical(proved.reply.message.verified.payload),
    )
