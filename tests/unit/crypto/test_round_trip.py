"""What one member seals, another opens, in every mix of suites, and reads exactly what was written."""

from __future__ import annotations

import itertools

import pytest
from lxml import etree

from adapter.crypto.open import decrypt_with_content_key, verify
from adapter.envelope.faults import public_fault, read_fault, render_fault
from adapter.errors import AccessDenied, EnvelopeRefused, SecurityFailed
from adapter.identifiers import SubjectId
from adapter.stages import MessageKind, PersonalData, SoapVersion
from adapter.xmlsafe import canonical
from tests.envelopes import (
    PAYLOAD,
    PINFL,
    gate_octets,
    open_octets,
    personal_data,
    seal_reply,
    seal_request,
)
from tests.pki import SUITE_NAMES, Federation

PAIRS = list(itertools.product(range(3), repeat=2))
PAIR_NAMES = [f"{SUITE_NAMES[sender]} to {SUITE_NAMES[recipient]}" for sender, recipient in PAIRS]


def members(federation: Federation) -> list:
    return [federation.population, federation.cadastre, federation.social]


@pytest.mark.parametrize("pair", PAIRS, ids=PAIR_NAMES)
def test_a_request_is_read_as_it_was_written(mixed_federation: Federation, pair: tuple[int, int]) -> None:
    sender, recipient = (members(mixed_federation)[at] for at in pair)
    header_of = mixed_federation.population
    sealed = seal_request(sender, header_of) if recipient is header_of else _sealed_for(sender, recipient, header_of)
    opened = open_octets(sealed.octets, recipient)
    assert opened.header == sealed.header
    assert opened.personal_data == personal_data()
    assert canonical(opened.payload) == PAYLOAD
    assert opened.signer == sender.signing_certificate
    assert opened.suite == sender.suite
    assert (opened.signature_value, opened.signed_digest) == (sealed.signature_value, sealed.signed_digest)
    assert opened.content_key == sealed.content_key
    assert opened.confirmation is None
    assert (opened.expires - opened.created).total_seconds() == 300


def _sealed_for(sender, recipient, service_owner):
    from tests.envelopes import request_header

    return seal_request(sender, recipient, header=request_header(sender, service_owner))


@pytest.mark.parametrize("pair", PAIRS, ids=PAIR_NAMES)
def test_a_reply_confirms_the_request(mixed_federation: Federation, pair: tuple[int, int]) -> None:
    consumer, provider = (members(mixed_federation)[at] for at in pair)
    request = _sealed_for(consumer, provider, mixed_federation.population)
    reply = seal_reply(provider, consumer, request, b"<r:Person xmlns:r='urn:r'/>")
    opened = open_octets(reply.octets, consumer, MessageKind.REPLY)
    assert opened.confirmation == request.signature_value
    assert opened.header == reply.header
    assert opened.personal_data is None
    assert opened.payload.tag == "{urn:r}Person"


def test_a_fault_is_sealed_like_any_answer(federation: Federation) -> None:
    fault = public_fault(AccessDenied(), "7KQ2M-XR4TB")
    request = seal_request(federation.social, federation.population)
    reply = seal_reply(federation.population, federation.social, request, render_fault(fault, SoapVersion.SOAP12))
    opened = open_octets(reply.octets, federation.social, MessageKind.REPLY)
    assert read_fault(opened.payload) == fault
    subcode = opened.payload.find(".//{*}Subcode/{*}Value")
    assert subcode is not None
    assert subcode.nsmap["ia-fault"] == "urn:interagency-adapter:fault:1"


def test_two_messages_share_no_key_no_iv_and_no_ephemeral_key(federation: Federation) -> None:
    first, second = (gate_octets(seal_request(federation.social, federation.population).octets) for _ in range(2))
    assert first.encrypted_key.ephemeral_public != second.encrypted_key.ephemeral_public
    assert first.encrypted_key.hkdf_salt != second.encrypted_key.hkdf_salt
    ivs = {
        octets[:12]
        for gated in (first, second)
        for octets in (gated.encrypted_body, gated.encrypted_signature, gated.encrypted_personal_data or b"")
    }
    assert len(ivs) == 6


