"""A payload against its schema: what is wrong is said in words, and never with a value of the document."""

import pytest
from lxml import etree

from adapter import xmlsafe
from adapter.envelope.schema import MAX_PROBLEMS, check_payload
from adapter.errors import Problem, SchemaInvalid
from tests.unit.envelope.descriptions import NS, of_types

SECRET = "30101900010014"  # what a body might hold; never in a problem

CONTENT = """<xs:element name="Ask"><xs:complexType><xs:sequence>
  <xs:element name="pattern" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
    <xs:pattern value="[a-z]{3}"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="list" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">
    <xs:enumeration value="yes"/><xs:enumeration value="no"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="exact" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:length value="2"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="short" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:minLength value="99"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="long" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string"><xs:maxLength value="3"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="least" minOccurs="0"><xs:simpleType><xs:restriction base="xs:long">
    <xs:minInclusive value="40000000000000"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="most" minOccurs="0"><xs:simpleType><xs:restriction base="xs:long"><xs:maxInclusive value="5"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="above" minOccurs="0"><xs:simpleType><xs:restriction base="xs:long">
    <xs:minExclusive value="40000000000000"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="below" minOccurs="0"><xs:simpleType><xs:restriction base="xs:long"><xs:maxExclusive value="5"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="digits" minOccurs="0"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="3"/>
    </xs:restriction></xs:simpleType></xs:element>
  <xs:element name="fraction" minOccurs="0"><xs:simpleType><xs:restriction base="xs:decimal">
    <xs:fractionDigits value="1"/></xs:restriction></xs:simpleType></xs:element>
  <xs:element name="date" type="xs:date" minOccurs="0"/>
  <xs:element name="union" minOccurs="0"><xs:simpleType><xs:union memberTypes="xs:date xs:time"/></xs:simpleType>
    </xs:element>
  <xs:element name="fixed" type="xs:string" fixed="always" minOccurs="0"/>
  <xs:element name="nested" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="first" type="xs:string"/>
    <xs:element name="second" type="xs:string"/></xs:sequence>
    <xs:attribute name="must" use="required" type="xs:string"/><xs:attribute name="only" fixed="one" type="xs:string"/>
    </xs:complexType></xs:element>
  <xs:element name="empty" minOccurs="0"><xs:complexType/></xs:element>
  <xs:element name="many" type="xs:int" minOccurs="0" maxOccurs="unbounded"/>
</xs:sequence></xs:complexType></xs:element>"""
DESCRIPTION = of_types(CONTENT)
ASK = f"{{{NS}}}Ask"


def problems_of(inner: str) -> tuple[Problem, ...]:
    payload = etree.fromstring(f'<Ask xmlns="{NS}">\n{inner}</Ask>')
    with pytest.raises(SchemaInvalid) as caught:
        check_payload(DESCRIPTION, payload, ASK)
    for problem in caught.value.problems:
        assert SECRET not in repr(problem)
        assert "secret" not in repr(problem)
    assert SECRET not in caught.value.reason
    return caught.value.problems


