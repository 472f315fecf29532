"""An X-Road client's call through both sides: the common path with other words at its ends."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message

import pytest
from lxml import etree

from adapter.dialects.model import ClientAnswer
from adapter.dialects.xroad import XRoadForm, message_id_of
from adapter.directory.model import DirectoryService
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.names import SOAP11, SOAP12
from adapter.envelope.xroad import IDENTIFIERS, XROAD, XRoadService
from adapter.envelope.xroad_metadata import ENDPOINT, wsdl_for_xroad
from adapter.errors import AdapterError, ProviderSystemDown, UnknownService
from adapter.exchange.consume import consume
from adapter.exchange.delivery import CallProgress, refuse_call
from adapter.exchange.xroad import XRoadCall, address_message
from adapter.exchange.xroad_services import find_service, list_services
from adapter.identifiers import ServiceId, SubsystemId
from adapter.policy.clients import ContextRule
from adapter.stages import ReceivedCall, RepresentedParty
from tests.get_person import PERSON, WSDL, context, description, get_person
from tests.two_sides import TwoSides, client_call
from tests.xroad_messages import CLIENT, MESSAGE_ID, PARTY, PROVIDER, client, field, fields, message, service

SOAP = f"{{{SOAP11}}}"
ID = f"{{{IDENTIFIERS}}}"
XRD = f"{{{XROAD}}}"


@pytest.fixture
def xroad(sides: TwoSides) -> TwoSides:
    """The settings say for the client what X-Road has no header for."""
    return with_client(sides, context=_rule())


def _rule() -> ContextRule:
    return ContextRule(
        purpose="benefit",
        legal_basis_kind="law",
        legal_basis_reference="ZRU-395",
        subject_kind="pinfl",
        subject_xpath=etree.XPath("p:Pinfl", namespaces={"p": PERSON}),
    )


def with_client(sides: TwoSides, **changed: object) -> TwoSides:
    known = replace(sides.consumer.clients[0], **changed)  # type: ignore[arg-type]
    sides.consumer = replace(sides.consumer, clients=(known,))
    return sides


async def ask(sides: TwoSides, text: str, **more: str) -> ClientAnswer:
    """What the listener does with the octets of one request."""
    call = client_call(sides, text, **more)
    try:
        addressed = await address_message(call, sides.consumer, wsdl)
        if isinstance(addressed, ClientAnswer):
            return addressed
        return await consume(_to(call, addressed), addressed.dialect, sides.consumer)
    except AdapterError as error:
        return await refuse_call(error, CallProgress(received=call, form=XRoadForm()), sides.consumer)


def _to(call: ReceivedCall, addressed: XRoadCall) -> ReceivedCall:
    return replace(call, service=addressed.service)


async def wsdl(service: ServiceId, described: ServiceDescription) -> bytes:
    return wsdl_for_xroad(described, f"http://adapter.example/service/{service}")


def texts(header: etree._Element) -> list[str]:
    return [etree.tostring(block, method="text", encoding="unicode", with_tail=False) for block in header]


def fault_of(answer: ClientAnswer) -> tuple[str, str]:
    """faultcode and faultstring; empty when it is no fault."""
    fault = etree.fromstring(answer.octets).find(f"{SOAP}Body/{SOAP}Fault")
    return ("", "") if fault is None else (fault.findtext("faultcode") or "", fault.findtext("faultstring") or "")


# --- a call ----------------------------------------------------------------------------------------------------------


async def test_a_message_is_answered_with_its_header_fields_and_the_hash(xroad: TwoSides) -> None:
    asked = message(fields(issue=field("issue", "12345"), party=PARTY))
    answer = await ask(xroad, asked)
    root = etree.fromstring(answer.octets)
    assert root.findtext(f"{SOAP}Body/{{{PERSON}}}GetPersonResponse/{{{PERSON}}}Surname") == "Каримов"
    assert (answer.status, answer.content_type) == (200, "text/xml; charset=utf-8")
    sent, got = etree.fromstring(asked.encode())[0], root[0]
    assert [block.tag for block in got] == [*(block.tag for block in sent), f"{XRD}requestHash"]
    assert texts(got)[:-1] == texts(sent)
    assert base64.b64decode(got[-1].text or "") == hashlib.sha512(asked.encode()).digest()
    assert xroad.consumer_record.kinds == ["request-sent", "reply-received"]


async def test_the_header_fields_are_signed_data(xroad: TwoSides) -> None:
    await ask(xroad, message(fields(issue=field("issue", "12345"), party=PARTY)))
    (request,) = xroad.register.asked
    assert str(request.header.message_id) == f"urn:uuid:{MESSAGE_ID}"
    assert str(request.header.claimed_consumer) == "/".join(CLIENT)
    assert str(request.header.official) == "UZ12345"
    said = request.personal_data
    assert said is not None
    assert (said.purpose, said.issue) == ("benefit", "12345")
    assert said.represented_party == RepresentedParty(party_class="COM", code="30210")
    for record in (xroad.consumer_record, xroad.provider_record):
        body = record.log[0].entry.body
        assert body["issue"] == "12345"
        assert body["represented_party"]["class"] == "COM"
        assert "30210" not in str(body), "the code may be a person's: a keyed hash in the record"
    assert xroad.consumer_record.log[0].entry.body["client_message_id"] == MESSAGE_ID


async def test_request_context_says_what_the_protocol_has_no_header_for(sides: TwoSides) -> None:
    said = context().replace("<c:Official>inspector-7</c:Official>", "")
    assert fault_of(await ask(sides, message(fields() + said))) == ("", "")
    assert str(sides.register.asked[0].header.official) == "UZ12345"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("<not-closed>", "Client.InvalidXml", ""),
        ("<a/>", "Client.InvalidSoap", ""),
        (message().replace(SOAP11, SOAP12), "Client.InvalidSoap", ""),
        (message(fields(id="")), "Client.InvalidMessage", "id, line 2: The header is missing."),
        (message(fields(userId=field("userId", "Каримов А."))), "Client.InvalidRequest", "userId: "),
        (message(fields() + context()), "Client.InvalidMessage", "userId and Official"),
        (
            message(fields(client=client(*CLIENT[:3], "pensions"))),
            "Server.ClientProxy.AccessDenied",
            "may not speak for",
        ),
        (message(fields(client=client(*PROVIDER))), "Server.ClientProxy.AccessDenied", "may not speak for"),
        (
            message(fields(service=service(*PROVIDER, "GetOther", "v1"))),
            "Server.ServerProxy.UnknownService",
            "offers no",
        ),
        (
            message(fields(service=service(*PROVIDER, "GetPerson", "v9"))),
            "Server.ServerProxy.UnknownService",
            "offers no",
        ),
        (
            message(fields(service=service("UZ", "GOV", "299999999", "x", "GetPerson", "v1"))),
            "Server.ClientProxy.UnknownMember",
            "",
        ),
        (message(body='<p:GetOther xmlns:p="urn:test:person"/>'), "Client.InconsistentHeaders", ""),
        (message(body=get_person().replace("Pinfl", "Number")), "Client.InvalidBody", ""),
        (
            message(fields() + '<x:a xmlns:x="urn:x" SOAP-ENV:mustUnderstand="1"/>'),
            "Client.InvalidSoap",
            "a, line 2: Unknown header.",
        ),
    ],
)
async def test_what_is_wrong_is_refused_in_words_and_recorded(
    xroad: TwoSides, text: str, code: str, words: str
) -> None:
    content_type = "application/soap+xml" if SOAP12 in text else "text/xml"
    found, said = fault_of(await ask(xroad, text, content_type=content_type))
    assert found == code
    assert words in said
    assert xroad.wire.sent == []
    assert xroad.consumer_record.kinds == ["call-refused"]


async def test_header_fields_that_must_be_understood_are(xroad: TwoSides) -> None:
    marked = fields().replace("<xrd:userId>", '<xrd:userId SOAP-ENV:mustUnderstand="1">')
    assert fault_of(await ask(xroad, message(marked))) == ("", "")


async def test_a_stranger_is_refused_before_anything_is_read(xroad: TwoSides) -> None:
    answer = await ask(xroad, "<not-closed>", address="192.0.2.9")
    assert fault_of(answer)[0] == "Server.ClientProxy.SslAuthenticationFailed"


async def test_a_service_outside_the_clients_list_is_refused(xroad: TwoSides) -> None:
    with_client(xroad, services=("UZ/GOV/200000001/population/Other/v1",))
    assert fault_of(await ask(xroad, message()))[0] == "Server.ClientProxy.AccessDenied"
    assert xroad.consumer_record.outcomes == ["ClientNotAllowed"]


async def test_the_providers_refusal_arrives_in_xroads_words(xroad: TwoSides) -> None:
    xroad.rules = ()
    assert fault_of(await ask(xroad, message()))[0] == "Server.ServerProxy.AccessDenied"


async def test_the_systems_failure_arrives_in_xroads_words(xroad: TwoSides) -> None:
    xroad.register.answer_with = ProviderSystemDown("told to")
    assert fault_of(await ask(xroad, message()))[0] == "Server.ServerProxy.ServiceFailed.NetworkError"


# --- at most once ----------------------------------------------------------------------------------------------------


async def test_a_message_that_comes_again_does_not_run_again(xroad: TwoSides) -> None:
    await ask(xroad, message())
    xroad.clock.now += timedelta(seconds=1)
    again = await ask(xroad, message())
    assert fault_of(again)[0] == "Server.ServerProxy.InvalidRequest"
    assert xroad.consumer_record.outcomes[-1] == "MessageIdReused"
    assert len(xroad.register.asked) == 1


async def test_a_message_that_never_arrived_may_come_again(xroad: TwoSides) -> None:
    xroad.provider_record.fail = lambda _write: True
    assert fault_of(await ask(xroad, message()))[0] != ""
    xroad.provider_record.fail = lambda _write: False
    assert fault_of(await ask(xroad, message())) == ("", "")
    assert len(xroad.register.asked) == 1


async def test_ids_that_repeat_are_new_exchanges_where_the_settings_say_so(xroad: TwoSides) -> None:
    with_client(xroad, xroad_ids_repeat=True)
    for _ in range(2):
        assert fault_of(await ask(xroad, message())) == ("", "")
    first, second = (request.header.message_id for request in xroad.register.asked)
    assert first != second


def test_ids_of_every_form_become_message_ids() -> None:
    benefits, pensions = (SubsystemId.parse(f"UZ/GOV/200000003/{code}") for code in ("benefits", "pensions"))
    assert str(message_id_of(benefits, MESSAGE_ID)) == f"urn:uuid:{MESSAGE_ID}"
    ids = ["1", "2", MESSAGE_ID.upper(), "EE/12 & <ä>", "x" * 500, "411d6755661409fed365ad8135f8210be07613da"]
    made = {message_id_of(benefits, text) for text in ids}
    assert len(made) == len(ids)
    assert all(str(one)[23] == "8" and str(one)[28] in "89ab" for one in made), "RFC 9562, 5.8"
    assert message_id_of(benefits, "1") == message_id_of(benefits, "1")
    assert message_id_of(benefits, "1") != message_id_of(pensions, "1")


# --- which service ---------------------------------------------------------------------------------------------------


async def test_without_a_version_the_only_one_is_meant(xroad: TwoSides) -> None:
    assert fault_of(await ask(xroad, message(fields(service=service(*PROVIDER, "GetPerson"))))) == ("", "")


REGISTER = SubsystemId.parse("/".join(PROVIDER))


def offering(sides: TwoSides, *names: str) -> Mapping[ServiceId, DirectoryService]:
    """The directory with these services of the register instead of its own, `Code/version`."""
    listed = sides.directory.service(sides.federation.population.service)
    found = {}
    for name in names:
        service_id = ServiceId.parse(f"{REGISTER}/{name}")
        found[service_id] = replace(listed, service=service_id)
    return found


def versioned(version: str) -> ServiceDescription:
    """GetPerson with a version in its binding, as X-Road has it."""
    marked = WSDL.replace(
        b'style="document"/>\n    <operation name="GetPerson">',
        (
            f'style="document"/>\n    <operation name="GetPerson"><v:version xmlns:v="{XROAD}">{version}</v:version>'
        ).encode(),
    )
    assert marked != WSDL
    return read_description({"service.wsdl": marked}.get, "service.wsdl")


@pytest.mark.parametrize(
    ("offered", "code", "version", "meant", "operation"),
    [
        (("GetPerson/v1", "GetPerson/v2"), "GetPerson", "v2", "GetPerson/v2", "GetPerson"),
        (("Register/2025",), "GetPerson", None, "Register/2025", "GetPerson"),
        (("Register/2025",), "GetPerson", "2025", "Register/2025", "GetPerson"),
        (("Register/2025",), "GetPerson", "x7", "Register/2025", "GetPerson"),
        (("Register/2025",), "Register", "2025", "Register/2025", None),
        (("Register/2025",), "Register", None, "Register/2025", None),
        (("GetPerson/v1", "Register/2025"), "GetPerson", "v1", "GetPerson/v1", "GetPerson"),
        (("GetPerson/v1", "GetPerson/v2"), "GetPerson", None, "several", None),
        (("Register/1", "Register/2"), "Register", None, "several", None),
        (("Register/1", "Other/1"), "GetPerson", "x7", "several", None),
        (("Register/2025",), "GetPerson", "v1", "no service", None),
        (("Register/2025",), "Nothing", "v1", "no service", None),
        ((), "GetPerson", "v1", "no service", None),
    ],
)
async def test_what_an_identifier_means(
    sides: TwoSides, offered: tuple[str, ...], code: str, version: str | None, meant: str, operation: str | None
) -> None:
    async def described(_service: DirectoryService) -> ServiceDescription:
        return versioned("x7")

    directory = replace(sides.directory, services=offering(sides, *offered))
    wanted = XRoadService(provider=REGISTER, code=code, version=version)
    if "/" not in meant:
        with pytest.raises(UnknownService, match=meant):
            await find_service(wanted, directory, described)
        return
    found = await find_service(wanted, directory, described)
    assert (str(found.service), found.operation) == (f"{REGISTER}/{meant}", operation)


async def test_a_description_that_cannot_be_read_hides_no_other(sides: TwoSides) -> None:
    async def described(listed: DirectoryService) -> ServiceDescription:
        if listed.service.code == "Broken":
            raise UnknownService("told to")
        return description()

    directory = replace(sides.directory, services=offering(sides, "Broken/v1", "GetPerson/v1"))
    found = await list_services(REGISTER, directory, described)
    assert found == [XRoadService(provider=REGISTER, code="GetPerson", version="v1")]
    broken = replace(sides.directory, services=offering(sides, "Broken/v1"))
    with pytest.raises(UnknownService, match="told to"):
        await list_services(REGISTER, broken, described)


# --- metaservices ----------------------------------------------------------------------------------------------------


def meta(code: str, body: str = "", provider: tuple[str, ...] = PROVIDER) -> str:
    return message(fields(service=service(*provider, code)), f"<xrd:{code}>{body}</xrd:{code}>")


def methods_of(answer: ClientAnswer, name: str) -> list[str]:
    root = etree.fromstring(answer.octets)
    response = root.find(f"{SOAP}Body/{XRD}{name}Response")
    assert response is not None
    assert [block.tag for block in root[0]][-1] == f"{XRD}requestHash"
    assert all(found.get(f"{ID}objectType") == "SERVICE" for found in response)
    return ["/".join(part.text or "" for part in found) for found in response]


async def test_list_methods_names_the_operations_of_the_subsystem(xroad: TwoSides) -> None:
    with_client(xroad, services=())
    answer = await ask(xroad, meta("listMethods"))
    assert methods_of(answer, "listMethods") == [f"{REGISTER}/GetPerson/v1"]
    assert xroad.consumer_record.kinds == []


@pytest.mark.parametrize(("services", "expected"), [(("*",), [f"{REGISTER}/GetPerson/v1"]), ((), [])])
async def test_allowed_methods_is_what_our_settings_let_out_and_says_so(
    xroad: TwoSides, services: tuple[str, ...], expected: list[str]
) -> None:
    with_client(xroad, services=services)
    answer = await ask(xroad, meta("allowedMethods"))
    assert methods_of(answer, "allowedMethods") == expected
    assert "own settings" in answer.headers["Adapter-Answered-From"]


def octets_of(part: Message) -> bytes:
    decoded = part.get_payload(decode=True)
    assert isinstance(decoded, bytes)
    return decoded


@pytest.mark.parametrize("version", ["", "<xrd:serviceVersion>v1</xrd:serviceVersion>"])
async def test_get_wsdl_attaches_the_description(xroad: TwoSides, version: str) -> None:
    answer = await ask(xroad, meta("getWsdl", f"<xrd:serviceCode>GetPerson</xrd:serviceCode>{version}"))
    whole = message_from_bytes(f"Content-Type: {answer.content_type}\r\n\r\n".encode() + answer.octets)
    assert whole.get_content_type() == "multipart/related"
    _, envelope, attached = whole.walk()
    assert envelope["Content-ID"] == whole.get_param("start")
    root = etree.fromstring(octets_of(envelope))
    response = root.find(f"{SOAP}Body/{XRD}getWsdlResponse")
    assert response is not None
    assert [child.text for child in response] == ["GetPerson", "v1"]
    assert attached["Content-ID"].startswith("<wsdl="), "the part's name, by which generated clients find it"
    got = octets_of(attached)
    assert read_description({"a.wsdl": got}.get, "a.wsdl").operations[0].name == "GetPerson"
    assert ENDPOINT.encode() in got
    assert b"127.0.0.1" not in got


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (meta("listMethods", "<xrd:more/>"), "Client.InvalidBody"),
        (message(fields(service=service(*PROVIDER, "listMethods"))), "Client.InvalidBody"),
        (meta("listMethods", provider=(*PROVIDER[:3], "unknown")), "Server.ClientProxy.UnknownMember"),
        (meta("allowedMethods", provider=("UZ", "GOV", "299999999", "x")), "Server.ClientProxy.UnknownMember"),
        (meta("getWsdl"), "Client.InvalidBody"),
        (meta("getWsdl", "<xrd:serviceVersion>v1</xrd:serviceVersion>"), "Client.InvalidBody"),
        (meta("getWsdl", "<xrd:serviceCode/>"), "Client.InvalidBody"),
        (meta("getWsdl", "<xrd:serviceCode>Other</xrd:serviceCode>"), "Server.ServerProxy.UnknownService"),
    ],
)
async def test_metaservices_refuse_what_they_do_not_understand(xroad: TwoSides, text: str, code: str) -> None:
    assert fault_of(await ask(xroad, text))[0] == code
    assert xroad.consumer_record.kinds == ["call-refused"]
