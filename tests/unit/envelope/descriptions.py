"""Small service descriptions, written out of parts."""

from adapter.envelope.description import ServiceDescription, read_description

NS = "urn:test:1"


def wsdl(
    types: str = "", *, body: str = "", extra: str = "", soap: str = "http://schemas.xmlsoap.org/wsdl/soap/"
) -> str:
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


def read(files: dict[str, str | bytes], entry: str = "a.wsdl") -> ServiceDescription:
    octets = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return read_description(octets.get, entry)


def of_types(content: str) -> ServiceDescription:
    """A description whose element Ask has this declaration."""
    return read({"a.wsdl": wsdl(schema(content + '<xs:element name="Answer" type="xs:string"/>'))})