@pytest.mark.parametrize(
    ("inner", "rule", "element", "says"),
    [
        (f"<pattern>{SECRET}</pattern>", "cvc-pattern-valid", "Ask/pattern", "does not match the pattern [a-z]{3}."),
        (
            f"<pattern>x' is not accepted by the pattern '{SECRET}'.</pattern>",
            "cvc-pattern-valid",
            "Ask/pattern",
            "pattern [a-z]{3}.",
        ),
        (f"<list>{SECRET}</list>", "cvc-enumeration-valid", "Ask/list", "allowed values: 'yes', 'no'."),
        (
            f"<list>x' is not an element of the set {{'{SECRET}'}}.</list>",
            "cvc-enumeration-valid",
            "Ask/list",
            "allowed values: 'yes', 'no'.",
        ),
        (f"<exact>{SECRET}</exact>", "cvc-length-valid", "Ask/exact", "wrong length; allowed length: exactly 2."),
        (f"<short>{SECRET}</short>", "cvc-minLength-valid", "Ask/short", "too short; allowed length: at least 99."),
        (f"<long>{SECRET}</long>", "cvc-maxLength-valid", "Ask/long", "too long; allowed length: at most 3."),
        (f"<least>{SECRET}</least>", "cvc-minInclusive-valid", "Ask/least", "the bound is 40000000000000."),
        (f"<most>{SECRET}</most>", "cvc-maxInclusive-valid", "Ask/most", "the bound is 5."),
        (f"<above>{SECRET}</above>", "cvc-minExclusive-valid", "Ask/above", "the bound is 40000000000000."),
        (f"<below>{SECRET}</below>", "cvc-maxExclusive-valid", "Ask/below", "the bound is 5."),
        (f"<digits>{SECRET}</digits>", "cvc-totalDigits-valid", "Ask/digits", "too many digits; allowed: 3."),
        (
            f"<fraction>0.{SECRET}</fraction>",
            "cvc-fractionDigits-valid",
            "Ask/fraction",
            "fraction digits; allowed: 1.",
        ),
        (f"<date>{SECRET}</date>", "cvc-datatype-valid", "Ask/date", "not of the type xs:date."),
        (
            f"<date>x' is not a valid value of the atomic type '{SECRET}'.</date>",
            "cvc-datatype-valid",
            "Ask/date",
            "xs:date.",
        ),
        (f"<union>{SECRET}</union>", "cvc-datatype-valid", "Ask/union", "not of the declared type."),
        (f"<fixed>{SECRET}</fixed>", "cvc-elt.5.2.2.2", "Ask/fixed", "must have the fixed value"),
        ("<secret/>", "cvc-complex-type.2.4", "Ask/*", "An element that the schema does not know"),
        (f"{SECRET}<date>2020-01-01</date>", "cvc-complex-type.2.3", "Ask", "no text between them"),
        ("<date>2020-01-01</date><pattern>abc</pattern>", "cvc-complex-type.2.4", "Ask/pattern", "must not stand here"),
        ('<nested must="x"><first/></nested>', "cvc-complex-type.2.4", "Ask/nested", "what is missing: second."),
        ("<nested><first/><second/></nested>", "cvc-complex-type.4", "Ask/nested", "attribute must is required"),
        (
            '<nested must="x" secret="y"><first/><second/></nested>',
            "cvc-complex-type.3.2.1",
            "Ask/nested",
            "An attribute is not allowed",
        ),
        (
            '<nested must="x" only="secret"><first/><second/></nested>',
            "cvc-au",
            "Ask/nested",
            "attribute only must have",
        ),
        (
            '<nested must="x"><first/><second/><third/></nested>',
            "cvc-complex-type.2.4",
            "Ask/nested/*",
            "no further element",
        ),
        (
            '<date xmlns="">2020-01-01</date>',
            "cvc-complex-type.2.4",
            "Ask/date",
            f"is in the wrong namespace; it has to be in {NS}.",
        ),
        ("<date><many/></date>", "cvc-type.3.1.2", "Ask/date", "may hold no element"),
        ("<empty>x</empty>", "cvc-complex-type.2.1", "Ask/empty", "must be empty"),
        ("<many>1</many><many>2</many><many>x</many>", "cvc-datatype-valid", "Ask/many[3]", "xs:int"),
        (
            '<date xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>',
            "cvc-elt.3.1",
            "Ask/date",
            "may not be nil",
        ),
        (
            '<date xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="secret">2020-01-01</date>',
            "cvc-elt.4.2",
            "Ask/date",
            "has an xsi:type",
        ),
    ],
)
def test_problem_in_words(inner: str, rule: str, element: str, says: str):
    problem = problems_of(inner)[0]
    assert problem.rule == rule
    assert problem.line == (1 if element == "Ask" else 2)
    assert problem.element == element
    assert says in problem.text


def test_every_kind_of_finding_has_a_sentence():
    from adapter.envelope.schema_words import _RULES

    kinds = {name for name in vars(etree.ErrorTypes) if name.startswith("SCHEMAV_CVC_")}
    facets = {name for name in kinds if name.endswith("_VALID")} - {"SCHEMAV_CVC_FACET_VALID"}
    assert facets <= set(_RULES)


