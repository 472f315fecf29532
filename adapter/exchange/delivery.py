"""Handing a client system its answer: the reply that was recorded, or a recorded refusal as a fault it can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.envelope.faults import public_fault, read_fault
from adapter.envelope.xop import find_includes, replaced
from adapter.errors import AdapterError, DeliveryNotRecorded, PeerAnswerInvalid, RecordUnavailable
from adapter.exchange.consumer import Consumer
from adapter.exchange.incidents import new_incident
from adapter.ports import RecordWrite
from adapter.stages import AuthorizedCall, DeliverableReply, IdentifiedCall, Packaging, ReceivedCall, RecordedCall

log = structlog.get_logger(__name__)

_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(kw_only=True, slots=True)
class CallProgress:
    """How far a client's call came: what a refusal's entry may say, and in which form it is answered."""

    received: ReceivedCall
    form: AnswerForm
    identified: IdentifiedCall | None = None
    authorized: AuthorizedCall | None = None
    sent: RecordedCall | None = None


def deliver(
    reply: DeliverableReply,
    call: RecordedCall,
    form: AnswerForm,
    *,
    packaging: Packaging,
    in_xml: Mapping[str, str] = _NOTHING,
) -> ClientAnswer:
    """The recorded reply in the client's dialect; a provider's fault keeps its code and its incident id.

    packaging: how the client wants binary content. in_xml: base64 of attachments that have no place beside the XML.
    """
    verified = reply.valid.correlated.message.verified
    headers = {
        "Adapter-Message-Id": str(call.sealed.header.message_id),
        "Adapter-Record": f"{call.record_number} {reply.record_number}",
    }
    if verified.header.record_number is not None:
        headers["Adapter-Peer-Record"] = str(verified.header.record_number)
    if reply.valid.is_fault:
        fault = read_fault(verified.payload)
        answer = form.fault(fault)
        headers["Adapter-Incident"] = fault.incident
    elif in_xml:
        includes = find_includes(verified.payload, reply.proven.attachments.said, PeerAnswerInvalid)
        with replaced(includes, lambda include: in_xml[include.content_id]):
            answer = form.reply(verified.payload)
    elif reply.proven.attachments.held or packaging is Packaging.MTOM:
        answer = form.reply_with_attachments(verified.payload, reply.proven.attachments, packaging)
    else:
        answer = form.reply(verified.payload)
    log.info("delivered", record=reply.record_number, request_record=call.record_number)
    return answer.with_headers(headers)


async def refuse_call(
    error: AdapterError, progress: CallProgress, site: Consumer, *, incident: str | None = None
) -> ClientAnswer:
    """Record why a call was not answered, then give the client the fault of the catalogue. Never raises."""
    incident = incident or new_incident()
    entry = site.recorder.entries.call_refused(
        progress.received,
        identified=progress.identified,
        authorized=progress.authorized,
        sent=progress.sent,
        error=error,
        incident=incident,
        now=site.clock(),
    )
    try:
        await site.recorder.record.write(RecordWrite(entry=entry))
    except AdapterError as unrecorded:
        log.error("refusal not recorded", incident=incident, code=error.code, because=unrecorded.code)
        # What was sent may have taken effect, whatever became of it.
        error = RecordUnavailable() if progress.sent is None else DeliveryNotRecorded()
    log.warning(
        "call refused",
        code=error.code,
        incident=incident,
        client=None if progress.identified is None else progress.identified.client,
    )
    headers = {"Adapter-Incident": incident}
    if progress.sent is not None:
        headers["Adapter-Message-Id"] = str(progress.sent.sealed.header.message_id)
    return progress.form.fault(public_fault(error, incident)).with_headers(headers).as_refusal(error)
