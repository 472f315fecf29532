"""A RecordedRequest around a Body element, with every stage below it; what a backend takes."""

from datetime import UTC, datetime, timedelta
from typing import cast

from cryptography import x509
from lxml import etree

from adapter.attachments import HeldAttachments, Holding
from adapter.identifiers import MessageId, OfficialId, Purpose, RecordNumber, ServiceId
from adapter.stages import (
    AuthorizedRequest,
    ExchangeHeader,
    FreshRequest,
    MessageKind,
    Peer,
    PersonalData,
    ProvenAttachments,
    ReceivedMessage,
    RecordedRequest,
    TrustedMessage,
    ValidRequest,
    VerifiedMessage,
)

NOW = datetime(2025, 1, 1, 12, tzinfo=UTC)
SERVICE = ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v1")
CONSUMER = ServiceId.parse("UZ/GOV/200000003/social/X/v1").subsystem


NO_ATTACHMENTS = HeldAttachments(content_key=b"", held=())


def recorded(
    payload: etree._Element | str,
    operation: str = "GetPerson",
    *,
    attachments: HeldAttachments | None = None,
    holding: Holding | None = None,
) -> RecordedRequest:
    if isinstance(payload, str):
        payload = etree.fromstring(payload)
    header = ExchangeHeader(
        message_id=MessageId("urn:uuid:00000000-0000-4000-8000-000000000001"),
        claimed_consumer=CONSUMER,
        service=SERVICE,
        operation=operation,
        official=OfficialId("o-1"),
        sent=NOW,
        reply_by=NOW + timedelta(seconds=30),
    )
    verified = VerifiedMessage(
        received=ReceivedMessage(
            octets=b"", received_at=NOW, peer=Peer(certificate_sha256=None, address="127.0.0.1"), holding=holding
        ),
        kind=MessageKind.REQUEST,
        header=header,
        personal_data=PersonalData(purpose=Purpose("benefit")),
        created=NOW,
        expires=NOW + timedelta(seconds=300),
        signer=cast("x509.Certificate", None),
        suite="p256",
        signature_value=b"",
        signed_digest=b"",
        confirmation=None,
        payload=payload,
        content_key=b"",
    )
    trusted = TrustedMessage(verified=verified, sender=CONSUMER.member, directory_version=1)
    valid = ValidRequest(
        fresh=FreshRequest(message=trusted, consumer=CONSUMER), operation=operation, input_element=str(payload.tag)
    )
    authorized = AuthorizedRequest(valid=valid, rule_id="r", policy_version=1, fields=None)
    proven = ProvenAttachments(message=verified, attachments=attachments or NO_ATTACHMENTS)
    return RecordedRequest(authorized=authorized, proven=proven, record_number=RecordNumber(0))
