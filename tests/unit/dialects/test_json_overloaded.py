"""Operations that share a name: each has an address in JSON, and it is the one in the OpenAPI document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.dialects.json_dialect import JsonDialect
from adapter.dialects.json_mapping import mapping_of
from adapter.dialects.openapi import ServiceNames, describe_operations, openapi_document
from adapter.exchange.consume import consume
from tests.get_person import soap
from tests.pki import Federation
from tests.two_sides import client_call
from tests.unit.dialects.test_json_dialect import CONTEXT
from tests.unit.envelope.descriptions import NS, read, schema, wsdl
from tests.unit.exchange.test_carried import between

TYPES = """<xs:element name="Ask" type="xs:int"/><xs:element name="AskMore" type="xs:int"/>
  <xs:element name="Answer" type="xs:string"/>"""


def overloaded(*elements: str, other: str = "") -> str:
    """A service whose operation Ask takes Ask, and each of these elements too."""
    text = wsdl(schema(TYPES))
    for number, element in enumerate(elements):
        name = other or "Ask"
        message = f'<w:message name="m{number}"><w:part name="p" element="t:{element}"/></w:message><w:portType'
        second = f"""<w:operation name="{name}"><w:input name="i{number}" message="t:m{number}"/>
          <w:output message="t:out"/></w:operation></w:portType>"""
        bound = f"""<w:operation name="{name}"><s:operation soapAction="urn:{number}"/><w:input name="i{number}">
          <s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation></w:binding>"""
        text = text.replace("<w:portType", message, 1).replace("</w:portType>", second, 1)
        text = text.replace("</w:binding>", bound, 1)
    return text


def names(text: str) -> dict[str, str]:
    operations = mapping_of(read({"a.wsdl": text})).operations
    return {name: operation.input_element.rpartition("}")[2] for name, operation in operations.items()}


def test_the_first_has_the_name_and_each_other_its_element_too() -> None:
    assert names(overloaded("AskMore")) == {"Ask": "Ask", "Ask.AskMore": "AskMore"}


def test_what_takes_the_same_element_is_one_operation() -> None:
    assert names(overloaded("Ask")) == {"Ask": "Ask"}


def test_a_name_that_another_operation_has_is_not_taken() -> None:
    text = overloaded("AskMore").replace(
        "</w:portType>",
        """<w:operation name="Ask.AskMore">
      <w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>""",
        1,
    )
    text = text.replace(
        "</w:binding>",
        """<w:operation name="Ask.AskMore"><s:operation soapAction="urn:x"/><w:input>
      <s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output></w:operation></w:binding>""",
        1,
    )
    assert names(text) == {"Ask": "Ask", "Ask.AskMore": "Ask", "Ask.AskMore.2": "AskMore"}


@pytest.mark.parametrize(("operation", "element"), [("Ask", "Ask"), ("Ask.AskMore", "AskMore")])
async def test_each_is_called_at_its_address(federation: Federation, operation: str, element: str) -> None:
    sides, system = between(federation, overloaded("AskMore"), soap("", f'<t:Answer xmlns:t="{NS}">me</t:Answer>'))
    document = {"context": CONTEXT, "body": 7}
    dialect = JsonDialect(operation=operation, content_type="application/json", accept_language="")
    call = client_call(sides, json.dumps(document), content_type="application/json")
    answer = await consume(call, dialect, sides.consumer)
    assert json.loads(answer.octets) == {"body": "me"}
    assert [child.tag for child in system.body()] == [f"{{{NS}}}{element}"]
    assert sides.provider_record.log[-1].entry.body["operation"] == "Ask"


def test_the_openapi_document_has_all_of_them() -> None:
    mapping = mapping_of(read({"a.wsdl": overloaded("AskMore")}))
    where = ServiceNames(title="x", version="v1", address="http://x/json/a")
    document: dict[str, Any] = openapi_document(describe_operations(mapping, lambda _tag: None), where)
    assert list(document["paths"]) == ["/Ask", "/Ask.AskMore"]
    second = document["paths"]["/Ask.AskMore"]["post"]
    assert second["operationId"] == "Ask.AskMore"
    assert second["description"] == f"The operation Ask of the WSDL whose request is {{{NS}}}AskMore."
