"""The provider's path: what passes, what each step refuses, and that a refusal never reaches the backend unrecorded."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from adapter.crypto.open import decrypt, verify
from adapter.envelope.faults import read_fault
from adapter.envelope.gate import gate, parse_message
from adapter.errors import DirectoryExpired, ProviderSystemDown, ProviderSystemTimeout
from adapter.exchange.provider import PeerAnswer
from adapter.identifiers import MessageId, Purpose, ServiceId, SubsystemId
from adapter.policy.rules import AccessRule
from adapter.stages import LegalBasis, MessageKind, Peer, PersonalData, ReceivedMessage, VerifiedMessage
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.get_person import GOOD_PERSONAL_DATA, OTHER_PINFL, PERSON, get_person
from tests.two_sides import TwoSides, fault_code, opener_of, request_header, sealed_request


def opened(sides: TwoSides, answer: PeerAnswer) -> VerifiedMessage:
    """The signed answer as the consumer's adapter opens it."""
    peer = Peer(certificate_sha256=None, address="")
    received = ReceivedMessage(octets=answer.octets, received_at=sides.clock(), peer=peer)
    gated = gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REPLY)
    return verify(decrypt(gated, opener_of(sides.federation.social).keys))


def code_of(sides: TwoSides, answer: PeerAnswer) -> str:
    """The code of a fault, signed or plain."""
    try:
        verified = opened(sides, answer)
    except Exception:  # noqa: BLE001 - a plain fault is no signed reply
        return "plain " + fault_code(answer)
    if verified.payload.tag.endswith("}Fault"):
        return read_fault(verified.payload).code
    return "answered"


async def test_a_good_request_is_recorded_answered_and_recorded(sides: TwoSides) -> None:
    request = sealed_request(sides)
    seen: list[list[str]] = []
    sides.register.before_answer = lambda: seen.append(sides.provider_record.kinds)
    reply = opened(sides, await sides.wire.post(request.octets))
    assert etree.QName(reply.payload).localname == "GetPersonResponse"
    assert reply.header.in_reply_to == request.header.message_id
    assert reply.confirmation == request.signature_value
    assert reply.header.record_number == 0
    assert seen == [["request-received"]], "the request is durable before the information system is asked"
    assert sides.provider_record.kinds == ["request-received", "reply-sent"]


async def test_the_backend_gets_the_node_that_was_signed(sides: TwoSides) -> None:
    await sides.wire.post(sealed_request(sides).octets)
    (asked,) = sides.register.asked
    verified = asked.authorized.valid.fresh.message.verified
    assert asked.payload is verified.payload
    assert asked.payload.getparent().tag == "{http://www.w3.org/2003/05/soap-envelope}Body"  # type: ignore[union-attr]


async def test_a_retry_gets_the_stored_reply_and_runs_nothing(sides: TwoSides) -> None:
    request = sealed_request(sides)
    first = await sides.wire.post(request.octets)
    again = await sides.wire.post(request.octets)
    assert again.octets == first.octets
    assert len(sides.register.asked) == 1
    assert sides.provider_record.kinds == ["request-received", "reply-sent", "retry-answered"]


async def test_a_retry_gets_the_stored_reply_even_when_nobody_was_to_wait_any_more(sides: TwoSides) -> None:
    request = sealed_request(sides)
    first = await sides.wire.post(request.octets)
    sides.clock.now = request.header.reply_by + timedelta(seconds=1)
    assert (await sides.wire.post(request.octets)).octets == first.octets
    late = sealed_request(sides, header=replace(request_header(sides), reply_by=sides.clock()))
    assert code_of(sides, await sides.wire.post(late.octets)) == "MessageExpired"
    assert len(sides.register.asked) == 1


async def test_two_at_the_same_instant_run_once(sides: TwoSides) -> None:
    request = sealed_request(sides)
    answers = await asyncio.gather(*(sides.wire.post(request.octets) for _ in range(8)))
    assert len(sides.register.asked) == 1
    codes = sorted(code_of(sides, answer) for answer in answers)
    assert codes.count("answered") >= 1
    assert set(codes) <= {"answered", "MessageInProgress"}


