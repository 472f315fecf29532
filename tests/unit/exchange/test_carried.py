"""Services whose messages are more than one element: declared headers, and SOAP-encoded Bodies. There and back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from lxml import etree

from adapter.envelope.carried import PARTS, Content, unwrap, wrap
from adapter.envelope.description import ServiceDescription
from adapter.envelope.names import ENVELOPE, SOAP11, SOAP12
from adapter.envelope.soap import build_provider_request, parse_provider_answer
from adapter.envelope.wsdl_publish import publish
from adapter.errors import EnvelopeRefused
from adapter.exchange.provider import ProvidedService
from adapter.exchange.validation import SubjectRule
from adapter.stages import BackendAnswer, RecordedRequest
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.conftest import ROOT
from tests.get_person import PINFL, context, soap
from tests.pki import Federation
from tests.two_sides import TwoSides, fault_code, two_sides
from tests.unit.envelope.descriptions import NS, PREFIXES, read, schema, wsdl

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass
class SoapSystem:
    """A provider's system behind the real making and reading of SOAP: what it was asked, and what it answers."""

    description: ServiceDescription
    answer_with: str
    asked: list[etree._Element] = field(default_factory=list)

    async def answer(self, request: RecordedRequest) -> BackendAnswer:
        valid = request.authorized.valid
        operation = self.description.operation(valid.operation, valid.input_element)
        self.asked.append(etree.fromstring(build_provider_request(request.payload, operation.soap_version)))
        return BackendAnswer(
            payload=parse_provider_answer(
                self.answer_with.encode(),
                DEFAULT_LIMITS,
                declared=operation.carried_headers(in_output=True),
                may_be_encoded=operation.is_encoded,
            )
        )

    async def close(self) -> None:
        return None

    def header(self) -> etree._Element:
        found = self.asked[-1].find(f"{{{SOAP11}}}Header")
        assert found is not None
        return found

    def body(self) -> etree._Element:
        return self.asked[-1][-1]


def between(federation: Federation, text: str, answer: str) -> tuple[TwoSides, SoapSystem]:
    """Both sides with this service description in place of the usual one."""
    description = read({"a.wsdl": text})
    system = SoapSystem(description, answer)
    sides = two_sides(federation)
    service = ProvidedService(description=description, backend=system)
    provider = replace(sides.provider, services={federation.population.service: service})
    sides.wire.provider = sides.provider = provider

    async def described(_service: object) -> ServiceDescription:
        return description

    sides.consumer = replace(sides.consumer, description=described)
    return sides, system


# --- declared headers ------------------------------------------------------------------------------------------------

HEADERS = """<xs:element name="Session"><xs:complexType><xs:sequence><xs:element name="Id" type="xs:int"/></xs:sequence>
  </xs:complexType></xs:element><xs:element name="Limits" type="xs:string"/>
  <xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>"""
MESSAGE = (
    '<w:message name="heads"><w:part name="s" element="t:Session"/><w:part name="l" element="t:Limits"/></w:message>'
)


def with_headers() -> str:
    text = wsdl(schema(HEADERS), extra=MESSAGE, body='<s:header message="t:heads" part="s" use="literal"/>')
    return text.replace("<w:output><s:body", '<w:output><s:header message="t:heads" part="l" use="literal"/><s:body', 1)


SESSION = f'<t:Session xmlns:t="{NS}"><t:Id>7</t:Id></t:Session>'
ASK = f'<t:Ask xmlns:t="{NS}">who</t:Ask>'
ANSWER = soap(f'<t:Limits xmlns:t="{NS}">9 left</t:Limits>', f'<t:Answer xmlns:t="{NS}">me</t:Answer>')


