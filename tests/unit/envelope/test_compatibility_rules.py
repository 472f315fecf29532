"""Each rule by which two versions of a contract are compared: what it says, and which direction it breaks."""

from __future__ import annotations

import pytest

from adapter.envelope.compatibility_content import MAX_CHANGES
from adapter.envelope.compatibility_model import Direction
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, SOAP12, schema, wsdl
from tests.unit.envelope.test_compatibility import A, B, both, changes, sequence, simple, values
from tests.unit.envelope.test_rpc import rpc

HARMLESS, REQUEST, REPLY, ALWAYS = "harmless", "request", "reply", "always"
EXTENDED = '<xs:simpleContent><xs:extension base="xs:{}">{}</xs:extension></xs:simpleContent>'
ANY = '<xs:any namespace="##any" processContents="lax" minOccurs="0"/>'


def attribute(declared: str) -> str:
    return sequence(A) + f'<xs:attribute name="x" type="xs:string" {declared}/>'


def listed(item: str) -> str:
    return sequence(f'<xs:element name="v"><xs:simpleType><xs:list itemType="xs:{item}"/></xs:simpleType></xs:element>')


def union(members: str) -> str:
    return sequence(
        f'<xs:element name="v"><xs:simpleType><xs:union memberTypes="{members}"/></xs:simpleType></xs:element>'
    )


def bounded(name: str, value: str, base: str = "int") -> str:
    return simple(f'<xs:{name} value="{value}"/>', f"xs:{base}")


def often(low: str, high: str) -> str:
    return sequence(A, f'<xs:element name="o" type="xs:int" minOccurs="{low}" maxOccurs="{high}"/>')


@pytest.mark.parametrize(
    ("old", "new", "text", "breaks"),
    [
        # Elements.
        (sequence(A.replace("/>", ' fixed="1"/>')), sequence(A), "its fixed value changed", REPLY),
        (sequence(A), sequence(A.replace("/>", ' fixed="1"/>')), "its fixed value changed", REQUEST),
        (sequence(A), sequence(A.replace("/>", ' default="1"/>')), "its default value changed", HARMLESS),
        (sequence(A.replace("/>", ' nillable="true"/>')), sequence(A), "it may no longer be nil", REQUEST),
        # Content as such.
        (EXTENDED.format("string", ""), sequence(A), "its content changed: a value became elements", ALWAYS),
        (sequence(A), EXTENDED.format("string", ""), "its content changed: elements became a value", ALWAYS),
        (sequence(A, ANY), sequence(A), "it no longer takes unnamed elements", REQUEST),
        (sequence(A, f"<xs:sequence>{ANY}</xs:sequence>"), sequence(A, ANY.replace("##any", "##other")), None, None),
        (sequence(A), sequence(A, ANY), "it may have elements that no schema names", REPLY),
        ("", sequence(B), "new optional element", REPLY),
        (sequence(A, f"<xs:sequence>{B}</xs:sequence>"), sequence(A, B), None, None),
        (sequence(f"<xs:choice>{A}{B}</xs:choice>"), f"<xs:choice>{B}{A}</xs:choice>", None, None),
        # How often it stands.
        (often("0", "unbounded"), often("1", "3"), "it stood 0 or more times, now it stands 1 to 3 times", REQUEST),
        (often("1", "1"), often("2", "2"), "it stood once, now it stands 2 times", ALWAYS),
        (sequence(A), sequence(A, A), "it stood once, now it stands 1 to 2 times", REPLY),
        # Attributes.
        (attribute(""), attribute('use="required"'), "it is mandatory now", REQUEST),
        (attribute('use="required"'), attribute(""), "it is optional now", REPLY),
        (attribute('fixed="1"'), attribute('fixed="2"'), "its fixed value changed", ALWAYS),
        (attribute(""), attribute("").replace('xs:string" />', 'xs:int" />'),
         "the value was of the type string, now it is int", REQUEST),
        (attribute(""), sequence(A) + "<xs:anyAttribute/>", "removed optional attribute", HARMLESS),
        (sequence(A), attribute('use="required"'), "new mandatory attribute", ALWAYS),
        # Simple types.
        (simple(""), listed("string"), "the value was one string, now it is a list", ALWAYS),
        (listed("int"), union("xs:int xs:date"), "the value was a list, now it is of one of several types", ALWAYS),
        (listed("int"), listed("date"), "the value was of the type int, now it is date", ALWAYS),
        (listed("int"), listed("int"), None, None),
        (union("xs:int xs:date"), union("xs:int xs:time"),
         "the types of which the value may be one are others now", ALWAYS),
        (union("xs:int xs:date"), union("xs:int xs:date"), None, None),
        (simple("", "xs:int"), simple("", "xs:string"), "the value was of the type int, now it is string", REPLY),
        # Facets.
        (simple(""), simple(values(*"abcdefg")),
         "the value was free, now only these are allowed: a, b, c, d, e and 2 more", REQUEST),
        (simple(values("a")), simple(""), "only these values were allowed: a; now any is", REPLY),
        (simple(values("a", "b")), simple(values("b", "c")),
         "the list of allowed values changed; no longer allowed: a; newly allowed: c", ALWAYS),
        (simple(values("a", "b")), simple(values("b", "a")), "the list of allowed values changed; only its order",
         HARMLESS),
        (simple('<xs:length value="3"/>'), simple(""), "the length was at most 3, now it is anything", REPLY),
        (simple(""), simple('<xs:minLength value="3"/>'), "the length was at least anything, now it is 3", REQUEST),
        (bounded("totalDigits", "5", "decimal"), bounded("totalDigits", "3", "decimal"),
         "the number of digits was at most 5, now it is 3", REQUEST),
        (bounded("fractionDigits", "2", "decimal"), simple("", "xs:decimal"),
         "the number of fraction digits was at most 2, now it is anything", REPLY),
        (simple('<xs:pattern value="[0-9]"/>'), simple(""), "the pattern was [0-9], now it is none", REPLY),
        (simple("", "xs:decimal"), bounded("minExclusive", "0", "decimal"), "the bound from below was any, now it is 0",
         REQUEST),
        (bounded("maxExclusive", "5", "decimal"), bounded("maxExclusive", "4", "decimal"),
         "the bound from above was 5, now it is 4", REQUEST),
        (bounded("maxInclusive", "5"), bounded("maxInclusive", "6"), "the largest value was 5, now it is 6", REPLY),
        (bounded("minInclusive", "2001-01-01", "date"), bounded("minInclusive", "2000-01-01", "date"),
         "the smallest value was 2001-01-01, now it is 2000-01-01", ALWAYS),  # dates are not ordered here
    ],
)  # fmt: skip
def test_what_is_said_and_whom_it_breaks(old: str, new: str, text: str | None, breaks: str | None):
    found = changes(both(old), both(new))
    if text is None:
        assert found == ()
        return
    said = {(change.direction, change.breaking) for change in found if change.text == text}
    assert said == {(Direction.REQUEST, breaks in (REQUEST, ALWAYS)), (Direction.REPLY, breaks in (REPLY, ALWAYS))}, (
        found
    )


