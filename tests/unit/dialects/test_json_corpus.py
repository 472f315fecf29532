"""Real service descriptions in JSON: samples of every element go there and back, and are what the OpenAPI page says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree
from openapi_spec_validator import OpenAPIV31SpecValidator

from adapter.dialects.json_dialect import MEDIA_TYPE
from adapter.dialects.json_mapping import mapping_of
from adapter.dialects.json_text import render_json
from adapter.dialects.openapi import ServiceNames, describe_operations, openapi_document
from adapter.dialects.openapi_page import openapi_page
from adapter.envelope.description import Operation, ServiceDescription, load_description
from adapter.errors import DescriptionUnusable
from adapter.samples.make import Sample, SampleMaker, Variant
from tests.conftest import ROOT
from tests.unit.dialects.conversion import from_json, there_and_back, to_json
from tests.unit.dialects.infoset import infoset

CORPUS = ROOT.parent / "shared" / "wsdl-corpus"
INDEX = json.loads((CORPUS / "index.json").read_bytes()) if CORPUS.is_dir() else []

if not INDEX:
    pytest.skip("the corpus of service descriptions is not beside the repository", allow_module_level=True)

ENTRIES = {service["name"]: service["entry"] for service in INDEX}
# The judge of a document with a thousand schemas takes its time, more of it where others work beside it.
pytestmark = pytest.mark.timeout(600)
EVERY = pytest.mark.parametrize("name", ENTRIES)
ADDRESS = "http://adapter.example/json/UZ/GOV/1/s/c/v1"


@cache
def load(name: str) -> ServiceDescription:
    folder, _, entry = ENTRIES[name].partition("/")
    return load_description(CORPUS / folder, entry)


@cache
def maker_of(name: str) -> SampleMaker:
    return SampleMaker(load(name))


@cache
def document_of(name: str) -> dict[str, Any]:
    names = ServiceNames(title=name, version="v1", address=ADDRESS)
    document = openapi_document(describe_operations(mapping_of(load(name)), lambda tag: example(name, tag)), names)
    read: dict[str, Any] = json.loads(render_json(document))
    return read


def example(name: str, tag: str) -> etree._Element | None:
    made = sample(name, tag, 0, Variant.FULL)
    return None if made is None else made.element


def sample(name: str, element: str, seed: int, variant: Variant) -> Sample | None:
    """A valid sample; None where the description has no schema for what must stand in it."""
    try:
        return maker_of(name).sample(element, seed=seed, variant=variant)
    except DescriptionUnusable as impossible:
        if "a wildcard asks for an element" not in str(impossible):
            raise
        return None


@EVERY
def test_openapi_document_is_one(name: str) -> None:
    document = document_of(name)
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert set(document["paths"]) == {f"/{operation.name}" for operation in load(name).operations}


@EVERY
def test_page_shows_every_operation(name: str) -> None:
    page = openapi_page(document_of(name)).decode()
    assert all(f"POST {ADDRESS}/{operation.name}\n" in page for operation in load(name).operations)


@EVERY
def test_every_element_goes_there_and_back(name: str) -> None:
    description = load(name)
    for operation in description.operations:
        for element in (operation.input_element, operation.output_element, *operation.faults):
            for variant in Variant:
                made = None if element is None else sample(name, element, 0, variant)
                if made is not None and made.checked:
                    there_and_back(made.element, description)
                elif made is not None:
                    survives_unchecked(made, description)


def survives_unchecked(made: Sample, description: ServiceDescription) -> None:
    """An element that no schema judges is XML in JSON, but for faults of a schema that is known."""
    model = mapping_of(description).book.model
    declared = mapping_of(description).declaration(str(made.element.tag))
    back = from_json(to_json(made.element, description), description, str(made.element.tag))
    assert infoset(back, declared, model) == infoset(made.element, declared, model)


@EVERY
def test_what_is_written_is_what_the_openapi_document_says(name: str) -> None:
    description = load(name)
    for operation in {operation.name: operation for operation in reversed(description.operations)}.values():
        for element, content in described(name, operation):
            judge = Draft202012Validator({**content["schema"], "components": document_of(name)["components"]})
            written = [
                {"body": to_json(made.element, description)}
                for variant in Variant
                if (made := sample(name, element, 1, variant)) is not None
            ]
            examples = [content["example"]] if "example" in content else []
            assert len(examples) == min(len(written), 1)
            for document in (*written, *examples):
                assert [error.message for error in judge.iter_errors(document)] == [], operation.name


def described(name: str, operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """The element of each direction of an operation, and what the document says of it."""
    found = document_of(name)["paths"][f"/{operation.name}"]["post"]
    yield operation.input_element, found["requestBody"]["content"][MEDIA_TYPE]
    if operation.output_element is not None:
        yield operation.output_element, found["responses"]["200"]["content"][MEDIA_TYPE]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(ENTRIES)),
    st.integers(0, 2**32),
    st.booleans(),
    st.integers(0, 2**32),
    st.sampled_from(Variant),
)
def test_any_sample_goes_there_and_back(name: str, which: int, in_output: bool, seed: int, variant: Variant) -> None:  # noqa: FBT001
    description = load(name)
    operation = description.operations[which % len(description.operations)]
    element = operation.output_element if in_output else operation.input_element
    made = None if element is None else sample(name, element, seed, variant)
    if made is not None and made.checked:
        there_and_back(made.element, description)
