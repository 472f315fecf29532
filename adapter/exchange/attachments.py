"""Whether the attachments at hand are those that were signed, and clean: the only maker of ProvenAttachments.

Nothing of an attachment is handed on before all of it was decrypted once, its tag and its digest were found good, and
the scanner (when there is one) found nothing. Only then is it read again, for the system that it is meant for.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapter.attachments import HeldAttachment, HeldAttachments
from adapter.crypto.octet_streams import same_octets
from adapter.errors import AttachmentInfected, ScanUnavailable, SecurityFailed
from adapter.exchange.parts import AttachmentBounds
from adapter.ports import Scanner
from adapter.stages import ProvenAttachments, VerifiedMessage

_NONE = HeldAttachments(content_key=b"", held=())


@dataclass(frozen=True, kw_only=True, slots=True)
class ScanRule:
    """Who looks for malware, and whether what nobody could look at is handed on."""

    scanner: Scanner
    deliver_unscanned: bool = False


async def prove(message: VerifiedMessage, bounds: AttachmentBounds, scan: ScanRule | None) -> ProvenAttachments:
    """Decrypt every attachment once and compare it with what the verified signature says.

    bounds: of the service. Raises LimitExceeded, AttachmentsInvalid; SecurityFailed for a tag, size or digest that is
    wrong or a part too many or too few; AttachmentInfected, ScanUnavailable.
    """
    if not message.attachments and not message.received.parts:
        return ProvenAttachments(message=message, attachments=_NONE)
    bounds.check(message.payload, message.attachments)
    parts = {part.content_id: part.sealed for part in message.received.parts}
    if len(parts) != len(message.received.parts) or parts.keys() != {said.content_id for said in message.attachments}:
        raise SecurityFailed("the parts at hand are not those that were signed")
    held = tuple(HeldAttachment(said=said, sealed=parts[said.content_id]) for said in message.attachments)
    for one in held:
        measured = await one.sealed.measure(message.content_key)
        if not same_octets(measured, one.said.size, one.said.sha256):
            raise SecurityFailed("the digest of an attachment is wrong")
    attachments = HeldAttachments(content_key=message.content_key, held=held)
    if scan is not None:
        await _scan(attachments, scan)
    return ProvenAttachments(message=message, attachments=attachments)


async def _scan(attachments: HeldAttachments, rule: ScanRule) -> None:
    for one in attachments.held:
        try:
            found = await rule.scanner.scan(one.sealed.plaintext(attachments.content_key))
        except ScanUnavailable:
            if rule.deliver_unscanned:
                continue
            raise
        if found is not None:
            raise AttachmentInfected(f"the scanner found {found}")
