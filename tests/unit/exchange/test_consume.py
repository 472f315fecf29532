"""The consumer's path: what a client system gets, and what never leaves or never arrives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.dialects.model import AnswerForm, ClientAnswer
from adapter.dialects.soap import SoapDialect
from adapter.envelope.description import ServiceDescription
from adapter.envelope.faults import PublicFault
from adapter.envelope.names import SOAP11, SOAP12
from adapter.errors import DirectoryUnavailable, PeerTimeout, ProviderSystemDown
from adapter.exchange.consume import consume
from adapter.exchange.provider import PeerAnswer
from adapter.stages import IdentifiedCall, Packaging, ParsedCall
from adapter.xmlsafe import XmlLimits
from tests.get_person import OTHER_PINFL, PERSON, PINFL, context, get_person, good_call, soap
from tests.pki import Federation
from tests.two_sides import TwoSides, client_call, fault_code, two_sides


@pytest.mark.parametrize(("version", "content_type"), [(SOAP11, "text/xml"), (SOAP12, "application/soap+xml")])
async def test_a_good_call_is_answered_in_its_own_soap_version(
    sides: TwoSides, version: str, content_type: str
) -> None:
    answer = await sides.call(good_call(version), content_type=content_type)
    root = etree.fromstring(answer.octets)
    assert root.tag == f"{{{version}}}Envelope"
    assert root.findtext(f"{{{version}}}Body/{{{PERSON}}}GetPersonResponse/{{{PERSON}}}Surname") == "Каримов"
    assert answer.status == 200
    assert sides.consumer_record.kinds == ["request-sent", "reply-received"]
    assert answer.headers["Adapter-Record"] == "0 1"
    assert answer.headers["Adapter-Peer-Record"] == "0"


@pytest.mark.parametrize("number", range(3))
async def test_every_suite_on_either_side(mixed_federation: Federation, number: int) -> None:
    ids = list(mixed_federation.members)
    # Each suite in the consumer's place once; the provider's is another one.
    suites = [mixed_federation.members[name].suite for name in ids]
    assert sorted(suites) == ["ed25519", "p256", "rsa"]
    federation = Federation.build(suites=suites[number:] + suites[:number])
    sides = two_sides(federation)
    assert fault_code(await sides.call()) == "answered"


async def test_nothing_leaves_before_its_record_is_durable(sides: TwoSides) -> None:
    sides.consumer_record.fail = lambda write: write.entry.kind == "request-sent"
    answer = await sides.call()
    assert fault_code(answer) == "RecordUnavailable"
    assert sides.wire.sent == []


async def test_nothing_is_handed_over_before_its_record_is_durable(sides: TwoSides) -> None:
    sides.consumer_record.fail = lambda write: write.entry.kind == "reply-received"
    answer = await sides.call()
    assert fault_code(answer) == "DeliveryNotRecorded", "it was carried out: nobody may be told to try again"
    assert "Каримов".encode() not in answer.octets


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "MalformedMessage"),
        ("<not-closed>", "MalformedMessage"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "MalformedMessage"),
        ("<a/>", "NotSoap"),
        (soap("", ""), "NotSoap"),
        (soap("", get_person() + get_person()), "NotSoap"),
        (soap("", get_person()), "ContextMissing"),
        (soap(context(basis=""), get_person()), "NoLegalBasis"),
        (soap(context(purpose="curiosity"), get_person()), "UnknownPurpose"),
        (soap(context(pinfl=PINFL[:13] + str((int(PINFL[13]) + 1) % 10)), get_person()), "InvalidIdentifier"),
        (soap(context().replace('kind="pinfl"', 'kind="permit"'), get_person()), "InvalidIdentifier"),
        (soap(context(), get_person("12")), "SchemaInvalid"),
        (soap(context(), f'<p:GetPerson xmlns:p="{PERSON}"/>'), "SchemaInvalid"),
        (soap(context(), f'<p:GetAll xmlns:p="{PERSON}"/>'), "UnknownOperation"),
        (
            soap(f'<x:T xmlns:x="urn:x" xmlns:s="{SOAP11}" s:mustUnderstand="1"/>' + context(), get_person()),
            "HeaderNotUnderstood",
        ),
    ],
)
async def test_a_wrong_call_is_refused_here_and_recorded(sides: TwoSides, body: str, code: str) -> None:
    answer = await sides.call(body or " ")
    assert fault_code(answer) == code
    assert sides.wire.sent == []
    assert sides.consumer_record.kinds == ["call-refused"]
    assert sides.consumer_record.outcomes == [code]
    assert answer.headers["Adapter-Incident"] in answer.octets.decode()


async def test_a_stranger_is_not_served(sides: TwoSides) -> None:
    assert fault_code(await sides.call(address="192.0.2.9")) == "ClientNotIdentified"
    assert sides.wire.sent == []


async def test_the_providers_refusal_arrives_with_its_code_and_incident(sides: TwoSides) -> None:
    sides.rules = ()
    answer = await sides.call()
    assert fault_code(answer) == "AccessDenied"
    incident = sides.provider_record.log[0].entry.incident
    assert incident == answer.headers["Adapter-Incident"]
    assert sides.consumer_record.outcomes == ["sent", "AccessDenied"]


async def test_a_provider_system_that_is_down(sides: TwoSides) -> None:
    sides.register.answer_with = ProviderSystemDown("refused connection")
    assert fault_code(await sides.call()) == "ProviderSystemDown"


async def test_the_header_and_the_body_must_name_the_same_person(sides: TwoSides) -> None:
    assert fault_code(await sides.call(soap(context(pinfl=OTHER_PINFL), get_person()))) == "SubjectMismatch"


def turned_over(octets: bytes) -> bytes:
    """The last digest or cipher octet that stands in the message, changed."""
    at = octets.rindex(b"</xenc:CipherValue>") - 8
    return octets[:at] + (b"A" if octets[at : at + 1] != b"A" else b"B") + octets[at + 1 :]


PLAIN_ANSWER = (
    f'<env:Envelope xmlns:env="{SOAP12}"><env:Body><GetPersonResponse xmlns="{PERSON}"><Surname>Forged</Surname>'
    f"<Born>1990-01-01</Born></GetPersonResponse></env:Body></env:Envelope>"
).encode()


@pytest.mark.parametrize(
    "change",
    [
        turned_over,
        lambda _octets: PLAIN_ANSWER,
        lambda _octets: b"",
        lambda _octets: b"<html>502 Bad Gateway</html>",
        lambda octets: octets[: len(octets) // 2],
    ],
)
async def test_an_answer_that_cannot_be_verified_is_not_delivered(
    sides: TwoSides, change: Callable[[bytes], bytes]
) -> None:
    sides.wire.change_reply = change
    answer = await sides.call()
    assert fault_code(answer) == "PeerAnswerInvalid"
    assert b"Forged" not in answer.octets
    assert sides.consumer_record.kinds == ["request-sent", "call-refused"]


async def test_the_reply_to_another_call_is_not_delivered(sides: TwoSides) -> None:
    await sides.call()
    first = sides.wire.answers[-1].octets
    sides.wire.change_reply = lambda _octets: first
    assert fault_code(await sides.call()) == "PeerAnswerInvalid"


async def test_our_own_request_sent_back_is_no_reply(sides: TwoSides) -> None:
    sides.wire.change_reply = lambda _octets: sides.wire.sent[-1]
    assert fault_code(await sides.call()) == "PeerAnswerInvalid"


async def test_an_unsigned_fault_is_a_report_only(sides: TwoSides) -> None:
    sides.wire.change = lambda octets: octets.replace(b"GetPerson", b"GetPersoN", 1)
    answer = await sides.call()
    assert fault_code(answer) == "PeerRefused"
    assert "SecurityFailed" in str(sides.consumer_record.log[-1].entry.body["reason"])


async def test_an_unsigned_report_that_it_may_have_been_carried_out_is_no_refusal(sides: TwoSides) -> None:
    """The provider's record takes neither the answer nor its refusal: nobody may believe that nothing was done."""
    sides.provider_record.fail = lambda write: write.entry.kind in ("reply-sent", "refused")
    answer = await sides.call()
    assert sides.register.asked != []
    assert fault_code(answer) == "PeerTimeout"
    assert b"check-first" in answer.octets
    assert "AnswerNotRecorded" in str(sides.consumer_record.log[-1].entry.body["reason"])


