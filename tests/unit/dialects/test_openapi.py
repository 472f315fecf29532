"""What an OpenAPI document says of a service, on small schemas: what fits, and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapter.dialects.json_dialect import MEDIA_TYPE
from adapter.dialects.json_mapping import mapping_of
from adapter.dialects.openapi import ServiceNames, describe_operations, openapi_document
from adapter.dialects.openapi_page import openapi_page
from adapter.envelope.description import ServiceDescription
from tests.unit.dialects.conversion import described
from tests.unit.dialects.small_schemas import DERIVED, OPEN, PLAIN, element, sequence
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, read, schema, wsdl

NAMES = ServiceNames(title="A <service>", version="v1", address="http://adapter.example/json/UZ/GOV/1/s/c/v1")
CONTEXT = {"official": "clerk-1", "subjects": [{"kind": "pinfl", "value": "1"}]}


def document_of(description: ServiceDescription) -> dict[str, Any]:
    document = openapi_document(describe_operations(mapping_of(description), lambda _tag: None), NAMES)
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    return document


def takes(description: ServiceDescription, call: Any) -> bool:
    document = document_of(description)
    request = document["paths"]["/Ask"]["post"]["requestBody"]["content"][MEDIA_TYPE]["schema"]
    judge = Draft202012Validator({**request, "components": document["components"]})
    return bool(judge.is_valid(call))


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"Name": "x", "Count": 1, "Sum": "1.50", "Day": "2026-11-26+05:00", "Weight": 1.5}, True),
        ({"Weight": "-INF", "Alias": [], "Words": ["a"], "Photo": "AA=="}, True),
        ({"Nmae": "x"}, False),
        ({"Name": 5}, False),
        ({"Name": None}, False),
        ({"Alias": "x"}, False),
        ({"Count": "1"}, False),
        ({"Count": 1.5}, False),
        ({"Count": 3_000_000_000}, False),
        ({"Sum": 1.5}, False),
        ({"Sum": "1,5"}, False),
        ({"Day": "26.11.2026"}, False),
        ({"Open": "true"}, False),
        ("x", False),
    ],
)
def test_values_have_one_form(body: Any, fits: bool) -> None:  # noqa: FBT001
    assert takes(PLAIN, {"body": body}) is fits


@pytest.mark.parametrize(
    ("call", "fits"),
    [
        ({"context": CONTEXT, "body": {}}, True),
        ({"context": {}, "body": {}}, True),
        ({"body": {}, "more": 1}, False),
        ({"context": CONTEXT}, False),
        ({"context": {"oficial": "x"}, "body": {}}, False),
        ({"context": {"subjects": [{"kind": "pinfl"}]}, "body": {}}, False),
    ],
)
def test_the_object_around_a_call(call: Any, fits: bool) -> None:  # noqa: FBT001
    assert takes(PLAIN, call) is fits


ONE_OF = "<xs:choice>" + element("A", more="") + element("B", more="") + "</xs:choice>"


@pytest.mark.parametrize(("body", "fits"), [({"A": "1"}, True), ({}, False), ({"A": "1", "B": "2"}, False)])
def test_a_choice_is_one_of_its_branches(body: Any, fits: bool) -> None:  # noqa: FBT001
    assert takes(described(ONE_OF), {"body": body}) is fits
    at_most_one = described(ONE_OF.replace("<xs:choice>", '<xs:choice minOccurs="0">'))
    assert takes(at_most_one, {"body": body}) is (fits or body == {})


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"Party": [{"@xsi:type": "Person", "Id": 1, "@type": 5}]}, True),
        ({"Party": [{"Id": 1}]}, False),
        ({"Party": [{"@xsi:type": "Persom", "Id": 1}]}, False),
        ({"Party": [{"@xsi:type": "Person"}]}, False),
        ({"Any": {"$xml": "<a/>"}}, True),
        ({"Any": "x"}, False),
    ],
)
def test_an_abstract_type_needs_a_type_that_stands_for_it(body: Any, fits: bool) -> None:  # noqa: FBT001
    assert takes(DERIVED, {"body": body}) is fits


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"A": "", "B": "", "$any": ["<x/>"], "@known": 5, "@{urn:u}more": "x"}, True),
        ({"A": "", "B": "", "$any": "<x/>"}, False),
        ({"A": "", "B": "", "@known": "5"}, False),
        ({"A": ""}, False),
    ],
)
def test_what_is_open_and_what_has_to_be_there(body: Any, fits: bool) -> None:  # noqa: FBT001
    assert takes(OPEN, {"body": body}) is fits


def test_lists_of_values_and_lengths_and_patterns_are_told() -> None:
    more = (
        '<xs:simpleType name="Sex"><xs:restriction base="xs:string"><xs:enumeration value="female"/>'
        '<xs:enumeration value="male"/></xs:restriction></xs:simpleType>'
        '<xs:simpleType name="Pinfl"><xs:restriction base="xs:string"><xs:pattern value="[0-9]{14}"/></xs:restriction>'
        "</xs:simpleType>"
        '<xs:simpleType name="Odd"><xs:restriction base="xs:string"><xs:pattern value="\\i\\c*"/>'
        '<xs:maxLength value="3"/></xs:restriction></xs:simpleType>'
    )
    description = described(sequence(element("S", "t:Sex"), element("P", "t:Pinfl"), element("O", "t:Odd")), more)
    assert document_of(description)["components"]["schemas"]["Sex"] == {"type": "string", "enum": ["female", "male"]}
    for body, fits in (
        ({"S": "female", "P": "1" * 14, "O": "x"}, True),
        ({"S": "Female"}, False),
        ({"P": "1" * 15}, False),
        ({"O": "xxxx"}, False),
        ({"O": "1"}, True),  # what \i means, the XSD knows
    ):
        assert takes(description, {"body": body}) is fits


def test_a_type_that_contains_itself_is_one_schema() -> None:
    more = (
        '<xs:complexType name="Node"><xs:sequence><xs:element name="Node" type="t:Node" minOccurs="0"/></xs:sequence>'
        "</xs:complexType>"
    )
    description = described(sequence(element("Node", "t:Node")), more)
    assert takes(description, {"body": {"Node": {"Node": {"Node": {}}}}})
    assert not takes(description, {"body": {"Node": {"Node": {"Nodes": {}}}}})


def test_a_one_way_operation_is_taken() -> None:
    one_way = wsdl(schema(ASK_AND_ANSWER)).replace('<w:output message="t:out"/>', "")
    description = read({"a.wsdl": one_way.replace('<w:output><s:body use="literal"/></w:output>', "")})
    assert description.operations[0].output_element is None
    document = document_of(description)
    assert "202" in document["paths"]["/Ask"]["post"]["responses"]
    assert b"POST http://adapter.example" in openapi_page(document)


def test_a_page_escapes_what_comes_from_elsewhere() -> None:
    page = openapi_page(document_of(PLAIN)).decode()
    assert "A &lt;service&gt;" in page
    assert "A <service>" not in page
