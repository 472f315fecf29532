"""Schemas with missing, circular and repeated declarations: the model takes them as they are, and always ends."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from adapter.envelope.carried import Content
from adapter.envelope.description import HeaderPart, QName, ServiceDescription
from adapter.envelope.names import ENVELOPE
from adapter.envelope.schema import check_content, check_header, check_payload
from adapter.envelope.schema_model import (
    ANY_SIMPLE_TYPE,
    ANY_TYPE,
    ComplexType,
    SchemaModel,
    SimpleType,
    Variety,
    Wildcard,
    elements_in,
    fields,
)
from adapter.envelope.schema_model_read import read_schema_model
from adapter.errors import SchemaInvalid
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, PREFIXES, read, schema, wsdl
from tests.unit.envelope.test_rpc import TYPES, WRAPPERS, rpc

ENCODED = f'use="encoded" namespace="{WRAPPERS}"'
XS = f'xmlns:xs="{PREFIXES["xs"]}"'


def q(local: str) -> str:
    return f"{{{NS}}}{local}"


def model(types: str, **more: str) -> SchemaModel:
    """Of schemas that compile nowhere: only an encoded operation can have them."""
    return read_schema_model(read({"a.wsdl": rpc(types=types, body=ENCODED, parts="", **more)}))


def complex_type(found: SchemaModel, name: str = "K") -> ComplexType:
    kind = found.types[q(name)]
    assert isinstance(kind, ComplexType)
    return kind


def simple_type(found: SchemaModel, name: str = "S") -> SimpleType:
    kind = found.types[q(name)]
    assert isinstance(kind, SimpleType)
    return kind


def with_content(content: str, name: str = "K") -> str:
    return f'<xs:complexType name="{name}">{content}</xs:complexType>'


def test_an_element_that_is_declared_nowhere_is_of_any_type():
    found = model(with_content('<xs:sequence><xs:element ref="t:Gone"/></xs:sequence>'))
    content = complex_type(found).content
    assert content is not None
    assert [member.element.type for member in content.members if hasattr(member, "element")] == [ANY_TYPE]
    assert q("Gone") in found.missing


def test_an_attribute_that_is_declared_nowhere_is_of_any_simple_type():
    found = model(with_content('<xs:attribute ref="t:gone"/>'))
    assert [(each.name, each.type) for each in complex_type(found).attributes] == [(q("gone"), ANY_SIMPLE_TYPE)]
    assert q("gone") in found.missing


def test_elements_that_stand_for_each_other_end_in_any_type():
    found = model(
        '<xs:element name="a" substitutionGroup="t:b"/><xs:element name="b" substitutionGroup="t:a"/>'
        '<xs:element name="c" substitutionGroup="t:c"/>'
    )
    assert {found.elements[q(name)].type for name in "abc"} == {ANY_TYPE}
    assert found.substitutes[q("a")] == (q("b"),)
    assert q("c") not in found.substitutes


def test_a_complex_type_that_is_derived_from_itself_is_derived_from_any_type():
    extended = '<xs:complexContent><xs:extension base="t:{}"/></xs:complexContent>'
    found = model(with_content(extended.format("K")))
    assert complex_type(found).base == ANY_TYPE
    assert complex_type(model(with_content(extended.format("Gone")))).base == ANY_TYPE


def test_a_simple_type_that_is_derived_from_itself_is_any_simple_type():
    restricted = '<xs:simpleType name="{}"><xs:restriction base="t:{}"/></xs:simpleType>'
    found = model(restricted.format("S", "R") + restricted.format("R", "S"))
    assert simple_type(found).primitive == "anySimpleType"


@pytest.mark.parametrize("base", ["K", "L", "Gone"])
def test_a_simple_type_of_what_is_none_is_any_simple_type(base: str):
    """K is read before it, L after it."""
    restricted = f'<xs:simpleType name="S"><xs:restriction base="t:{base}"/></xs:simpleType>'
    found = model(with_content("") + restricted + with_content("", "L"))
    assert (simple_type(found).base, simple_type(found).primitive) == (ANY_SIMPLE_TYPE, "anySimpleType")


def test_a_simple_type_without_a_derivation_is_a_union_of_nothing():
    found = simple_type(model('<xs:simpleType name="S"/>'))
    assert (found.variety, found.members) == (Variety.UNION, ())


def test_a_restriction_without_a_base_is_of_the_type_that_stands_in_it_or_of_any():
    inside = '<xs:simpleType name="S"><xs:restriction>{}</xs:restriction></xs:simpleType>'
    number = '<xs:simpleType><xs:restriction base="xs:int"/></xs:simpleType>'
    assert simple_type(model(inside.format(number))).builtin == "int"
    assert simple_type(model(inside.format(""))).builtin == "anySimpleType"


def test_what_is_no_facet_narrows_nothing():
    facets = '<x:maxLength xmlns:x="urn:x" value="1"/><xs:maxLength value="many"/><xs:unknown value="1"/>'
    found = model(f'<xs:simpleType name="S"><xs:restriction base="xs:string">{facets}</xs:restriction></xs:simpleType>')
    assert (
        simple_type(found).facets
        == simple_type(model('<xs:simpleType name="S"><xs:restriction base="xs:string"/></xs:simpleType>')).facets
    )


@pytest.mark.parametrize("content", ["<xs:complexContent/>", '<xs:group ref="t:Gone"/>', '<xs:group ref="t:Empty"/>',
                                     '<xs:group ref="t:None"/>', '<xs:sequence maxOccurs="0"/>', "<xs:sequence/>",
                                     '<xs:group ref="t:Round"/>'])  # fmt: skip
def test_what_holds_nothing_is_empty(content: str):
    groups = (
        '<xs:group name="Empty"/><xs:group name="None"><xs:sequence maxOccurs="0"/></xs:group>'
        '<xs:group name="Round"><xs:sequence><xs:group ref="t:Round"/></xs:sequence></xs:group>'
    )
    assert complex_type(model(groups + with_content(content))).content is None


def test_a_simple_content_without_a_derivation_is_any_value():
    assert complex_type(model(with_content("<xs:simpleContent/>"))).simple_content == ANY_SIMPLE_TYPE


@pytest.mark.parametrize(("derivation", "takes_any"), [("extension", True), ("restriction", False)])
def test_a_wildcard_for_attributes_is_inherited_by_an_extension_only(derivation: str, takes_any: bool):  # noqa: FBT001
    base = with_content(
        '<xs:simpleContent><xs:extension base="xs:string"><xs:attribute name="a"/><xs:anyAttribute/></xs:extension>'
        "</xs:simpleContent>",
        "Base",
    )
    derived = f'<xs:simpleContent><xs:{derivation} base="t:Base"/></xs:simpleContent>'
    found = complex_type(model(base + with_content(derived)))
    assert [each.name for each in found.attributes] == ["a"]
    assert (found.any_attribute is not None) is takes_any


def test_groups_of_attributes_that_are_missing_or_hold_each_other_end():
    groups = (
        '<xs:attributeGroup name="g"><xs:attributeGroup ref="t:h"/><xs:attribute name="a"/></xs:attributeGroup>'
        '<xs:attributeGroup name="h"><xs:attributeGroup ref="t:g"/><xs:attribute name="b"/></xs:attributeGroup>'
    )
    used = '<xs:attributeGroup ref="t:g"/><xs:attributeGroup ref="t:gone"/>'
    assert [each.name for each in complex_type(model(groups + with_content(used))).attributes] == ["b", "a"]


def test_anonymous_types_of_one_place_have_names_of_their_own():
    inline = '<xs:element name="e"><xs:complexType><xs:attribute name="{}"/></xs:complexType></xs:element>'
    found = model(with_content(f"<xs:choice>{inline.format('a')}{inline.format('b')}</xs:choice>"))
    assert {q("#K/e"), q("#K/e~2")} <= found.types.keys()


def test_a_type_without_a_name_says_so():
    inline = "<xs:simpleType><xs:restriction base='xs:int'/></xs:simpleType>"
    found = model(f'<xs:simpleType name="S"><xs:list>{inline}</xs:list></xs:simpleType>')
    item = found.types[simple_type(found).item or ""]
    assert isinstance(item, SimpleType)
    assert (item.is_anonymous, simple_type(found).is_anonymous) == (True, False)


def test_a_redefine_of_a_document_that_is_nowhere_changes_nothing():
    found = model(f'<xs:redefine schemaLocation="gone.xsd">{with_content("")}</xs:redefine>')
    assert q("K") not in found.types


def test_a_one_way_operation_of_the_style_rpc_has_one_body():
    one_way = rpc(body=ENCODED).replace('<w:output message="t:out"/>', "")
    found = read_schema_model(read({"a.wsdl": one_way}))
    assert list(found.wrappers) == [f"{{{WRAPPERS}}}Ask"]


# --- rpc/literal: elements that no schema states ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "parts", "note"),
    [
        (TYPES, '<w:part name="p" element="t:E"/>', "names an element, which rpc/literal does not allow"),
        (TYPES, '<w:part name="p" type="t:Gone"/>', "no schema declares the type Gone"),
        (TYPES + '<xs:element name="Ask" type="xs:int"/>', "", "declares an element of the Body's name"),
    ],
)
def test_a_body_that_no_element_can_be_made_of_is_not_checked(types: str, parts: str, note: str):
    body = f'use="literal" namespace="{NS if "Ask" in types else WRAPPERS}"'
    description = read({"a.wsdl": rpc(types=types, parts=parts, body=body)})
    assert [each for each in description.notes if note in each]
    assert not description.operation("Ask").type_checked


def test_two_bodies_of_one_name_with_other_parts_are_not_checked():
    abstract = '<w:operation name="Ask"><w:input name="two" message="t:two"/></w:operation></w:portType>'
    body = f'<s:body use="literal" namespace="{WRAPPERS}"/>'
    bound = f'<w:operation name="Ask"><w:input name="two">{body}</w:input></w:operation></w:binding>'
    text = rpc(more='<w:message name="two"><w:part name="other" type="xs:int"/></w:message>')
    text = text.replace("</w:portType>", abstract).replace("</w:binding>", bound)
    description = read({"a.wsdl": text})
    assert [each for each in description.notes if "another operation has a Body of this name with other parts" in each]


def test_a_body_and_types_without_a_namespace_are_checked_too():
    part = '<w:part name="p" type="N"/>'
    plain = f'<xs:schema {XS}><xs:simpleType name="N"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>'
    for body, tag in (('use="literal"', "Ask"), (f'use="literal" namespace="{WRAPPERS}"', f"{{{WRAPPERS}}}Ask")):
        text = rpc(parts=part, body=body).replace("</w:types>", f"{plain}</w:types>")
        description = read({"a.wsdl": text})
        assert description.operation("Ask").type_checked
        payload = etree.Element(tag)
        etree.SubElement(payload, "p").text = "1"
        check_payload(description, payload, tag)
        payload[0].text = "one"
        with pytest.raises(SchemaInvalid):
            check_payload(description, payload, tag)


# --- which documents count -------------------------------------------------------------------------------------------


def test_a_schema_that_the_wsdl_imports_directly_counts():
    text = wsdl().replace("<w:types>", f'<w:import namespace="{NS}" location="x.xsd"/><w:types>')
    assert "Ask" in read({"a.wsdl": text, "x.xsd": schema(ASK_AND_ANSWER)}).by_name


def test_an_include_of_another_namespace_is_left_out_and_said():
    other = schema('<xs:element name="X" type="xs:int"/>', target="urn:other")
    description = read(
        {"a.wsdl": wsdl(schema('<xs:include schemaLocation="x.xsd"/>' + ASK_AND_ANSWER)), "x.xsd": other}
    )
    assert any("includes x.xsd, which has another target namespace" in note for note in description.notes)


def test_of_a_wsdl_that_a_schema_imports_the_schema_of_the_namespace_is_meant():
    inner = wsdl(schema('<xs:element name="X" type="xs:int"/>', target="urn:x") + schema("", target="urn:y"))
    imported = '<xs:import namespace="urn:x" schemaLocation="b.wsdl"/>'
    description = read({"a.wsdl": wsdl(schema(imported + ASK_AND_ANSWER)), "b.wsdl": inner})
    assert "{urn:x}X" in read_schema_model(description).elements


# --- what a message says ---------------------------------------------------------------------------------------------


def element(text: str) -> etree._Element:
    return etree.fromstring(text.replace(">", f' xmlns:t="{NS}">', 1))


def check(description: ServiceDescription, *, body: str, headers: tuple[str, ...] = (), beside: tuple[str, ...] = (),
          in_output: bool = False) -> None:  # fmt: skip
    content = Content(body=element(body), headers=tuple(map(element, headers)), independent=tuple(map(element, beside)))
    check_content(description, content, description.operation("Ask"), in_output=in_output)


HEADED = read(
    {
        "a.wsdl": wsdl(
            schema(ASK_AND_ANSWER + '<xs:element name="H" type="xs:int"/>'),
            extra='<w:message name="h"><w:part name="p" element="t:H"/></w:message>',
            body='<s:header message="t:h" part="p" use="literal"/>',
        )
    }
)
ASK, H = "<t:Ask>x</t:Ask>", "<t:H>1</t:H>"


def test_a_declared_header_goes_with_the_body():
    check(HEADED, body=ASK, headers=(H,))


@pytest.mark.parametrize(
    ("headers", "beside"),
    [((H, H), ()), (("<t:Other>1</t:Other>",), ()), (("<t:H>one</t:H>",), ()), ((), ("<t:Ask>y</t:Ask>",))],
)
def test_any_other_header_and_a_second_element_are_refused(headers: tuple[str, ...], beside: tuple[str, ...]):
    with pytest.raises(SchemaInvalid):
        check(HEADED, body=ASK, headers=headers, beside=beside)


def test_a_body_of_no_operation_is_refused_where_there_is_no_schema():
    description = read({"a.wsdl": rpc(types='<xs:element name="e" type="t:Gone"/>', parts="", body=ENCODED)})
    assert description.schema is None
    with pytest.raises(SchemaInvalid, match="has no schema"):
        check_payload(description, etree.Element("other"), "other")


ONE_WAY = read({"a.wsdl": wsdl(schema(ASK_AND_ANSWER)).replace('<w:output message="t:out"/>', "")})
TAKEN = f'<ia:Accepted xmlns:ia="{ENVELOPE}"/>'


def test_a_one_way_request_is_answered_by_that_it_was_taken():
    taken = Content(body=etree.fromstring(TAKEN))
    check_content(ONE_WAY, taken, ONE_WAY.operation("Ask"), in_output=True)


WRONG = [">text</ia:Accepted>", ' a="1"/>', "><a/></ia:Accepted>"]


@pytest.mark.parametrize("reply", ["<other/>", *(TAKEN.replace("/>", wrong) for wrong in WRONG)])
def test_a_one_way_request_has_no_other_reply(reply: str):
    with pytest.raises(SchemaInvalid, match="has no reply"):
        check_content(ONE_WAY, Content(body=etree.fromstring(reply)), ONE_WAY.operation("Ask"), in_output=True)


def test_a_header_that_nothing_can_judge_passes():
    encoded = HeaderPart(element=QName(q("H")), name="p", in_output=False, is_encoded=True)
    check_header(HEADED, element("<t:H>one</t:H>"), encoded)
    with pytest.raises(SchemaInvalid):
        check_header(HEADED, element("<t:H>one</t:H>"), replace(encoded, is_encoded=False))


def test_a_wildcard_lists_its_namespaces():
    wildcard = Wildcard(namespaces="##targetNamespace urn:a ##local", process="lax", target="urn:t")
    assert [wildcard.admits(each) for each in ("urn:t", "urn:a", "", "urn:b")] == [True, True, True, False]


def test_elements_of_groups_in_groups_are_found_with_their_place():
    inner = '<xs:choice maxOccurs="3"><xs:element name="b"/><xs:any/><xs:element name="c"/></xs:choice>'
    found = complex_type(model(with_content(f'<xs:sequence><xs:element name="a"/>{inner}</xs:sequence>')))
    places = {element.name: place for element, place in elements_in(found)}
    assert list(places) == ["a", "b", "c"]
    assert list(elements_in(simple_type(model('<xs:simpleType name="S"/>')))) == []
    assert (places["a"].optional, places["b"].in_choice, places["c"].repeated) == (False, True, True)


def test_fields_go_down_to_where_a_type_lies_in_itself():
    node = with_content('<xs:sequence><xs:element name="n" type="t:N"/><xs:element name="n" type="t:N"/></xs:sequence>'
                        '<xs:attribute name="a"/>', "N")  # fmt: skip
    found = model(node + '<xs:element name="Top" type="t:N"/><xs:element name="Text" type="xs:string"/>')
    assert [(each.path, each.recursive) for each in fields(found, q("Top"))] == [(("a",), False), (("n",), True)]
    assert list(fields(found, q("Text"))) == []