async def test_the_same_id_with_another_body_is_refused(sides: TwoSides) -> None:
    first = sealed_request(sides)
    await sides.wire.post(first.octets)
    other = replace(
        GOOD_PERSONAL_DATA,
        subjects=(GOOD_PERSONAL_DATA.subjects[0], type(GOOD_PERSONAL_DATA.subjects[0])("pinfl", OTHER_PINFL)),
    )
    second = sealed_request(sides, header=first.header, payload=get_person(OTHER_PINFL), personal_data=other)
    assert code_of(sides, await sides.wire.post(second.octets)) == "MessageIdReused"
    assert len(sides.register.asked) == 1
    # … and the honest retry of the first still gets its reply.
    assert code_of(sides, await sides.wire.post(first.octets)) == "answered"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"personal_data": replace(GOOD_PERSONAL_DATA, legal_basis=None)}, "NoLegalBasis"),
        (
            {"personal_data": replace(GOOD_PERSONAL_DATA, legal_basis=LegalBasis(kind="whim", reference="x"))},
            "UnknownPurpose",
        ),
        ({"personal_data": replace(GOOD_PERSONAL_DATA, purpose=Purpose("curiosity"))}, "UnknownPurpose"),
        ({"personal_data": replace(GOOD_PERSONAL_DATA, subjects=())}, "SubjectMismatch"),
        ({"payload": get_person(OTHER_PINFL)}, "SubjectMismatch"),
        ({"payload": get_person("123")}, "SchemaInvalid"),
        ({"payload": f'<GetAll xmlns="{PERSON}"/>'}, "UnknownOperation"),
        ({"payload": "<nothing/>"}, "UnknownOperation"),
    ],
)
async def test_what_a_member_must_not_ask(sides: TwoSides, change: dict[str, object], code: str) -> None:
    answer = await sides.wire.post(sealed_request(sides, **change).octets)  # type: ignore[arg-type]
    assert code_of(sides, answer) == code
    assert sides.register.asked == []
    assert sides.provider_record.kinds == ["refused"]
    assert sides.provider_record.outcomes == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"operation": "GetAll"}, "UnknownOperation"),
        ({"service": ServiceId.parse("UZ/GOV/200000002/cadastre/GetProperty/v1")}, "NotForUs"),
        ({"service": ServiceId.parse("UZ/GOV/200000001/population/GetPerson/v9")}, "UnknownService"),
        ({"claimed_consumer": SubsystemId.parse("UZ/GOV/200000003/unregistered")}, "UnknownMember"),
        # Signed by social protection, but the header claims to be the cadastre, or nobody known.
        ({"claimed_consumer": SubsystemId.parse("UZ/GOV/200000002/cadastre")}, "plain SecurityFailed"),
        ({"claimed_consumer": SubsystemId.parse("UZ/GOV/999999999/ghost")}, "plain UnknownMember"),
    ],
)
async def test_what_the_exchange_header_must_not_say(sides: TwoSides, change: dict[str, object], code: str) -> None:
    header = replace(request_header(sides), **change)  # type: ignore[arg-type]
    assert code_of(sides, await sides.wire.post(sealed_request(sides, header=header).octets)) == code
    assert sides.register.asked == []
    assert sides.provider_record.kinds == ["refused"]


async def test_without_a_rule_access_is_denied(sides: TwoSides) -> None:
    sides.rules = ()
    assert code_of(sides, await sides.wire.post(sealed_request(sides).octets)) == "AccessDenied"
    assert sides.register.asked == []


async def test_a_rule_for_another_consumer_does_not_help(sides: TwoSides) -> None:
    sides.rules = (
        AccessRule(
            id="r", consumer=str(sides.federation.cadastre.subsystem), service=sides.federation.population.service
        ),
    )
    assert code_of(sides, await sides.wire.post(sealed_request(sides).octets)) == "AccessDenied"


async def test_another_members_connection_is_refused(sides: TwoSides) -> None:
    answer = await sides.wire.post(sealed_request(sides).octets, sender=sides.federation.cadastre)
    assert code_of(sides, answer) == "plain PeerMismatch"
    assert sides.register.asked == []
    assert sides.provider_record.outcomes == ["PeerMismatch"]


async def test_an_expired_message_is_refused(sides: TwoSides) -> None:
    request = sealed_request(sides)
    sides.clock.now += timedelta(seconds=361)
    assert code_of(sides, await sides.wire.post(request.octets)) == "MessageExpired"
    assert sides.register.asked == []


@pytest.mark.parametrize(
    "octets",
    [b"", b"<", b"not xml at all", b"<a/>", b"\xff\xfe<\x00", b"<!DOCTYPE a []><a/>", b"\x00" * 100],
)
async def test_garbage_gets_a_fault_and_an_entry(sides: TwoSides, octets: bytes) -> None:
    answer = await sides.wire.post(octets)
    assert code_of(sides, answer) in ("plain EnvelopeRefused", "plain MalformedMessage")
    assert sides.provider_record.kinds == ["refused"]


async def test_an_unsigned_message_is_refused(sides: TwoSides) -> None:
    body = f'<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body>{get_person()}</env:Body></env:Envelope>'
    assert code_of(sides, await sides.wire.post(body.encode())) == "plain EnvelopeRefused"
    assert sides.register.asked == []