async def test_declared_headers_reach_the_system_and_come_back(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    answer = await sides.call(soap(context() + SESSION, ASK))
    assert fault_code(answer) == "answered"
    assert [etree.QName(block).localname for block in system.header()] == ["Session"]
    assert system.header().findtext(f"{{{NS}}}Session/{{{NS}}}Id") == "7"
    assert [child.text for child in system.body()] == ["who"]
    root = etree.fromstring(answer.octets)
    assert root.findtext(f"{{{SOAP11}}}Header/{{{NS}}}Limits") == "9 left"
    assert root.findtext(f"{{{SOAP11}}}Body/{{{NS}}}Answer") == "me"


async def test_a_client_of_the_other_soap_version_sends_and_gets_them_too(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    answer = await sides.call(soap(context() + SESSION, ASK, SOAP12), content_type="application/soap+xml")
    assert system.header().findtext(f"{{{NS}}}Session/{{{NS}}}Id") == "7"
    assert etree.fromstring(answer.octets).findtext(f"{{{SOAP12}}}Header/{{{NS}}}Limits") == "9 left"


async def test_without_them_nothing_is_different(federation: Federation) -> None:
    plain = soap("", f'<t:Answer xmlns:t="{NS}">me</t:Answer>').replace("<soap:Header></soap:Header>", "")
    sides, system = between(federation, with_headers(), plain)
    answer = await sides.call(soap(context(), ASK))
    assert fault_code(answer) == "answered"
    assert len(system.asked[0]) == 1
    assert b"Parts" not in answer.octets


async def test_a_declared_header_may_be_marked_must_understand(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    marked = SESSION.replace("<t:Session", '<t:Session soap:mustUnderstand="1"')
    assert fault_code(await sides.call(soap(context() + marked, ASK))) == "answered"
    assert not system.header()[0].attrib


@pytest.mark.parametrize(
    ("header", "code"),
    [
        pytest.param(SESSION.replace("7", "seven"), "SchemaInvalid", id="invalid"),
        pytest.param(SESSION + SESSION, "NotSoap", id="twice"),
        pytest.param(f'<t:Limits xmlns:t="{NS}" soap:mustUnderstand="1">x</t:Limits>', "HeaderNotUnderstood",
                     id="declared for the answer only"),
    ],
)  # fmt: skip
async def test_wrong_headers_are_refused_before_anything_is_sent(
    federation: Federation, header: str, code: str
) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    assert fault_code(await sides.call(soap(context() + header, ASK))) == code
    assert (sides.wire.sent, system.asked) == ([], [])


async def test_undeclared_headers_go_nowhere(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    assert fault_code(await sides.call(soap(context() + '<x xmlns="urn:x">secret</x>', ASK))) == "answered"
    assert b"secret" not in etree.tostring(system.asked[0])


async def test_an_invalid_header_of_the_system_is_not_passed_on(federation: Federation) -> None:
    wrong = ANSWER.replace("9 left", "<t:x/>")
    sides, _ = between(federation, with_headers(), wrong)
    assert fault_code(await sides.call(soap(context() + SESSION, ASK))) == "ProviderSystemInvalid"


async def test_a_client_cannot_send_the_wrapping_itself(federation: Federation) -> None:
    sides, system = between(federation, with_headers(), ANSWER)
    wrapped = f'<ia:Parts xmlns:ia="{ENVELOPE}"><ia:Content>{ASK}</ia:Content></ia:Parts>'
    assert fault_code(await sides.call(soap(context(), wrapped))) == "UnknownOperation"
    assert system.asked == []


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("", id="empty"),
        pytest.param("<ia:Content/>", id="no element"),
        pytest.param("<ia:Headers/><ia:Content><a/></ia:Content>", id="empty headers"),
        pytest.param("<ia:Content><a/></ia:Content><ia:Headers><b/></ia:Headers>", id="order"),
        pytest.param("<ia:Content><a/></ia:Content><ia:Content><a/></ia:Content>", id="twice"),
        pytest.param("<ia:Content><a/>text</ia:Content>", id="text"),
        pytest.param('<ia:Content x="1"><a/></ia:Content>', id="attribute"),
        pytest.param(f"<ia:Headers>{'<b/>' * 33}</ia:Headers><ia:Content><a/></ia:Content>", id="too many"),
    ],
)
def test_wrapping_of_another_form_is_refused(inside: str) -> None:
    with pytest.raises(EnvelopeRefused):
        unwrap(etree.fromstring(f'<ia:Parts xmlns:ia="{ENVELOPE}">{inside}</ia:Parts>'))


def test_what_is_alone_is_not_wrapped() -> None:
    element = etree.fromstring("<a/>")
    assert wrap(Content(body=element)) is element
    both = wrap(Content(body=element, headers=(etree.fromstring("<h/>"),)))
    assert both.tag == PARTS
    assert (unwrap(both).body.tag, [header.tag for header in unwrap(both).headers]) == ("a", ["h"])


def test_the_wrapping_is_as_the_contract_says() -> None:
    contract = etree.XMLSchema(etree.parse(ROOT / "xsd" / "envelope.xsd"))
    whole = wrap(Content(body=etree.fromstring(ASK), headers=(etree.fromstring(SESSION),)))
    contract.assertValid(whole)
    assert not contract.validate(etree.fromstring(f'<ia:Parts xmlns:ia="{ENVELOPE}"/>'))


# --- SOAP encoding ---------------------------------------------------------------------------------------------------


def encoded() -> str:
    bindings = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
    use = f'use="encoded" namespace="urn:w" encodingStyle="{ENCODING}"'
    return f"""<w:definitions {bindings} xmlns:t="{NS}" xmlns:soapenc="{ENCODING}" targetNamespace="{NS}">
      <w:message name="in"><w:part name="names" type="soapenc:Array"/></w:message>
      <w:message name="out"><w:part name="return" type="soapenc:Array"/></w:message>
      <w:portType name="PT"><w:operation name="list"><w:input message="t:in"/><w:output message="t:out"/></w:operation>
      </w:portType>
      <w:binding name="B" type="t:PT"><s:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
        <w:operation name="list"><s:operation soapAction=""/><w:input><s:body {use}/></w:input>
          <w:output><s:body {use}/></w:output></w:operation></w:binding>
      <w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://provider.example/"/></w:port>
      </w:service></w:definitions>"""


NAMES = (
    f'<w:list xmlns:w="urn:w"><names xsi:type="soapenc:Array" soapenc:arrayType="xsd:string[2]" '
    f'xmlns:soapenc="{ENCODING}"><item xsi:type="xsd:string">Алишер</item><item xsi:type="xsd:string">B</item></names>'
    "</w:list>"
)
REFERRING = (
    f'<w:listResponse xmlns:w="urn:w" soap:encodingStyle="{ENCODING}"><return href="#id0"/></w:listResponse>'
    f'<multiRef id="id0" soapenc:root="0" xmlns:soapenc="{ENCODING}" xsi:type="soapenc:Array" '
    'soapenc:arrayType="xsd:int[1]"><x>1</x></multiRef>'
)


def envelope(body: str, header: str = "", attributes: str = "") -> str:
    """As an encoding stack writes it: the prefixes of values are declared on the Envelope."""
    return (
        f'<soap:Envelope xmlns:soap="{SOAP11}" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}"{attributes}>'
        f"<soap:Header>{header}</soap:Header><soap:Body>{body}</soap:Body></soap:Envelope>"
    )


@pytest.mark.parametrize("where", ["envelope", "wrapper", "nowhere"])
async def test_an_encoded_call_goes_there_and_back_as_it_is(federation: Federation, where: str) -> None:
    sides, system = between(federation, encoded(), envelope(REFERRING))
    style = f' soap:encodingStyle="{ENCODING}"'
    body = NAMES.replace("<w:list", f"<w:list{style}", 1) if where == "wrapper" else NAMES
    answer = await sides.call(envelope(body, context(), style if where == "envelope" else ""))
    assert fault_code(answer) == "answered"

    asked = system.body()[0]
    assert asked.get(f"{{{SOAP11}}}encodingStyle") == (None if where == "nowhere" else ENCODING)
    array = asked[0]
    assert array.nsmap["xsd"] == XSD
    assert array.get(f"{{{ENCODING}}}arrayType") == "xsd:string[2]"
    assert [item.text for item in array] == ["Алишер", "B"]
    assert array[0].get(f"{{{XSI}}}type") == "xsd:string"

    found = etree.fromstring(answer.octets)[-1]
    assert [child.tag for child in found] == ["{urn:w}listResponse", "multiRef"]
    assert found[0][0].get("href") == "#id0"
    assert found[1].get(f"{{{ENCODING}}}arrayType") == "xsd:int[1]"
    assert found[1].nsmap["xsd"] == XSD


async def test_the_record_says_that_an_encoded_body_was_not_checked(federation: Federation) -> None:
    sides, _ = between(federation, encoded(), envelope(REFERRING))
    await sides.call(envelope(NAMES, context()))
    said = [side.log[0].entry.body.get("type_checked") for side in (sides.consumer_record, sides.provider_record)]
    assert said == [False, False]
    checked, _ = between(federation, with_headers(), ANSWER)
    await checked.call(soap(context(), ASK))
    assert "type_checked" not in checked.provider_record.log[0].entry.body


async def test_a_request_with_independent_elements_too(federation: Federation) -> None:
    sides, system = between(federation, encoded(), envelope(REFERRING))
    call = envelope(REFERRING.replace("listResponse", "list"), context())
    assert fault_code(await sides.call(call)) == "answered"
    assert [child.tag for child in system.body()] == ["{urn:w}list", "multiRef"]


async def test_encoding_of_the_other_soap_version_is_refused(federation: Federation) -> None:
    sides, _ = between(federation, encoded(), envelope(REFERRING))
    call = envelope(NAMES, context()).replace(SOAP11, SOAP12)
    assert fault_code(await sides.call(call, content_type="application/soap+xml")) == "NotSoap"
    assert sides.wire.sent == []


async def test_several_elements_of_a_literal_body_are_refused(federation: Federation) -> None:
    sides, _ = between(federation, with_headers(), ANSWER)
    assert fault_code(await sides.call(soap(context(), ASK + ASK))) == "NotSoap"


# --- names in values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared_at", ["envelope", "element"])
async def test_a_qualified_name_in_a_value_keeps_its_namespace(federation: Federation, declared_at: str) -> None:
    types = '<xs:element name="Ask" type="xs:QName"/><xs:element name="Answer" type="xs:QName"/>'
    here = f'xmlns:v="{NS}:values"'
    on_envelope, on_element = (f" {here}", "") if declared_at == "envelope" else ("", f" {here}")
    answer = f'<t:Answer xmlns:t="{NS}"{on_element}>v:no</t:Answer>'
    sides, system = between(federation, wsdl(schema(types)), envelope(answer, attributes=on_envelope))
    ask = f'<t:Ask xmlns:t="{NS}"{on_element}>v:yes</t:Ask>'
    got = await sides.call(envelope(ask, context(), on_envelope))
    assert fault_code(got) == "answered"
    assert system.body()[0].nsmap["v"] == f"{NS}:values"
    reply = etree.fromstring(got.octets)[-1][0]
    assert (reply.text, reply.nsmap["v"]) == ("v:no", f"{NS}:values")


async def test_xsi_type_of_a_reply_keeps_its_namespace(federation: Federation) -> None:
    types = """<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="t:Base"/>
      <xs:complexType name="Base"><xs:sequence/></xs:complexType>
      <xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
        <xs:element name="n" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""
    answer = f'<Answer xmlns="{NS}" xmlns:v="{NS}" xsi:type="v:More"><n>1</n></Answer>'
    sides, _ = between(federation, wsdl(schema(types)), envelope(answer))
    got = await sides.call(soap(context(), ASK))
    assert fault_code(got) == "answered"
    reply = etree.fromstring(got.octets)[-1][0]
    assert (reply.get(f"{{{XSI}}}type"), reply.nsmap["v"]) == ("v:More", NS)


# --- overloaded operations -------------------------------------------------------------------------------------------


async def test_operations_of_one_name_are_told_apart_by_their_element(federation: Federation) -> None:
    types = schema(HEADERS + '<xs:element name="AskMore" type="xs:int"/>')
    second = """<w:operation name="Ask"><w:input name="more" message="t:more"/><w:output message="t:out"/>
      </w:operation></w:portType>"""
    bound = """<w:operation name="Ask"><s:operation soapAction="urn:more"/><w:input name="more"><s:body use="literal"/>
      </w:input><w:output><s:body use="literal"/></w:output></w:operation></w:binding>"""
    text = wsdl(types, extra='<w:message name="more"><w:part name="p" element="t:AskMore"/></w:message>')
    text = text.replace("</w:portType>", second).replace("</w:binding>", bound)
    sides, system = between(federation, text, soap("", f'<t:Answer xmlns:t="{NS}">me</t:Answer>'))
    assert fault_code(await sides.call(soap(context(), f'<t:AskMore xmlns:t="{NS}">1</t:AskMore>'))) == "answered"
    assert [child.tag for child in system.body()] == [f"{{{NS}}}AskMore"]


@pytest.mark.parametrize(("action", "code"), [("urn:other", "answered"), ("urn:ask", "answered"),
                                              ("", "UnknownOperation"), ("urn:x", "UnknownOperation")])  # fmt: skip
async def test_operations_of_one_element_are_told_apart_by_the_action(
    federation: Federation, action: str, code: str
) -> None:
    second = '<w:operation name="Other"><w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>'
    bound = """<w:operation name="Other"><s:operation soapAction="urn:other"/><w:input><s:body use="literal"/></w:input>
      <w:output><s:body use="literal"/></w:output></w:operation></w:binding>"""
    text = wsdl(schema(HEADERS)).replace("</w:portType>", second).replace("</w:binding>", bound)
    sides, _ = between(federation, text, soap("", f'<t:Answer xmlns:t="{NS}">me</t:Answer>'))
    content_type = f'application/soap+xml; charset=utf-8; action="{action}"'
    assert fault_code(await sides.call(soap(context(), ASK, SOAP12), content_type=content_type)) == code
    if code == "answered":
        asked = sides.provider_record.log[0].entry.body
        assert ("Other" if action == "urn:other" else "Ask") in str(asked)


async def test_operations_that_only_an_address_told_apart_get_an_action_of_ours(federation: Federation) -> None:
    second = '<w:operation name="Other"><w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>'
    bound = """<w:operation name="Other"><s:operation soapAction=""/><w:input><s:body use="literal"/></w:input>
      <w:output><s:body use="literal"/></w:output></w:operation></w:binding>"""
    text = wsdl(schema(HEADERS)).replace('"urn:ask"', '""')
    text = text.replace("</w:portType>", second).replace("</w:binding>", bound)
    sides, system = between(federation, text, soap("", f'<t:Answer xmlns:t="{NS}">me</t:Answer>'))
    actions = system.description.own_actions()
    assert actions == {name: f"urn:interagency-adapter:operation:{name}" for name in ("Ask", "Other")}
    published = publish(
        system.description, address="http://a.example/", contracts={}, context_schema="c.xsd", fault_schema="f.xsd"
    )
    soaps = etree.fromstring(published.document()).iter("{http://schemas.xmlsoap.org/wsdl/soap/}operation")
    assert {found.get("soapAction") for found in soaps} == set(actions.values())
    for name, action in actions.items():
        content_type = f'application/soap+xml; charset=utf-8; action="{action}"'
        assert fault_code(await sides.call(soap(context(), ASK, SOAP12), content_type=content_type)) == "answered"
        assert sides.provider_record.log[-1].entry.body["operation"] == name


async def test_the_subject_rule_is_not_misled_by_a_reference(federation: Federation) -> None:
    sides, system = between(federation, encoded(), envelope(REFERRING))
    rule = SubjectRule(kind="pinfl", xpath=etree.XPath("names"))
    services = {name: replace(one, subject_rule=rule) for name, one in sides.provider.services.items()}
    sides.wire.provider = sides.provider = replace(sides.provider, services=services)
    plain = f'<w:list xmlns:w="urn:w"><names>{PINFL}</names></w:list>'
    misleading = plain.replace("<names>", '<names href="#id0">') + '<other id="id0">30101900000017</other>'
    assert fault_code(await sides.call(envelope(plain, context()))) == "answered"
    assert fault_code(await sides.call(envelope(misleading, context()))) == "SubjectMismatch"
    assert len(system.asked) == 1