def test_the_content_key_alone_opens_a_kept_message(federation: Federation) -> None:
    sealed = seal_request(federation.social, federation.population)
    opened = verify(decrypt_with_content_key(gate_octets(sealed.octets), sealed.content_key))
    assert opened.header == sealed.header
    with pytest.raises(SecurityFailed):
        decrypt_with_content_key(gate_octets(sealed.octets), bytes(16))
    with pytest.raises(SecurityFailed):
        decrypt_with_content_key(gate_octets(sealed.octets), sealed.content_key + bytes(16))


def test_nothing_personal_is_readable_on_the_wire(federation: Federation) -> None:
    sealed = seal_request(federation.social, federation.population)
    for secret in (PINFL, "Purpose", "LegalBasis", "Закон", "GetPerson xmlns", "DigestValue", "consent/2026/17"):
        assert secret.encode() not in sealed.octets


def test_many_subjects_and_none(federation: Federation) -> None:
    base = personal_data()
    for data in (
        PersonalData(purpose=base.purpose),
        PersonalData(purpose=base.purpose, subjects=base.subjects * 1000),
        PersonalData(purpose=base.purpose, subjects=(SubjectId("cadastre", "10:09:03:01:02:0101/12"),)),
    ):
        opened = open_octets(
            seal_request(federation.social, federation.population, data=data).octets, federation.population
        )
        assert opened.personal_data == data


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"<a/>", id="no namespace"),
        pytest.param(b"<a xmlns='urn:a'><b xmlns=''>x</b></a>", id="default namespace, undone"),
        pytest.param("<a xml:lang='uz' b='&quot;&#9;&#10;'>ўқғҳ ʻ &#13; &amp; &lt;</a>".encode(), id="escapes"),
        pytest.param(b"<a><![CDATA[<x>&]]></a>", id="CDATA"),
        pytest.param(
            b"<env:a xmlns:env='http://www.w3.org/2003/05/soap-envelope'><env:b/></env:a>", id="Body's own prefix"
        ),
        pytest.param(b"<env:a xmlns:env='urn:other'><wsu:b xmlns:wsu='urn:w'/></env:a>", id="Body's prefix, rebound"),
        pytest.param(
            b"<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:t='urn:t'><b xsi:type='t:T'/></a>",
            id="a prefix in xsi:type only",
        ),
        pytest.param(
            b"<a xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:env='urn:t'><b xsi:type='env:T'/></a>",
            id="Body's prefix, rebound, in xsi:type only",
        ),
        pytest.param(b"<a id='body' ID='x'><c Id='token'/></a>", id="an application's own ids"),
    ],
)
def test_a_payload_arrives_as_it_was(federation: Federation, payload: bytes) -> None:
    element = etree.fromstring(payload)
    for given in (element, payload):
        sealed = seal_request(federation.social, federation.population, payload=given)
        opened = open_octets(sealed.octets, federation.population)
        assert canonical(opened.payload, inclusive_prefixes=("t",)) == canonical(element, inclusive_prefixes=("t",))
        for typed in opened.payload.iter("{*}b"):
            written = typed.get("{http://www.w3.org/2001/XMLSchema-instance}type")
            if written is not None:
                assert typed.nsmap[written.partition(":")[0]] == "urn:t"


def test_a_payload_inside_a_larger_document_is_sealed_alone(federation: Federation) -> None:
    root = etree.fromstring(b"<x xmlns:p='urn:p' xmlns:unused='urn:u'>before<p:a>in</p:a>after</x>")
    sealed = seal_request(federation.social, federation.population, payload=root[0])
    opened = open_octets(sealed.octets, federation.population)
    assert canonical(opened.payload) == b'<p:a xmlns:p="urn:p">in</p:a>'
    assert root[0].tail == "after"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"<a><?pi x?></a>", id="processing instruction"),
        pytest.param(b"<a xmlns='relative'/>", id="relative namespace name"),
        pytest.param(b"<a/><b/>", id="two elements"),
        pytest.param(b"text", id="no element"),
        pytest.param(
            b"<p:a xmlns:p='urn:p' xmlns='urn:d' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='T'/>",
            id="an unprefixed xsi:type that would be bound anew",
        ),
    ],
)
def test_a_payload_that_cannot_be_signed_faithfully_is_refused(federation: Federation, payload: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        seal_request(federation.social, federation.population, payload=payload)


def test_comments_in_a_payload_are_not_sent(federation: Federation) -> None:
    sealed = seal_request(federation.social, federation.population, payload=b"<a>1<!-- c -->2</a>")
    assert canonical(open_octets(sealed.octets, federation.population).payload) == b"<a>12</a>"
