"""SOAP as a dialect: read by its envelope, answered in the version that it came in."""

from __future__ import annotations

import pytest
from lxml import etree

from adapter.dialects.soap import SoapDialect, SoapForm
from adapter.envelope.faults import public_fault
from adapter.envelope.names import SOAP11, SOAP12
from adapter.errors import AccessDenied, AdapterError, NotSoap, SchemaInvalid
from adapter.stages import SoapVersion
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.calls import identified_call
from tests.get_person import description, good_call


@pytest.mark.parametrize(
    ("namespace", "content_type", "before", "after"),
    [
        (SOAP11, "text/xml", SoapVersion.SOAP11, SoapVersion.SOAP11),
        (SOAP12, "application/soap+xml", SoapVersion.SOAP12, SoapVersion.SOAP12),
        (SOAP12, "application/xml", SoapVersion.SOAP11, SoapVersion.SOAP12),
    ],
)
def test_the_envelope_decides_how_a_call_is_answered(
    namespace: str, content_type: str, before: SoapVersion, after: SoapVersion
) -> None:
    dialect = SoapDialect(content_type=content_type)
    assert dialect.form == SoapForm(version=before)
    identified = identified_call(good_call(namespace).encode(), content_type)
    described = description()
    call, form = dialect.read(identified, described, DEFAULT_LIMITS)
    assert form == SoapForm(version=after, description=described)
    assert call.identified is identified
    assert etree.QName(call.payload).localname == "GetPerson"
    assert call.context is not None


def test_what_is_no_envelope_is_refused() -> None:
    with pytest.raises(NotSoap):
        SoapDialect(content_type="text/xml").read(identified_call(b"<a/>"), description(), DEFAULT_LIMITS)


def test_a_reply_stands_in_the_body_of_an_envelope() -> None:
    answer = SoapForm(version=SoapVersion.SOAP12).reply(etree.fromstring("<p:a xmlns:p='urn:p' xmlns:q='urn:q'/>"))
    assert (answer.status, answer.content_type) == (200, "application/soap+xml; charset=utf-8")
    assert answer.octets.endswith(b'<soap:Body><p:a xmlns:p="urn:p"></p:a></soap:Body></soap:Envelope>')


@pytest.mark.parametrize(
    ("version", "error", "status"),
    [
        (SoapVersion.SOAP11, SchemaInvalid(), 500),
        (SoapVersion.SOAP12, SchemaInvalid(), 400),
        (SoapVersion.SOAP11, AccessDenied(), 500),
        (SoapVersion.SOAP12, AccessDenied(), 500),
    ],
)
def test_the_status_of_a_fault_is_that_of_its_version(version: SoapVersion, error: AdapterError, status: int) -> None:
    answer = SoapForm(version=version).fault(public_fault(error, "3f9ab2c1"))
    assert answer.status == status
    assert error.code.encode() in answer.octets
