"""Schemas that descriptions use without bringing them, in our own words: what is needed to compile, no more.

Tools fetch these from the network on their own. Nothing is fetched here, and a description's own copy comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapter.envelope import names

SOAP11_ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
XMIME: Final = "http://www.w3.org/2005/05/xmlmime"
SWA_REF: Final = "http://ws-i.org/profiles/basic/1.1/xsd"

_XML: Final = f"""
<xs:schema xmlns:xs="{names.XSD}" targetNamespace="{names.XML}">
  <xs:attribute name="lang"><xs:simpleType><xs:union memberTypes="xs:language">
    <xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value=""/></xs:restriction></xs:simpleType>
  </xs:union></xs:simpleType></xs:attribute>
  <xs:attribute name="space"><xs:simpleType>
    <xs:restriction base="xs:NCName">
      <xs:enumeration value="default"/><xs:enumeration value="preserve"/>
    </xs:restriction>
  </xs:simpleType></xs:attribute>
  <xs:attribute name="base" type="xs:anyURI"/>
  <xs:attribute name="id" type="xs:ID"/>
  <xs:attributeGroup name="specialAttrs">
    <xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
    <xs:attribute ref="xml:space"/><xs:attribute ref="xml:id"/>
  </xs:attributeGroup>
</xs:schema>"""

# SOAP 1.1, section 5: the built-in simple types as elements and types that may carry id and href, Struct and Array.
_SIMPLE: Final = (
    "duration dateTime NOTATION time date gYearMonth gYear gMonthDay gDay gMonth boolean base64Binary hexBinary float "
    "double anyURI QName string normalizedString token language Name NMTOKEN NCName NMTOKENS ID IDREF ENTITY IDREFS "
    "ENTITIES decimal integer nonPositiveInteger negativeInteger long int short byte nonNegativeInteger unsignedLong "
    "unsignedInt unsignedShort unsignedByte positiveInteger"
)


def _encoded(name: str) -> str:
    base = "xs:string" if name == "NOTATION" else f"xs:{name}"
    return (
        f'<xs:element name="{name}" type="tns:{name}"/><xs:complexType name="{name}"><xs:simpleContent>'
        f'<xs:extension base="{base}"><xs:attributeGroup ref="tns:commonAttributes"/></xs:extension>'
        "</xs:simpleContent></xs:complexType>"
    )


_ENCODING: Final = f"""
<xs:schema xmlns:xs="{names.XSD}" xmlns:tns="{SOAP11_ENCODING}" targetNamespace="{SOAP11_ENCODING}">
  <xs:attribute name="root" type="xs:boolean"/>
  <xs:attribute name="arrayType" type="xs:string"/>
  <xs:attribute name="offset" type="xs:string"/>
  <xs:attribute name="position" type="xs:string"/>
  <xs:attributeGroup name="commonAttributes">
    <xs:attribute name="id" type="xs:ID"/><xs:attribute name="href" type="xs:anyURI"/>
    <xs:anyAttribute namespace="##other" processContents="lax"/>
  </xs:attributeGroup>
  <xs:attributeGroup name="arrayAttributes">
    <xs:attribute ref="tns:arrayType"/><xs:attribute ref="tns:offset"/>
  </xs:attributeGroup>
  <xs:attributeGroup name="arrayMemberAttributes"><xs:attribute ref="tns:position"/></xs:attributeGroup>
  <xs:group name="Array"><xs:sequence>
    <xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
  </xs:sequence></xs:group>
  <xs:group name="Struct"><xs:sequence>
    <xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
  </xs:sequence></xs:group>
  <xs:element name="Array" type="tns:Array"/>
  <xs:complexType name="Array">
    <xs:group ref="tns:Array" minOccurs="0"/>
    <xs:attributeGroup ref="tns:arrayAttributes"/><xs:attributeGroup ref="tns:commonAttributes"/>
  </xs:complexType>
  <xs:element name="Struct" type="tns:Struct"/>
  <xs:complexType name="Struct">
    <xs:group ref="tns:Struct" minOccurs="0"/><xs:attributeGroup ref="tns:commonAttributes"/>
  </xs:complexType>
  <xs:simpleType name="base64"><xs:restriction base="xs:base64Binary"/></xs:simpleType>
  {"".join(map(_encoded, _SIMPLE.split()))}
</xs:schema>"""

_XMIME: Final = f"""
<xs:schema xmlns:xs="{names.XSD}" xmlns:xmime="{XMIME}" targetNamespace="{XMIME}">
  <xs:attribute name="contentType"><xs:simpleType>
    <xs:restriction base="xs:string"><xs:minLength value="3"/></xs:restriction></xs:simpleType></xs:attribute>
  <xs:attribute name="expectedContentTypes" type="xs:string"/>
  <xs:complexType name="base64Binary"><xs:simpleContent><xs:extension base="xs:base64Binary">
    <xs:attribute ref="xmime:contentType"/></xs:extension></xs:simpleContent></xs:complexType>
  <xs:complexType name="hexBinary"><xs:simpleContent><xs:extension base="xs:hexBinary">
    <xs:attribute ref="xmime:contentType"/></xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>"""

_SWA_REF: Final = f"""
<xs:schema xmlns:xs="{names.XSD}" targetNamespace="{SWA_REF}">
  <xs:simpleType name="swaRef"><xs:restriction base="xs:anyURI"/></xs:simpleType>
</xs:schema>"""

OWN_SCHEMAS: Final[Mapping[str, bytes]] = {
    namespace: text.strip().encode()
    for namespace, text in (
        (names.XML, _XML),
        (SOAP11_ENCODING, _ENCODING),
        (XMIME, _XMIME),
        (SWA_REF, _SWA_REF),
    )
}