@pytest.mark.parametrize(("mixed", "breaks"), [("true", REQUEST), ("false", REPLY)])
def test_text_between_elements(mixed: str, breaks: str):
    other = {"true": "false", "false": "true"}[mixed]
    old, new = (both(sequence(A)).replace('name="T"', f'name="T" mixed="{each}"') for each in (mixed, other))
    said = {change.direction for change in changes(old, new) if change.breaking}
    assert said == {Direction(breaks)}


def test_a_substitute_that_came_breaks_the_reader_who_has_none():
    head = '<xs:element name="H" type="xs:string"/>'
    more = '<xs:element name="S" type="xs:string" substitutionGroup="t:H"/>'
    content = sequence('<xs:element ref="t:H"/>')
    found = changes(both(content, head), both(content, head + more))
    assert [(change.direction, change.breaking, change.text) for change in found] == [
        (Direction.REPLY, True, "other elements may stand for it now"),
        (Direction.REQUEST, False, "other elements may stand for it now"),
    ]


def test_no_more_than_so_many_changes_are_listed_for_a_direction():
    many = sequence(*(f'<xs:element name="e{at}" type="xs:int"/>' for at in range(MAX_CHANGES + 10)))
    found = changes(both(sequence(A)), both(many))
    assert len(found) == 2 * MAX_CHANGES
    assert len(changes(both(many), both(many.replace("/>", ' nillable="true"/>')))) == 2 * MAX_CHANGES


def test_the_style_of_an_operation_breaks_its_consumers():
    plain = wsdl(schema(ASK_AND_ANSWER))
    found = changes(plain, plain.replace('<s:body use="literal"/>', '<s:body use="encoded"/>'))
    assert found[0].breaking
    assert found[0].text == "its style was document/literal, now it is document/encoded"
    assert (False, "its messages can no longer be checked against a schema") in {
        (change.breaking, change.text) for change in found
    }


def test_an_encoded_operation_keeps_its_soap_version():
    encoded = rpc(body=f'use="encoded" namespace="{NS}"')
    other = encoded.replace("http://schemas.xmlsoap.org/wsdl/soap/", SOAP12)
    assert [(change.breaking, change.text) for change in changes(encoded, other)] == [
        (True, "SOAP-encoded in SOAP 1.2 now, in 1.1 before")
    ]


def test_a_body_that_no_schema_declares_is_not_compared():
    encoded = wsdl(schema(ASK_AND_ANSWER)).replace('use="literal"', 'use="encoded"')
    undeclared = encoded.replace(ASK_AND_ANSWER, "")
    assert changes(undeclared, undeclared) == ()
    assert changes(encoded, undeclared) == ()


def test_a_name_is_narrower_than_the_text_that_it_comes_from():
    found = changes(both(simple("")), both(simple("", "xs:NCName")))
    assert [(change.direction, change.breaking, change.text) for change in found] == [
        (Direction.REQUEST, True, "the value was of the type string, now it is NCName")
    ]


def test_items_of_a_list_that_are_no_values_are_compared_by_what_they_are():
    part, body = '<w:part name="x" type="t:L"/>', f'use="encoded" namespace="{NS}"'
    types = (
        '<xs:simpleType name="L"><xs:list itemType="{}"/></xs:simpleType>'
        '<xs:complexType name="K"><xs:sequence/></xs:complexType>'
    )
    old, new = (rpc(types=types.format(item), parts=part, body=body) for item in ("t:K", "xs:int"))
    assert changes(old, old) == ()
    assert [(change.breaking, change.text) for change in changes(old, new)] == [
        (True, "the items of the list are of another kind now")
    ]


def test_a_type_that_is_declared_nowhere_is_compared_by_its_name():
    one = '<w:part name="x" type="t:Gone"/>'
    body = f'use="encoded" namespace="{NS}"'
    assert changes(rpc(parts=one, body=body), rpc(parts=one, body=body)) == ()
    found = changes(rpc(parts=one, body=body), rpc(parts=one.replace("Gone", "Lost"), body=body))
    assert [(change.breaking, change.text) for change in found] == [(True, "its type was Gone, now it is Lost")]
