"""What a service description of an old system may say wrongly: refused or noted in words, each rule by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from adapter.envelope import description_bundle
from adapter.envelope.description import load_bundle, load_description
from adapter.envelope.description_documents import MAX_DESCRIPTION_BYTES, Catalog, gather, web_address
from adapter.envelope.description_octets import read_document
from adapter.envelope.schema import check_payload
from adapter.errors import DescriptionUnusable, SchemaInvalid, UnknownOperation
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, SOAP12, read, schema, wsdl
from tests.unit.envelope.test_rpc import rpc

PLAIN = wsdl(schema(ASK_AND_ANSWER))
SECOND = """<w:operation name="Two"><w:input message="{}"/></w:operation></w:portType>"""
BOUND = """<w:operation name="Two"><s:operation soapAction="urn:two"/><w:input>{}</w:input></w:operation></w:binding>"""
BODY = '<s:body use="literal"/>'


def with_second(message: str, *, extra: str = "", body: str = BODY, abstract: str = SECOND) -> str:
    """A description whose operation Two is the one that something is wrong with."""
    text = wsdl(schema(ASK_AND_ANSWER), extra=extra)
    text = text.replace("</w:portType>", abstract.format(message))
    return text.replace("</w:binding>", BOUND.format(body))


def message(*parts: str) -> str:
    return f'<w:message name="two">{"".join(parts)}</w:message>'


ELEMENT, TYPE = '<w:part name="e" element="t:Ask"/>', '<w:part name="x" type="xs:int"/>'


@pytest.mark.parametrize(
    ("text", "note", "is_there"),
    [
        pytest.param(with_second("", abstract="</w:portType>"), "bound, but not in the port type", False, id="bound"),
        pytest.param(with_second("t:gone"), "its message gone is not declared", False, id="no message"),
        pytest.param(with_second("t:two", extra=message(TYPE)), "the part x names a type", False, id="a type"),
        pytest.param(with_second("t:two", extra=message()), "its Body has no element of its own", False, id="no part"),
        pytest.param(with_second("t:two", extra=message(ELEMENT, ELEMENT.replace('"e"', '"f"'))), "the first is taken",
                     True, id="two parts"),
        pytest.param(with_second("t:two", extra=message(ELEMENT, TYPE), body='<s:body use="literal" parts="e"/>'), None,
                     True, id="named parts"),
        pytest.param(PLAIN.replace("</w:service>", '<w:port name="Q" binding="t:PT2"/></w:service>'),
                     "port Q: its binding is not in the description", False, id="no binding"),
        pytest.param(PLAIN.replace("</w:definitions>", '<w:binding name="B2" type="t:PT2"><s:binding/></w:binding>'
                                   "</w:definitions>"), "port B2: its port type is not", False, id="no port type"),
        pytest.param(PLAIN.replace("</w:definitions>", '<w:binding name="B2" type="t:PT"/></w:definitions>'), None,
                     False, id="a binding that is not SOAP"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_operation_is_noted(text: str, note: str | None, is_there: bool):  # noqa: FBT001
    description = read({"a.wsdl": text})
    assert "Ask" in description.by_name
    assert ("Two" in description.by_name) is is_there
    assert [each for each in description.notes if note and note in each] or (note is None and description.notes == ())


def test_of_overloaded_operations_the_input_of_the_same_name_is_meant():
    overloaded = (
        '<w:operation name="Ask"><w:input name="Other" message="t:gone"/></w:operation><w:operation name="Ask">'
    )
    text = PLAIN.replace('<w:portType name="PT"><w:operation name="Ask">', f'<w:portType name="PT">{overloaded}')
    assert read({"a.wsdl": text}).operation("Ask").input_element == f"{{{NS}}}Ask"


@pytest.mark.parametrize("soap12_first", [True, False])
def test_of_two_ports_for_one_port_type_that_of_soap11_counts(soap12_first: bool):  # noqa: FBT001
    start = PLAIN.index("<w:binding")
    end = PLAIN.index("</w:binding>") + len("</w:binding>")
    other = PLAIN[start:end].replace('name="B"', f'name="B2" xmlns:s="{SOAP12}"').replace("urn:ask", "urn:other")
    text = PLAIN[:end] + other + PLAIN[end:]
    ports = ['<w:port name="P" binding="t:B">', '<w:port name="P2" binding="t:B2"/>']
    place = ports[1] + ports[0] if soap12_first else ports[0]
    text = text.replace(ports[0], place)
    operation = read({"a.wsdl": text if soap12_first else text.replace("</w:service>", f"{ports[1]}</w:service>")})
    assert [port.name for port in operation.ports] == (["P2", "P"] if soap12_first else ["P", "P2"])
    assert operation.operation("Ask").soap_action == "urn:ask"


def test_an_operation_is_found_by_name_and_request():
    description = read({"a.wsdl": with_second("t:in")})
    ask, two = description.operation("Ask"), description.operation("Two")
    assert description.operation("Two", f"{{{NS}}}Ask") is two
    assert description.operation("Ask", f"{{{NS}}}Ask") is ask
    with pytest.raises(UnknownOperation, match="is not the element"):
        description.operation("Ask", f"{{{NS}}}Other")
    with pytest.raises(UnknownOperation, match="is not the element"):
        read({"a.wsdl": PLAIN}).operation("Ask", f"{{{NS}}}Answer")


def test_operations_that_only_an_address_tells_apart_have_actions_of_ours():
    description = read({"a.wsdl": with_second("t:in").replace("urn:two", "urn:ask")})
    actions = description.own_actions()
    assert sorted(actions) == ["Ask", "Two"]
    assert description.operation_for(f"{{{NS}}}Ask", actions["Two"]).name == "Two"
    assert read({"a.wsdl": with_second("t:in")}).own_actions() == {}


def test_declared_faults_are_named_by_their_elements():
    fault = '<w:output message="t:out"/><w:fault name="f" message="t:{}"/>'
    parts = '<w:message name="two"><w:part name="f" element="t:Ask"/><w:part name="g" type="xs:int"/></w:message>'
    text = wsdl(schema(ASK_AND_ANSWER), extra=parts).replace('<w:output message="t:out"/>', fault.format("two"))
    assert read({"a.wsdl": text}).operation("Ask").faults == (f"{{{NS}}}Ask",)
    assert read({"a.wsdl": text.replace("t:two", "t:gone")}).operation("Ask").faults == ()


def test_an_operation_without_an_input_is_left_out():
    with pytest.raises(DescriptionUnusable, match="no element of its own"):
        read({"a.wsdl": PLAIN.replace('<w:input message="t:in"/>', "")})


def test_an_encoded_header_that_names_a_type_is_called_like_its_part():
    """WSDL 1.1, 3.5."""
    more = '<w:message name="h"><w:part name="H" type="xs:int"/></w:message>'
    bound = '<s:header message="t:h" part="H" use="{}" namespace="urn:h"/>'
    (encoded,) = read({"a.wsdl": rpc(more=more, more_bound=bound.format("encoded"))}).operation("Ask").headers
    assert (encoded.element, encoded.is_encoded) == ("{urn:h}H", True)
    (literal,) = read({"a.wsdl": rpc(more=more, more_bound=bound.format("literal"))}).operation("Ask").headers
    assert literal.element is None


@pytest.mark.parametrize("octets", [b"\xff" + PLAIN.encode(), PLAIN.replace("urn:ask", "\u0421").encode("cp1251")])
def test_octets_that_are_not_utf8_are_refused(octets: bytes):
    with pytest.raises(DescriptionUnusable, match="is not UTF-8"):
        read({"a.wsdl": octets})


def test_entities_that_grow_past_the_limit_are_refused():
    text = f'<!DOCTYPE a [<!ENTITY e "{"x" * 256}">]><a>{"&e;" * 70_000}</a>'
    with pytest.raises(DescriptionUnusable, match="too large once its entities are written out"):
        read_document(text.encode(), "a.xsd")


@pytest.mark.parametrize(
    "name", ["", ' name=""', ' name=" "', ' name="1st"', ' name="a:b"', ' name="{a}b"', ' name="a b"']
)
@pytest.mark.parametrize("declared", ["message", "part", "portType", "binding", "element"])
def test_what_is_declared_without_a_name_that_xml_allows_is_refused(declared: str, name: str):
    """Found by fuzzing: whoever read such a name later met an accident."""
    namespace = "http://www.w3.org/2001/XMLSchema" if declared == "element" else "http://schemas.xmlsoap.org/wsdl/"
    text = f'<w:{declared} xmlns:w="{namespace}"{name}/>'
    if declared == "element" and not name:  # a reference to one that is declared elsewhere
        assert read_document(text.encode(), "a.xsd").tag == f"{{{namespace}}}element"
        return
    with pytest.raises(DescriptionUnusable, match=f"a.wsdl: line 1: {declared} without a name that XML allows"):
        read_document(text.encode(), "a.wsdl")


def test_more_octets_than_a_description_may_have_are_refused():
    with pytest.raises(DescriptionUnusable, match="more than"):
        gather({"a.wsdl": bytes(MAX_DESCRIPTION_BYTES + 1)}.get, "a.wsdl", Catalog())


def test_a_bundle_larger_than_allowed_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(description_bundle, "_MAX_BUNDLE_BYTES", 10)
    with pytest.raises(DescriptionUnusable, match="larger than 10 octets"):
        load_bundle(bytes(11))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.wsdl").write_text(PLAIN)

    def broken(_path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(DescriptionUnusable, match=r"a\.wsdl cannot be read: Input/output error"):
        load_description(tmp_path, "a.wsdl")


def test_which_web_address_a_location_means():
    catalog = Catalog(urls={"https://provider.example/wsdl/a": "a.wsdl"})
    assert web_address("a.wsdl", " ../x.xsd#part ", catalog) == "https://provider.example/x.xsd"
    assert web_address("b.wsdl", "x.xsd", catalog) is None
    assert web_address("b.wsdl", "file:///etc/passwd", catalog) is None


def test_a_redefined_document_that_is_nowhere_is_refused():
    with pytest.raises(DescriptionUnusable, match="redefines a schema document that is not there"):
        read({"a.wsdl": wsdl(schema('<xs:redefine schemaLocation="gone.xsd"/>' + ASK_AND_ANSWER))})


def test_what_a_redefined_document_includes_is_not_looked_for_elsewhere(tmp_path: Path):
    """libxml2 asks for it by the location as written; the answer comes from memory, whatever stands in the folder."""
    secret = tmp_path / "c.xsd"
    secret.write_text(schema('<xs:simpleType name="Found"><xs:restriction base="xs:int"/></xs:simpleType>'))
    kind = '<xs:complexType name="Kind"><xs:sequence/></xs:complexType>'
    again = """<xs:redefine schemaLocation="b.xsd"><xs:complexType name="Kind"><xs:complexContent>
      <xs:extension base="t:Kind"/></xs:complexContent></xs:complexType></xs:redefine>"""
    files = {
        "a.wsdl": wsdl(
            schema(again + '<xs:element name="Ask" type="t:Found"/><xs:element name="Answer" type="t:Kind"/>')
        ),
        "b.xsd": schema(f'<xs:include schemaLocation="{secret.as_uri()}"/>{kind}'),
    }
    with pytest.raises(DescriptionUnusable, match="cannot be compiled"):
        read(files)


def test_only_the_type_that_is_ambiguous_is_loosened():
    twice = '<xs:element ref="t:x" minOccurs="0"/><xs:element ref="t:x"/>'
    extended = """<xs:complexType name="Two"><xs:complexContent><xs:extension base="t:Base">
      <xs:sequence>{}</xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""
    content = (
        '<xs:complexType name="Other"><xs:sequence><xs:element name="y" type="xs:int"/></xs:sequence></xs:complexType>'
        '<xs:complexType name="Base"/><xs:element name="x" type="xs:int"/><xs:element name="Ask" type="t:Two"/>'
        '<xs:element name="Answer" type="t:Other"/>' + extended.format(twice)
    )
    description = read({"a.wsdl": wsdl(schema(content))})
    assert [note for note in description.notes if "ambiguous" in note]
    check_payload(description, etree.fromstring(f'<Ask xmlns="{NS}"><x>1</x><x>2</x><x>3</x></Ask>'), f"{{{NS}}}Ask")
    with pytest.raises(SchemaInvalid):
        check_payload(description, etree.fromstring(f'<Answer xmlns="{NS}"><z/></Answer>'), f"{{{NS}}}Answer")


def test_more_ambiguous_types_than_are_loosened_are_refused():
    twice = '<xs:sequence><xs:element ref="t:x" minOccurs="0"/><xs:element ref="t:x"/></xs:sequence>'
    many = "".join(f'<xs:complexType name="T{at}">{twice}</xs:complexType>' for at in range(21))
    with pytest.raises(DescriptionUnusable, match="too many ambiguous content models"):
        read({"a.wsdl": wsdl(schema(f'<xs:element name="x" type="xs:int"/>{ASK_AND_ANSWER}{many}'))})


def test_white_space_around_a_name_is_not_of_the_name() -> None:
    root = read_document(PLAIN.replace('name="PT"', 'name=" \tPT\n "').encode(), "a.wsdl")
    assert [one.get("name") for one in root.iter("{*}portType")] == ["PT"]
    with pytest.raises(DescriptionUnusable, match="portType without a name that XML allows"):
        read_document(PLAIN.replace('name="PT"', 'name="P T"').encode(), "a.wsdl")
