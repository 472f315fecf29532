"""What the schema validation finds, in words that repeat nothing of the message."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.envelope.schema import check_payload
from adapter.envelope.schema_words import Finding, describe
from adapter.errors import Problem, SchemaInvalid
from tests.unit.envelope.descriptions import NS, of_types

ASK = etree.fromstring("<Ask><a/><b/></Ask>")
WORDS = {"Ask": frozenset({""}), "a": frozenset({""})}


def said(*findings: tuple[str, str, str]) -> tuple[Problem, ...]:
    """Of findings of (kind, path, message)."""
    found = [Finding(line=1, path=path, kind=f"SCHEMAV_{kind}", message=text) for kind, path, text in findings]
    return describe(found, ASK, WORDS, limit=9)


def test_a_facet_that_is_found_twice_is_one_problem():
    pattern = ("CVC_PATTERN_VALID", "/Ask/a", "Element 'a': The value 'x' is not accepted by the pattern '[0-9]'.")
    value = ("CVC_DATATYPE_VALID_1_2_1", "/Ask/a", "Element 'a': 'x' is not a valid value of the atomic type 'N'.")
    assert [problem.rule for problem in said(pattern, value)] == ["cvc-pattern-valid"]
    assert [problem.rule for problem in said(value)] == ["cvc-datatype-valid"]


def test_a_path_that_leads_nowhere_names_nothing():
    (problem,) = said(("CVC_ELT_2", "/Ask/gone[2]/more", "Element 'gone': abstract"))
    assert problem.element == "Ask/*/*"
    assert problem.text.startswith("An element that the schema does not know is abstract")


@pytest.mark.parametrize(
    ("kind", "rule", "says"),
    [
        ("CVC_ELT_1", "cvc-elt.1", "The element a must not stand here; only elements that the schema declares"),
        ("SOMETHING_NEW", "cvc-valid", "The element a is not valid against its declaration"),
    ],
)
def test_a_finding_is_named_after_its_rule(kind: str, rule: str, says: str):
    (problem,) = said((kind, "/Ask/a", "Element 'a': No matching global declaration."))
    assert problem.rule == rule
    assert problem.text.startswith(says)


def test_where_a_wildcard_is_expected_it_is_said_in_words():
    description = of_types(
        '<xs:element name="Ask"><xs:complexType><xs:sequence><xs:any namespace="##other"/></xs:sequence>'
        "</xs:complexType></xs:element>"
    )
    with pytest.raises(SchemaInvalid) as caught:
        check_payload(description, etree.fromstring(f'<Ask xmlns="{NS}"/>'), f"{{{NS}}}Ask")
    assert "any element that the schema's wildcard allows" in caught.value.problems[0].text
