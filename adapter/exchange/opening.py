"""Opening what a peer sent: the same steps for a request, a reply and a stored message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from adapter.audit.peer_checkpoints import shown_in
from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.open import decrypt, verify
from adapter.crypto.recognition import recognise
from adapter.directory.model import Directory
from adapter.directory.status import StatusBook, StatusQuestion
from adapter.directory.trust import ChainCache, establish_trust, question_about
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.gate_attachments import check_parts
from adapter.errors import InternalError, StatusUnavailable
from adapter.exchange.trail import Trail
from adapter.stages import MessageKind, TrustedMessage, VerifiedMessage
from adapter.xmlsafe import XmlLimits


def nothing_stapled(_certificate: x509.Certificate) -> None:
    """Where no status is sent along."""


def no_checkpoint() -> None:
    """Where no checkpoint of the own record is sent along."""


async def _nobody_is_asked(question: StatusQuestion) -> None:
    raise StatusUnavailable(f"nobody asks for the status of {question.sha256.hex()}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Opener:
    """What opening needs and does not change from message to message."""

    limits: XmlLimits
    keys: DecryptionKeys
    chains: ChainCache
    statuses: StatusBook = field(default_factory=StatusBook)
    learn: Callable[[StatusQuestion], Awaitable[None]] = _nobody_is_asked

    def open(self, trail: Trail, kind: MessageKind, *, directory: Directory, now: datetime) -> TrustedMessage:
        """Octets to a trusted message, cheap checks first.

        Raises MalformedMessage, LimitExceeded, EnvelopeRefused, HeaderNotUnderstood, SecurityFailed, UnknownMember,
        PeerMismatch; StatusUnavailable when the directory wants a status of the signer's certificate and no fresh one
        is known (`trust_after_asking` then).
        """
        self._verify(trail, kind)
        return self._trust(trail, directory, now)

    async def trust_after_asking(self, trail: Trail, *, directory: Directory, now: datetime) -> TrustedMessage:
        """What `open` would give, once somebody was asked for the status of the signer's certificate.

        trail: as `open` left it when it raised StatusUnavailable. Raises that again when nobody knows.
        """
        question = None
        if trail.verified is not None:
            question = question_about(trail.verified.signer, directory, now, self.chains)
        if question is None:
            raise StatusUnavailable("there is no certificate to ask about")
        await self.learn(question)
        return self._trust(trail, directory, now)

    def _verify(self, trail: Trail, kind: MessageKind) -> VerifiedMessage:
        gated = trail.reached(
            recognise(trail.received, kind, self.limits) or gate(parse_message(trail.received, self.limits), kind)
        )
        if gated.attachments or trail.received.parts:
            check_parts(gated)
        decrypted = decrypt(gated, self.keys, limits=self.limits)
        return trail.reached(verify(decrypted, limits=self.limits))

    def _trust(self, trail: Trail, directory: Directory, now: datetime) -> TrustedMessage:
        if trail.verified is None:
            raise InternalError("a message that was not verified")
        trusted = trail.reached(
            establish_trust(
                trail.verified,
                directory=directory,
                peer=trail.received.peer,
                now=now,
                chains=self.chains,
                statuses=self.statuses,
            )
        )
        shown_in(trusted)  # a checkpoint that is none, or not of the sender's record, is refused with its message
        return trusted
