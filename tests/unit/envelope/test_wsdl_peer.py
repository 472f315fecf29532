"""The description for another stack on the peer side: SOAP 1.2 at the provider's adapter, header blocks and policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from adapter.contracts import read_contract
from adapter.envelope import names
from adapter.envelope.wsdl_peer import ENVELOPE_CONTRACTS, beside_each_other, publish_for_peers, served_below
from adapter.envelope.wsdl_policy import POLICY, PROTECTION, REPLY_PARTS, REQUEST_PARTS
from adapter.envelope.wsdl_publish import PublishedDescription
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, SOAP12, read, schema, wsdl

BASE = "https://adapter.example/service/UZ/GOV/1/s/c/v1"
PEER = "https://other.example/peer"
CONTRACTS = {name: read_contract(f"xsd/{name}") for name in ENVELOPE_CONTRACTS}
SP = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702"
TRANSFORM = "{http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200802}ContentSignatureTransform"
PREFIXES = {"w": names.WSDL, "s": names.WSDL_SOAP12, "wsp": POLICY, "sp": SP, "xs": names.XSD, "wsu": names.WSU}


def published(*, location: Callable[[str, str], str] | None = None, **changes: Any) -> PublishedDescription:
    return publish_for_peers(
        read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER), **changes)}, "a.wsdl"),
        location=location or served_below(BASE),
        peer_address=PEER,
        contracts=CONTRACTS,
    )


def found(root: etree._Element, path: str) -> list[Any]:
    values = root.xpath(path, namespaces=PREFIXES)
    assert isinstance(values, list)
    return values


@pytest.fixture(scope="module")
def root() -> etree._Element:
    return etree.fromstring(published().document())


def test_it_is_served_by_soap12_at_the_providers_adapter(root: etree._Element) -> None:
    assert found(root, "//w:port/s:address/@location") == [PEER]
    assert found(root, "//w:binding/s:binding/@transport") == ["http://schemas.xmlsoap.org/soap/http"]
    assert not [e for e in root.iter() if etree.QName(e).namespace == names.WSDL_SOAP11]
    assert b"provider.example" not in published().document()


def test_one_that_is_soap12_already_stays_so() -> None:
    root = etree.fromstring(published(soap=SOAP12).document())
    assert len(found(root, "//w:binding")) == len(found(root, "//w:binding/s:binding")) == 1


def test_a_request_has_both_header_blocks_and_a_reply_one(root: etree._Element) -> None:
    assert set(found(root, "//w:binding//w:input/s:header/@part")) == {"exchange", "personalData"}
    assert found(root, "//w:binding//w:output/s:header/@part") == ["exchange"]
    (message,) = set(found(root, "//s:header/@message"))
    parts = found(root, f"//w:message[@name='{message.rpartition(':')[2]}']/w:part/@element")
    assert [part.rpartition(":")[2] for part in parts] == ["Exchange", "PersonalData"]


def test_the_schema_of_the_header_blocks_comes_from_the_same_address(root: etree._Element) -> None:
    (location,) = found(root, f"//xs:import[@namespace='{names.ENVELOPE}']/@schemaLocation")
    assert location == f"{BASE}?xsd=interagency-adapter/envelope.xsd"
    schema = etree.fromstring(published().document("interagency-adapter/envelope.xsd"))
    for imported in found(schema, "//xs:import/@schemaLocation"):
        assert published().document(imported.removeprefix(f"{BASE}?xsd="))


def test_each_place_has_its_policy(root: etree._Element) -> None:
    assert found(root, "//w:binding/wsp:PolicyReference/@URI") == [f"#{PROTECTION}"]
    assert set(found(root, "//w:binding//w:input/wsp:PolicyReference/@URI")) == {f"#{REQUEST_PARTS}"}
    assert set(found(root, "//w:binding//w:output/wsp:PolicyReference/@URI")) == {f"#{REPLY_PARTS}"}
    policies = found(root, "/w:definitions/wsp:Policy")
    assert [policy.get(names.WSU_ID) for policy in policies] == [PROTECTION, REQUEST_PARTS, REPLY_PARTS]


def test_the_policy_asks_for_what_the_gate_demands(root: etree._Element) -> None:
    binding = "//sp:AsymmetricBinding/wsp:Policy"
    asked = {etree.QName(element).localname for element in found(root, f"{binding}/*")}
    assert {"IncludeTimestamp", "EncryptSignature", "ProtectTokens", "OnlySignEntireHeadersAndBody"} <= asked
    assert found(root, f"{binding}/sp:Layout/wsp:Policy/sp:Strict")
    assert found(root, "//sp:Wss11/wsp:Policy/sp:RequireSignatureConfirmation")
    for parts in ("SignedParts", "EncryptedParts"):
        assert len(found(root, f"//sp:{parts}/sp:Body")) == 2, "of requests and of replies"
    requests, replies = f"//wsp:Policy[@wsu:Id='{REQUEST_PARTS}']", f"//wsp:Policy[@wsu:Id='{REPLY_PARTS}']"
    assert found(root, f"{requests}//sp:SignedParts/sp:Header/@Name") == ["Exchange", "PersonalData", "Attachments"]
    assert found(root, f"{requests}//sp:EncryptedParts/sp:Header/@Name") == ["PersonalData", "Attachments"]
    assert found(root, f"{replies}//sp:SignedParts/sp:Header/@Name") == ["Exchange", "Attachments"]
    assert found(root, f"{replies}//sp:EncryptedParts/sp:Header/@Name") == ["Attachments"]


def test_attachments_are_to_be_signed_by_their_content_and_encrypted_in_both_directions(root: etree._Element) -> None:
    for policy in (REQUEST_PARTS, REPLY_PARTS):
        parts = f"//wsp:Policy[@wsu:Id='{policy}']"
        (transform,) = found(root, f"{parts}//sp:SignedParts/sp:Attachments/*")
        assert transform.tag == TRANSFORM
        assert len(found(root, f"{parts}//sp:EncryptedParts/sp:Attachments")) == 1


def test_documents_in_one_folder_name_each_other_by_their_files() -> None:
    documents = published(location=beside_each_other)
    files = {beside_each_other("", name) for name in documents.documents}
    named = {
        location
        for octets in documents.documents.values()
        for location in found(etree.fromstring(octets), "//xs:import/@schemaLocation")
    }
    assert "interagency-adapter_envelope.xsd" in named
    assert named <= files


def test_one_soap_binding_of_a_port_type_stays_with_its_ports() -> None:
    whole = wsdl(schema(ASK_AND_ANSWER))
    second = '<w:binding name="B2" type="t:PT"><s:binding/></w:binding>'
    http = '<w:binding name="H" type="t:Other"/>'
    ports = '<w:port name="P2" binding="t:B2"/><w:port name="H" binding="t:H"/></w:service>'
    text = whole.replace("<w:service ", f"{second}{http}<w:service ").replace("</w:service>", ports)
    imported = (
        f'<w:definitions xmlns:w="{names.WSDL}"><w:import namespace="urn:i" location="inner.wsdl"/></w:definitions>'
    )
    peers = publish_for_peers(
        read({"a.wsdl": imported, "inner.wsdl": text}),
        location=served_below(BASE),
        peer_address=PEER,
        contracts=CONTRACTS,
    )
    root = etree.fromstring(peers.document("inner.wsdl"))
    assert found(root, "//w:binding/@name") == ["B"]
    assert found(root, "//w:port/@name") == ["P"]
    assert found(etree.fromstring(peers.document()), "//wsp:Policy") == []
