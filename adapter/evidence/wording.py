"""What was proved, put into words: no more than the signatures, the directory and the record carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from adapter.audit.entry import (
    CALL_REFUSED,
    REFUSED,
    REPLY_RECEIVED,
    REPLY_SENT,
    REQUEST_RECEIVED,
    REQUEST_SENT,
    RETRY_ANSWERED,
)
from adapter.directory.model import Directory
from adapter.evidence.contents import CHECKPOINT, COSIGNED, OF_EXCHANGE, OF_EXPORTER, REPLY, REQUEST, STAMP
from adapter.evidence.cosigned import ProvedCosignatures
from adapter.evidence.entries import ExchangeEntry
from adapter.evidence.judgement import Statement
from adapter.evidence.messages import SignedMessage
from adapter.evidence.signature import AuthorityStamp, Level, ProvedSignature, StatusThen
from adapter.evidence.xades import SIGNATURES
from adapter.identifiers import MemberId
from adapter.stages import VerifiedMessage

_ENTRY_WORDS = {
    REQUEST_SENT: "recorded that it sent this request",
    REPLY_RECEIVED: "recorded that it received this reply",
    CALL_REFUSED: "recorded that it gave its own system no answer",
    REQUEST_RECEIVED: "recorded that it received, verified and allowed this request",
    REPLY_SENT: "recorded that it sent this reply",
    RETRY_ANSWERED: "recorded that the same request came again and got the stored reply",
    REFUSED: "recorded that it refused this request",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedMessage:
    """A message that its signer signed, and what the signer's CA said of the certificate, where that is known.

    status_file: where that is.
    """

    message: SignedMessage
    status: StatusThen | None
    status_file: str


LEVEL_WORDS: Final = {
    Level.B: "that it was signed then is the exporter's own word; nobody else says when",
    Level.T: "a time-stamp authority says before when it was signed; the statuses of the certificates are not inside",
    Level.LT: "a time-stamp authority says before when it was signed, and certificates and their statuses are inside",
}
"""What each level of the exporter's signature means."""


def state(
    *,
    directory: Directory,
    exporter_directory: Directory,
    exporter: MemberId,
    signature: ProvedSignature,
    checkpoint_size: int,
    stamp: AuthorityStamp | None,
    witnessed: ProvedCosignatures | None,
    entries: Sequence[ExchangeEntry],
    request: ProvedMessage,
    reply: ProvedMessage | None,
) -> tuple[Statement, ...]:
    """The statements, in the order in which a reader wants them: who asked, who answered, who recorded, who vouches."""
    return (
        _request(request.message, directory),
        *_status(request),
        *(() if reply is None else (_reply(reply.message, directory), *_status(reply))),
        *_entries(entries, exporter, directory),
        Statement(
            by=_named(exporter, directory),
            what=f"signed a checkpoint of its record of {checkpoint_size} entries; these entries are in it, unchanged",
            at=None,
            file=CHECKPOINT,
        ),
        *(() if stamp is None else (_stamp(stamp, "this checkpoint, and with it these entries,", STAMP),)),
        *(() if witnessed is None else _cosignatures(witnessed)),
        _directory(directory, request.message),
        *_signature(signature, exporter, exporter_directory),
        *(() if exporter_directory is directory else (_second_directory(exporter_directory),)),
    )


def _cosignatures(witnessed: ProvedCosignatures) -> Iterator[Statement]:
    for one in witnessed.cosignatures:
        what = (
            f"cosigned a checkpoint of that record of {witnessed.size} entries, these among them, as one that continues"
        )
        what += " whatever it had seen of it before"
        yield Statement(by=f"the witness {_quoted(one.witness)}", what=what, at=one.at, file=COSIGNED)


def _signature(signature: ProvedSignature, exporter: MemberId, directory: Directory) -> Iterator[Statement]:
    what = f"exported all this and signed every file of it ({signature.level.value}: {LEVEL_WORDS[signature.level]})"
    if signature.expired:
        what += "; the directory that names its certificate had expired by then"
    yield Statement(by=_named(exporter, directory), what=what, at=signature.signed_at, file=SIGNATURES)
    if signature.stamp is not None:
        yield _stamp(signature.stamp, "the exporter's signature", SIGNATURES)
    for status in signature.statuses:
        yield _good_then(status, SIGNATURES)


