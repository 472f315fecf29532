"""Small service descriptions, written out of parts."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from adapter.envelope.description import QName, ServiceDescription, read_description

NS = "urn:test:1"
SOAP11 = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
PREFIXES = {
    "w": "http://schemas.xmlsoap.org/wsdl/",
    "s": SOAP11,
    "s12": SOAP12,
    "xs": "http://www.w3.org/2001/XMLSchema",
}


def wsdl(types: str = "", *, body: str = "", extra: str = "", soap: str = SOAP11) -> str:
    """A WSDL with one operation, Ask: element Ask in, element Answer out."""
    return f"""<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:s="{soap}" xmlns:t="{NS}"
        xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{NS}">
      {extra}
      <w:types>{types}</w:types>
      <w:message name="in"><w:part name="p" element="t:Ask"/></w:message>
      <w:message name="out"><w:part name="p" element="t:Answer"/></w:message>
      <w:portType name="PT"><w:operation name="Ask">
        <w:input message="t:in"/><w:output message="t:out"/></w:operation></w:portType>
      <w:binding name="B" type="t:PT"><s:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
        <w:operation name="Ask"><s:operation soapAction="urn:ask"/>
          <w:input>{body}<s:body use="literal"/></w:input><w:output><s:body use="literal"/></w:output>
        </w:operation></w:binding>
      <w:service name="S"><w:port name="P" binding="t:B"><s:address location="http://provider.example/"/></w:port>
      </w:service>
    </w:definitions>"""


def schema(content: str, *, target: str = NS, form: str = "qualified") -> str:
    return f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="{target}" targetNamespace="{target}"
        elementFormDefault="{form}">{content}</xs:schema>"""


ASK_AND_ANSWER = """<xs:element name="Ask" type="xs:string"/><xs:element name="Answer" type="xs:string"/>"""


def read(files: Mapping[str, str | bytes], entry: str = "a.wsdl") -> ServiceDescription:
    octets = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return read_description(octets.get, entry)


def of_types(content: str) -> ServiceDescription:
    """A description whose element Ask has this declaration."""
    return read({"a.wsdl": wsdl(schema(content + '<xs:element name="Answer" type="xs:string"/>'))})


def output_of(description: ServiceDescription, operation: str) -> QName:
    """The element of the operation's reply, which it has."""
    output = description.operation(operation).output_element
    assert output is not None
    return output


def xpath(element: etree._Element, expression: str, **variables: Any) -> Any:
    """What an XPath finds, with the prefixes of WSDL bound."""
    return element.xpath(expression, namespaces=PREFIXES, **variables)
