"""The schema model: what a schema declares comes out as values, once worked out and finite."""

import gc
from itertools import islice

import pytest

from adapter.envelope.schema_model import (
    ANY_TYPE,
    AttributeDeclaration,
    ComplexType,
    Compositor,
    Group,
    Occurrence,
    Occurs,
    SchemaModel,
    SimpleType,
    Variety,
    Wildcard,
    elements_in,
    fields,
)
from adapter.envelope.schema_model_read import _models, schema_model
from tests.corpus import NAMES, REASON, description_of
from tests.unit.envelope.descriptions import NS, of_types, read, schema, wsdl

XSD = "http://www.w3.org/2001/XMLSchema"


def model_of(content: str) -> SchemaModel:
    return schema_model(of_types(content))


def q(local: str) -> str:
    return f"{{{NS}}}{local}"


def simple(content: str, name: str = "T") -> SimpleType:
    found = model_of(f'<xs:element name="Ask" type="t:{name}"/>{content}').types[q(name)]
    assert isinstance(found, SimpleType)
    return found


def complex_type(content: str, name: str = "T") -> ComplexType:
    found = model_of(f'<xs:element name="Ask" type="t:{name}"/>{content}').types[q(name)]
    assert isinstance(found, ComplexType)
    return found


def restriction(base: str, facets: str, name: str = "T") -> str:
    return f'<xs:simpleType name="{name}"><xs:restriction base="{base}">{facets}</xs:restriction></xs:simpleType>'


def names_in(kind) -> list[str]:
    return [element.name for element, _ in elements_in(kind)]


def test_facets_add_up_over_the_bases():
    found = simple(
        restriction("xs:token", '<xs:maxLength value="9"/><xs:pattern value="[a-z]+"/><xs:pattern value="0"/>', "B")
        + restriction("t:B", '<xs:minLength value="2"/><xs:pattern value="a.*"/>')
    )
    assert (found.base, found.builtin, found.primitive) == (q("B"), "token", "string")
    assert found.facets.patterns == (("[a-z]+", "0"), ("a.*",))
    assert (found.facets.min_length, found.facets.max_length) == (2, 9)
    assert found.facets.white_space == "collapse"


def test_bounds_of_built_in_types_are_there():
    found = simple(restriction("xs:byte", '<xs:maxInclusive value="5"/>'))
    assert (found.facets.min_inclusive, found.facets.max_inclusive) == ("-128", "5")
    assert (found.facets.fraction_digits, found.primitive) == (0, "decimal")


def test_enumeration_of_the_outermost_restriction_counts():
    found = simple(
        restriction("xs:string", '<xs:enumeration value="a"/><xs:enumeration value="b"/>', "B")
        + restriction("t:B", '<xs:enumeration value="b"/>')
    )
    assert found.facets.enumeration == ("b",)


def test_list_and_union_name_their_parts():
    content = """<xs:simpleType name="L"><xs:list itemType="xs:int"/></xs:simpleType>
      <xs:simpleType name="T"><xs:union memberTypes="t:L xs:date"><xs:simpleType><xs:restriction base="xs:string">
        <xs:enumeration value="never"/></xs:restriction></xs:simpleType></xs:union></xs:simpleType>"""
    union = simple(content)
    assert union.variety is Variety.UNION
    assert union.members == (q("L"), f"{{{XSD}}}date", q("#T/member1"))
    listed = simple(content, "L")
    assert (listed.variety, listed.item) == (Variety.LIST, f"{{{XSD}}}int")


def test_content_keeps_groups_and_bounds():
    found = complex_type(
        """<xs:group name="G"><xs:choice><xs:element name="a" type="xs:int"/><xs:element name="b" type="xs:int"/>
        </xs:choice></xs:group>
        <xs:complexType name="T"><xs:sequence><xs:group ref="t:G" minOccurs="0" maxOccurs="3"/>
        <xs:element name="never" type="xs:int" minOccurs="0" maxOccurs="0"/>
        <xs:any namespace="##other" processContents="lax" maxOccurs="unbounded"/></xs:sequence></xs:complexType>"""
    )
    assert found.content is not None
    choice, wildcard = found.content.members
    assert isinstance(choice, Group)
    assert (choice.compositor, choice.occurs) == (Compositor.CHOICE, Occurs(minimum=0, maximum=3))
    assert isinstance(wildcard, Wildcard)
    assert wildcard.occurs.maximum is None
    assert wildcard.admits("urn:else")
    assert not wildcard.admits(NS)
    assert not wildcard.admits("")
    assert [(element.name, place.in_choice, place.repeated) for element, place in elements_in(found)] == [
        (q("a"), True, True),
        (q("b"), True, True),
    ]


