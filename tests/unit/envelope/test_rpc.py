"""Bodies of the style rpc: rpc/literal is checked by a schema that no document states, rpc/encoded is not checked."""

import pytest
from lxml import etree

from adapter.envelope.description import Style
from adapter.envelope.schema import check_payload
from adapter.errors import SchemaInvalid
from tests.unit.envelope.descriptions import NS, PREFIXES, read, schema

TYPES = """<xs:complexType name="Person"><xs:sequence><xs:element name="Name" type="xs:string"/></xs:sequence>
  </xs:complexType><xs:simpleType name="Year"><xs:restriction base="xs:int"><xs:minInclusive value="1900"/>
  </xs:restriction></xs:simpleType>"""
WRAPPERS = "urn:wrappers"
ASK = f"{{{WRAPPERS}}}Ask"


def rpc(
    *,
    types: str = TYPES,
    parts: str = '<w:part name="who" type="t:Person"/><w:part name="since" type="t:Year"/>',
    body: str = f'use="literal" namespace="{WRAPPERS}"',
    more: str = "",
    more_bound: str = "",
) -> str:
    """A WSDL with one operation of the style rpc, Ask."""
    bindings = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())
    return f"""<w:definitions {bindings} xmlns:t="{NS}" targetNamespace="{NS}">
      <w:types>{schema(types, form="unqualified")}</w:types>
      <w:message name="in">{parts}</w:message>
      <w:message name="out"><w:part name="result" type="xs:boolean"/></w:message>{more}
      <w:portType name="PT"><w:operation name="Ask">
        <w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>
      <w:binding name="B" type="t:PT"><s:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
        <w:operation name="Ask"><s:operation soapAction="urn:ask"/>
          <w:input><s:body {body}/>{more_bound}</w:input><w:output><s:body {body}/></w:output>
        </w:operation></w:binding>
      <w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://provider.example/"/></w:port>
      </w:service></w:definitions>"""


GOOD = "<who><Name>A</Name></who><since>1991</since>"


def ask(content: str, name: str = "w:Ask") -> etree._Element:
    return etree.fromstring(f'<{name} xmlns:w="{WRAPPERS}">{content}</{name}>')


def test_literal_is_checked_by_the_types_of_its_parts():
    description = read({"a.wsdl": rpc()})
    operation = description.operation_for(ASK)
    assert (operation.style, operation.type_checked) == (Style.RPC_LITERAL, True)
    assert [part.name for part in operation.input_parts] == ["who", "since"]
    check_payload(description, ask(GOOD), ASK)
    answer = ask("<result>true</result>", "w:AskResponse")
    check_payload(description, answer, f"{{{WRAPPERS}}}AskResponse")
    assert description.notes == ()


@pytest.mark.parametrize(
    ("content", "rule", "says"),
    [
        pytest.param("<since>1991</since>", "cvc-complex-type.2.4", "expected here: who", id="missing part"),
        pytest.param("<who><Name>A</Name></who>", "cvc-complex-type.2.4", "what is missing: since", id="missing last"),
        pytest.param("<since>1991</since><who><Name>A</Name></who>", "cvc-complex-type.2.4", "order", id="order"),
        pytest.param("<who><Name>A</Name></who><since>1800</since>", "cvc-minInclusive-valid", "1900", id="facet"),
        pytest.param(f"{GOOD}<since>1</since>", "cvc-complex-type.2.4", "no further element", id="twice"),
        pytest.param(f'<who xmlns="{NS}"><Name>A</Name></who><since>1991</since>', "cvc-complex-type.2.4",
                     "has to be in none", id="qualified part"),
        pytest.param("<who><Nmae/></who><since>1991</since>", "cvc-complex-type.2.4", "Name", id="below a part"),
    ],
)  # fmt: skip
def test_literal_that_is_wrong_is_refused_in_words(content: str, rule: str, says: str):
    description = read({"a.wsdl": rpc()})
    with pytest.raises(SchemaInvalid) as refused:
        check_payload(description, ask(content), ASK)
    problem = refused.value.problems[0]
    assert (problem.rule, problem.line) == (rule, 1)
    assert says in problem.text


