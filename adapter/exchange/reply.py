"""Opening what the provider's adapter answered: nothing of it is believed before it is correlated with the call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pybase64 import b64encode

from adapter.dialects.model import AnswerForm
from adapter.directory.model import Directory
from adapter.envelope.faults import reported_fault
from adapter.envelope.xop import find_includes
from adapter.errors import (
    AdapterError,
    AnswerInfected,
    AnswerNotHeld,
    AnswerNotScanned,
    AttachmentInfected,
    LimitExceeded,
    PeerAnswerInvalid,
    PeerRefused,
    PeerTimeout,
    PeerUnreachable,
    Retry,
    ScanUnavailable,
    SecurityFailed,
    StatusUnavailable,
)
from adapter.exchange.attachments import prove
from adapter.exchange.consumer import Consumer
from adapter.exchange.trail import Trail
from adapter.large_messages import worked_on
from adapter.policy.freshness import correlate
from adapter.stages import (
    CorrelatedReply,
    MessageKind,
    ProvenAttachments,
    ReceivedMessage,
    RecordedCall,
    TrustedMessage,
    ValidReply,
)


async def believe_reply(
    answer: ReceivedMessage,
    call: RecordedCall,
    site: Consumer,
    directory: Directory,
    validate: Callable[[CorrelatedReply], ValidReply],
) -> ValidReply:
    """`open_reply`, then `validate`, without holding up others; waits when the signer's status has to be asked for."""
    trail = Trail(received=answer)
    try:
        return await worked_on(len(answer.octets), lambda: validate(open_reply(trail, call, site, directory)))
    except StatusUnavailable:
        try:
            trusted = await site.opener.trust_after_asking(trail, directory=directory, now=site.clock())
            reply = _correlated(trusted, call, site)
        except PeerAnswerInvalid:
            raise
        except AdapterError as unbelievable:
            raise PeerAnswerInvalid(f"{unbelievable.code}: {unbelievable.reason}") from None
        return await worked_on(len(answer.octets), lambda: validate(reply))


def open_reply(trail: Trail, call: RecordedCall, site: Consumer, directory: Directory) -> CorrelatedReply:
    """A peer's octets to a reply that provably answers this call.

    Raises PeerRefused, PeerTimeout (it may have taken effect) or PeerUnreachable when the peer answered with an
    unsigned fault (a report, not a proof), PeerAnswerInvalid for everything else that cannot be believed,
    LimitExceeded; StatusUnavailable as Opener.open.
    """
    try:
        trusted = site.opener.open(trail, MessageKind.REPLY, directory=directory, now=site.clock())
        return _correlated(trusted, call, site)
    except (LimitExceeded, PeerAnswerInvalid, StatusUnavailable):
        raise
    except AdapterError as unbelievable:
        _raise_reported(trail.received, site)
        raise PeerAnswerInvalid(f"{unbelievable.code}: {unbelievable.reason}") from None


def _correlated(trusted: TrustedMessage, call: RecordedCall, site: Consumer) -> CorrelatedReply:
    # Attachments take their time to come in: the reply is as fresh as its envelope was when that had come.
    answer = trusted.verified.received
    arrived = answer.received_at if answer.parts else site.clock()
    return correlate(trusted, call, now=arrived, bounds=site.bounds)


async def prove_reply(reply: ValidReply, site: Consumer) -> ProvenAttachments:
    """The attachments of a valid reply, proven and looked at by the scanner.

    Raises PeerAnswerInvalid, AnswerInfected, AnswerNotScanned; LimitExceeded.
    """
    try:
        return await prove(reply.correlated.message.verified, site.attachments, site.scan)
    except SecurityFailed as wrong:
        raise PeerAnswerInvalid(f"{wrong.code}: {wrong.reason}") from None
    except AttachmentInfected as infected:
        raise AnswerInfected(infected.reason) from None
    except ScanUnavailable as unavailable:
        raise AnswerNotScanned(unavailable.reason) from None


async def values_in_xml(proven: ProvenAttachments, form: AnswerForm) -> dict[str, str]:
    """Base64 by Content-ID for a client whose way of speaking has no place beside the XML; empty for all others.

    Raises AnswerNotHeld when that is more than may be held, or an attachment stands for no base64.
    """
    attachments = proven.attachments
    if not attachments.held or form.takes_attachments:
        return {}
    includes = find_includes(proven.message.payload, attachments.said, PeerAnswerInvalid)
    if len(includes) < len(attachments.held) or sum(said.size for said in attachments.said) > _MAX_IN_XML_BYTES:
        raise AnswerNotHeld("the reply has attachments that are too large for this client, or stand for no base64")
    found = {}
    for one in attachments.held:
        pieces = [piece async for piece in one.sealed.plaintext(attachments.content_key)]
        found[one.said.content_id] = b64encode(b"".join(pieces)).decode()
    return found


_MAX_IN_XML_BYTES: Final = 16 * 1024 * 1024


def _raise_reported(answer: ReceivedMessage, site: Consumer) -> None:
    """An unsigned fault says why the peer could not even learn who we are; it is passed on as a report only."""
    reported = reported_fault(answer.octets, site.opener.limits)
    if reported is None:
        return
    reason = f"the peer reported {reported.code}, incident {reported.incident}, without a signature"
    if reported.retry is Retry.LATER:
        raise PeerUnreachable(reason, problems=reported.problems, retry_after_s=reported.retry_after_s)
    if reported.retry is Retry.CHECK_FIRST:  # the request may have taken effect: that is no refusal
        raise PeerTimeout(reason, problems=reported.problems)
    raise PeerRefused(reason, problems=reported.problems)
