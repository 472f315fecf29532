"""Calls of client systems, for tests."""

from __future__ import annotations

from adapter.identifiers import ServiceId, SubsystemId
from adapter.stages import IdentifiedCall, Peer, ReceivedCall
from tests.pki import NOW


def identified_call(octets: bytes, content_type: str = "text/xml; charset=utf-8") -> IdentifiedCall:
    """A call whose client system is known already."""
    received = ReceivedCall(
        octets=octets,
        received_at=NOW,
        peer=Peer(certificate_sha256=None, address="127.0.0.1"),
        content_type=content_type,
        soap_action="",
        service=ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1"),
    )
    return IdentifiedCall(
        received=received, client="benefits", subsystem=SubsystemId.parse("UZ/GOV/200000003/benefits")
    )
