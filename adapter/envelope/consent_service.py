"""The request to a consent issuer and its answer (xsd/consent-service.xsd), as octets and values."""

from __future__ import annotations

from typing import Final

from lxml import etree

from adapter.envelope import names
from adapter.envelope.consent import ConsentReference
from adapter.envelope.gate_structure import check_attributes, children, leaf_octets, leaf_text, refuse
from adapter.identifiers import ServiceId, SubjectId, SubsystemId
from adapter.xmlsafe import escape_attribute, escape_text

CODE: Final = "GetConsent"
VERSION: Final = "v1"
_RESPONSE: Final = names.qname(names.CONSENT_SERVICE, "GetConsentResponse")
_STATUS: Final = names.qname(names.CONSENT_SERVICE, "Status")
_STATEMENT: Final = names.qname(names.CONSENT_SERVICE, "Statement")
_MAX_STATUS_CHARS: Final = 16
_MAX_STATEMENT_CHARS: Final = 128 * 1024


def service_of(reference: ConsentReference) -> ServiceId:
    """The service that is asked about a consent."""
    return service_of_issuer(reference.issuer)


def service_of_issuer(issuer: SubsystemId) -> ServiceId:
    """The service at which an issuer is asked."""
    return ServiceId(issuer, CODE, VERSION)


def render_get_consent(reference: ConsentReference, subjects: tuple[SubjectId, ...]) -> bytes:
    """A SOAP 1.2 envelope as a client system sends it: whom it is about, which consent."""
    said = "".join(
        f'<c:Subject kind="{escape_attribute(one.kind)}">{escape_text(one.value)}</c:Subject>' for one in subjects
    )
    return (
        f'<env:Envelope xmlns:env="{names.SOAP12}"><env:Header><c:RequestContext xmlns:c="{names.CLIENT}">{said}'
        f"<c:Consent>{escape_text(str(reference))}</c:Consent></c:RequestContext></env:Header><env:Body>"
        f'<cs:GetConsent xmlns:cs="{names.CONSENT_SERVICE}"><cs:Id>{escape_text(reference.id)}</cs:Id></cs:GetConsent>'
        "</env:Body></env:Envelope>"
    ).encode()


def read_get_consent_response(element: etree._Element) -> tuple[str, bytes]:
    """The status and the statement's octets, empty when there is none: as far trusted as the element is.

    Raises EnvelopeRefused. The contract that the issuer published need not be ours, so the structure is checked here.
    """
    if element.tag != _RESPONSE:
        refuse("not a GetConsentResponse")
    check_attributes(element)
    found = children(element)
    if [one.tag for one in found] not in ([_STATUS], [_STATUS, _STATEMENT]):
        refuse("GetConsentResponse must have a Status, and may have a Statement")
    for one in found:
        check_attributes(one)
    status = leaf_text(found[0], max_chars=_MAX_STATUS_CHARS)
    return status, leaf_octets(found[1], max_chars=_MAX_STATEMENT_CHARS) if len(found) > 1 else b""
