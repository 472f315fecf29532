"""Paths of fields: how they are spelled, what the schema says at their end, and which replacement can never fit."""

from __future__ import annotations

import pytest

from adapter.envelope.field_paths import Prefixes, answer_elements, answer_fields, declaration_at
from adapter.envelope.replacements import unfit
from adapter.envelope.schema_model_read import schema_model
from adapter.released_fields import Replacement
from tests.minimising import NS, description
from tests.unit.envelope import test_rpc as rpc
from tests.unit.envelope.descriptions import read


def steps(path: str) -> tuple[str, ...]:
    """The steps of a path below File; attributes of this schema have no namespace."""
    return (f"{{{NS}}}File", *(step if step.startswith("@") else f"{{{NS}}}{step}" for step in path.split("/")))


def test_an_attribute_without_namespace_has_no_prefix_and_an_unknown_namespace_gets_one() -> None:
    prefixes = Prefixes({"n1": "urn:taken"})
    assert prefixes.path(steps("Person/@sex")) == "n2:File/n2:Person/@sex"
    assert prefixes.spelled("@{urn:taken}at") == "@n1:at"
    assert prefixes.spelled("{urn:third}x") == "n3:x"
    assert prefixes.spelled("{http://www.w3.org/2001/XMLSchema-instance}type") == "xsi:type"
    assert prefixes.table(("n2:File/@sex", "n3:x/xsi:type")) == (("n2", NS), ("n3", "urn:third"))


def test_the_fields_of_an_answer_say_where_they_stand() -> None:
    found = {
        field.path: field for field in answer_fields(description(), description().operation("Ask"), Prefixes({"f": NS}))
    }
    assert found["f:File/f:Person/@sex"].required
    assert found["f:File/f:Person/f:Died"].nillable
    assert found["f:File/f:Person/f:Permit"].in_choice
    assert found["f:File/f:Person"].repeated
    assert not found["f:File/f:Person"].has_content
    assert found["f:File/f:Person/f:Income"].type == "decimal"
    assert found["f:File/f:Part/f:Part"].recursive


def test_an_encoded_answer_has_no_elements_to_name() -> None:
    body = f'use="encoded" namespace="{rpc.WRAPPERS}"'
    encoded = read({"a.wsdl": rpc.rpc(body=body)})
    assert answer_elements(encoded, encoded.operation("Ask")) == ()
    assert answer_elements(description(), description().operation("Ask")) == (f"{{{NS}}}File",)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("Person/Name", f"{{{NS}}}Name"),
        ("Person/Rank", f"{{{NS}}}Rank"),
        ("Verdict", f"{{{NS}}}Verdict"),
        ("Person/@sex", "sex"),
        ("Nothing", None),
        ("Nothing/More", None),
        ("Person/@sex/More", None),
        ("Person/Name/More", None),
        ("Person/@nothing", None),
    ],
)
def test_what_the_schema_declares_at_the_end_of_a_path(path: str, name: str | None) -> None:
    declared = declaration_at(schema_model(description()), steps(path))
    assert (None if declared is None else declared.name) == name


@pytest.mark.parametrize(
    ("path", "way", "words"),
    [
        ("Nothing", "mask", ""),
        ("Person/Died", "nil", ""),
        ("Person/Born", "nil", "nil"),
        ("Person/@sex", "nil", "nil"),
        ("Person/Name", "empty", ""),
        ("Person/Children", "empty", ""),
        ("Scan", "empty", ""),
        ("Person/Born", "empty", "type date"),
        ("Person/Children", "mask", "no value"),
        ("Person/Income", "zero", ""),
        ("Person/Income", "mask", "type decimal"),
        ("Person/Born", "year", ""),
        ("Person/Born", "initial", "type date"),
        ("Person/Name", "initial", ""),
    ],
)
def test_a_replacement_that_can_never_fit_is_said_so(path: str, way: str, words: str) -> None:
    model = schema_model(description())
    said = unfit(Replacement(way), declaration_at(model, steps(path)), model)
    assert said == "" if not words else words in said
