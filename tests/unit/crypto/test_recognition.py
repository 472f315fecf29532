"""What is recognised by its spelling is exactly what the general gate accepts, with the same values.

`envelopes.gate_octets` makes that comparison for every message of every test of the cryptographic core; here are the
tests that look for the difference on purpose.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from adapter.crypto.open import decrypt, verify
from adapter.crypto.recognition import NotCanonical, recognise, recognise_signature
from adapter.crypto.seal import seal
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.names import XSI
from adapter.errors import AdapterError
from adapter.stages import MessageKind, SealedMessage
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits
from tests.envelopes import (
    decryption_keys,
    gate_octets,
    personal_data,
    received,
    request_header,
    seal_reply,
    seal_request,
    settled,
    signing_key,
)
from tests.pki import NOW, SUITE_NAMES, Federation, FederationMember

LARGE = b'<p:List xmlns:p="urn:example:population">' + b"<p:Row>value</p:Row>" * 5000 + b"</p:List>"


def other(federation: Federation, suite: str) -> FederationMember:
    return next(member for member in federation.members.values() if member.suite == suite)


@pytest.mark.parametrize("sender", SUITE_NAMES)
@pytest.mark.parametrize("recipient", SUITE_NAMES)
def test_what_we_write_is_recognised(mixed_federation: Federation, sender: str, recipient: str) -> None:
    consumer, provider = other(mixed_federation, sender), other(mixed_federation, recipient)
    request = seal_request(consumer, provider, header=request_header(consumer, mixed_federation.population))
    assert gate_octets(request.octets).is_canonical
    reply = seal_reply(provider, consumer, request, LARGE)
    assert gate_octets(reply.octets, MessageKind.REPLY).is_canonical


def test_each_kind_is_its_own_language(federation: Federation) -> None:
    request = seal_request(federation.social, federation.population)
    reply = seal_reply(federation.population, federation.social, request, LARGE)
    assert recognise(received(request.octets), MessageKind.REPLY, DEFAULT_LIMITS) is None
    assert recognise(received(reply.octets), MessageKind.REQUEST, DEFAULT_LIMITS) is None


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (b'<env:Envelope xmlns:env="', b'<env:Envelope  xmlns:env="'),
        (b"<env:Header>", b"<env:Header >"),
        (b"</env:Header>", b"\n</env:Header>"),
        (b"<ia:MessageId>", b"<ia:MessageId> "),
        (b'env:mustUnderstand="true"', b"env:mustUnderstand='true'"),
        (b'env:mustUnderstand="true"', b'env:mustUnderstand="1"'),
        (b"</wsse:Security>", b" </wsse:Security>"),
        (b"<env:Envelope", b'<?xml version="1.0"?><env:Envelope'),
        (b"</env:Envelope>", b"</env:Envelope>\n"),
    ],
)
def test_another_spelling_goes_to_the_general_gate(federation: Federation, written: bytes, instead: bytes) -> None:
    octets = seal_request(federation.social, federation.population).octets
    changed = octets.replace(written, instead, 1)
    assert changed != octets
    assert recognise(received(changed), MessageKind.REQUEST, DEFAULT_LIMITS) is None
    gated = gate(parse_message(received(changed), DEFAULT_LIMITS), MessageKind.REQUEST)
    assert not gated.is_canonical


def test_the_bound_on_octets_holds_for_what_is_recognised(federation: Federation) -> None:
    octets = seal_request(federation.social, federation.population).octets
    assert recognise(received(octets), MessageKind.REQUEST, XmlLimits(max_bytes=len(octets))) is not None
    assert recognise(received(octets), MessageKind.REQUEST, XmlLimits(max_bytes=len(octets) - 1)) is None


def test_a_signature_with_a_prefix_list_is_judged_by_the_second_gate(federation: Federation) -> None:
    """The envelope is spelled as ours, and so is the signature, but an xsi:type needs a PrefixList."""
    social, population = federation.social, federation.population
    payload = etree.fromstring(
        f'<p:Get xmlns:p="urn:x" xmlns:t="urn:t" xmlns:xsi="{XSI}"><p:V xsi:type="t:T">1</p:V></p:Get>'.encode()
    )
    sealed = seal_request(social, population, payload=payload)
    gated = gate_octets(sealed.octets)
    assert gated.is_canonical
    decrypted = decrypt(gated, decryption_keys(population))
    assert not decrypted.gated.is_canonical
    assert verify(decrypted).payload.tag == "{urn:x}Get"


@pytest.mark.parametrize("plaintext", [b"", b"<ds:Signature/>", b"x" * 1000])
def test_what_is_no_signature_of_ours_is_not_recognised(plaintext: bytes) -> None:
    with pytest.raises(NotCanonical):
        recognise_signature(plaintext)


@pytest.fixture(scope="module")
def good(federation: Federation) -> SealedMessage:
    return seal(
        header=request_header(federation.social, federation.population, regulation="ES 17"),
        personal_data=personal_data(),
        payload=b'<p:G xmlns:p="urn:x">1</p:G>',
        confirmation=None,
        signing_key=signing_key(federation.social),
        recipient=federation.population.agreement_certificate,
        recipient_suite="p256",
        now=NOW,
    )


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.floats(0, 1, exclude_max=True),
    removed=st.integers(0, 12),
    inserted=st.binary(max_size=6)
    | st.sampled_from([b"&#65;", b"<x/>", b"\r\n", b"<!---->", b"]]>", b"=", b" ", b"&"]),
)
def test_nothing_is_recognised_that_the_general_gate_refuses(
    good: SealedMessage, place: float, removed: int, inserted: bytes
) -> None:
    at = int(place * len(good.octets))
    changed = good.octets[:at] + inserted + good.octets[at + removed :]
    recognised = recognise(received(changed), MessageKind.REQUEST, DEFAULT_LIMITS)
    if recognised is None:
        return
    try:
        general = gate(parse_message(received(changed), DEFAULT_LIMITS), MessageKind.REQUEST)
    except AdapterError as refused:
        pytest.fail(f"recognised by its spelling, refused by the general gate: {refused.reason}")
    assert settled(recognised) == settled(general)