def test_number_of_problems_is_bounded():
    assert len(problems_of("<many>x</many>" * 500)) == MAX_PROBLEMS


@pytest.mark.parametrize(
    "inner",
    ["<many>x</many>" * 400_000, "<secret/>" * 400_000, f"<pattern>{SECRET * 500_000}</pattern>"],
    ids=["wrong values", "unknown elements", "one huge value"],
)
def test_hostile_message_is_judged_in_useful_time(inner: str):
    """The time grew with the square of the wrong elements: minutes for this one. The suite's time-out measures."""
    problem = problems_of(inner)[0]
    assert problem.rule in ("cvc-datatype-valid", "cvc-complex-type.2.4", "cvc-pattern-valid")


def test_large_message_is_judged_too():
    payload = etree.fromstring(f'<Ask xmlns="{NS}">{"<many>1</many>" * 20_000}</Ask>')
    check_payload(DESCRIPTION, payload, ASK)
    payload[-1].text = SECRET + "x"
    with pytest.raises(SchemaInvalid) as caught:
        check_payload(DESCRIPTION, payload, ASK)
    assert [(problem.element, problem.text) for problem in caught.value.problems] == [
        ("many", "The value is not of the type xs:int.")
    ]


def test_large_message_with_a_prefix_bound_further_up():
    content = """<xs:element name="Ask"><xs:complexType><xs:sequence>
      <xs:element name="v" maxOccurs="unbounded" type="xs:anySimpleType"/>
      </xs:sequence></xs:complexType></xs:element>"""
    root = etree.fromstring(
        '<e xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:q="http://www.w3.org/2001/XMLSchema">'
        f'<Ask xmlns="{NS}">{"<v/>" * 9000}<v xsi:type="q:int">1</v></Ask> tail</e>'
    )
    check_payload(of_types(content), root[0], ASK)


def test_another_element_than_the_operation_names():
    with pytest.raises(SchemaInvalid) as caught:
        check_payload(DESCRIPTION, etree.fromstring("<secret/>"), ASK)
    assert caught.value.problems[0].text == f"The Body must hold the element Ask of the namespace {NS}."


def test_element_is_judged_where_it_stands():
    """Inside an envelope, with a prefix in a value that is bound at the envelope only; nothing moves."""
    content = """<xs:complexType name="Base"><xs:sequence/></xs:complexType>
      <xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
        <xs:element name="n" type="xs:int"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
      <xs:element name="Ask" type="t:Base"/>"""
    description = of_types(content)
    root = xmlsafe.parse(
        f"""<e xmlns:q="{NS}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><b xmlns="{NS}">
          <Ask xsi:type="q:More"><n>1</n></Ask> tail</b></e>""".encode()
    )
    payload = root[0][0]
    before, child = etree.tostring(root), payload[0]
    check_payload(description, payload, ASK)
    assert etree.tostring(root) == before
    assert payload[0] is child
    assert child.getparent() is payload
    child.text = "x"
    with pytest.raises(SchemaInvalid) as caught:
        check_payload(description, payload, ASK)
    assert caught.value.problems[0].element.endswith("n")


def test_defaults_are_not_written_into_the_signed_element():
    description = of_types(
        '<xs:element name="Ask"><xs:complexType><xs:attribute name="a" default="d"/></xs:complexType></xs:element>'
    )
    payload = etree.fromstring(f'<Ask xmlns="{NS}"/>')
    check_payload(description, payload, ASK)
    assert not payload.attrib


def test_each_document_is_judged_by_itself():
    """libxml2 keeps its findings with the schema: they must not be those of another document."""
    good = etree.fromstring(f'<Ask xmlns="{NS}"><date>2020-01-01</date></Ask>')
    first = problems_of("<date>x</date>")
    check_payload(DESCRIPTION, good, ASK)
    assert problems_of("<many>x</many>") != first
