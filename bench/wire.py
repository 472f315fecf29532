"""A request as it goes over the wire between the two adapters that are measured: what the floor parses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from adapter.crypto.seal import seal
from adapter.identifiers import MessageId, OfficialId, Purpose, SubjectId
from adapter.stages import ExchangeHeader, LegalBasis, PersonalData
from bench.installation import CALLER, CONSUMER, PROVIDER, SERVICE, Installation
from bench.messages import PINFL, make_payload


def wire_message(installation: Installation, size: int) -> bytes:
    """The envelope of a request whose payload has so many octets, signed and encrypted by the adapters' own keys."""
    homes = installation.federation.homes
    now = datetime.now(UTC)
    header = ExchangeHeader(
        message_id=MessageId.new(now),
        claimed_consumer=CALLER,
        service=SERVICE,
        operation=SERVICE.code,
        official=OfficialId("inspector-17"),
        sent=now,
        reply_by=now + timedelta(seconds=30),
    )
    personal_data = PersonalData(
        purpose=Purpose("social-benefit"),
        subjects=(SubjectId("pinfl", PINFL),),
        legal_basis=LegalBasis(kind="law", reference="Law No. 395 of 2015, article 12"),
    )
    certificate = (homes[PROVIDER].folder / "keys" / "agreement.pem").read_bytes()
    return seal(
        header=header,
        personal_data=personal_data,
        payload=make_payload(size),
        confirmation=None,
        signing_key=homes[CONSUMER].keyring.signing[0],
        recipient=x509.load_pem_x509_certificate(certificate),
        recipient_suite=installation.suite,
        now=now,
    ).octets
