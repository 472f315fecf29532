"""The sandbox's system: it judges what comes, answers what is right, and says what is not."""

import pytest
from lxml import etree

from adapter.envelope.names import SOAP11, SOAP12
from adapter.sandbox.play import parse_play
from adapter.sandbox.system import SandboxSystem, SystemAnswer, SystemRequest
from tests.unit.envelope.descriptions import NS, read, schema, wsdl

TYPES = """<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="pinfl" type="xs:string"/>
  </xs:sequence></xs:complexType></xs:element><xs:element name="Answer"><xs:complexType><xs:sequence>
  <xs:element name="pinfl" type="xs:string"/><xs:element name="born" type="xs:date"/></xs:sequence></xs:complexType>
  </xs:element><xs:element name="NotFound"><xs:complexType><xs:sequence><xs:element name="code" type="xs:int"/>
  </xs:sequence></xs:complexType></xs:element>"""
FAULT = '<w:message name="fault"><w:part name="p" element="t:NotFound"/></w:message>'
WITH_FAULT = wsdl(schema(TYPES), extra=FAULT).replace(
    '<w:output message="t:out"/>', '<w:output message="t:out"/><w:fault name="f" message="t:fault"/>'
)
ASK = f'<Ask xmlns="{NS}"><pinfl>known</pinfl></Ask>'


def answer(
    body: str = ASK,
    *,
    text: str = WITH_FAULT,
    play: str = "",
    namespace: str = SOAP11,
    content_type: str = "text/xml",
    action: str = "",
    seed: int = 0,
) -> SystemAnswer:
    octets = f'<e:Envelope xmlns:e="{namespace}"><e:Body>{body}</e:Body></e:Envelope>'.encode()
    request = SystemRequest(octets=octets, content_type=content_type, soap_action=action)
    return SandboxSystem(read({"a.wsdl": text}), seed=seed).answer(request, parse_play(play))


def body_of(found: SystemAnswer) -> etree._Element:
    return etree.fromstring(found.octets)[-1][0]


def test_a_right_request_is_answered_about_what_it_asks_for():
    found = answer()
    assert (found.status, found.outcome, found.operation, found.problems) == (200, "answered", "Ask", ())
    assert body_of(found).findtext(f"{{{NS}}}pinfl") == "known"


def test_the_same_request_gets_the_same_answer_and_another_seed_another_one():
    assert answer().octets == answer().octets
    assert answer().octets != answer(seed=1).octets


def test_the_answer_is_of_the_version_of_the_request_and_a_difference_is_remarked():
    found = answer(namespace=SOAP12, content_type="application/soap+xml")
    assert etree.fromstring(found.octets).tag == f"{{{SOAP12}}}Envelope"
    assert found.content_type.startswith("application/soap+xml")
    assert "The request is SOAP 1.2; the WSDL says SOAP 1.1." in found.remarks


@pytest.mark.parametrize(
    ("body", "rule", "says"),
    [
        (f'<Ask xmlns="{NS}"/>', "cvc-complex-type.2.4", "what is missing: pinfl"),
        (f'<Aks xmlns="{NS}"/>', "service.operation", "there are: Ask"),
        ('<Ask xmlns="urn:wrong"/>', "service.operation", f"must be in the namespace {NS}"),
        ("", "NotSoap", "Body must have exactly one element"),
    ],
)
def test_a_wrong_request_is_refused_in_words(body, rule, says):
    found = answer(body)
    assert found.status == 500
    assert found.outcome.startswith("refused: ")
    assert (found.problems[0].rule, says in found.problems[0].text) == (rule, True)
    assert says in (body_of(found).findtext("faultstring") or "")


def test_a_declared_fault_has_its_detail():
    found = answer(play="fault=NotFound")
    detail = body_of(found).find("detail")
    assert detail is not None
    assert [child.tag for child in detail] == [f"{{{NS}}}NotFound"]


def test_a_fault_that_is_not_declared_is_played_plainly_and_said():
    found = answer(play="fault=Another")
    assert body_of(found).findtext("faultcode") == "soap:Server"
    assert found.remarks == ("Ask declares no fault Another; it declares: NotFound.",)


def test_soap12_fault_has_its_form():
    found = answer(play="fault=client", namespace=SOAP12, content_type="application/soap+xml")
    assert body_of(found).findtext(f"{{{SOAP12}}}Code/{{{SOAP12}}}Value") == "soap:Sender"


def test_a_wrong_request_is_refused_whatever_is_to_be_played():
    assert answer(f'<Ask xmlns="{NS}"/>', play="fault").outcome == "refused: SchemaInvalid"


def test_what_is_played_for_one_operation_is_not_played_for_another():
    assert answer(play="fault,operation=Another").outcome == "answered"
    assert answer(play="drop,operation=Ask").breaks_off


def test_a_one_way_request_is_taken_without_an_envelope():
    found = answer(text=WITH_FAULT.replace('<w:output message="t:out"/>', ""))
    assert (found.status, found.octets, found.outcome) == (202, b"", "accepted (one-way)")


def test_a_wrong_action_is_remarked():
    assert "The SOAPAction is not the one of the WSDL." in answer(action='"urn:other"').remarks
    assert answer(action='"urn:ask"').remarks == ()
