"""Why an emergency could not wait, in the official's words: they stand in the signed request that was kept."""

from __future__ import annotations

from typing import Final

from adapter.audit.reviews import Review
from adapter.crypto.open import decrypt_with_content_key, verify
from adapter.envelope.gate import gate, parse_message
from adapter.errors import RecordBroken
from adapter.evidence.messages import stored_message
from adapter.ports import KeptMessage
from adapter.stages import MessageKind
from adapter.xmlsafe import XmlLimits

_LIMITS: Final = XmlLimits(max_bytes=256 * 1024 * 1024)


def reason_of(review: Review, kept: KeptMessage) -> str | None:
    """The reason, which may be about a person. kept: the request that was kept with the review's entry.

    Raises RecordBroken when it is not the message that the entry is about; what opening a message raises.
    """
    gated = gate(parse_message(stored_message(kept.octets, review.at), _LIMITS), MessageKind.REQUEST)
    verified = verify(decrypt_with_content_key(gated, kept.content_key, limits=_LIMITS), limits=_LIMITS)
    if verified.signed_digest.hex() != review.body.get("signed_sha256"):
        raise RecordBroken(f"the kept request of entry {review.number} is not the one that the entry is about")
    return None if verified.personal_data is None else verified.personal_data.emergency
