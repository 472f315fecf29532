"""An adapter sends a file to Apache CXF and WSS4J, which decrypt and verify it by the SwA Profile 1.1."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import requests

from examples.demo.soap_calls import soap_envelope
from tests.adapters.document_system import related, related_type
from tests.interop.peers.federation import NAMESPACE, Pair

pytestmark = [pytest.mark.interop, pytest.mark.timeout(600)]

_ASK = f'<GetPerson xmlns="{NAMESPACE}"><Pinfl>%s</Pinfl></GetPerson>'
_SIGNED, _ENCRYPTED = "</sp:SignedParts>", "</sp:EncryptedParts>"
_BLOCK = '<sp:Header Name="Attachments" Namespace="urn:interagency-adapter:envelope:1"/>'
_TRANSFORM = '<x:%s xmlns:x="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200802"/>'
OCTETS = random.Random("attachment").randbytes(150_000)


def _demanding_wsdl(pair: Pair, transform: str) -> str:
    """The peer WSDL, and in it that a request's attachments and their block are encrypted, and signed in this way."""
    text = requests.get(pair.peer_wsdl(pair.other_service), timeout=30).text
    assert _SIGNED in text
    assert _ENCRYPTED in text
    signed = f"{_BLOCK}<sp:Attachments>{_TRANSFORM % transform}</sp:Attachments>{_SIGNED}"
    encrypted = f"{_BLOCK}<sp:Attachments/>{_ENCRYPTED}"
    text = text.replace(_SIGNED, signed, 1).replace(_ENCRYPTED, encrypted, 1)
    file = pair.other.folder / f"{transform}.wsdl"
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


def _send_to_cxf(pair: Pair, transform: str) -> tuple[requests.Response, Path]:
    """What the adapter answers its client, and where CXF put the attachment."""
    _, person = pair.call(name="person")
    received = pair.serve(person.read_text(encoding="utf-8"), wsdl=_demanding_wsdl(pair, transform))
    attached = received.with_name(f"{received.name}.scan@example")
    attached.unlink(missing_ok=True)
    body = related(soap_envelope(_ASK % pair.pinfl), ("scan@example", "text/plain", OCTETS))
    address = pair.home.service_url(pair.other_service)
    return requests.post(address, data=body, headers={"Content-Type": related_type()}, timeout=60), attached


def test_cxf_opens_what_an_adapter_attaches(pair: Pair) -> None:
    said, attached = _send_to_cxf(pair, "ContentSignatureTransform")
    assert said.status_code == 200, said.text
    assert pair.last_outcome() == ("reply-received", "answered")
    assert attached.read_bytes() == OCTETS


def test_cxf_refuses_a_signature_that_is_not_the_one_it_demands(pair: Pair) -> None:
    said, attached = _send_to_cxf(pair, "AttachmentCompleteSignatureTransform")
    assert said.status_code == 500
    assert "An attachment was not signed/encrypted" in (pair.peer.folder / "java.log").read_text(encoding="utf-8")
    assert not attached.exists()
