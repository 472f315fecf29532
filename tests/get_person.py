"""GetPerson, the service of the tests in memory: its contract, a good call, and the pieces that calls are made of."""

from __future__ import annotations

from functools import cache

from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.names import CLIENT, SOAP11
from adapter.identifiers import Purpose, SubjectId, pinfl_check_digit
from adapter.stages import LegalBasis, PersonalData
from tests.one_operation import one_operation

PERSON = "urn:test:person"
PINFL = "3010190000001" + str(pinfl_check_digit("3010190000001"))
OTHER_PINFL = "4020292000002" + str(pinfl_check_digit("4020292000002"))

SCHEMA = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{PERSON}"
    elementFormDefault="qualified">
  <xs:element name="GetPerson"><xs:complexType><xs:sequence>
    <xs:element name="Pinfl"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[0-9]{{14}}"/>
    </xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:complexType></xs:element>
  <xs:element name="GetPersonResponse"><xs:complexType><xs:sequence>
    <xs:element name="Surname" type="xs:string"/><xs:element name="Born" type="xs:date"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
WSDL = one_operation(SCHEMA, namespace=PERSON, operation="GetPerson", answer="GetPersonResponse").encode()

ANSWER = f'<GetPersonResponse xmlns="{PERSON}"><Surname>Каримов</Surname><Born>1990-01-01</Born></GetPersonResponse>'


@cache
def description() -> ServiceDescription:
    """The contract of GetPerson."""
    return read_description({"service.wsdl": WSDL}.get, "service.wsdl")


LEGAL_BASIS = '<c:LegalBasis kind="law">ZRU-395</c:LegalBasis>'
SUBJECT = f'<c:Subject kind="pinfl">{PINFL}</c:Subject>'


def context(
    *, pinfl: str = PINFL, purpose: str = "benefit", basis: str = LEGAL_BASIS, official: str = "inspector-7"
) -> str:
    """The RequestContext header of a client system."""
    return (
        f'<c:RequestContext xmlns:c="{CLIENT}"><c:Official>{official}</c:Official><c:Purpose>{purpose}</c:Purpose>'
        f"{basis}{SUBJECT.replace(PINFL, pinfl)}</c:RequestContext>"
    )


def soap(header: str, body: str, namespace: str = SOAP11) -> str:
    """A client system's envelope."""
    return (
        f'<soap:Envelope xmlns:soap="{namespace}"><soap:Header>{header}</soap:Header>'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    )


def get_person(pinfl: str = PINFL) -> str:
    """The Body element of the request."""
    return f'<p:GetPerson xmlns:p="{PERSON}"><p:Pinfl>{pinfl}</p:Pinfl></p:GetPerson>'


def good_call(namespace: str = SOAP11) -> str:
    """A call in which everything is as it should be."""
    return soap(context(), get_person(), namespace)


def emergency_call(reason: str, *, official: str = "inspector-7") -> str:
    """The good call, said to be an emergency."""
    said = context(official=official)
    return soap(
        said.replace("</c:RequestContext>", f"<c:Emergency>{reason}</c:Emergency></c:RequestContext>"), get_person()
    )


GOOD_PERSONAL_DATA = PersonalData(
    purpose=Purpose("benefit"),
    subjects=(SubjectId("pinfl", PINFL),),
    legal_basis=LegalBasis(kind="law", reference="ZRU-395"),
)