async def test_a_network_that_fails(sides: TwoSides) -> None:
    class Down:
        async def send(self, _call: object) -> PeerAnswer:
            raise PeerTimeout("30 s")

    sides.consumer = replace(sides.consumer, peers=Down())  # type: ignore[arg-type]
    answer = await sides.call()
    assert fault_code(answer) == "PeerTimeout"
    assert sides.consumer_record.outcomes == ["sent", "PeerTimeout"]


async def test_no_directory_no_call(sides: TwoSides) -> None:
    def none() -> object:
        raise DirectoryUnavailable("never seen")

    sides.consumer = replace(sides.consumer, directory=none)  # type: ignore[arg-type]
    assert fault_code(await sides.call()) == "DirectoryUnavailable"
    assert sides.wire.sent == []


async def test_a_defect_is_an_incident_and_not_a_stack_trace(sides: TwoSides) -> None:
    def broken() -> object:
        raise RuntimeError("secret detail")

    sides.consumer = replace(sides.consumer, directory=broken)  # type: ignore[arg-type]
    answer = await sides.call()
    assert fault_code(answer) == "InternalError"
    assert b"secret detail" not in answer.octets
    assert b"Traceback" not in answer.octets


async def test_a_late_reply_is_not_delivered(sides: TwoSides) -> None:
    def late(octets: bytes) -> bytes:
        sides.clock.now += timedelta(seconds=400)
        return octets

    sides.wire.change_reply = late
    assert fault_code(await sides.call()) in ("MessageExpired", "PeerAnswerInvalid")


