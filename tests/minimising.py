"""A service whose answers have every kind of content that is hard to cut down, and what cuts them."""

from __future__ import annotations

from functools import cache

from lxml import etree

from adapter.attachments import HeldAttachments
from adapter.envelope.description import ServiceDescription, read_description
from adapter.exchange.minimising import cut_down
from adapter.released_fields import ReleasedFields, Replacement
from adapter.stages import ReleasedAnswer, ValidAnswer
from tests.one_operation import one_operation

NS = "urn:test:file"
SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NS}" targetNamespace="{NS}"
    elementFormDefault="qualified">
  <xs:element name="Ask" type="xs:string"/>
  <xs:element name="File"><xs:complexType><xs:sequence>
    <xs:element name="Person" type="Person" minOccurs="0" maxOccurs="unbounded"/>
    <xs:element name="Note" type="Note" minOccurs="0"/>
    <xs:element name="Scan" type="xs:base64Binary" minOccurs="0"/>
    <xs:element name="Part" type="Part" minOccurs="0"/>
    <xs:element name="Kind" type="xs:QName" minOccurs="0" nillable="true"/>
    <xs:element name="Any" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:any namespace="##any" processContents="skip" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
      <xs:anyAttribute processContents="skip"/></xs:complexType></xs:element>
    <xs:element name="Links" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="Target" minOccurs="0"><xs:complexType>
        <xs:attribute name="id" type="xs:ID"/></xs:complexType></xs:element>
      <xs:element name="Mark" type="xs:ID" minOccurs="0"/>
      <xs:element name="Link" type="xs:IDREF" minOccurs="0" nillable="true"/>
      </xs:sequence></xs:complexType></xs:element>
    <xs:element ref="Paper" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence><xs:attribute name="number"/></xs:complexType></xs:element>
  <xs:complexType name="Person"><xs:sequence>
    <xs:element name="Name" type="xs:string"/>
    <xs:element name="Born" type="xs:date" minOccurs="0"/>
    <xs:element name="Died" type="xs:date" nillable="true"/>
    <xs:element name="Pinfl"><xs:simpleType><xs:restriction base="xs:string"><xs:length value="14"/>
      </xs:restriction></xs:simpleType></xs:element>
    <xs:element name="Income" minOccurs="0"><xs:complexType><xs:simpleContent><xs:extension base="xs:decimal">
      <xs:attribute name="currency"/></xs:extension></xs:simpleContent></xs:complexType></xs:element>
    <xs:element name="Children" minOccurs="0"><xs:complexType><xs:sequence>
      <xs:element name="Child" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
      </xs:sequence></xs:complexType></xs:element>
    <xs:choice><xs:element name="Passport" type="xs:string"/><xs:element name="Permit" type="xs:string"/></xs:choice>
  </xs:sequence><xs:attribute name="sex" use="required"/><xs:attribute name="status"/></xs:complexType>
  <xs:complexType name="Officer"><xs:complexContent><xs:extension base="Person"><xs:sequence>
    <xs:element name="Rank" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
  <xs:complexType name="Note" mixed="true"><xs:sequence>
    <xs:element name="Bold" type="xs:string" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
  <xs:complexType name="Part"><xs:sequence><xs:element name="Title" type="xs:string" minOccurs="0"/>
    <xs:element name="Part" type="Part" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>
  <xs:element name="Paper" type="xs:string"/>
  <xs:element name="Verdict" type="xs:string" substitutionGroup="Paper"/>
</xs:schema>"""
WSDL = one_operation(SCHEMA, namespace=NS, operation="Ask", answer="File").encode()


@cache
def description() -> ServiceDescription:
    """The contract of Ask."""
    return read_description({"service.wsdl": WSDL}.get, "service.wsdl")


def rule(*released: str, **replaced: str) -> ReleasedFields:
    """Paths below f:File, their prefixes left out; `Person__Pinfl="mask"` replaces."""
    return ReleasedFields(
        namespaces=(("f", NS),),
        released=tuple(map(spelled, released)),
        replaced=tuple((spelled(path.replace("__", "/")), Replacement(way)) for path, way in replaced.items()),
    )


def spelled(path: str) -> str:
    """`f:File/f:Person/@sex` of `Person/@sex`."""
    steps = [step if step[0] in "@*" or ":" in step else f"f:{step}" for step in path.split("/")]
    return "/".join(["f:File", *steps])


def minimised(content: str, fields: ReleasedFields, attachments: HeldAttachments | None = None) -> ReleasedAnswer:
    """An answer with this content of f:File (whose prefix is its default namespace), cut down."""
    payload = etree.fromstring(f'<File xmlns="{NS}" xmlns:xsi="{XSI}" number="7">{content}</File>')
    answer = ValidAnswer(payload=payload, names_in_values=True, attachments=attachments)
    return cut_down(answer, description(), description().operation("Ask"), fields)


def shown(answer: ReleasedAnswer) -> str:
    """What goes out, without prefixes of elements and declarations."""
    octets = etree.tostring(answer.payload, method="c14n", exclusive=True).decode()
    return octets.replace(f' xmlns:f="{NS}"', "").replace("<f:", "<").replace("</f:", "</")


XSI = "http://www.w3.org/2001/XMLSchema-instance"
PERSON = (
    '<Person sex="f" status="wanted"><Name>Aziza Karimova</Name><Born>1990-05-06</Born><Died>2020-01-02</Died>'
    '<Pinfl>40101900000012</Pinfl><Income currency="UZS">12345</Income>'
    "<Children><Child>Anvar</Child><Child>Laylo</Child></Children><Passport>AB1234567</Passport></Person>"
)