async def test_every_changed_octet_is_refused(sides: TwoSides) -> None:
    """Some hundred places over the whole message; none passes, none reaches the backend, each is recorded."""
    good = sealed_request(sides).octets
    places = range(0, len(good), max(1, len(good) // 150))
    for place in places:
        broken = bytearray(good)
        broken[place] ^= 0x01
        answer = await sides.wire.post(bytes(broken))
        assert code_of(sides, answer) != "answered", f"octet {place} of the message may be changed"
    assert sides.register.asked == []
    assert set(sides.provider_record.kinds) == {"refused"}
    assert len(sides.provider_record.log) == len(places)


@pytest.mark.parametrize(
    "failure", [ProviderSystemDown("x"), ProviderSystemTimeout("x"), RuntimeError("secret detail")]
)
async def test_a_failing_information_system_is_a_recorded_fault(sides: TwoSides, failure: Exception) -> None:
    sides.register.answer_with = failure
    request = sealed_request(sides)
    answer = await sides.wire.post(request.octets)
    code = getattr(failure, "code", "InternalError")
    assert code_of(sides, answer) == code
    assert b"secret detail" not in answer.octets
    assert sides.provider_record.kinds == ["request-received", "refused"]
    # The same message again is not run again: it gets the same fault.
    again = await sides.wire.post(request.octets)
    assert again.octets == answer.octets
    assert len(sides.register.asked) == 1


async def test_an_answer_that_is_not_valid_does_not_leave(sides: TwoSides) -> None:
    sides.register.answer_with = f'<GetPersonResponse xmlns="{PERSON}"><Surname>X</Surname></GetPersonResponse>'
    assert code_of(sides, await sides.wire.post(sealed_request(sides).octets)) == "ProviderSystemInvalid"


async def test_no_record_no_request(sides: TwoSides) -> None:
    sides.provider_record.fail = lambda write: write.entry.kind == "request-received"
    request = sealed_request(sides)
    answer = await sides.wire.post(request.octets)
    assert code_of(sides, answer) == "RecordUnavailable"
    assert sides.register.asked == []
    # Nothing was lost: the same message may come again when the record is back.
    sides.provider_record.fail = lambda _write: False
    assert code_of(sides, await sides.wire.post(request.octets)) == "answered"


async def test_no_record_no_reply(sides: TwoSides) -> None:
    sides.provider_record.fail = lambda write: write.entry.kind in ("reply-sent", "refused")
    answer = await sides.wire.post(sealed_request(sides).octets)
    assert code_of(sides, answer) == "plain AnswerNotRecorded", "it was carried out: nobody may be told to try again"
    assert "Каримов".encode() not in answer.octets


async def test_no_directory_no_exchange(sides: TwoSides) -> None:
    def expired() -> object:
        raise DirectoryExpired("yesterday")

    sides.provider = replace(sides.provider, directory=expired)  # type: ignore[arg-type]
    sides.wire.provider = sides.provider
    assert code_of(sides, await sides.wire.post(sealed_request(sides).octets)) == "plain DirectoryExpired"
    assert sides.register.asked == []


async def test_a_refused_request_uses_its_id_up(sides: TwoSides) -> None:
    sides.rules, rules = (), sides.rules
    request = sealed_request(sides)
    first = await sides.wire.post(request.octets)
    assert code_of(sides, first) == "AccessDenied"
    sides.rules = rules
    assert (await sides.wire.post(request.octets)).octets == first.octets


async def test_entries_say_who_what_why_and_hide_whom(sides: TwoSides) -> None:
    await sides.wire.post(sealed_request(sides).octets)
    body = sides.provider_record.log[0].entry.body
    assert body["consumer"] == str(sides.federation.social.subsystem)
    assert body["service"] == str(sides.federation.population.service)
    assert body["purpose"] == "benefit"
    assert body["legal_basis"] == {"kind": "law", "reference": "ZRU-395"}
    assert body["rule"] == "r1"
    subject = GOOD_PERSONAL_DATA.subjects[0].value
    assert all(subject not in str(write.entry) for write in sides.provider_record.log)


async def test_personal_data_is_a_must(sides: TwoSides) -> None:
    assert isinstance(GOOD_PERSONAL_DATA, PersonalData)
    header = replace(request_header(sides), message_id=MessageId.new(datetime.now(UTC)))
    from adapter.crypto.seal import seal
    from tests.two_sides import signing_key_of

    population = sides.federation.population
    bare = seal(
        header=header,
        personal_data=None,
        payload=etree.fromstring(get_person().encode()),
        confirmation=None,
        signing_key=signing_key_of(sides.federation.social),
        recipient=population.agreement_certificate,
        recipient_suite=population.suite,
        now=sides.clock(),
    )
    assert code_of(sides, await sides.wire.post(bare.octets)) in (
        "SubjectMismatch",
        "AccessDenied",
        "plain EnvelopeRefused",
    )
    assert sides.register.asked == []