def test_wrapper_in_the_wrong_namespace_is_refused():
    description = read({"a.wsdl": rpc()})
    with pytest.raises(SchemaInvalid):
        check_payload(description, etree.fromstring(f'<Ask xmlns="{NS}">{GOOD}</Ask>'), ASK)


def test_without_any_schema_built_in_types_are_checked():
    text = (
        rpc(types="", parts='<w:part name="n" type="xs:int"/>')
        .replace("<w:types>", "<w:types><!--")
        .replace("</w:types>", "--></w:types>")
    )
    description = read({"a.wsdl": text})
    check_payload(description, ask("<n>1</n>"), ASK)
    with pytest.raises(SchemaInvalid):
        check_payload(description, ask("<n>one</n>"), ASK)


def test_no_part_is_an_empty_wrapper():
    description = read({"a.wsdl": rpc(parts="")})
    check_payload(description, ask(""), ASK)
    with pytest.raises(SchemaInvalid):
        check_payload(description, ask("<n/>"), ASK)


def test_wrapper_may_share_the_namespace_of_the_types():
    description = read({"a.wsdl": rpc(body=f'use="literal" namespace="{NS}"')})
    check_payload(description, etree.fromstring(f'<w:Ask xmlns:w="{NS}">{GOOD}</w:Ask>'), f"{{{NS}}}Ask")


def test_types_without_a_namespace():
    plain = '<xs:schema><xs:simpleType name="N"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>'
    text = rpc(parts='<w:part name="n" type="N"/>').replace("</w:types>", f"{plain}</w:types>")
    description = read({"a.wsdl": text})
    assert description.operation("Ask").type_checked
    with pytest.raises(SchemaInvalid):
        check_payload(description, ask("<n>one</n>"), ASK)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"parts": '<w:part name="who" type="t:Nowhere"/>'}, "no schema declares the type Nowhere of the part who"),
        ({"parts": '<w:part name="who" element="t:Who"/>'}, "the part who names an element"),
        (
            {"types": f'{TYPES}<xs:element name="Ask" type="xs:int"/>', "body": f'use="literal" namespace="{NS}"'},
            "for something else",
        ),
    ],
)
def test_what_no_schema_can_be_made_of_passes_unchecked_and_is_said(arguments: dict[str, str], says: str):
    description = read({"a.wsdl": rpc(**arguments)})
    assert not description.operation("Ask").type_checked
    assert any(says in note for note in description.notes)
    assert any("not type-checked" in note for note in description.notes)


def test_header_part_of_the_same_message_is_no_part_of_the_body():
    text = rpc(
        parts='<w:part name="n" type="xs:int"/><w:part name="h" element="t:H"/>',
        types=f'{TYPES}<xs:element name="H" type="xs:string"/>',
        more_bound='<s:header message="t:in" part="h" use="literal"/>',
    )
    description = read({"a.wsdl": text})
    check_payload(description, ask("<n>1</n>"), ASK)
    assert [header.element for header in description.operation("Ask").headers] == [f"{{{NS}}}H"]


def test_encoded_is_not_checked_and_said_so():
    encoding = 'encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    description = read({"a.wsdl": rpc(body=f'use="encoded" namespace="{WRAPPERS}" {encoding}')})
    operation = description.operation("Ask")
    assert (operation.style, operation.type_checked) == (Style.RPC_ENCODED, False)
    assert any("rpc/encoded is passed through, not type-checked" in note for note in description.notes)
    check_payload(description, ask("<anything/>"), ASK)
    with pytest.raises(SchemaInvalid):
        check_payload(description, etree.fromstring("<Other/>"), ASK)
