"""Messages whose base64 stands in parts, against the schema and examined offline."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
from lxml import etree

from adapter.attachments import Attachment
from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.carried import Content
from adapter.envelope.description import ServiceDescription
from adapter.envelope.lint import examine, unreadable_parts
from adapter.envelope.packaging import with_parts
from adapter.envelope.schema_attachments import check_with_attachments
from adapter.envelope.schema_model_read import schema_model
from adapter.errors import AttachmentsInvalid, SchemaInvalid
from adapter.stages import SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import seal_request
from tests.pki import NOW, Federation
from tests.unit.envelope.descriptions import NS, read, schema, wsdl
from tests.unit.envelope.test_gate_attachments import CONTENT_ID, attachment_data, with_attachments

SCHEMA = schema(
    '<xs:element name="Ask"><xs:complexType><xs:sequence><xs:element name="File" type="xs:base64Binary"/>'
    '<xs:element name="Text" type="xs:string"/></xs:sequence></xs:complexType></xs:element>'
    '<xs:element name="Answer" type="xs:string"/>'
)
SERVICE = read({"a.wsdl": wsdl(SCHEMA)})
UNCHECKED = read({"a.wsdl": wsdl(SCHEMA).replace('use="literal"', 'use="encoded"')})
PART = Attachment(content_id="one@x", media_type="text/plain", size=3, sha256=sha256(b"one").digest(), name="")
INCLUDE = f'<x:Include xmlns:x="{names.XOP}" href="cid:{{}}"/>'


def payload(file: str, text: str = "t") -> etree._Element:
    return etree.fromstring(f'<Ask xmlns="{NS}"><File>{file}</File><Text>{text}</Text></Ask>')


def check(element: etree._Element, *attachments: Attachment, description: ServiceDescription = SERVICE) -> None:
    operation = description.operation("Ask")
    check_with_attachments(description, element, Content(body=element), operation, attachments, in_output=False)


def test_base64_may_stand_in_the_message_or_in_a_part():
    check(payload("AAAA"))
    check(payload("AAAA"), PART)
    check(payload(INCLUDE.format("one@x")), PART)


@pytest.mark.parametrize(
    "element",
    [
        pytest.param(payload(INCLUDE.format("two@x")), id="no such part"),
        pytest.param(payload("AAAA", INCLUDE.format("one@x")), id="not base64Binary"),
        pytest.param(etree.fromstring(f'<Ask xmlns="{NS}"/>'), id="against the schema"),
    ],
)
def test_anything_else_is_refused(element: etree._Element):
    with pytest.raises(SchemaInvalid):
        check(element, PART)


def test_where_no_schema_judges_an_include_may_stand_anywhere():
    check(payload("", INCLUDE.format("one@x")), PART, description=UNCHECKED)


def test_every_value_of_base64_can_become_a_part():
    model = schema_model(SERVICE)
    element = payload("AAAA")
    made = with_parts(element, lambda: etree.tostring(element), version=SoapVersion.SOAP11, model=model)
    assert made is not None
    assert b"Include" in made[0]
    assert made[1].startswith("multipart/related")
    nothing = payload("")
    assert with_parts(nothing, lambda: etree.tostring(nothing), version=SoapVersion.SOAP11, model=model) is None


def test_a_call_with_an_include_that_names_no_part_is_a_problem():
    envelope = f'<s:Envelope xmlns:s="{names.SOAP11}"><s:Body>{{}}</s:Body></s:Envelope>'
    body = etree.tostring(payload(INCLUDE.format("one@x"))).decode()

    def rules(*parts: Attachment) -> list[str]:
        octets = envelope.format(body).encode()
        found = examine(octets, DEFAULT_LIMITS, now=NOW, description=SERVICE, attachments=parts)
        return [problem.rule for problem in found.problems]

    assert rules(PART) == []
    assert rules() == [words.XOP_INCLUDE]


def test_the_parts_beside_a_peers_message_are_those_that_it_names(federation: Federation) -> None:
    octets = with_attachments(seal_request(federation.social, federation.population).octets, attachment_data())
    named, other = (replace(PART, content_id=content_id) for content_id in (CONTENT_ID, "other@y"))

    def texts(*parts: Attachment) -> list[str]:
        found = examine(octets, DEFAULT_LIMITS, now=NOW, attachments=parts)
        assert {problem.rule for problem in found.problems} <= {words.ATTACHMENT}
        return [problem.text for problem in found.problems]

    assert texts(named) == []
    assert texts(named, other) == ["No EncryptedData names the part other@y."]
    assert len(texts(other)) == 2


def test_parts_that_cannot_be_told_apart_are_one_problem():
    (problem,) = unreadable_parts(AttachmentsInvalid("a part has no end")).problems
    assert (problem.rule, problem.text) == (words.MULTIPART, "A part has no end.")
