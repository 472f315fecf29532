"""Two versions of a contract: what changed, and whom it breaks. One change can do no harm in one direction only."""

import json

import pytest

from adapter.envelope.compatibility import compare
from adapter.envelope.compatibility_model import Change, Direction
from adapter.envelope.description import load_description
from tests.conftest import ROOT
from tests.unit.envelope.descriptions import NS, SOAP12, read, schema, wsdl
from tests.unit.envelope.test_rpc import rpc

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"

BASE = """<xs:sequence><xs:element name="a" type="xs:string"/><xs:element name="b" type="xs:int" minOccurs="0"/>
  </xs:sequence>"""


def both(content: str, types: str = "") -> str:
    """A contract in which request and reply have the same content."""
    return wsdl(
        schema(
            f'<xs:element name="Ask" type="t:T"/><xs:element name="Answer" type="t:T"/>{types}'
            f'<xs:complexType name="T">{content}</xs:complexType>'
        )
    )


def changes(old: str, new: str) -> tuple[Change, ...]:
    return compare(read({"a.wsdl": old}), read({"a.wsdl": new}))


def sequence(*members: str) -> str:
    return f"<xs:sequence>{''.join(members)}</xs:sequence>"


A = '<xs:element name="a" type="xs:string"/>'
B = '<xs:element name="b" type="xs:int" minOccurs="0"/>'


def simple(facets: str, base: str = "xs:string") -> str:
    """A content whose one value has these facets."""
    return sequence(
        f'<xs:element name="v"><xs:simpleType><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'
        "</xs:element>"
    )


def values(*allowed: str) -> str:
    return "".join(f'<xs:enumeration value="{value}"/>' for value in allowed)


@pytest.mark.parametrize(
    ("old", "new", "breaks_request", "breaks_reply"),
    [
        pytest.param(sequence(A), sequence(A, B), False, True, id="new optional element"),
        pytest.param(sequence(A), sequence(A, '<xs:element name="c" type="xs:int"/>'), True, True, id="new mandatory"),
        pytest.param(sequence(A, B), sequence(A), True, False, id="optional element removed"),
        pytest.param(sequence(A, '<xs:element name="c" type="xs:int"/>'), sequence(A), True, True, id="mandatory gone"),
        pytest.param(sequence(A, B), sequence(A, B.replace(' minOccurs="0"', "")), True, False, id="mandatory now"),
        pytest.param(sequence(A, B), sequence(A, B.replace("0", '0" maxOccurs="9')), False, True, id="more often"),
        pytest.param(sequence(A, B), sequence(B, A), True, True, id="order"),
        pytest.param(f"<xs:choice>{A}{B}</xs:choice>", f"<xs:choice>{B}{A}</xs:choice>", None, None, id="choice order"),
        pytest.param(sequence(A), f"<xs:choice>{A}{B}</xs:choice>", False, True, id="now a choice"),
        pytest.param(sequence(A), sequence(A.replace("/>", ' nillable="true"/>')), False, True, id="nillable"),
        pytest.param(sequence(A), sequence(A.replace("string", "int")), True, False, id="text to number"),
        pytest.param(sequence(A.replace("string", "int")), sequence(A.replace("string", "long")), False, True,
                     id="wider number"),
        pytest.param(sequence(A.replace("string", "int")), sequence(A.replace("string", "date")), True, True,
                     id="another type"),
        pytest.param(simple(values("x", "y")), simple(values("x", "y", "z")), False, True, id="value added"),
        pytest.param(simple(values("x", "y")), simple(values("x")), True, False, id="value removed"),
        pytest.param(simple(values("x")), simple(""), False, True, id="list of values dropped"),
        pytest.param(simple('<xs:maxLength value="5"/>'), simple('<xs:maxLength value="9"/>'), False, True,
                     id="longer"),
        pytest.param(simple('<xs:pattern value="[0-9]+"/>'), simple(""), False, True, id="pattern dropped"),
        pytest.param(simple('<xs:pattern value="[0-9]+"/>'), simple('<xs:pattern value="[0-9]*"/>'), True, True,
                     id="pattern replaced"),
        pytest.param(simple('<xs:minInclusive value="1"/>', "xs:int"), simple('<xs:minInclusive value="0"/>', "xs:int"),
                     False, True, id="bound lowered"),
        pytest.param(f'{BASE}<xs:attribute name="x"/>', BASE, True, False, id="attribute removed"),
        pytest.param(BASE, f'{BASE}<xs:attribute name="x" use="required"/>', True, True, id="mandatory attribute"),
        pytest.param(f"{BASE}", f'{BASE}<xs:attribute name="x"/>', False, True, id="new attribute"),
        pytest.param(sequence(A, '<xs:any namespace="##any" processContents="lax" minOccurs="0"/>'),
                     sequence(A, B, '<xs:any namespace="##other" processContents="lax" minOccurs="0"/>'), False, False,
                     id="new optional element where any was allowed"),
        pytest.param(BASE, f"<!-- the same -->{BASE}", None, None, id="nothing"),
    ],
)  # fmt: skip
def test_by_direction(old: str, new: str, breaks_request: bool | None, breaks_reply: bool | None):  # noqa: FBT001
    found = changes(both(old), both(new))
    for direction, breaks in ((Direction.REQUEST, breaks_request), (Direction.REPLY, breaks_reply)):
        here = [change for change in found if change.direction is direction]
        assert bool(here) is (breaks is not None)
        assert any(change.breaking for change in here) is bool(breaks), here


