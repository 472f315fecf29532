from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from adapter.errors import AdapterError, MessageExpired, NotForUs, PeerAnswerInvalid, UnknownMember, UnknownService
from adapter.identifiers import MessageId, OfficialId, ServiceId, SubsystemId
from adapter.policy.freshness import TimeBounds, check_awaited, check_fresh, correlate
from adapter.stages import (
    ExchangeHeader,
    MessageKind,
    Peer,
    ReceivedMessage,
    RecordedCall,
    SealedMessage,
    TrustedMessage,
    VerifiedMessage,
)
from tests.unit.policy.test_decision import CONSUMER, DIRECTORY, NOW, PROVIDER, SERVICE

BOUNDS = TimeBounds(clock_skew_s=60, max_lifetime_s=300)
ASKED = MessageId("urn:uuid:00000000-0000-4000-8000-000000000001")
HEADER = ExchangeHeader(
    message_id=ASKED,
    claimed_consumer=CONSUMER,
    service=SERVICE,
    operation="GetPerson",
    official=OfficialId("inspector-7"),
    sent=NOW,
    reply_by=NOW + timedelta(seconds=30),
)


def trusted(header: ExchangeHeader = HEADER, **more: Any) -> TrustedMessage:
    verified = VerifiedMessage(
        received=ReceivedMessage(octets=b"", received_at=NOW, peer=Peer(certificate_sha256=None, address="")),
        kind=MessageKind.REQUEST,
        header=header,
        personal_data=None,
        created=more.pop("created", NOW),
        expires=more.pop("expires", NOW + timedelta(seconds=300)),
        signer=None,  # type: ignore[arg-type]
        suite="p256",
        signature_value=b"s" * 64,
        signed_digest=b"d" * 32,
        confirmation=more.pop("confirmation", None),
        payload=etree.Element("payload"),
        content_key=b"k" * 16,
    )
    assert not more
    return TrustedMessage(verified=verified, sender=CONSUMER.member, directory_version=1)


def outcome(message: TrustedMessage, now: Any = NOW) -> type[AdapterError] | None:
    try:
        fresh = check_fresh(message, own=PROVIDER, directory=DIRECTORY, now=now, bounds=BOUNDS)
    except AdapterError as error:
        return type(error)
    assert fresh.consumer == CONSUMER
    return None


MS = timedelta(milliseconds=1)
SKEW = timedelta(seconds=60)
LIFE = timedelta(seconds=300)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        # Created: at most the skew in the future, to the millisecond.
        ({"created": NOW + SKEW, "expires": NOW + SKEW + LIFE}, None),
        ({"created": NOW + SKEW + MS, "expires": NOW + SKEW + LIFE}, MessageExpired),
        # Expires: after Created, not longer than the lifetime, and not over.
        ({"expires": NOW}, MessageExpired),
        ({"expires": NOW - MS}, MessageExpired),
        ({"expires": NOW + MS}, None),
        ({"expires": NOW + LIFE + MS}, MessageExpired),
        ({"expires": NOW + timedelta(days=3650)}, MessageExpired),
        # The Exchange header's Sent cannot say another time than the Timestamp.
        ({"created": NOW - SKEW - MS, "expires": NOW + timedelta(seconds=200)}, MessageExpired),
    ],
)
def test_the_edges_of_time(change: dict[str, Any], expected: type[AdapterError] | None) -> None:
    assert outcome(trusted(**change)) is expected


def test_expiry_is_judged_by_our_clock() -> None:
    long = replace(HEADER, reply_by=NOW + timedelta(hours=1))
    assert outcome(trusted(long), now=NOW + LIFE + SKEW - MS) is None
    assert outcome(trusted(long), now=NOW + LIFE + SKEW) is MessageExpired


def test_nobody_waits_for_the_reply_any_more() -> None:
    fresh = check_fresh(trusted(), own=PROVIDER, directory=DIRECTORY, now=NOW, bounds=BOUNDS)
    check_awaited(fresh, now=HEADER.reply_by - MS)
    with pytest.raises(MessageExpired):
        check_awaited(fresh, now=HEADER.reply_by)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"service": ServiceId.parse("UZ/GOV/200000003/social/GetBenefits/v1")}, NotForUs),
        ({"service": ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v9")}, UnknownService),
        ({"claimed_consumer": SubsystemId.parse("UZ/GOV/200000003/other")}, UnknownMember),
    ],
)
def test_addressed_to_us_by_a_registered_subsystem(change: dict[str, Any], expected: type[AdapterError]) -> None:
    assert outcome(trusted(replace(HEADER, **change))) is expected


# --- the consumer's side: does the reply answer the call? -------------------------------------------------------------

CALL = RecordedCall(
    authorized=None,  # type: ignore[arg-type]
    sealed=SealedMessage(octets=b"", header=HEADER, signature_value=b"v" * 64, signed_digest=b"", content_key=b""),
    record_number=0,  # type: ignore[arg-type]
)
ANSWER = replace(HEADER, message_id=MessageId("urn:uuid:00000000-0000-4000-8000-000000000002"), in_reply_to=ASKED)


def test_a_reply_to_exactly_this_call() -> None:
    reply = trusted(ANSWER, confirmation=b"v" * 64)
    assert correlate(reply, CALL, now=NOW, bounds=BOUNDS).message is reply


@pytest.mark.parametrize(
    "reply",
    [
        trusted(replace(ANSWER, in_reply_to=None), confirmation=b"v" * 64),
        trusted(
            replace(ANSWER, in_reply_to=MessageId("urn:uuid:00000000-0000-4000-8000-000000000009")),
            confirmation=b"v" * 64,
        ),
        trusted(replace(ANSWER, operation="Other"), confirmation=b"v" * 64),
        trusted(
            replace(ANSWER, service=ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v2")),
            confirmation=b"v" * 64,
        ),
        trusted(
            replace(ANSWER, claimed_consumer=SubsystemId.parse("UZ/GOV/200000002/cadastre")), confirmation=b"v" * 64
        ),
        trusted(ANSWER, confirmation=None),
        trusted(ANSWER, confirmation=b"w" * 64),
        trusted(ANSWER, confirmation=b""),
    ],
)
def test_another_reply_is_no_reply(reply: TrustedMessage) -> None:
    with pytest.raises(PeerAnswerInvalid):
        correlate(reply, CALL, now=NOW, bounds=BOUNDS)


def test_an_old_reply_is_no_reply() -> None:
    with pytest.raises(MessageExpired):
        correlate(trusted(ANSWER, confirmation=b"v" * 64), CALL, now=NOW + LIFE + SKEW, bounds=BOUNDS)
