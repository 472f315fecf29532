"""The WSDL of a service with one operation (document/literal, SOAP 1.1): tests differ in its schema."""

from __future__ import annotations


def one_operation(schema: str, *, namespace: str, operation: str, answer: str) -> str:
    """schema: the whole xs:schema of the namespace; it declares an element named like the operation, and the answer.

    The SOAPAction is `urn:` and the name of the operation.
    """
    return f"""<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:t="{namespace}" targetNamespace="{namespace}">
  <types>{schema}</types>
  <message name="In"><part name="parameters" element="t:{operation}"/></message>
  <message name="Out"><part name="parameters" element="t:{answer}"/></message>
  <portType name="{operation}PortType">
    <operation name="{operation}"><input message="t:In"/><output message="t:Out"/></operation></portType>
  <binding name="{operation}Soap" type="t:{operation}PortType">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
    <operation name="{operation}"><soap:operation soapAction="urn:{operation}"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation>
  </binding>
  <service name="{operation}Service"><port name="{operation}Soap" binding="t:{operation}Soap">
    <soap:address location="http://127.0.0.1/"/></port></service>
</definitions>"""
