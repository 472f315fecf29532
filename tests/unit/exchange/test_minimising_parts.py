"""What a rule does with attachments, declared headers, `xsi:nil`, and what it replaces below `**`."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from adapter.attachments import Attachment, HeldAttachment, HeldAttachments
from adapter.envelope.carried import Content, unwrap, wrap
from adapter.envelope.names import XOP_INCLUDE
from adapter.errors import AnswerNotReleasable
from adapter.exchange.minimising import cut_down
from adapter.released_fields import ReleasedFields, Replacement
from adapter.stages import ReleasedAnswer, ValidAnswer
from tests.minimising import PERSON, XSI, minimised, rule, shown
from tests.unit.envelope import test_rpc as rpc
from tests.unit.envelope.descriptions import NS, read, schema, wsdl

INCLUDE = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:{}"/>'
NEEDED = {"Person__Died": "nil", "Person__Pinfl": "mask", "Person__Passport": "empty"}


def held(*content_ids: str) -> HeldAttachments:
    """Attachments of which only what is said of them matters."""
    sealed: Any = None
    said = (Attachment(content_id=one, media_type="a/b", size=3, sha256=bytes(32)) for one in content_ids)
    return HeldAttachments(content_key=bytes(16), held=tuple(HeldAttachment(said=one, sealed=sealed) for one in said))


def left(answer: ReleasedAnswer) -> list[str]:
    """The attachments that go out."""
    return [] if answer.attachments is None else [one.content_id for one in answer.attachments.said]


@pytest.mark.parametrize("path", ["Scan", "**"])
def test_an_attachment_that_a_released_field_names_leaves_and_no_other(path: str) -> None:
    content = f"<Scan>{INCLUDE.format('scan@x')}</Scan>"
    answer = minimised(content, rule(path), held("scan@x", "secret@x"))
    assert left(answer) == ["scan@x"]
    (include,) = answer.payload.iter(XOP_INCLUDE)
    assert include.items() == [("href", "cid:scan@x")]


@pytest.mark.parametrize("fields", [rule(), rule(Scan="empty")])
def test_an_attachment_of_a_field_that_does_not_leave_stays(fields: ReleasedFields) -> None:
    answer = minimised(f"<Scan>{INCLUDE.format('scan@x')}</Scan>", fields, held("scan@x"))
    assert left(answer) == []
    assert next(answer.payload.iter(XOP_INCLUDE), None) is None


def test_a_released_include_of_nothing_that_is_there_is_refused() -> None:
    with pytest.raises(AnswerNotReleasable):
        minimised(f"<Scan>{INCLUDE.format('other@x')}</Scan>", rule("Scan"), held("scan@x"))


def test_an_element_that_says_it_is_not_nil_goes_out_with_its_value() -> None:
    said = PERSON.replace("<Died>", '<Died xsi:nil="false">')
    needed = {"Person__Pinfl": "mask", "Person__Passport": "empty"}
    text = shown(minimised(said, rule("Person/Name", "Person/@sex", "Person/Died", **needed)))
    assert "<Died>2020-01-02</Died>" in text


def test_below_everything_attributes_go_out_with_the_elements() -> None:
    answer = minimised(PERSON, rule("Person/**"))
    assert 'sex="f" status="wanted"' in shown(answer)
    assert "<Pinfl>40101900000012</Pinfl>" in shown(answer)


@pytest.mark.parametrize("above", ["Person/**", "**"])
def test_what_is_replaced_is_replaced_below_everything_too(above: str) -> None:
    answer = minimised(PERSON, rule(above, **NEEDED, **{"Person__@sex": "mask", "Person__Born": "year"}))
    text = shown(answer)
    assert "40101900000012" not in text
    assert 'sex="***" status="wanted"' in text
    assert "<Born>1990-01-01</Born>" in text
    assert f'<Died xmlns:xsi="{XSI}" xsi:nil="true"></Died>' in text
    assert "<Name>Aziza Karimova</Name>" in text
    assert {way for _, way in answer.replaced} == {"mask", "year", "nil", "empty"}


def test_text_for_a_year_that_is_no_date_is_refused() -> None:
    with pytest.raises(AnswerNotReleasable, match="no date"):
        minimised("<Paper>some day</Paper>", rule(Paper="year"))


def test_a_mask_of_what_the_schema_does_not_know_is_three_asterisks() -> None:
    content = '<Any><Name xmlns="urn:other">secret</Name><Name>secret</Name></Any>'
    assert shown(minimised(content, rule(Any__Name="mask"))) == "<File><Any><Name>***</Name></Any></File>"


def test_more_rules_than_are_kept_are_each_cut_by_their_own() -> None:
    content = PERSON + "<Paper>p</Paper>"
    for number in range(70):
        text = shown(minimised(content, rule("Paper", f"Any/n{number}")))
        assert text == "<File><Paper>p</Paper></File>"
    assert "p</Note>" in shown(minimised("<Note>p</Note>", rule("Note")))


@pytest.mark.parametrize("use", ["encoded", "literal"])
def test_a_soap_encoded_answer_has_no_fields_and_is_refused(use: str) -> None:
    description = read({"a.wsdl": rpc.rpc(body=f'use="{use}" namespace="{rpc.WRAPPERS}"')})
    payload = etree.fromstring(f'<w:AskResponse xmlns:w="{rpc.WRAPPERS}"><result>true</result></w:AskResponse>')
    fields = ReleasedFields(namespaces=(("w", rpc.WRAPPERS),), released=("w:AskResponse/result",))
    answer = ValidAnswer(payload=payload, names_in_values=True)
    if use == "encoded":
        with pytest.raises(AnswerNotReleasable, match="not described by a schema"):
            cut_down(answer, description, description.operation("Ask"), fields)
        return
    released = cut_down(answer, description, description.operation("Ask"), fields)
    assert released.payload.findtext("result") == "true"


TYPES = """<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>
  <xs:element name="Trace"><xs:complexType><xs:sequence><xs:element name="Who" type="xs:string"/>
    <xs:element name="Why" type="xs:string" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
  <xs:element name="Other" type="xs:string"/>"""
MESSAGES = """<w:message name="heads"><w:part name="trace" element="t:Trace"/><w:part name="other" element="t:Other"/>
  </w:message>"""
HEADERS = "".join(f'<s:header message="t:heads" part="{part}" use="literal"/>' for part in ("trace", "other"))


def test_of_declared_headers_what_is_named_goes_out() -> None:
    text = wsdl(schema(TYPES), extra=MESSAGES).replace("<w:output><s:body", f"<w:output>{HEADERS}<s:body")
    description = read({"a.wsdl": text})
    trace = etree.fromstring(f'<Trace xmlns="{NS}"><Who>officer</Who><Why>secret</Why></Trace>')
    other = etree.fromstring(f'<Other xmlns="{NS}">secret</Other>')
    body = etree.fromstring(f'<Answer xmlns="{NS}">yes</Answer>')
    fields = ReleasedFields(
        namespaces=(("t", NS),), released=("t:Trace/t:Who",), replaced=(("t:Answer", Replacement.MASK),)
    )
    answer = ValidAnswer(payload=wrap(Content(body=body, headers=(trace, other))), names_in_values=True)
    released = cut_down(answer, description, description.operation("Ask"), fields)
    content = unwrap(released.payload)
    assert [etree.QName(header).localname for header in content.headers] == ["Trace"]
    assert content.body.text == "***"
    assert "secret" not in etree.tostring(released.payload).decode()
    assert released.released == ("t:Trace/t:Who",)
