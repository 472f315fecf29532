"""Small services whose element Ask shows one rule of docs/json.md each."""

from __future__ import annotations

from tests.unit.dialects.conversion import described


def sequence(*members: str) -> str:
    return f"<xs:sequence>{''.join(members)}</xs:sequence>"


def element(name: str, kind: str = "xs:string", more: str = 'minOccurs="0"') -> str:
    return f'<xs:element name="{name}" type="{kind}" {more}/>'


MANY = 'minOccurs="0" maxOccurs="unbounded"'
PLAIN = described(
    sequence(
        element("Name"),
        element("Alias", more=MANY),
        element("Count", "xs:int"),
        element("Weight", "xs:double"),
        element("Sum", "xs:decimal"),
        element("Serial", "xs:long"),
        element("Open", "xs:boolean"),
        element("Day", "xs:date"),
        element("Photo", "xs:base64Binary"),
        element("Kind", "xs:QName"),
        element("Words", "xs:NMTOKENS"),
        element("Token", "xs:token"),
    )
)

DERIVED = described(
    sequence(element("Party", "t:Party", MANY), element("Any", "xs:anyType"), element("S", "xs:anySimpleType")),
    '<xs:complexType name="Party" abstract="true"><xs:sequence><xs:element name="Id" type="xs:int"/></xs:sequence>'
    "</xs:complexType>"
    '<xs:complexType name="Person"><xs:complexContent><xs:extension base="t:Party"><xs:sequence>'
    '<xs:element name="Friend" type="t:Party" minOccurs="0"/></xs:sequence><xs:attribute name="type" type="xs:int"/>'
    "</xs:extension></xs:complexContent></xs:complexType>",
)

OPEN = described(
    sequence(
        element("A", more=""),
        element("B", more=""),
        '<xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax"/>',
    )
    + '<xs:attribute name="known" type="xs:int"/><xs:anyAttribute processContents="lax"/>'
)
