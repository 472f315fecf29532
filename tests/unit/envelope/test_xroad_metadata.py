"""X-Road's service metadata as octets: who there is, and a service's WSDL (PR-META)."""

from __future__ import annotations

import json

import pytest
from lxml import etree

from adapter.envelope.multipart import PartHead, RelatedReader, read_related_type
from adapter.envelope.xroad import IDENTIFIERS, XROAD, XRoadService, service_of_operation
from adapter.envelope.xroad_metadata import (
    ENDPOINT,
    GET_WSDL,
    LIST_METHODS,
    ListedMember,
    check_empty_request,
    clients_as_json,
    read_wsdl_request,
    render_clients,
    render_methods,
    render_wsdl_response,
    with_wsdl,
    wsdl_for_xroad,
)
from adapter.errors import AttachmentsInvalid, SchemaInvalid
from adapter.identifiers import MemberId, ServiceId, SubsystemId
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, read, schema, wsdl, xpath

MEMBER = MemberId("UZ", "GOV", "201122334")
LISTED = (ListedMember(id=MEMBER, name="Ministry <of> & for", subsystems=("registry", "portal")),)
PROVIDER = SubsystemId(MEMBER, "registry")


def request(name: str, content: str = "") -> etree._Element:
    return etree.fromstring(f'<x:{name} xmlns:x="{XROAD}">{content}</x:{name}>')


def test_members_and_their_subsystems_are_listed():
    root = etree.fromstring(render_clients(LISTED))
    prefixes = {"x": XROAD, "i": IDENTIFIERS}
    assert [each.text for each in root.iterfind(".//i:xRoadInstance", prefixes)] == ["UZ"] * 3
    assert [each.get(f"{{{IDENTIFIERS}}}objectType") for each in root.iterfind(".//x:id", prefixes)] == [
        "MEMBER",
        "SUBSYSTEM",
        "SUBSYSTEM",
    ]
    assert [each.text for each in root.iterfind(".//i:subsystemCode", prefixes)] == ["registry", "portal"]
    assert {each.text for each in root.iterfind(".//x:name", prefixes)} == {"Ministry <of> & for"}


def test_the_same_in_json():
    (member, first, _) = json.loads(clients_as_json(LISTED))["member"]
    codes = {"xroad_instance": "UZ", "member_class": "GOV", "member_code": "201122334"}
    assert member == {"id": {"object_type": "MEMBER", **codes}, "name": "Ministry <of> & for"}
    assert first["id"] == {"object_type": "SUBSYSTEM", **codes, "subsystem_code": "registry"}


@pytest.mark.parametrize("wrong", [request(GET_WSDL), request(LIST_METHODS, "<a/>")])
def test_list_methods_is_an_empty_element_of_its_name(wrong: etree._Element):
    check_empty_request(request(LIST_METHODS), LIST_METHODS)
    with pytest.raises(SchemaInvalid):
        check_empty_request(wrong, LIST_METHODS)


CODE, VERSION = "<x:serviceCode>s</x:serviceCode>", "<x:serviceVersion>v1</x:serviceVersion>"


def test_get_wsdl_names_a_service_with_or_without_its_version():
    with_version = read_wsdl_request(request(GET_WSDL, CODE + VERSION), PROVIDER)
    assert (with_version.code, with_version.version) == ("s", "v1")
    without = read_wsdl_request(request(GET_WSDL, CODE), PROVIDER)
    assert (without.code, without.version) == ("s", None)
    assert b"serviceVersion" not in render_wsdl_response(without)
    assert b"<xrd:serviceVersion>v1<" in render_wsdl_response(with_version)


@pytest.mark.parametrize(
    "content",
    ["", VERSION, VERSION + CODE, CODE + VERSION + VERSION, "<x:serviceCode/>", CODE.replace(">s<", "><a/><")],
)
def test_get_wsdl_asks_for_nothing_else(content: str):
    with pytest.raises(SchemaInvalid):
        read_wsdl_request(request(GET_WSDL, content), PROVIDER)


def test_the_wsdl_leads_to_no_address_of_the_providers():
    types = (
        f'<xs:schema><xs:import namespace="{NS}" schemaLocation="x.xsd"/></xs:schema>'
        '<xs:schema><xs:import namespace="urn:gone" schemaLocation="http://gone/"/></xs:schema>'
    )
    description = read({"a.wsdl": wsdl(types), "x.xsd": schema(ASK_AND_ANSWER)})
    root = etree.fromstring(wsdl_for_xroad(description, "https://adapter.example/s"))
    assert xpath(root, "//xs:import/@schemaLocation") == ["https://adapter.example/s?xsd=x.xsd"]
    assert xpath(root, "//s:address/@location") == [ENDPOINT]


def test_services_are_listed_without_the_metaservices():
    services = (XRoadService(provider=PROVIDER, code="s", version="v1"),)
    root = etree.fromstring(render_methods(LIST_METHODS, services))
    assert root.tag == f"{{{XROAD}}}listMethodsResponse"
    assert [each.text for each in root.iterfind(f".//{{{IDENTIFIERS}}}serviceCode")] == ["s"]


def test_an_operation_is_called_by_its_name_and_the_version_of_the_service():
    (operation,) = read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER))}).operations
    called = service_of_operation(ServiceId.parse("UZ/GOV/201122334/registry/people/v2"), operation)
    assert (called.provider, called.code, called.version) == (PROVIDER, "Ask", "v2")


def test_the_wsdl_is_the_second_part_of_the_answer():
    octets, content_type = with_wsdl(b"<e/>", b"<w/>", "b0undary")
    related = read_related_type(content_type, AttachmentsInvalid)
    reader = RelatedReader(related.boundary, error=AttachmentsInvalid)
    events = list(reader.feed(octets))
    reader.finish()
    heads = [event for event in events if isinstance(event, PartHead)]
    assert [head.content_id for head in heads] == [related.start, "wsdl=description@adapter"]
    assert [event for event in events if isinstance(event, bytes)] == [b"<e/>", b"<w/>"]
