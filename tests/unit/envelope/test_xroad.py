"""The header fields of X-Road: read, refused with words, written, repeated and checked."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import replace

import pytest
from lxml import etree

from adapter.envelope.names import SOAP11
from adapter.envelope.xroad import (
    IDENTIFIERS,
    REPRESENTATION,
    SHA512,
    XROAD,
    XRoadHeaders,
    XRoadService,
    check_repeated,
    read_headers,
    render_headers,
    render_request_hash,
    repeat_headers,
)
from adapter.errors import AdapterError, InvalidIdentifier, LimitExceeded, ProviderSystemInvalid, XRoadHeaderInvalid
from adapter.identifiers import SubsystemId
from adapter.stages import RepresentedParty
from tests.xroad_messages import CLIENT, MANDATORY, MESSAGE_ID, PARTY, PROVIDER, client, field, fields, message, service

SOAP = f"{{{SOAP11}}}"


def header_of(text: str) -> etree._Element:
    found = etree.fromstring(text.encode()).find(f"{SOAP}Header")
    assert found is not None
    return found


def texts(blocks: Iterable[etree._Element]) -> list[str]:
    return [etree.tostring(block, method="text", encoding="unicode", with_tail=False) for block in blocks]


def read(header: str) -> XRoadHeaders:
    return read_headers(header_of(message(header)))


def test_every_field_is_read() -> None:
    headers = read(fields(issue=field("issue", "12345"), party=PARTY))
    assert headers.claimed_client == SubsystemId.parse("/".join(CLIENT))
    assert headers.service == XRoadService(
        provider=SubsystemId.parse("/".join(PROVIDER)), code="GetPerson", version="v1"
    )
    assert (headers.id, headers.user_id, headers.issue) == (MESSAGE_ID, "UZ12345", "12345")
    assert headers.represented_party == RepresentedParty(party_class="COM", code="30210")


def test_what_is_optional_may_be_absent() -> None:
    headers = read(fields(userId="", service=service(*PROVIDER, "GetPerson")))
    assert (headers.user_id, headers.issue, headers.represented_party, headers.service.version) == (None,) * 4


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.x"])
def test_every_version_of_the_fourth_protocol_is_read(version: str) -> None:
    read(fields(protocolVersion=field("protocolVersion", version)))


@pytest.mark.parametrize(
    ("header", "element", "error"),
    [
        *(("".join(text for name, text in MANDATORY.items() if name != absent), absent, None) for absent in MANDATORY),
        (fields() + client(), "client", None),
        (fields() + field("id", "2"), "id", None),
        (fields(protocolVersion=field("protocolVersion", "3.1")), "protocolVersion", None),
        (fields(protocolVersion=field("protocolVersion", "40")), "protocolVersion", None),
        (fields(client=client(*CLIENT[:3], object_type="MEMBER")), "client", None),
        (fields(client=client(*CLIENT, object_type="SERVICE")), "client", None),
        (fields(client=client(*CLIENT, object_type="")), "client", None),
        (fields(client=client("UZ", "GOV", None, "benefits")), "client", None),
        (fields(client=client("UZ", "GOV", "a/b", "benefits")), "client", InvalidIdentifier),
        (fields(client=client(*CLIENT, "GetPerson")), "serviceCode", None),
        (fields(client=client("UZ", "GOV", "<id:x/>", "benefits")), "memberCode", None),
        (fields(client=client("UZ", "GOV", "1" * 600, "benefits")), "memberCode", None),
        (fields(service=service(*PROVIDER)), "service", None),
        (fields(service=service(*PROVIDER[:3], None, "GetPerson", "v1")), "service", None),
        (fields(service=service(object_type="CENTRALSERVICE")), "service", None),
        (fields(id=field("id", "")), "id", None),
        (fields(id=field("id", "a\u202eb")), "id", None),
        (fields(central=field("centralService", "")), "centralService", None),
        (fields(server=field("securityServer", "")), "securityServer", None),
        (fields(other=field("surprise", "x")), "surprise", None),
        (fields(token='<t:securityToken xmlns:t="http://x-road.eu/xsd/security-token.xsd"/>'), "securityToken", None),
        (fields(party="<repr:representedParty/>"), "representedParty", None),
        (fields(party=PARTY.replace("COM", "a b")), "representedParty", None),
    ],
)
def test_what_is_wrong_is_named(header: str, element: str, error: type[AdapterError] | None) -> None:
    with pytest.raises(error or XRoadHeaderInvalid) as refused:
        read(header)
    (problem,) = refused.value.problems
    assert problem.element == element
    assert problem.text.endswith(".")


@pytest.mark.parametrize(
    "swollen",
    [
        message().replace("<SOAP-ENV:Envelope", f'<SOAP-ENV:Envelope xmlns:a="urn:{"a" * 17_000}"'),
        message().replace("<xrd:client", f'<xrd:client note="{"a" * 17_000}"'),
        message().replace("<id:memberCode", f'<id:memberCode note="{"a" * 17_000}"', 1),
    ],
)
def test_what_would_be_repeated_has_a_bound(swollen: str) -> None:
    with pytest.raises(LimitExceeded):
        read_headers(header_of(swollen))


def test_no_header_at_all() -> None:
    with pytest.raises(XRoadHeaderInvalid):
        read_headers(None)


def test_other_headers_are_left_alone_and_not_repeated() -> None:
    headers = read(fields() + '<w:To xmlns:w="http://www.w3.org/2005/08/addressing">x</w:To>')
    assert b"addressing" not in repeat_headers(headers)
    assert len(headers.blocks) == 5


def test_fields_are_repeated_in_their_order_with_their_values() -> None:
    asked = fields(
        userId=field("userId", " UZ12345 "), issue=field("issue", "12 &amp; 3"), hash=field("requestHash", "x")
    )
    headers = read(asked)
    again = header_of(message(repeat_headers(headers).decode()))
    wanted = [block for block in header_of(message(asked)) if not block.tag.endswith("requestHash")]
    assert [block.tag for block in again] == [block.tag for block in wanted]
    assert texts(again) == texts(wanted)
    assert [block.get(f"{{{IDENTIFIERS}}}objectType") for block in again][:2] == ["SUBSYSTEM", "SERVICE"]


def test_attributes_of_the_way_there_are_not_repeated() -> None:
    marked = client().replace("<xrd:client", '<xrd:client SOAP-ENV:mustUnderstand="1" SOAP-ENV:actor=""')
    again = header_of(message(repeat_headers(read(fields(client=marked))).decode()))
    assert [str(name) for name in again[0].attrib] == [f"{{{IDENTIFIERS}}}objectType"]


def test_a_prefix_that_only_a_value_uses_keeps_its_meaning() -> None:
    typed = client().replace("<xrd:client", '<xrd:client xsi:type="q:Client"')
    prefixes = 'xmlns:q="urn:q" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    asked = message(fields(client=typed)).replace("<SOAP-ENV:Envelope", f"<SOAP-ENV:Envelope {prefixes}")
    again = header_of(message(repeat_headers(read_headers(header_of(asked))).decode()))
    assert again[0].nsmap["q"] == "urn:q"


def test_request_hash_is_the_digest_of_the_octets() -> None:
    element = etree.fromstring(render_request_hash(b"octets"))
    assert element.get("algorithmId") == SHA512
    assert base64.b64decode(element.text or "") == hashlib.sha512(b"octets").digest()


SENT = XRoadHeaders(
    claimed_client=SubsystemId.parse("/".join(CLIENT)),
    service=XRoadService(provider=SubsystemId.parse("/".join(PROVIDER)), code="Get&Person", version="v1"),
    id=MESSAGE_ID,
    user_id="UZ12345",
    issue="a < b",
    represented_party=RepresentedParty(party_class="COM", code="30210"),
)


@pytest.mark.parametrize(
    "sent",
    [
        SENT,
        replace(SENT, user_id=None, issue=None, represented_party=None),
        replace(SENT, represented_party=RepresentedParty(party_class=None, code="x")),
        replace(SENT, service=replace(SENT.service, version=None)),
    ],
)
def test_what_is_written_is_read_as_the_same(sent: XRoadHeaders) -> None:
    read_again = read(render_headers(sent).decode())
    assert replace(read_again, blocks=()) == sent
    check_repeated(header_of(message(render_headers(sent).decode())), sent)


def test_fields_are_written_as_the_examples_of_the_protocol_write_them() -> None:
    tags = [block.tag for block in header_of(message(render_headers(SENT).decode()))]
    assert [tag.removeprefix(f"{{{XROAD}}}").removeprefix(f"{{{REPRESENTATION}}}") for tag in tags] == [
        "client",
        "service",
        "representedParty",
        "id",
        "userId",
        "issue",
        "protocolVersion",
    ]


@pytest.mark.parametrize(
    "repeated",
    [
        replace(SENT, user_id=None, issue=None, represented_party=None),
        replace(SENT, issue=None),
    ],
)
def test_optional_fields_need_not_be_repeated(repeated: XRoadHeaders) -> None:
    check_repeated(header_of(message(render_headers(repeated).decode())), SENT)


def test_the_order_of_the_repeated_fields_does_not_matter() -> None:
    header = header_of(message(render_headers(SENT).decode()))
    header[:] = list(reversed(header))
    check_repeated(header, SENT)


def test_a_request_hash_of_the_system_is_ignored() -> None:
    header = render_headers(SENT).decode() + '<xrd:requestHash algorithmId="x">wrong</xrd:requestHash>'
    check_repeated(header_of(message(header)), SENT)


@pytest.mark.parametrize(
    "repeated",
    [
        replace(SENT, claimed_client=SubsystemId.parse("UZ/GOV/200000003/pensions")),
        replace(SENT, service=replace(SENT.service, version="v2")),
        replace(SENT, service=replace(SENT.service, code="Other")),
        replace(SENT, id="4894e35d-bf0f-44a6-867a-8e51f1daa7e1"),
        replace(SENT, user_id="UZ99999"),
        replace(SENT, issue="other"),
        replace(SENT, represented_party=RepresentedParty(party_class=None, code="30210")),
    ],
)
def test_another_value_is_an_answer_to_another_request(repeated: XRoadHeaders) -> None:
    with pytest.raises(ProviderSystemInvalid):
        check_repeated(header_of(message(render_headers(repeated).decode())), SENT)


@pytest.mark.parametrize("header", ["", fields(id=""), fields(other=field("surprise", "x"))])
def test_an_answer_without_the_fields_is_refused(header: str) -> None:
    with pytest.raises(ProviderSystemInvalid):
        check_repeated(header_of(message(header)), SENT)
