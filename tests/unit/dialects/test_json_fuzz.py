"""Whatever JSON a client makes up: it becomes an element that the parser reads, or it is refused in words."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import Problem, SchemaInvalid
from tests.unit.dialects.conversion import ASK, described, from_json, to_json
from tests.unit.dialects.small_schemas import DERIVED, MANY, OPEN, PLAIN, element, sequence

MIXED = described(
    sequence(element("P", "t:Text", MANY)),
    '<xs:complexType name="Text" mixed="true"><xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded"/></xs:sequence>'
    '<xs:attribute name="n" type="xs:int"/></xs:complexType>',
)
SERVICES = (PLAIN, DERIVED, OPEN, MIXED)
SPECIAL = ("$", "$any", "$xml", "@xsi:nil", "@xsi:type", "@known", "@type", "@{urn:u}a", "@xmlns", "@a:b", "Party", "P")
NAMES = (*SPECIAL, "Id", "Friend", "Any", "S", "A", "B", "Name", "Alias", "Count", "Kind", "Words")
TEXTS = ("Person", "xs:int", "<a/>", "<a>", '<t:a xmlns:t="urn:t"/>', "{urn:u}x", "]]>", "&#0;", "\x00", "\ud800")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(TEXTS) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=5)
    | st.dictionaries(st.text(max_size=6).map("@{}".format), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SERVICES), VALUES)
def test_whatever_comes_is_read_or_refused(service: Any, value: Any) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        made = from_json(value, service)
    except SchemaInvalid as refused:
        problems = refused.problems
    if problems:
        assert all(problem.pointer.startswith("/body") for problem in problems)
        return
    assert made.tag == ASK
    again = to_json(made, service)
    assert to_json(from_json(again, service), service) == again
