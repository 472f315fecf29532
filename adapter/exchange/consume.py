"""The consumer's side of an exchange: from a client system's call to the answer that it reads, in its own dialect."""

from __future__ import annotations

import structlog

from adapter.dialects.model import ClientAnswer, ClientDialect
from adapter.envelope.faults import read_fault
from adapter.errors import AdapterError, InternalError
from adapter.exchange.consumer import Consumer, seal_call
from adapter.exchange.delivery import CallProgress, deliver, refuse_call
from adapter.exchange.emergencies import tell_of_call
from adapter.exchange.incidents import new_incident, where
from adapter.exchange.reply import believe_reply, prove_reply, values_in_xml
from adapter.exchange.validation import validate_call, validate_reply
from adapter.identifiers import MessageId
from adapter.large_messages import worked_on
from adapter.policy.clients import identify
from adapter.policy.outgoing import authorize_call
from adapter.policy.stamped import check_stamped_call
from adapter.stages import ReceivedCall, ValidReply

log = structlog.get_logger(__name__)


async def consume(received: ReceivedCall, dialect: ClientDialect, site: Consumer) -> ClientAnswer:
    """Answer a client system's call. Never raises: every failure becomes a recorded refusal and a fault."""
    progress = CallProgress(received=received, form=dialect.form)
    try:
        identified = identify(received, site.clients)
        progress.identified = identified
        client = site.client(identified.client)
        directory = site.directory()
        description = await site.description(directory.service(received.service))
        parsed, progress.form = await worked_on(
            len(received.octets), lambda: dialect.read(identified, description, site.opener.limits)
        )
        valid = await worked_on(len(received.octets), lambda: validate_call(parsed, description))
        authorized = progress.authorized = authorize_call(
            valid,
            client=client,
            directory=directory,
            message_id=parsed.message_id or MessageId.new(site.clock()),
            now=site.clock(),
            reply_within_s=_reply_within_s(received, site),
        )
        check_stamped_call(directory.service(received.service), site.stamp_deadline(), site.clock())
        sealed = await worked_on(len(received.octets), lambda: seal_call(authorized, site, directory))
        call = progress.sent = await site.recorder.record_call(authorized, sealed, site.clock())
        tell_of_call(call)
        answer = await site.peers.send(call)
        reply = await believe_reply(
            answer, call, site, directory, lambda correlated: validate_reply(correlated, description, valid)
        )
        proven = await prove_reply(reply, site)
        in_xml = await values_in_xml(proven, progress.form)
        delivered = await site.recorder.record_delivery(reply, proven, call, _outcome(reply), site.clock())
        packaging = client.packaging or received.packaging
        return await worked_on(
            len(answer.octets), lambda: deliver(delivered, call, progress.form, packaging=packaging, in_xml=in_xml)
        )
    except AdapterError as error:
        return await refuse_call(error, progress, site)
    # The last door: whatever went wrong, the client gets a fault and the record an entry.
    except Exception as error:  # noqa: BLE001
        incident = new_incident()
        log.error("unexpected", incident=incident, error=type(error).__name__, where=where(error))
        refusal = InternalError(f"unexpected {type(error).__name__}")
        return await refuse_call(refusal, progress, site, incident=incident)


def _reply_within_s(received: ReceivedCall, site: Consumer) -> float:
    """Longer for a call with attachments, by what they may take on the way."""
    if received.attachments is None:
        return site.reply_within_s
    octets = sum(said.size for said in received.attachments.said)
    return site.reply_within_s + min(octets / site.min_rate_bytes_s, site.max_transfer_s)


def _outcome(reply: ValidReply) -> str:
    """What the entry of a delivered reply says: answered, or the code of the provider's fault."""
    return read_fault(reply.correlated.message.verified.payload).code if reply.is_fault else "answered"
