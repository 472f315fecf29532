"""The WSDL of a service with one operation (document/literal, SOAP 1.1): tests differ in its schema."""

from __future__ import annotations


def one_operation(schema: str, *, namespace: str, operation: str, answer: str, name: str = "") -> str:
    """schema: the whole xs:schema of the namespace; it declares an element named like the operation, and the answer.

    name: of the service, where clients that are generated from it ask for it; else that of the operation. The
    SOAPAction is `urn:` and the name of the operation.
    """
    port_type, service = (name, name) if name else (f"{operation}PortType", operation)
    return f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:t="{namespace}" targetNamespace="{namespace}">
  <types>{schema}</types>
  <message name="In"><part name="parameters" element="t:{operation}"/></message>
  <message name="Out"><part name="parameters" element="t:{answer}"/></message>
  <portType name="{port_type}">
    <operation name="{operation}"><input message="t:In"/><output message="t:Out"/></operation></portType>
  <binding name="{service}Soap" type="t:{port_type}">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
    <operation name="{operation}"><soap:operation soapAction="urn:{operation}"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="{service}Service"><port name="{service}Soap" binding="t:{service}Soap">
    <soap:address location="http://127.0.0.1/"/></port></service>
</definitions>"""
