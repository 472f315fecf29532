"""Base64 found by the schema, taken out of a payload, and put back."""

from __future__ import annotations

import base64

from lxml import etree

from adapter.envelope.carried import Content
from adapter.envelope.optimising import MIN_CHARS, base64_elements, find_base64, taken_out
from adapter.envelope.schema_model_read import schema_model
from tests.unit.envelope.descriptions import NS, read, schema, wsdl

OCTETS = bytes(range(256)) * 20
LONG = base64.b64encode(OCTETS).decode()
MODEL = schema_model(
    read(
        {
            "a.wsdl": wsdl(
                schema(
                    """
<xs:complexType name="File"><xs:simpleContent><xs:extension base="xs:base64Binary">
  <xs:attribute name="kind" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>
<xs:simpleType name="Short"><xs:restriction base="xs:base64Binary"><xs:maxLength value="9999"/></xs:restriction>
</xs:simpleType>
<xs:complexType name="Base"><xs:sequence/></xs:complexType>
<xs:complexType name="More"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
  <xs:element name="Inner" type="t:Short"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:element name="Ask"><xs:complexType><xs:sequence>
  <xs:element name="Text" type="xs:string" minOccurs="0"/>
  <xs:element name="Data" type="xs:base64Binary" minOccurs="0" maxOccurs="unbounded"/>
  <xs:element name="File" type="t:File" minOccurs="0"/>
  <xs:element name="Any" type="t:Base" minOccurs="0"/>
</xs:sequence></xs:complexType></xs:element>
<xs:element name="Answer" type="xs:string"/>"""
                )
            )
        }
    )
)


def payload(inner: str) -> etree._Element:
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    return etree.fromstring(f'<t:Ask xmlns:t="{NS}" xmlns:xsi="{xsi}">{inner}</t:Ask>')


def found(inner: str) -> list[str]:
    return [etree.QName(one.element).localname for one in find_base64(payload(inner), MODEL)]


def test_what_the_schema_calls_base64_is_found_wherever_it_stands():
    inner = (
        f"<t:Data>{LONG}</t:Data><t:Data>{LONG}</t:Data><t:File>{LONG}</t:File>"
        f'<t:Any xsi:type="t:More"><t:Inner>{LONG}</t:Inner></t:Any>'
    )
    assert found(inner) == ["Data", "Data", "File", "Inner"]


def test_what_only_looks_like_base64_is_left_alone():
    assert found(f"<t:Text>{LONG}</t:Text>") == []


def test_short_values_and_what_is_no_base64_stay():
    assert found(f"<t:Data>{LONG[: MIN_CHARS - 4]}</t:Data><t:Data>{'*' * MIN_CHARS}</t:Data>") == []


def test_taken_out_and_put_back():
    element = payload(f"<t:Data>{LONG}</t:Data>")
    before = etree.tostring(element)
    extracted = find_base64(element, MODEL)
    assert [one.octets for one in extracted] == [OCTETS]
    with taken_out(extracted):
        (include,) = element.iter("{*}Include")
        assert include.get("href") == f"cid:{extracted[0].content_id}"
        assert element[0].text is None
    assert etree.tostring(element) == before


def test_the_media_type_that_the_element_says():
    mime = "http://www.w3.org/2005/05/xmlmime"
    element = payload(f'<t:File xmlns:m="{mime}" m:contentType="image/png">{LONG}</t:File>')
    assert [one.media_type for one in find_base64(element, MODEL)] == ["image/png"]


def test_a_media_type_that_is_none_cannot_write_headers():
    mime = "http://www.w3.org/2005/05/xmlmime"
    inner = f'<t:File xmlns:m="{mime}" m:contentType="image/png&#13;&#10;Content-ID: &lt;other&gt;">{LONG}</t:File>'
    assert [one.media_type for one in find_base64(payload(inner), MODEL)] == ["application/octet-stream"]


def test_a_part_made_here_never_has_the_id_of_one_that_came():
    element = payload(f"<t:Data>{LONG}</t:Data><t:Data>{LONG}</t:Data>")
    came = {"content-1@adapter", "content-3@adapter"}
    made = [one.content_id for one in find_base64(element, MODEL, came)]
    assert len(set(made)) == 2
    assert not came.intersection(made)


def test_what_no_schema_declares_is_left_alone():
    element = etree.fromstring(f'<Unknown xmlns="{NS}"><Data>{LONG}</Data></Unknown>')
    assert find_base64(element, MODEL) == ()
    assert found(f"<t:Unknown><t:Data>{LONG}</t:Data></t:Unknown><t:Data>{LONG}</t:Data>") == ["Data"]


def test_of_a_body_and_headers_that_the_schema_does_not_know_nothing_is_base64():
    unknown = etree.fromstring(f"<Other>{LONG}</Other>")
    assert find_base64(unknown, MODEL) == ()
    known = payload(f"<t:Data>{LONG}</t:Data>")
    content = Content(body=known, headers=(unknown,))
    assert list(base64_elements(content, MODEL)) == [known[0]]