async def test_no_personal_data_in_the_log(sides: TwoSides, capsys: pytest.CaptureFixture[str]) -> None:
    await sides.call()
    await sides.call(soap(context(), get_person("12")))
    sides.rules = ()
    await sides.call()
    printed = capsys.readouterr()
    for secret in (PINFL, "Каримов", "inspector-7"):
        assert secret not in printed.out + printed.err


class Loud:
    """A dialect of nobody's: it says whether it had read the call when it is asked to answer."""

    class Form:
        def __init__(self, said: str) -> None:
            self.said = said

        def reply(self, payload: etree._Element) -> ClientAnswer:
            return ClientAnswer(octets=f"{self.said} {etree.QName(payload).localname}".encode(), content_type="x/loud")

        takes_attachments = True

        def reply_with_attachments(
            self, payload: etree._Element, attachments: HeldAttachments, packaging: Packaging
        ) -> ClientAnswer:
            raise NotImplementedError

        def fault(self, fault: PublicFault) -> ClientAnswer:
            return ClientAnswer(octets=f"{self.said} {fault.code}".encode(), content_type="x/loud", status=418)

    form: AnswerForm = Form("before")

    def read(
        self, identified: IdentifiedCall, description: ServiceDescription, limits: XmlLimits
    ) -> tuple[ParsedCall, AnswerForm]:
        call, _ = SoapDialect(content_type="text/xml").read(identified, description, limits)
        return call, self.Form("after")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (good_call(), "after GetPersonResponse"),
        ("<a/>", "before NotSoap"),
        (soap(context(), get_person("12")), "after SchemaInvalid"),
        (soap(context(pinfl=OTHER_PINFL), get_person()), "after SubjectMismatch"),
    ],
)
async def test_every_answer_is_in_the_dialect_of_the_call(sides: TwoSides, body: str, said: str) -> None:
    answer = await consume(client_call(sides, body), Loud(), sides.consumer)
    assert answer.octets.decode() == said
    assert answer.content_type == "x/loud"
    assert answer.status == (200 if "Response" in said else 418)
