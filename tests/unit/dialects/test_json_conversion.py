"""The rules of docs/json.md, one by one: XML to JSON and back without loss."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from adapter.envelope.names import XSD
from tests.unit.dialects.conversion import ask, described, from_json, there_and_back
from tests.unit.dialects.small_schemas import DERIVED, OPEN, PLAIN, element, sequence
from tests.unit.envelope.descriptions import NS


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", {}),
        ("<t:Name/>", {"Name": ""}),
        ("<t:Name> two  spaces\n&lt;&amp; </t:Name>", {"Name": " two  spaces\n<& "}),
        ("<t:Name>Каримов ‘Ғайрат’</t:Name>", {"Name": "Каримов ‘Ғайрат’"}),
        ("<t:Name>a&#13;b</t:Name>", {"Name": "a\rb"}),
        ("<t:Alias>a</t:Alias>", {"Alias": ["a"]}),
        ("<t:Alias>a</t:Alias><t:Alias/>", {"Alias": ["a", ""]}),
        ("<t:Count>42</t:Count>", {"Count": 42}),
        ("<t:Count> +007 </t:Count>", {"Count": 7}),
        ("<t:Weight>1.5E3</t:Weight>", {"Weight": 1500.0}),
        ("<t:Weight>-INF</t:Weight>", {"Weight": "-INF"}),
        ("<t:Weight>NaN</t:Weight>", {"Weight": "NaN"}),
        ("<t:Sum>1.50</t:Sum>", {"Sum": "1.50"}),
        ("<t:Sum>007</t:Sum>", {"Sum": "007"}),
        ("<t:Serial>9223372036854775807</t:Serial>", {"Serial": "9223372036854775807"}),
        ("<t:Open>1</t:Open>", {"Open": True}),
        ("<t:Open>false</t:Open>", {"Open": False}),
        ("<t:Day>2026-11-26+05:00</t:Day>", {"Day": "2026-11-26+05:00"}),
        ("<t:Photo>AAEC\n AwQF</t:Photo>", {"Photo": "AAECAwQF"}),
        ("<t:Kind>u:thing</t:Kind>", {"Kind": "{urn:u}thing"}),
        ("<t:Kind>thing</t:Kind>", {"Kind": "thing"}),
        ("<t:Words> a  b </t:Words>", {"Words": ["a", "b"]}),
        ("<t:Token> a   b </t:Token>", {"Token": "a b"}),
        ("<t:Name>x</t:Name><t:Count>1</t:Count>", {"Name": "x", "Count": 1}),
    ],
)
def test_values(content: str, value: Any) -> None:
    assert there_and_back(ask(content), PLAIN) == value


@pytest.mark.parametrize(
    ("facets", "text", "value"),
    [
        ('<xs:restriction base="xs:integer"><xs:totalDigits value="15"/></xs:restriction>', "12", 12),
        ('<xs:restriction base="xs:integer"><xs:totalDigits value="16"/></xs:restriction>', "12", "12"),
        ('<xs:restriction base="xs:positiveInteger"><xs:maxInclusive value="99"/></xs:restriction>', "12", 12),
        ('<xs:restriction base="xs:decimal"><xs:totalDigits value="4"/></xs:restriction>', "1.20", "1.20"),
        ('<xs:restriction base="xs:unsignedLong"/>', "12", "12"),
        ('<xs:union memberTypes="xs:int xs:string"/>', "012", "012"),
        ('<xs:list itemType="xs:int"/>', "1 02", [1, 2]),
    ],
)
def test_a_number_is_a_json_number_only_where_none_can_lose_digits(facets: str, text: str, value: Any) -> None:
    description = described(sequence(element("N", "t:N")), f'<xs:simpleType name="N">{facets}</xs:simpleType>')
    assert there_and_back(ask(f"<t:N>{text}</t:N>"), description) == {"N": value}


def test_members_may_stand_in_any_order() -> None:
    back = from_json({"Count": 1, "Alias": ["b", "a"], "Name": "x"}, PLAIN)
    assert [(etree.QName(child).localname, child.text) for child in back] == [
        ("Name", "x"),
        ("Alias", "b"),
        ("Alias", "a"),
        ("Count", "1"),
    ]


# --- nil, empty, absent ----------------------------------------------------------------------------------------------

NILLABLE = described(
    sequence(
        element("S", more='minOccurs="0" nillable="true"'),
        element("M", "t:Money", 'minOccurs="0" maxOccurs="9" nillable="true"'),
    ),
    '<xs:complexType name="Money"><xs:simpleContent><xs:extension base="xs:decimal">'
    '<xs:attribute name="currency" type="xs:string"/><xs:attribute name="rounded" type="xs:boolean"/>'
    "</xs:extension></xs:simpleContent></xs:complexType>",
)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("", {}),
        ("<t:S/>", {"S": ""}),
        ('<t:S xsi:nil="true"/>', {"S": None}),
        ('<t:S xsi:nil="0">x</t:S>', {"S": "x"}),
        ("<t:M>1.0</t:M>", {"M": [{"$": "1.0"}]}),
        ('<t:M currency="UZS" rounded="1">1.0</t:M>', {"M": [{"@currency": "UZS", "@rounded": True, "$": "1.0"}]}),
        (
            '<t:M xsi:nil="1" currency="UZS"/><t:M xsi:nil="true"/>',
            {"M": [{"@xsi:nil": True, "@currency": "UZS"}, None]},
        ),
    ],
)
def test_absent_empty_and_nil_are_three_things(content: str, value: Any) -> None:
    assert there_and_back(ask(content), NILLABLE) == value


# --- order -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "xml", "value"),
    [
        pytest.param(
            f"<xs:choice>{element('A', more='')}{element('B', more='')}</xs:choice>",
            "<t:B>1</t:B>",
            {"B": "1"},
            id="choice",
        ),
        pytest.param(
            f'<xs:choice maxOccurs="unbounded">{element("A", more="")}{element("B", more="")}</xs:choice>',
            "<t:B>1</t:B><t:A>2</t:A><t:B>3</t:B>",
            {"$": [{"B": "1"}, {"A": "2"}, {"B": "3"}]},
            id="repeated choice",
        ),
        pytest.param(
            f'<xs:sequence maxOccurs="unbounded">{element("K", more="")}{element("V")}</xs:sequence>',
            "<t:K>1</t:K><t:K>2</t:K><t:V>3</t:V>",
            {"$": [{"K": "1"}, {"K": "2"}, {"V": "3"}]},
            id="repeated sequence",
        ),
        pytest.param(
            f'<xs:sequence maxOccurs="unbounded">{element("K", more="")}</xs:sequence>',
            "<t:K>1</t:K><t:K>2</t:K>",
            {"K": ["1", "2"]},
            id="repeated sequence of one",
        ),
        pytest.param(
            sequence(element("A", more=""), element("B", more=""), element("A", more="")),
            "<t:A>1</t:A><t:B>2</t:B><t:A>3</t:A>",
            {"$": [{"A": "1"}, {"B": "2"}, {"A": "3"}]},
            id="one name in two places",
        ),
        pytest.param(
            f"<xs:all>{element('A')}{element('B')}</xs:all>",
            "<t:B>1</t:B><t:A>2</t:A>",
            {"B": "1", "A": "2"},
            id="all",
        ),
    ],
)
def test_order_is_kept(content: str, xml: str, value: Any) -> None:
    found = there_and_back(ask(xml), described(content))
    assert found == value
    assert list(found) == list(value)


def test_mixed_content_is_an_array_of_texts_and_elements() -> None:
    mixed = (
        '<xs:complexType name="Text" mixed="true"><xs:choice minOccurs="0" maxOccurs="unbounded">'
        '<xs:element name="b" type="t:Text"/></xs:choice></xs:complexType>'
    )
    description = described(sequence(element("P", "t:Text")), mixed)
    xml = "<t:P>one <t:b>two<t:b/></t:b> three<t:b> </t:b></t:P>"
    assert there_and_back(ask(xml), description) == {
        "P": {"$": ["one ", {"b": {"$": ["two", {"b": {"$": []}}]}}, " three", {"b": {"$": [" "]}}]}
    }


# --- names and types -------------------------------------------------------------------------------------------------


def test_names_that_clash_are_written_with_their_namespace() -> None:
    content = sequence(element("Code"), '<xs:element name="Code" type="xs:int" form="unqualified" minOccurs="0"/>')
    xml = "<t:Code>a</t:Code><Code>1</Code>"
    assert there_and_back(ask(xml), described(content)) == {f"{{{NS}}}Code": "a", "Code": 1}


def test_a_type_that_stands_for_another_is_named() -> None:
    xml = (
        '<t:Party xsi:type="t:Person" type="5"><t:Id>1</t:Id><t:Friend xsi:type="t:Person"><t:Id>2</t:Id></t:Friend>'
        "</t:Party>"
    )
    friend = {"@xsi:type": "Person", "Id": 2}
    assert there_and_back(ask(xml), DERIVED) == {
        "Party": [{"@xsi:type": "Person", "@type": 5, "Id": 1, "Friend": friend}]
    }


@pytest.mark.parametrize(
    ("xml", "value"),
    [
        ('<t:Any xsi:type="xs:int">5</t:Any>', {"Any": {"@xsi:type": "xs:int", "$": 5}}),
        ('<t:Any xsi:type="t:Person"><t:Id>2</t:Id></t:Any>', {"Any": {"@xsi:type": "Person", "Id": 2}}),
        ('<t:S xsi:type="xs:date">2026-01-01</t:S>', {"S": {"@xsi:type": "xs:date", "$": "2026-01-01"}}),
        ("<t:S>x</t:S>", {"S": "x"}),
    ],
)
def test_what_the_schema_leaves_open_says_its_type(xml: str, value: Any) -> None:
    assert there_and_back(ask(xml), DERIVED) == value


def test_what_has_no_type_is_xml_with_the_namespaces_that_it_uses() -> None:
    found = there_and_back(ask('<t:Any><u:a kind="xs:int"/>text</t:Any>'), DERIVED)
    text = found["Any"]["$xml"]
    assert text.startswith("<t:Any")
    assert "urn:u" in text
    assert XSD in text
    assert "xsi" not in text


@pytest.mark.parametrize("habit", ['xsi:type="xs:string"', 'xsi:schemaLocation="a b"'])
def test_what_says_nothing_changes_no_form(habit: str) -> None:
    assert there_and_back(ask(f"<t:Name {habit}>x</t:Name>"), PLAIN) == {"Name": "x"}


def test_substitutes_are_members_of_their_own() -> None:
    more = (
        '<xs:element name="Shape" type="xs:string" abstract="true"/>'
        '<xs:element name="Round" type="xs:string" substitutionGroup="t:Shape"/>'
        '<xs:element name="Flat" type="xs:string" substitutionGroup="t:Shape"/>'
    )
    one = described('<xs:sequence><xs:element ref="t:Shape"/></xs:sequence>', more)
    assert there_and_back(ask("<t:Flat>1</t:Flat>"), one) == {"Flat": "1"}
    many = described('<xs:sequence><xs:element ref="t:Shape" maxOccurs="9"/></xs:sequence>', more)
    assert there_and_back(ask("<t:Flat>1</t:Flat><t:Round/>"), many) == {"$": [{"Flat": "1"}, {"Round": ""}]}


def test_wildcards_are_xml_and_attributes_of_other_namespaces_have_them() -> None:
    xml = '<t:A>1</t:A><t:B/><u:c kind="u:x"><d/></u:c><t:A>2</t:A>'
    found = there_and_back(ask(xml, 'known="07" u:more="x" xml:lang="uz" free="y"'), OPEN)
    assert {name: value for name, value in found.items() if name != "$any"} == {
        "A": "1",
        "B": "",
        "@known": 7,
        "@{urn:u}more": "x",
        "@{http://www.w3.org/XML/1998/namespace}lang": "uz",
        "@free": "y",
    }
    assert [etree.fromstring(text).tag for text in found["$any"]] == ["{urn:u}c", f"{{{NS}}}A"]


def test_recursion_ends_where_the_document_ends() -> None:
    more = (
        '<xs:complexType name="Node"><xs:sequence><xs:element name="Node" type="t:Node" minOccurs="0" maxOccurs="2"/>'
        "</xs:sequence></xs:complexType>"
    )
    xml = "<t:Node><t:Node><t:Node/></t:Node><t:Node/></t:Node>"
    assert there_and_back(ask(xml), described(sequence(element("Node", "t:Node")), more)) == {
        "Node": {"Node": [{"Node": [{}]}, {}]}
    }


def test_a_default_is_what_an_empty_element_means() -> None:
    description = described(sequence(element("N", "xs:int", 'default="5"')))
    assert there_and_back(ask("<t:N/>"), description) == {"N": 5}
