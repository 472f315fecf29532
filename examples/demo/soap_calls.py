"""A client system reduced to what it sends: one SOAP 1.1 envelope over HTTP, so that it can be wrong in any way."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

from lxml import etree

from adapter.envelope.names import CLIENT, FAULT, SOAP11

_TIMEOUT_S: Final = 60


@dataclass(frozen=True, kw_only=True)
class SoapAnswer:
    """What the client listener answered. code: `answered`, or the code of the fault. payload: the Body's element."""

    code: str
    incident: str | None
    text: str
    payload: etree._Element
    headers: Mapping[str, str] = field(default_factory=dict)


def request_context(*, official: str, purpose: str, pinfl: str, legal_basis: tuple[str, str] | None) -> str:
    """The header that a client system may send: who asks, why, about whom. legal_basis: its kind and its reference."""
    basis = ""
    if legal_basis is not None:
        kind, reference = legal_basis
        basis = f'<c:LegalBasis kind="{escape(kind)}">{escape(reference)}</c:LegalBasis>'
    return (
        f'<c:RequestContext xmlns:c="{CLIENT}"><c:Official>{escape(official)}</c:Official>'
        f'<c:Purpose>{escape(purpose)}</c:Purpose>{basis}<c:Subject kind="pinfl">{escape(pinfl)}</c:Subject>'
        f"</c:RequestContext>"
    )


def soap_envelope(payload: str, *, header: str = "") -> bytes:
    """A SOAP 1.1 envelope around the text of one element."""
    block = f"<soap:Header>{header}</soap:Header>" if header else ""
    return (f'<soap:Envelope xmlns:soap="{SOAP11}">{block}<soap:Body>{payload}</soap:Body></soap:Envelope>').encode()


def post_soap(url: str, envelope: bytes, *, token: str | None = None) -> SoapAnswer:
    """Call a service through one's own adapter. token: what the client system proves its identity with."""
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=envelope, headers=headers, method="POST")  # noqa: S310  loopback
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310  loopback
            return _read(response.read(), dict(response.headers.items()))
    except urllib.error.HTTPError as fault:
        return _read(fault.read(), dict(fault.headers.items()))


def _read(octets: bytes, headers: Mapping[str, str]) -> SoapAnswer:
    body = etree.fromstring(octets).find(f"{{{SOAP11}}}Body")
    if body is None or len(body) != 1:
        raise ValueError("the adapter's answer is not a SOAP 1.1 envelope with one element in its Body")
    payload = body[0]
    code, incident, text = "answered", None, ""
    if payload.tag == f"{{{SOAP11}}}Fault":
        code = payload.findtext(f".//{{{FAULT}}}Code") or "a fault without a code"
        incident = payload.findtext(f".//{{{FAULT}}}Incident")
        text = payload.findtext("faultstring") or ""
    return SoapAnswer(code=code, incident=incident, text=text, payload=payload, headers=headers)
