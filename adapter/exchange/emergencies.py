"""Emergency access is told aloud, on both sides, as soon as it is recorded: a warning in the log of operation.

It names the entry, where the rest is, the service and the member that asked. Neither the reason nor a person is in it.
"""

from __future__ import annotations

import structlog

from adapter.identifiers import RecordNumber
from adapter.stages import ExchangeHeader, PersonalData, RecordedCall, RecordedRequest

log = structlog.get_logger(__name__)


def tell_of_call(call: RecordedCall) -> None:
    """The consumer's side: a request in an emergency is about to leave."""
    _tell(call.authorized.personal_data, call.authorized.header, call.record_number, kind="asked by us")


def tell_of_request(request: RecordedRequest) -> None:
    """The provider's side: a request in an emergency was let in."""
    _tell(request.personal_data, request.header, request.record_number, kind="asked of us")


def _tell(personal_data: PersonalData | None, header: ExchangeHeader, number: RecordNumber, *, kind: str) -> None:
    if personal_data is None or personal_data.emergency is None:
        return
    log.warning(
        "emergency access",
        kind=kind,
        member=str(header.claimed_consumer.member),
        service=str(header.service),
        record=number,
    )
