"""What the schema of a service cannot judge, because it lets anything stand."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import etree

from adapter.envelope.names import XOP
from adapter.errors import ProviderSystemInvalid, SubjectMismatch
from adapter.exchange.validation import check_references, validate_answer
from adapter.stages import BackendAnswer
from tests.unit.envelope.descriptions import NS, read, schema, wsdl

DESCRIPTION = read(
    {
        "a.wsdl": wsdl(
            schema(
                '<xs:element name="Ask" type="xs:string"/><xs:element name="Answer"><xs:complexType><xs:sequence>'
                '<xs:any processContents="skip"/></xs:sequence></xs:complexType></xs:element>'
            )
        )
    }
)


def answered(inner: str) -> None:
    payload = etree.fromstring(f'<t:Answer xmlns:t="{NS}"><other xmlns="urn:o">{inner}</other></t:Answer>')
    request: Any = SimpleNamespace(operation=DESCRIPTION.operations[0].name, input_element=f"{{{NS}}}Ask")
    validate_answer(BackendAnswer(payload=payload), DESCRIPTION, request)


@pytest.mark.parametrize("href", ["http://inside.example/secret", "cid:nothing@x"])
def test_a_reference_to_no_part_is_refused_where_the_schema_lets_anything_stand(href: str) -> None:
    answered("anything")
    with pytest.raises(ProviderSystemInvalid):
        answered(f'<x:Include xmlns:x="{XOP}" href="{href}"/>')


@pytest.mark.parametrize(
    ("inner", "is_refused"),
    [
        ("<pinfl>1</pinfl>", False),
        ('<pinfl href="#id0"/>', False),
        ('<pinfl href="#id0">1</pinfl>', True),
        ('<person href="#id0"><pinfl>1</pinfl></person>', True),
        ('<pinfl xmlns:e="http://www.w3.org/2003/05/soap-encoding" e:ref="id0">1</pinfl>', True),
    ],
)
def test_a_reference_does_not_hide_behind_a_value_of_its_own(inner: str, *, is_refused: bool) -> None:
    body = etree.fromstring(f'<t:Ask xmlns:t="{NS}">{inner}</t:Ask>')
    with pytest.raises(SubjectMismatch) if is_refused else nullcontext():
        check_references(body)
