"""A one-way request: the reply between adapters says that it was taken; the client gets status 202, no envelope."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.contracts import contract_path
from adapter.dialects.json_dialect import JsonForm
from adapter.dialects.soap import SoapForm
from adapter.dialects.xroad import XRoadForm
from adapter.envelope.carried import Content, accepted
from adapter.envelope.names import ENVELOPE
from adapter.envelope.schema import check_content
from adapter.errors import SchemaInvalid
from adapter.stages import SoapVersion
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, read, schema, wsdl

TWO_WAY = wsdl(schema(ASK_AND_ANSWER))
ONE_WAY = TWO_WAY.replace('<w:output message="t:out"/>', "")


def check(text: str, content: Content) -> None:
    description = read({"a.wsdl": text})
    check_content(description, content, description.operation("Ask"), in_output=True)


def test_that_it_was_taken_is_the_whole_reply():
    check(ONE_WAY, Content(body=accepted()))


@pytest.mark.parametrize(
    "body",
    [
        f'<Answer xmlns="{NS}">yes</Answer>',
        f'<Accepted xmlns="{ENVELOPE}">yes</Accepted>',
        f'<Accepted xmlns="{ENVELOPE}"><more/></Accepted>',
        f'<Accepted xmlns="{ENVELOPE}" more="yes"/>',
        '<Accepted xmlns="urn:other"/>',
    ],
)
def test_anything_else_is_refused(body):
    with pytest.raises(SchemaInvalid, match="a one-way operation has no reply"):
        check(ONE_WAY, Content(body=etree.fromstring(body)))


def test_it_has_no_headers_and_nothing_beside_it():
    header = etree.fromstring(f'<h xmlns="{NS}"/>')
    for content in (
        Content(body=accepted(), headers=(header,)),
        Content(body=accepted(), independent=(header,)),
    ):
        with pytest.raises(SchemaInvalid):
            check(ONE_WAY, content)


def test_a_question_is_not_answered_by_that():
    with pytest.raises(SchemaInvalid):
        check(TWO_WAY, Content(body=accepted()))


def test_the_contract_declares_it():
    contract = etree.XMLSchema(etree.parse(contract_path("xsd/envelope.xsd")))
    assert contract.validate(accepted())


FORMS = (
    SoapForm(version=SoapVersion.SOAP11),
    SoapForm(version=SoapVersion.SOAP12, names_in_values=True),
    XRoadForm(header=b"<h/>"),
    JsonForm(accept_language="en"),
)


@pytest.mark.parametrize("form", FORMS)
def test_the_client_gets_no_envelope(form):
    answer = form.reply(accepted())
    assert (answer.status, answer.octets) == (202, b"")