def test_a_change_says_where_and_what():
    found = changes(both(sequence(A)), both(sequence(A, '<xs:element name="c" type="xs:int"/>')))
    change = found[0]
    assert (change.operation, change.place, change.text) == ("Ask", "Ask/c", "new mandatory element")
    assert found == tuple(sorted(found, key=lambda one: not one.breaking))


def test_a_type_of_a_type_is_compared_once():
    types = """<xs:complexType name="N"><xs:sequence><xs:element name="n" type="t:N" minOccurs="0"/>{}
      </xs:sequence></xs:complexType>"""
    content = sequence('<xs:element name="x" type="t:N"/>', '<xs:element name="y" type="t:N"/>')
    found = changes(both(content, types.format("")), both(content, types.format(B)))
    assert [(change.direction, change.place) for change in found] == [
        (Direction.REPLY, "Answer/x/b"),
        (Direction.REQUEST, "Ask/x/b"),
    ]


def test_operations():
    old = wsdl(schema('<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>'))
    removed = changes(old, old.replace('name="Ask"', 'name="Asks"').replace("t:Ask", "t:Asks"))
    assert [(change.operation, change.breaking, change.text) for change in removed] == [
        ("Ask", True, "removed operation"),
        ("Asks", False, "new operation"),
    ]
    renamed = changes(old, old.replace('element name="Ask"', 'element name="Q"').replace("t:Ask", "t:Q"))
    assert f"its request was the element {{{NS}}}Ask, now it is {{{NS}}}Q" in {change.text for change in renamed}
    one_way = changes(old, old.replace('<w:output message="t:out"/>', "").replace(
        '<w:output><s:body use="literal"/></w:output>', ""))  # fmt: skip
    assert [change.breaking for change in one_way] == [True]


def test_what_the_adapter_takes_care_of_is_no_change():
    types = schema('<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>')
    other = wsdl(types, soap=SOAP12).replace("provider.example", "elsewhere.example").replace("urn:ask", "urn:other")
    assert changes(wsdl(types), other) == ()


def test_headers():
    types = schema('<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>'
                   '<xs:element name="H" type="xs:string"/>')  # fmt: skip
    message = '<w:message name="h"><w:part name="p" element="t:H"/></w:message>'
    plain = wsdl(types, extra=message)
    header = wsdl(types, extra=message, body='<s:header message="t:h" part="p" use="literal"/>')
    assert [change.breaking for change in changes(plain, header)] == [False]
    assert [(change.breaking, change.text) for change in changes(header, plain)] == [(True, "the header H is gone")]


def test_rpc_parts():
    one, two = '<w:part name="x" type="xs:int"/>', '<w:part name="y" type="xs:int"/>'
    assert [change.text for change in changes(rpc(parts=one), rpc(parts=one + two))] == ["new part y"]
    assert [change.text for change in changes(rpc(parts=one + two), rpc(parts=two + one))] == [
        "its parts stand in another order"
    ]
    narrower = changes(rpc(parts=one), rpc(parts=one.replace("int", "date")))
    assert [(change.breaking, change.place) for change in narrower] == [(True, "Ask/x")]


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of service descriptions is not beside the repository")
@pytest.mark.parametrize("name", [path.name for path in sorted(CORPUS.glob("*-*"))])
def test_a_real_contract_is_compatible_with_itself(name: str):
    entry = json.loads((CORPUS / name / "catalog.json").read_bytes())["entry"]
    assert compare(load_description(CORPUS / name, entry), load_description(CORPUS / name, entry)) == ()
