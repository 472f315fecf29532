"""Opening what a peer sent: the same steps for a request, a reply and a stored message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapter.crypto.keys import DecryptionKeys
from adapter.crypto.open import decrypt, verify
from adapter.crypto.recognition import recognise
from adapter.directory.model import Directory
from adapter.directory.trust import ChainCache, establish_trust
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.gate_attachments import check_parts
from adapter.exchange.trail import Trail
from adapter.stages import MessageKind, TrustedMessage
from adapter.xmlsafe import XmlLimits


@dataclass(frozen=True, kw_only=True, slots=True)
class Opener:
    """What opening needs and does not change from message to message."""

    limits: XmlLimits
    keys: DecryptionKeys
    chains: ChainCache

    def open(self, trail: Trail, kind: MessageKind, *, directory: Directory, now: datetime) -> TrustedMessage:
        """Octets to a trusted message, cheap checks first.

        Raises MalformedMessage, LimitExceeded, EnvelopeRefused, HeaderNotUnderstood, SecurityFailed, UnknownMember,
        PeerMismatch.
        """
        gated = trail.reached(
            recognise(trail.received, kind, self.limits) or gate(parse_message(trail.received, self.limits), kind)
        )
        if gated.attachments or trail.received.parts:
            check_parts(gated)
        decrypted = decrypt(gated, self.keys, limits=self.limits)
        verified = trail.reached(verify(decrypted, limits=self.limits))
        return trail.reached(
            establish_trust(verified, directory=directory, peer=trail.received.peer, now=now, chains=self.chains)
        )