BASE = """<xs:complexType name="B"><xs:sequence><xs:element name="one" type="xs:int"/></xs:sequence>
  <xs:attribute name="kept" use="required"/><xs:attribute name="dropped"/></xs:complexType>"""


def test_extension_comes_after_its_base():
    found = complex_type(
        BASE
        + """<xs:complexType name="T"><xs:complexContent><xs:extension base="t:B"><xs:choice>
        <xs:element name="two" type="xs:int"/></xs:choice><xs:attribute name="more"/></xs:extension></xs:complexContent>
        </xs:complexType>"""
    )
    assert names_in(found) == [q("one"), q("two")]
    assert [attribute.name for attribute in found.attributes] == ["kept", "dropped", "more"]
    assert (found.base, found.derivation) == (q("B"), "extension")


def test_restriction_replaces_content_and_drops_prohibited_attributes():
    found = complex_type(
        BASE
        + """<xs:complexType name="T"><xs:complexContent><xs:restriction base="t:B"><xs:sequence>
        <xs:element name="one" type="xs:byte"/></xs:sequence><xs:attribute name="dropped" use="prohibited"/>
        </xs:restriction></xs:complexContent></xs:complexType>"""
    )
    assert [element.type for element, _ in elements_in(found)] == [f"{{{XSD}}}byte"]
    assert [(attribute.name, attribute.required) for attribute in found.attributes] == [("kept", True)]


def test_derived_types_and_substitutes_are_found_over_several_steps():
    model = model_of(
        BASE
        + """<xs:complexType name="C" abstract="true"><xs:complexContent><xs:extension base="t:B"/></xs:complexContent>
        </xs:complexType><xs:complexType name="D"><xs:complexContent><xs:extension base="t:C"/></xs:complexContent>
        </xs:complexType><xs:element name="Ask" type="t:B" abstract="true"/>
        <xs:element name="Second" substitutionGroup="t:Ask"/>
        <xs:element name="Third" type="t:D" substitutionGroup="t:Second"/>"""
    )
    assert model.derived[q("B")] == (q("C"), q("D"))
    assert [kind.name for kind in model.types_for(q("B"))] == [q("B"), q("D")]
    assert model.substitutes[q("Ask")] == (q("Second"), q("Third"))
    assert [element.name for element in model.choices_for(model.elements[q("Ask")])] == [q("Second"), q("Third")]
    assert model.elements[q("Second")].type == q("B")


def test_simple_content_has_a_value_type_with_its_facets():
    model = model_of(
        """<xs:complexType name="M"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="currency"
        type="xs:NCName" default="UZS"/></xs:extension></xs:simpleContent></xs:complexType>
        <xs:complexType name="T"><xs:simpleContent><xs:restriction base="t:M"><xs:fractionDigits value="2"/>
        </xs:restriction></xs:simpleContent></xs:complexType><xs:element name="Ask" type="t:T"/>"""
    )
    value = model.value_type(model.type_of(model.body(q("Ask"))))
    assert value is not None
    assert (value.primitive, value.facets.fraction_digits) == ("decimal", 2)
    kind = model.types[q("T")]
    assert isinstance(kind, ComplexType)
    assert kind.attributes == (AttributeDeclaration(name="currency", type=f"{{{XSD}}}NCName", default="UZS"),)


def test_recursion_is_by_name():
    model = model_of(
        """<xs:group name="G"><xs:sequence><xs:element name="Part"><xs:complexType><xs:sequence minOccurs="0">
        <xs:group ref="t:G"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:group>
        <xs:element name="Ask"><xs:complexType><xs:sequence><xs:group ref="t:G"/></xs:sequence></xs:complexType>
        </xs:element>"""
    )
    found = list(fields(model, q("Ask")))
    assert [(len(each.path), each.recursive) for each in found] == [(1, False), (2, True)]


