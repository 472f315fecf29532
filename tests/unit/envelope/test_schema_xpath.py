"""Which XPaths of the settings can find something in a valid Body, and what is said of those that cannot."""

from __future__ import annotations

import pytest

from adapter.envelope.description import load_description
from adapter.envelope.schema_model_read import schema_model
from adapter.envelope.schema_xpath import why_nothing
from examples.federation.federation import CHECKOUT
from tests.unit.envelope.descriptions import NS, of_types

POPULATION = "urn:example:population-register:1"
PREFIXES = {"p": POPULATION, "t": NS}


def said_of_question(expression: str) -> str | None:
    """Of the question to the population register, which has one element: Pinfl."""
    model = schema_model(load_description(CHECKOUT / "examples" / "population" / "description", "population.wsdl"))
    return why_nothing(model, f"{{{POPULATION}}}GetPerson", expression, PREFIXES)


def said_of_answer(expression: str) -> str | None:
    model = schema_model(load_description(CHECKOUT / "examples" / "population" / "description", "population.wsdl"))
    return why_nothing(model, f"{{{POPULATION}}}GetPersonResponse", expression, PREFIXES)


def said_of(declaration: str, expression: str) -> str | None:
    return why_nothing(schema_model(of_types(declaration)), f"{{{NS}}}Ask", expression, PREFIXES)


@pytest.mark.parametrize(
    "expression",
    [
        "p:Pinfl",
        "//p:Pinfl",
        "*",
        ".",
        "p:Pinfl/text()",
        "p:Pinfl[. = '30101900010014']",
        "p:Pinfl['a|b']",
        "string(p:Pinfl)",
        "normalize-space(p:Pinfl)",
        "p:OwnerPinfl | p:Pinfl",
        "self::p:GetPerson/p:Pinfl",
        "concat(p:Nothing, '-')",
    ],
)
def test_finds_something_or_cannot_be_told(expression: str) -> None:
    assert said_of_question(expression) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("Pinfl", "there is no Pinfl in p:GetPerson; did you mean p:Pinfl?"),
        ("p:pinfl", "there is no p:pinfl in p:GetPerson; did you mean p:Pinfl?"),
        ("p:Pinfl/p:Number", "there is no p:Number in p:Pinfl"),
        ("@pinfl", "there is no @pinfl in p:GetPerson"),
        ("//p:Pimfl", "p:Pimfl stands nowhere in p:GetPerson; did you mean p:Pinfl?"),
        ("p:Pinf[. = 'x]']/text()", "there is no p:Pinf in p:GetPerson; did you mean p:Pinfl?"),
        ("/p:GetPerson/p:Pinfl", "a path from the Body's element begins without a slash"),
        ("string(p:Number)", "it gives no text"),
        ("t:Pinfl", "there is no t:Pinfl in p:GetPerson; did you mean p:Pinfl?"),
        ("p:A | p:B", "there is no p:A in p:GetPerson; did you mean p:Pinfl?; there is no p:B in p:GetPerson; did"),
    ],
)
def test_finds_nothing(expression: str, said: str) -> None:
    assert (said_of_question(expression) or "").startswith(said)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("p:Person/p:NameLatn/p:Surname", "there is no p:NameLatn in p:Person; did you mean p:NameLatin?"),
        ("p:Person//p:Sername", "p:Sername stands nowhere in p:Person; did you mean p:Surname?"),
        ("p:Person/p:Family/p:Member/p:Pinfl", None),
    ],
)
def test_deeper_steps(expression: str, said: str | None) -> None:
    assert said_of_answer(expression) == said


def test_a_namespace_without_a_prefix_is_named() -> None:
    model = schema_model(load_description(CHECKOUT / "examples" / "population" / "description", "population.wsdl"))
    said = why_nothing(model, f"{{{POPULATION}}}GetPerson", "Pinfl", {})
    assert said is not None
    assert said.endswith(f"did you mean Pinfl of the namespace {POPULATION}, which has no prefix yet?")


ANYTHING = '<xs:element name="Ask"><xs:complexType><xs:sequence><xs:any/></xs:sequence></xs:complexType></xs:element>'
ATTRIBUTES = """<xs:element name="Ask"><xs:complexType>
    <xs:sequence><xs:element name="A" type="xs:string"/></xs:sequence>
    <xs:attribute name="kind" type="xs:string"/></xs:complexType></xs:element>"""
ENDLESS = """<xs:element name="Ask" type="t:Node"/><xs:complexType name="Node"><xs:sequence>
    <xs:element name="Node" type="t:Node" minOccurs="0"/><xs:element name="Value" type="xs:string"/>
    </xs:sequence></xs:complexType>"""
DERIVED = """<xs:element name="Ask"><xs:complexType>
    <xs:sequence><xs:element name="Who" type="t:Somebody"/></xs:sequence></xs:complexType></xs:element>
    <xs:complexType name="Somebody" abstract="true"><xs:sequence/></xs:complexType>
    <xs:complexType name="Person"><xs:complexContent><xs:extension base="t:Somebody"><xs:sequence>
    <xs:element name="Pinfl" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>"""


@pytest.mark.parametrize(
    ("declaration", "expression", "can_find"),
    [
        (ANYTHING, "p:Whatever/p:Else", True),
        (ANYTHING, "p:Whatever | t:Other", True),
        ('<xs:element name="Ask"/>', "t:A/t:B", True),
        (ATTRIBUTES, "@kind", True),
        (ATTRIBUTES, "attribute::kind", True),
        (ATTRIBUTES, "@kin", False),
        (ATTRIBUTES, "t:A/t:B", False),
        (ENDLESS, "/".join(["t:Node"] * 9) + "/t:Value", True),
        (ENDLESS, "t:Nod", False),
        (DERIVED, "t:Who/t:Pinfl", True),
        (DERIVED, "t:Who/t:Stir", False),
        ('<xs:element name="Ask" type="xs:string"/>', ".", True),
    ],
)
def test_what_the_schema_leaves_open_is_not_judged(declaration: str, expression: str, can_find: bool) -> None:  # noqa: FBT001
    assert (said_of(declaration, expression) is None) is can_find


def test_attribute_names_are_proposed() -> None:
    assert said_of(ATTRIBUTES, "@kin") == "there is no @kin in t:Ask; did you mean @kind?"


def test_an_element_that_stands_in_two_places_is_there_once() -> None:
    twice = """<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="A" type="xs:string"/>
      <xs:element name="B" type="xs:string"/><xs:element name="A" type="xs:string"/></xs:sequence></xs:complexType>
      </xs:element>"""
    assert said_of(twice, "t:A") is None
    assert said_of(twice, "t:C") == "there is no t:C in t:Ask"


@pytest.mark.parametrize("expression", ["unbound:A", "t:Gone/unbound:A", "t:A/unbound:B"])
def test_a_prefix_that_nobody_binds_cannot_be_judged(expression: str) -> None:
    assert said_of(ATTRIBUTES, expression) is None