def _status(proved: ProvedMessage) -> Iterator[Statement]:
    if proved.status is not None:
        yield _good_then(proved.status, proved.status_file)


def _good_then(said: StatusThen, file: str) -> Statement:
    revoked_at = said.status.revoked_at
    what = f"said that the certificate of {_quoted(said.certificate.subject.rfc4514_string())} "
    what += (
        "had not been revoked" if revoked_at is None else f"was revoked on {revoked_at:%Y-%m-%d %H:%M:%SZ}, after it"
    )
    by = f"the CA {_quoted(said.issuer.subject.rfc4514_string())}"
    return Statement(by=by, what=what, at=said.status.this_update, file=file)


def _stamp(stamp: AuthorityStamp, what: str, file: str) -> Statement:
    return Statement(
        by=f"the time-stamp authority {stamp.authority}",
        what=f"signed that {what} existed before this time",
        at=stamp.before,
        file=file,
    )


def _request(request: SignedMessage, directory: Directory) -> Statement:
    header, personal_data = request.verified.header, request.verified.personal_data
    what = (
        f"signed the request {header.message_id}: {header.claimed_consumer} asks {header.service} ({header.operation})"
    )
    what += f", official {header.official}"
    if personal_data is not None:
        what += f", purpose {_quoted(personal_data.purpose)}, about {len(personal_data.subjects)} subject(s)"
        basis = personal_data.legal_basis
        if basis is not None:
            what += f", legal basis {_quoted(basis.kind)}: {_quoted(basis.reference)}"
        if personal_data.emergency is not None:
            what += ", in an emergency"
    what += _attachments(request.verified)
    return Statement(
        by=_named(request.signer, directory), what=what, at=request.verified.created, file=f"{REQUEST}.xml"
    )


def _reply(reply: SignedMessage, directory: Directory) -> Statement:
    return Statement(
        by=_named(reply.signer, directory),
        what=f"signed the reply {reply.verified.header.message_id}, which answers exactly this request"
        + _attachments(reply.verified),
        at=reply.verified.created,
        file=f"{REPLY}.xml",
    )


def _attachments(verified: VerifiedMessage) -> str:
    """What the signature covers beside the message: whoever has the octets can compare them."""
    said = [f"{one.size} octets with SHA-256 {one.sha256.hex()}" for one in verified.attachments]
    return f", with {len(said)} attachment(s): {'; '.join(said)}" if said else ""


def _entries(entries: Sequence[ExchangeEntry], exporter: MemberId, directory: Directory) -> Iterator[Statement]:
    for entry in entries:
        what = f"{_ENTRY_WORDS[entry.indexed.kind]}, as entry {entry.number} of its record"
        if entry.indexed.kind in (REFUSED, CALL_REFUSED):
            what += f" ({entry.indexed.outcome})"
        yield Statement(by=_named(exporter, directory), what=what, at=entry.at, file=entry.path)


def _directory(directory: Directory, request: SignedMessage) -> Statement:
    what = f"signed version {directory.version} of the directory, which names these members, their keys and their CAs"
    if directory.issued > request.verified.created:
        what += "; it was issued after the request was signed"
    return Statement(by="the authority", what=what, at=directory.issued, file=OF_EXCHANGE.document)


def _second_directory(directory: Directory) -> Statement:
    what = f"signed version {directory.version} of the directory, which names the exporter and its certificate"
    return Statement(by="the authority", what=what, at=directory.issued, file=OF_EXPORTER.document)


def _quoted(text: str) -> str:
    """Somebody else's words, on one line and marked as such."""
    return f"“{' '.join(text.split())}”"


def _named(member: MemberId, directory: Directory) -> str:
    return f"{directory.member(member).names.get('en', '')} ({member})".strip()
