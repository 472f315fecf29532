"""The steps at the population register's peer listener: what an attacker, an insider or a broken adapter may send.

Whoever plays has a TLS key of some member, or else is not even let in; the plays differ in what else they have.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509

from adapter.crypto.seal import seal
from adapter.envelope.gate import gate, parse_message
from adapter.identifiers import MessageId, OfficialId, Purpose, SubjectId, SubsystemId
from adapter.ports import SigningKey
from adapter.stages import ExchangeHeader, LegalBasis, MessageKind, Peer, PersonalData, ReceivedMessage
from adapter.xmlsafe import DEFAULT_LIMITS
from examples.demo.client_plays import get_person
from examples.demo.members import BENEFITS, GET_PARCELS, GET_PERSON, LEGAL_BASIS, OFFICIAL, OUTSIDERS, PURPOSE
from examples.demo.peer_messages import with_one_byte_changed, without_signature
from examples.demo.stage import Stage
from examples.demo.steps import CameBack

_LONG_AGO: Final = timedelta(minutes=10)
_REPLY_WITHIN: Final = timedelta(seconds=30)


# --- a captured message ----------------------------------------------------------------------------------------------


def replayed_by_another_member(stage: Stage) -> CameBack:
    """The cadastre's adapter sends a message that it captured on its way from the consumer."""
    captured = stage.captured(GET_PERSON)
    return stage.verdict(stage.attack(stage.population, captured.request, over=stage.cadastre))


def repeated_by_the_consumer(stage: Stage) -> CameBack:
    """The consumer's adapter sends the same octets again, while the information system would answer nonsense.

    So that the stored reply, which comes back octet for octet, cannot be a fresh answer of the system.
    """
    captured = stage.captured(GET_PARCELS)
    stage.cadastre_system.behave("nonsense")
    response = stage.attack(stage.cadastre, captured.request, over=stage.social)
    stage.cadastre_system.behave("ok")
    came_back = replace(stage.verdict(response), remark="the stored reply, octet for octet; the system was not asked")
    if response.octets == captured.reply:
        return came_back
    return replace(came_back, contradiction="what came back is not the stored reply")


def one_byte_changed(stage: Stage) -> CameBack:
    """A captured message with one byte of its encrypted Body changed."""
    octets = with_one_byte_changed(stage.captured(GET_PERSON).request)
    return stage.verdict(stage.attack(stage.population, octets, over=stage.social))


def not_signed(stage: Stage) -> CameBack:
    """A captured message whose signature was taken out."""
    octets = without_signature(stage.captured(GET_PERSON).request)
    return stage.verdict(stage.attack(stage.population, octets, over=stage.social))


# --- messages sealed with a member's own keys ------------------------------------------------------------------------


def same_id_other_body(stage: Stage) -> CameBack:
    """The consumer seals another question, about another person, under a message id that it has used."""
    used = _header_of(stage.captured(GET_PERSON).request).message_id
    octets = _sealed(stage, message_id=used, pinfl=stage.other_pinfl, sent=datetime.now(UTC))
    return stage.verdict(stage.attack(stage.population, octets, over=stage.social))


def expired(stage: Stage) -> CameBack:
    """A message that the consumer sealed ten minutes ago and that nobody has seen yet."""
    octets = _sealed(
        stage, message_id=MessageId.new(datetime.now(UTC)), pinfl=stage.pinfl, sent=datetime.now(UTC) - _LONG_AGO
    )
    return stage.verdict(stage.attack(stage.population, octets, over=stage.social))


def from_nobody(stage: Stage) -> CameBack:
    """Somebody who has certificates of the right authority, and is in no directory, asks in his own name."""
    octets = _sealed(
        stage,
        message_id=MessageId.new(datetime.now(UTC)),
        pinfl=stage.pinfl,
        sent=datetime.now(UTC),
        consumer=OUTSIDERS,
        signing_key=stage.outsider.keyring.signing[0],
    )
    return stage.verdict(stage.attack(stage.population, octets, over=stage.outsider))


def _sealed(
    stage: Stage,
    *,
    message_id: MessageId,
    pinfl: str,
    sent: datetime,
    consumer: SubsystemId = BENEFITS,
    signing_key: SigningKey | None = None,
) -> bytes:
    """A request to the population register as the named consumer's adapter would seal it."""
    certificate = x509.load_pem_x509_certificate((stage.population.folder / "keys" / "agreement.pem").read_bytes())
    kind, reference = LEGAL_BASIS
    return seal(
        header=ExchangeHeader(
            message_id=message_id,
            claimed_consumer=consumer,
            service=GET_PERSON,
            operation="GetPerson",
            official=OfficialId(OFFICIAL),
            sent=sent,
            reply_by=sent + _REPLY_WITHIN,
        ),
        personal_data=PersonalData(
            purpose=Purpose(PURPOSE),
            subjects=(SubjectId("pinfl", pinfl),),
            legal_basis=LegalBasis(kind=kind, reference=reference),
        ),
        payload=get_person(pinfl).encode(),
        confirmation=None,
        signing_key=signing_key or stage.social.keyring.signing[0],
        recipient=certificate,
        recipient_suite=stage.population.plan.suite,
        now=sent,
    ).octets


def _header_of(request: bytes) -> ExchangeHeader:
    """The clear header of a captured request."""
    received = ReceivedMessage(
        octets=request, received_at=datetime.now(UTC), peer=Peer(certificate_sha256=None, address="")
    )
    return gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REQUEST).claimed_header
