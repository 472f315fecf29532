"""JSON that fits no schema: refused with a pointer to the place and with the nearest name."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.envelope.description import ServiceDescription
from adapter.errors import LimitExceeded, SchemaInvalid
from adapter.xmlsafe import canonical
from tests.unit.dialects.conversion import described, from_json
from tests.unit.dialects.small_schemas import DERIVED, OPEN, PLAIN, element, sequence
from tests.unit.envelope.descriptions import NS


@pytest.mark.parametrize(
    ("value", "pointer", "words"),
    [
        ({"Nmae": "x"}, "/body/Nmae", 'the nearest is "Name"'),
        ({"@Name": "x"}, "/body/@Name", 'the nearest is "Name"'),
        ({"Name": 5}, "/body/Name", "put it in quotes"),
        ({"Name": None}, "/body/Name", "leave the member out"),
        ({"Name": ["x"]}, "/body/Name", "A string is wanted here, not an array"),
        ({"Name": "\u0001"}, "/body/Name", "U+0001"),
        ({"Name": "\ud800"}, "/body/Name", "U+D800"),
        ({"Alias": "x"}, "/body/Alias", "An array is wanted here"),
        ({"Alias": ["x", {}]}, "/body/Alias/1", "A string is wanted here, not an object"),
        ({"Count": "5"}, "/body/Count", "An integer is wanted here, not a string"),
        ({"Count": 5.5}, "/body/Count", "An integer is wanted here"),
        ({"Count": True}, "/body/Count", "An integer is wanted here"),
        ({"Open": "true"}, "/body/Open", "True or false is wanted here, not a string"),
        ({"Sum": 1.5}, "/body/Sum", "put it in quotes"),
        ({"Words": ["a b"]}, "/body/Words", "white space"),
        ({"Kind": "a:b"}, "/body/Kind", "{namespace}local"),
        ("x", "/body", "An object is wanted here, not a string"),
        (None, "/body", "null is not allowed here"),
        ({"$xml": "<a>"}, "/body/$xml", "well-formed XML"),
        ({"$xml": "<a/>"}, "/body/$xml", f"the element {{{NS}}}Ask"),
        ({"~a/b": 1}, "/body/~0a~1b", "no member"),
    ],
)
def test_what_fits_nowhere_is_refused_with_a_pointer(value: Any, pointer: str, words: str) -> None:
    with pytest.raises(SchemaInvalid) as refused:
        from_json(value, PLAIN)
    (problem,) = refused.value.problems
    assert problem.pointer == pointer
    assert words in problem.text


XMLNS = "/body/@{http:~1~1www.w3.org~12000~1xmlns~1}x"


@pytest.mark.parametrize(
    ("description", "value", "pointer", "words"),
    [
        (DERIVED, {"Party": [{"@xsi:type": "Persom"}]}, "/body/Party/0/@xsi:type", 'the nearest is "Person"'),
        (DERIVED, {"Party": [{"@xsi:type": "xs:int"}]}, "/body/Party/0/@xsi:type", "no type that may stand here"),
        (DERIVED, {"Any": "x"}, "/body/Any", '"$xml"'),
        (OPEN, {"A": "", "B": "", "$any": ["<a></b>"]}, "/body/$any/0", "well-formed XML"),
        (OPEN, {"A": "", "B": "", "$any": ["<a/><b/>"]}, "/body/$any/0", "well-formed XML"),
        (OPEN, {"A": "", "B": "", "@xmlns": "urn:x"}, "/body/@xmlns", "no member"),
        (OPEN, {"A": "", "B": "", "@a b": "x"}, "/body/@a b", "no member"),
        (OPEN, {"A": "", "B": "", "@²": "x"}, "/body/@²", "no member"),
        (OPEN, {"A": "", "B": "", "@{http://www.w3.org/2000/xmlns/}x": "urn:x"}, XMLNS, "no member"),
        (OPEN, {"A": "", "B": "", "@a": 5}, "/body/@a", "A string is wanted here, not a number"),
        (OPEN, {"A": "", "B": "", "@{urn:\x01}a": "x"}, "/body/@{urn:\x01}a", "U+0001"),
        (PLAIN, {"Kind": "{urn:\x01}a"}, "/body/Kind", "U+0001"),
        (OPEN, {"A": "", "B": "", "known": 5}, "/body/known", '"@known"'),
    ],
)
def test_names_are_refused_with_the_nearest(
    description: ServiceDescription, value: Any, pointer: str, words: str
) -> None:
    with pytest.raises(SchemaInvalid) as refused:
        from_json(value, description)
    (problem,) = refused.value.problems
    assert problem.pointer == pointer
    assert words in problem.text


def test_the_array_of_interleaved_elements_explains_itself() -> None:
    description = described(f'<xs:choice maxOccurs="9">{element("A", more="")}{element("B", more="")}</xs:choice>')
    with pytest.raises(SchemaInvalid) as refused:
        from_json({"A": "1"}, description)
    assert "in the array" in refused.value.problems[0].text


def test_a_text_cannot_become_markup() -> None:
    back = from_json({"Name": '</t:Name><x a="1">]]>&amp;'}, PLAIN)
    assert back[0].text == '</t:Name><x a="1">]]>&amp;'
    assert b"&lt;x" in canonical(back)


def test_a_huge_name_is_told_in_short() -> None:
    with pytest.raises(SchemaInvalid) as refused:
        from_json({"x" * 1_000_000: 1}, PLAIN)
    (problem,) = refused.value.problems
    assert len(problem.pointer) + len(problem.text) < 1000


def test_deep_objects_end() -> None:
    more = (
        '<xs:complexType name="Node"><xs:sequence><xs:element name="Node" type="t:Node" minOccurs="0"/></xs:sequence>'
        "</xs:complexType>"
    )
    value: Any = {}
    for _ in range(500):
        value = {"Node": value}
    with pytest.raises(LimitExceeded):
        from_json(value, described(sequence(element("Node", "t:Node")), more))


def test_no_more_than_twenty_problems_are_told() -> None:
    with pytest.raises(SchemaInvalid) as refused:
        from_json({f"wrong{at}": 1 for at in range(1000)}, PLAIN)
    assert len(refused.value.problems) == 20
