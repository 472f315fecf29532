"""What an information system made for X-Road is told of a request that reached it through the adapters."""

from __future__ import annotations

from typing import Final

from adapter.envelope.description import Operation, ServiceDescription
from adapter.envelope.xroad import XRoadHeaders, service_of_operation
from adapter.errors import SettingsInvalid
from adapter.stages import RecordedRequest, SoapVersion

_URN: Final = "urn:uuid:"


def xroad_headers(request: RecordedRequest, operation: Operation) -> XRoadHeaders:
    """The header fields (PR-MESS 2.2), every one from what was verified and recorded.

    client is the consumer, userId the official, id the message's id; issue and representedParty are those of the signed
    PersonalData. serviceCode is the operation, as the protocol wants it of the Body's element (PR-MESS 2.3).
    """
    header, said = request.header, request.personal_data
    return XRoadHeaders(
        claimed_client=header.claimed_consumer,
        service=service_of_operation(header.service, operation),
        id=str(header.message_id).removeprefix(_URN),
        user_id=str(header.official),
        issue=None if said is None else said.issue,
        represented_party=None if said is None else said.represented_party,
    )


def check_for_xroad(description: ServiceDescription) -> None:
    """X-Road's protocol is a profile of SOAP 1.1 (PR-MESS 1). Raises SettingsInvalid for a system that speaks 1.2."""
    others = [operation.name for operation in description.operations if operation.soap_version is SoapVersion.SOAP12]
    if others:
        raise SettingsInvalid(f"[soap] protocol: xroad-4.0 is SOAP 1.1, and the WSDL binds to SOAP 1.2: {others[0]}")
