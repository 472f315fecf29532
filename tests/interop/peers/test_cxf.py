"""Apache CXF and WSS4J in the place of an adapter, on either end, by the policy of the peer WSDL and a key store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import requests
from lxml import etree

from adapter.xmlsafe import canonical
from examples.demo.soap_calls import post_soap, soap_envelope
from tests.interop.peers.federation import NAMESPACE, Pair

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

ASK = f'<GetPerson xmlns="{NAMESPACE}"><Pinfl>%s</Pinfl></GetPerson>'


def test_cxf_asks_an_adapter(pair: Pair) -> None:
    said, reply = pair.call()
    assert said == "ok"
    root = etree.parse(reply).getroot()
    assert root.tag == f"{{{NAMESPACE}}}GetPersonResponse"
    assert root.findtext(f".//{{{NAMESPACE}}}Pinfl") == pair.pinfl
    kinds = [entry.kind for entry in pair.home.record.since(0)]
    assert kinds[-2:] == ["request-received", "reply-sent"]


def test_cxf_answers_an_adapter(pair: Pair) -> None:
    _, person = pair.call(name="person")
    answer = person.read_text(encoding="utf-8")
    received = pair.serve(answer)
    for _ in range(2):  # the second time over the same connection
        said = post_soap(pair.home.service_url(pair.other_service), soap_envelope(ASK % pair.pinfl))
        assert said.code == "answered", said
        assert canonical(said.payload) == canonical(etree.fromstring(answer))
    assert etree.parse(received).getroot().findtext(f"{{{NAMESPACE}}}Pinfl") == pair.pinfl
    assert pair.last_outcome() == ("reply-received", "answered")


def test_cxf_reads_a_signed_fault_of_an_adapter(pair: Pair) -> None:
    said, _ = pair.call(name="stranger", pinfl="30101990000000")
    assert "SOAPFaultException: An identifier in the request has a wrong form" in said
    assert pair.last_outcome() == ("refused", "InvalidIdentifier")


# --- what CXF sends wrongly -------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """policy: what is replaced in the WSDL by what. settings: that CXF gets instead. reason: a word of the record."""

    code: str
    reason: str
    policy: tuple[str, str] | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


def _algorithm(what: str, uri: str) -> dict[str, object]:
    return {f"property.ws-security.custom.alg.suite.{what}": uri}


_XMLENC = "http://www.w3.org/2001/04/xmlenc#"
_XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_BODY_OF_REQUEST = "<sp:EncryptedParts><sp:Body/>"
WRONG = {
    "Body not signed": Wrong(
        policy=("<sp:SignedParts><sp:Body/>", "<sp:SignedParts>"), code="SecurityFailed", reason="cover exactly"
    ),
    "token not signed": Wrong(policy=("<sp:ProtectTokens/>", ""), code="SecurityFailed", reason="cover exactly"),
    "no timestamp": Wrong(policy=("<sp:IncludeTimestamp/>", ""), code="EnvelopeRefused", reason="Timestamp"),
    "signature in the clear": Wrong(
        policy=("<sp:EncryptSignature/>", ""), code="EnvelopeRefused", reason="Security must have"
    ),
    "Body in the clear": Wrong(
        policy=(_BODY_OF_REQUEST, "<sp:EncryptedParts>"), code="EnvelopeRefused", reason="EncryptedData"
    ),
    "PersonalData in the clear": Wrong(
        policy=(
            f'{_BODY_OF_REQUEST}<sp:Header Name="PersonalData" Namespace="urn:interagency-adapter:envelope:1"/>',
            _BODY_OF_REQUEST,
        ),
        code="HeaderNotUnderstood",
        reason="mustUnderstand",
    ),
    "encrypted before it is signed": Wrong(
        policy=("<sp:EncryptSignature/>", "<sp:EncryptSignature/><sp:EncryptBeforeSigning/>"),
        code="EnvelopeRefused",
        reason="Security must have",
    ),
    "digests with SHA-1": Wrong(
        settings=_algorithm("digest.algorithm", f"{_XMLDSIG}sha1"), code="SecurityFailed", reason="on the list"
    ),
    "signed with SHA-1": Wrong(
        settings=_algorithm("asymmetric.signature", f"{_XMLDSIG}rsa-sha1"), code="SecurityFailed", reason="on the list"
    ),
    "AES-CBC": Wrong(
        settings=_algorithm("encryption.algorithm", f"{_XMLENC}aes128-cbc"),
        code="EnvelopeRefused",
        reason="on the list",
    ),
    "RSA 1.5": Wrong(
        settings=_algorithm("asymmetric.key.encryption.algorithm", f"{_XMLENC}rsa-1_5"),
        code="EnvelopeRefused",
        reason="on the list",
    ),
    "OAEP with SHA-1": Wrong(
        settings=_algorithm("asymmetric.key.encryption.algorithm", f"{_XMLENC}rsa-oaep-mgf1p"),
        code="EnvelopeRefused",
        reason="on the list",
    ),
    "encrypted for somebody else": Wrong(
        settings={"property.security.encryption.username": "agreement"}, code="SecurityFailed", reason="not ours"
    ),
    "in another member's name": Wrong(
        settings={"consumer": "UZ/GOV/300000002/population"}, code="SecurityFailed", reason="not registered for"
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cxf_sends_wrongly_is_refused(pairs: Mapping[str, Pair], name: str) -> None:
    pair, wrong, file = pairs["rsa"], WRONG[name], name.replace(" ", "-").replace("'", "")
    settings = dict(wrong.settings)
    if wrong.policy is not None:
        text = requests.get(pair.peer_wsdl(pair.service), timeout=30).text
        assert wrong.policy[0] in text
        changed = pair.other.folder / f"{file}.wsdl"
        changed.write_text(text.replace(*wrong.policy), encoding="utf-8")
        settings["wsdl"] = changed.as_uri()
    before = pair.home.record.size()
    said, _ = pair.call(name=file, **settings)
    assert said.startswith("failed | SOAPFaultException: "), said
    (entry,) = pair.home.record.since(before)
    assert (entry.kind, entry.outcome) == ("refused", wrong.code)
    assert wrong.reason in entry.reason
