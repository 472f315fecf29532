"""What the schema of a service cannot judge, because it lets anything stand."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from lxml import etree

from adapter.attachments import Attachment, HeldAttachment, HeldAttachments
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


FILES = read(
    {
        "a.wsdl": wsdl(
            schema(
                '<xs:element name="Ask" type="xs:string"/><xs:element name="Answer"><xs:complexType><xs:choice>'
                '<xs:element name="Text" type="xs:string"/><xs:element name="Octets" type="xs:base64Binary"/>'
                '<xs:element name="Any" type="xs:anyType"/></xs:choice></xs:complexType></xs:element>'
            )
        )
    }
)


@pytest.mark.parametrize(
    ("name", "more", "is_refused"),
    [
        ("Octets", "", False),
        ("Text", "", True),
        ("Any", "", True),
        ("Any", ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="xs:base64Binary"', False),
        ("Any", ' xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="xs:string"', True),
    ],
)
def test_a_part_stands_for_base64_only_where_the_schema_has_it(name: str, more: str, *, is_refused: bool) -> None:
    include = f'<x:Include xmlns:x="{XOP}" href="cid:one@x"/>'
    xs = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    payload = etree.fromstring(f'<t:Answer {xs} xmlns:t="{NS}"><t:{name}{more}>{include}</t:{name}></t:Answer>')
    said = Attachment(content_id="one@x", media_type="a/b", size=3, sha256=bytes(32))
    sealed: Any = None
    held = HeldAttachments(content_key=bytes(16), held=(HeldAttachment(said=said, sealed=sealed),))
    request: Any = SimpleNamespace(operation=FILES.operations[0].name, input_element=f"{{{NS}}}Ask")
    with pytest.raises(ProviderSystemInvalid, match="base64Binary") if is_refused else nullcontext():
        validate_answer(BackendAnswer(payload=payload, attachments=held), FILES, request)


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
