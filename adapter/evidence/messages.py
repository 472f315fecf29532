"""Opening a stored message again: from the octets of the wire and the content key to who signed what."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapter.crypto.open import decrypt_with_content_key, verify
from adapter.directory.model import Directory
from adapter.directory.trust import ChainCache, identify_signer, question_about
from adapter.envelope.gate import gate, parse_message
from adapter.errors import EvidenceInvalid, SecurityFailed
from adapter.evidence.container import MAX_CONTAINER_BYTES
from adapter.evidence.contents import REPLY
from adapter.evidence.signature import StatusThen, status_then
from adapter.identifiers import MemberId
from adapter.stages import MessageKind, Peer, ReceivedMessage, VerifiedMessage
from adapter.xmlsafe import XmlLimits

_LIMITS: Final = XmlLimits(max_bytes=MAX_CONTAINER_BYTES)
_KEY: Final = re.compile(rb"[0-9a-f]{32}\n")
_NO_PEER: Final = Peer(certificate_sha256=None, address="")


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedMessage:
    """A stored message that its signer signed. signer: judged by the directory at the time of the signature."""

    verified: VerifiedMessage
    signer: MemberId
    octets_sha256: str

    @property
    def signed_sha256(self) -> str:
        """SHA-256 of the canonical SignedInfo, as entries of the record have it."""
        return self.verified.signed_digest.hex()


def stored_message(octets: bytes, at: datetime) -> ReceivedMessage:
    """The octets of a kept message, to be opened and judged again. at: when it came or went, as the record says."""
    return ReceivedMessage(octets=octets, received_at=at, peer=_NO_PEER)


def certificate_in(octets: bytes, kind: MessageKind, at: datetime) -> bytes:
    """The DER certificate that a kept message brings along. at: as for `stored_message`. Raises what the gate does."""
    return gate(parse_message(stored_message(octets, at), _LIMITS), kind).certificate


def open_message(octets: bytes, key: bytes, kind: MessageKind, directory: Directory) -> SignedMessage:
    """Open, verify, and find out who signed. octets and key: untrusted.

    The key opens the message without the recipient's private key. It cannot make the message mean something else: a
    wrong one opens nothing, and what it opens has to bear the signature.
    Raises EvidenceInvalid, and what the steps of an exchange raise.
    """
    if not _KEY.fullmatch(key):
        raise EvidenceInvalid("the content key is not 32 hexadecimal digits on one line")
    # When it was received is what the record says; nothing below asks for it.
    received = stored_message(octets, directory.issued)
    gated = gate(parse_message(received, _LIMITS), kind)
    decrypted = decrypt_with_content_key(gated, bytes.fromhex(key.decode()), limits=_LIMITS)
    verified = verify(decrypted, limits=_LIMITS)
    signer = identify_signer(verified, directory=directory, at=verified.created, chains=ChainCache())
    return SignedMessage(verified=verified, signer=signer, octets_sha256=hashlib.sha256(octets).hexdigest())


def status_of_signer(message: SignedMessage, octets: bytes, directory: Directory) -> StatusThen:
    """What an OCSP response (untrusted) says of the certificate that signed, when it signed.

    Raises SecurityFailed: revoked by then, no status of this certificate, or the directory wants none; StatusOutdated.
    """
    verified = message.verified
    question = question_about(verified.signer, directory, verified.created, ChainCache())
    if question is None:
        raise SecurityFailed("the directory wants no status of the signer's certificate")
    said = status_then(question, octets, verified.created)
    said.check_good(verified.created)
    return said


def check_answers(request: SignedMessage, reply: SignedMessage) -> None:
    """The reply names the request, repeats its parties, and confirms its signature (WSS 1.1, 8.5).

    Raises EvidenceInvalid.
    """
    asked, answer = request.verified.header, reply.verified.header
    if answer.in_reply_to != asked.message_id:
        raise EvidenceInvalid(f"{REPLY}.xml: answers another message")
    parties = (asked.claimed_consumer, asked.service, asked.operation)
    if (answer.claimed_consumer, answer.service, answer.operation) != parties:
        raise EvidenceInvalid(f"{REPLY}.xml: names another consumer, service or operation than the request")
    confirmed = reply.verified.confirmation
    if confirmed is None or not hmac.compare_digest(confirmed, request.verified.signature_value):
        raise EvidenceInvalid(f"{REPLY}.xml: does not confirm the signature of the request")
