"""Handing a client system its answer: the reply that was recorded, or a recorded refusal as a fault it can read."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

import structlog

from adapter.envelope.faults import public_fault, read_fault, render_fault
from adapter.envelope.soap import content_type_of, render_answer, version_of
from adapter.errors import AdapterError, Blame, DeliveryNotRecorded, RecordUnavailable
from adapter.exchange.consumer import ClientAnswer, Consumer
from adapter.exchange.incidents import new_incident
from adapter.ports import RecordWrite
from adapter.stages import AuthorizedCall, DeliverableReply, IdentifiedCall, ReceivedCall, RecordedCall, SoapVersion
from adapter.xmlsafe import canonical

log = structlog.get_logger(__name__)


@dataclass(kw_only=True, slots=True)
class CallProgress:
    """How far a client's call came: what a refusal's entry may say, and in which SOAP version it is answered."""

    received: ReceivedCall
    version: SoapVersion = field(init=False)
    identified: IdentifiedCall | None = None
    authorized: AuthorizedCall | None = None
    sent: RecordedCall | None = None

    def __post_init__(self) -> None:
        self.version = version_of(self.received.content_type)


def deliver(reply: DeliverableReply, call: RecordedCall, version: SoapVersion) -> ClientAnswer:
    """The recorded reply in the client's SOAP version; a provider's fault keeps its code and its incident id."""
    verified = reply.valid.correlated.message.verified
    headers = {
        "Adapter-Message-Id": str(call.sealed.header.message_id),
        "Adapter-Record": f"{call.record_number} {reply.record_number}",
    }
    if verified.header.record_number is not None:
        headers["Adapter-Peer-Record"] = str(verified.header.record_number)
    status = int(HTTPStatus.OK)
    if reply.valid.is_fault:
        fault = read_fault(verified.payload)
        content = render_fault(fault, version)
        status = _fault_status(version, fault.blame)
        headers["Adapter-Incident"] = fault.incident
    else:
        content = canonical(verified.payload)
    log.info("delivered", record=reply.record_number, request_record=call.record_number)
    return ClientAnswer(
        octets=render_answer(version, content), content_type=content_type_of(version), status=status, headers=headers
    )


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
    content = render_fault(public_fault(error, incident), progress.version)
    return ClientAnswer(
        octets=render_answer(progress.version, content),
        content_type=content_type_of(progress.version),
        status=_fault_status(progress.version, error.blame),
        headers=headers,
    )


def _fault_status(version: SoapVersion, blame: Blame) -> int:
    """SOAP 1.1 (6.2) knows 500 only; SOAP 1.2 Part 2 (7.5.2.2) has 400 when the sender is to blame."""
    if version is SoapVersion.SOAP12 and blame is Blame.CLIENT_SYSTEM:
        return HTTPStatus.BAD_REQUEST
    return HTTPStatus.INTERNAL_SERVER_ERROR