def test_forms_names_and_defaults_of_local_declarations():
    model = model_of(
        """<xs:attributeGroup name="A"><xs:attribute name="local"/><xs:attribute name="q" form="qualified"/>
        <xs:anyAttribute namespace="##local"/></xs:attributeGroup>
        <xs:element name="Ask" nillable="true"><xs:annotation><xs:documentation>  What is
        asked. </xs:documentation></xs:annotation><xs:complexType><xs:sequence>
        <xs:element name="plain" form="unqualified" type="xs:int" default="3"/><xs:element name="free"/></xs:sequence>
        <xs:attributeGroup ref="t:A"/><xs:attribute ref="xml:lang" use="required"/></xs:complexType></xs:element>"""
    )
    ask = model.body(q("Ask"))
    kind = model.type_of(ask)
    assert (ask.nillable, ask.documentation) == (True, "What is asked.")
    assert isinstance(kind, ComplexType)
    assert kind.is_anonymous
    assert [(element.name, element.default) for element, _ in elements_in(kind)] == [("plain", "3"), (q("free"), None)]
    assert [attribute.name for attribute in kind.attributes] == [
        "local",
        q("q"),
        "{http://www.w3.org/XML/1998/namespace}lang",
    ]
    assert kind.any_attribute is not None
    assert kind.any_attribute.admits("")
    assert not model.missing


def test_chameleon_takes_the_namespace_of_who_includes_it():
    included = f"""<xs:schema xmlns:xs="{XSD}"><xs:element name="Ask" type="Kind"/><xs:element name="Answer"/>
      <xs:simpleType name="Kind"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>"""
    model = schema_model(read({"a.wsdl": wsdl(schema('<xs:include schemaLocation="b.xsd"/>')), "b.xsd": included}))
    assert model.elements[q("Ask")].type == q("Kind")
    assert isinstance(model.types[q("Kind")], SimpleType)


def test_redefined_type_extends_what_it_was():
    old = schema("""<xs:complexType name="Kind"><xs:sequence><xs:element name="old" type="xs:int"/></xs:sequence>
      </xs:complexType>""")
    new = """<xs:redefine schemaLocation="b.xsd"><xs:complexType name="Kind"><xs:complexContent>
      <xs:extension base="t:Kind"><xs:sequence><xs:element name="new" type="xs:int"/></xs:sequence></xs:extension>
      </xs:complexContent></xs:complexType></xs:redefine><xs:element name="Ask" type="t:Kind"/>
      <xs:element name="Answer"/>"""
    model = schema_model(read({"a.wsdl": wsdl(schema(new)), "b.xsd": old}))
    assert [local.rpartition("}")[2] for local in names_in(model.types[q("Kind")])] == ["old", "new"]


def test_model_is_kept_as_long_as_its_description():
    gc.collect()  # those of earlier tests go now, not while this one counts
    description = of_types('<xs:element name="Ask" type="xs:int"/>')
    before = len(_models)
    assert schema_model(description) is schema_model(description)
    assert len(_models) == before + 1
    del description
    gc.collect()
    assert len(_models) == before


@pytest.mark.skipif(not NAMES, reason=REASON)
@pytest.mark.parametrize("name", NAMES)
def test_corpus_is_modelled_as_it_is_compiled(name):
    description = description_of(name)
    model = schema_model(description)
    if description.schema is None:
        assert model.missing
        return
    assert model.elements.keys() == description.schema.elements - description.schema.rpc_elements
    assert model.wrappers.keys() >= description.schema.rpc_elements
    assert not model.missing
    named = {kind.name for kind in model.types.values()}
    for kind in model.types.values():
        if isinstance(kind, ComplexType):
            assert {attribute.type for attribute in kind.attributes} <= named
            assert {element.type for element, _ in elements_in(kind)} <= named
    for operation in description.operations:
        if operation.type_checked:
            found = list(islice(fields(model, operation.input_element), 5000))
            assert all(each.path for each in found)


def test_any_type_is_a_type_like_others():
    model = model_of('<xs:element name="Ask"/>')
    kind = model.type_of(model.body(q("Ask")))
    assert kind.name == ANY_TYPE
    assert isinstance(kind, ComplexType)
    assert kind.content is not None
    assert not isinstance(kind.content.members[0], Occurrence)
