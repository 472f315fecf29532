"""Recognition at its edges: the longest value that our spelling may have; one more is the gate's to judge."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from adapter.attachments import ReceivedPart
from adapter.crypto import templates
from adapter.crypto.certificates import ski
from adapter.crypto.key_encryption import WrappedKey
from adapter.crypto.recognition import NotCanonical, recognise, recognise_confirmation, recognise_signature
from adapter.envelope.headers import render_exchange
from adapter.envelope.statements import MAX_VALUE_CHARS
from adapter.stages import GatedMessage, MessageKind, SignedPart
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import UnsafeEnvelope, gate_octets, received, replacing, request_header
from tests.pki import SUITE_NAMES, Federation


def recognised(octets: bytes) -> GatedMessage | None:
    return recognise(received(octets), MessageKind.REQUEST, DEFAULT_LIMITS)


@pytest.fixture
def envelope(federation: Federation) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population)


def for_suite(federation: Federation, name: str) -> UnsafeEnvelope:
    """A request to a member of this suite."""
    recipient = next(one for one in federation.members.values() if one.suite == name)
    made = UnsafeEnvelope.request(federation.social, federation.population)
    return replace(made, recipient=recipient)


# --- the message as a whole ------------------------------------------------------------------------------------------


def test_what_came_beside_the_envelope_is_the_gates_to_judge(envelope: UnsafeEnvelope) -> None:
    message = received(envelope.octets)
    beside = replace(message, parts=(ReceivedPart(content_id="one@x", sealed=None),))  # type: ignore[arg-type]
    assert recognise(message, MessageKind.REQUEST, DEFAULT_LIMITS) is not None
    assert recognise(beside, MessageKind.REQUEST, DEFAULT_LIMITS) is None


def test_the_longest_value_of_a_header(envelope: UnsafeEnvelope) -> None:
    header = request_header(envelope.sender, envelope.recipient, regulation="r" * MAX_VALUE_CHARS)
    envelope.exchange = render_exchange(header)
    assert gate_octets(envelope.octets).is_canonical
    envelope.exchange = replacing("</ia:Regulation>", "r</ia:Regulation>")(envelope.exchange)
    assert recognised(envelope.octets) is None


def test_a_body_that_is_not_base64(envelope: UnsafeEnvelope) -> None:
    last = b"<xenc:CipherValue>"
    at = envelope.octets.rindex(last) + len(last)
    octets = envelope.octets
    assert recognised(octets) is not None
    assert recognised(octets[:at] + b"*" + octets[at + 1 :]) is None


# --- ciphertexts -----------------------------------------------------------------------------------------------------


def with_ciphertexts(envelope: UnsafeEnvelope, change: Callable[[str, bytes], bytes]) -> GatedMessage | None:
    envelope.in_ciphertext = change
    return recognised(envelope.octets)


def test_an_iv_is_its_twelve_octets(envelope: UnsafeEnvelope) -> None:
    places = {"signature": b"1", "body": b"2", "personal-data": b"3"}
    assert with_ciphertexts(envelope, lambda part, octets: b"i" * 11 + places[part] + octets[12:])
    assert not with_ciphertexts(envelope, lambda part, octets: b"i" * 12 + places[part] + octets[13:])


@pytest.mark.parametrize("part", ["signature", "body", "personal-data"])
def test_a_ciphertext_has_one_octet_at_least(envelope: UnsafeEnvelope, part: str) -> None:
    assert with_ciphertexts(envelope, lambda name, octets: octets[:29] if name == part else octets)
    assert not with_ciphertexts(envelope, lambda name, octets: octets[:28] if name == part else octets)


# --- the encrypted key -----------------------------------------------------------------------------------------------

POINT = b"\x04" + bytes(range(64))


@pytest.mark.parametrize("value", ["hkdf_salt", "hkdf_info"])
def test_the_longest_salt_and_info(envelope: UnsafeEnvelope, value: str) -> None:
    good = WrappedKey(wrapped=bytes(24), ephemeral_public=POINT, hkdf_salt=b"s", hkdf_info=b"i")
    for octets, is_recognised in ((1, True), (384, True), (385, False)):
        changed = replace(good, **{value: bytes(octets)})
        envelope.wrap = lambda _, changed=changed: changed
        assert (recognised(envelope.octets) is not None) is is_recognised
    gate_octets(replace(envelope, wrap=lambda _: replace(good, **{value: bytes(384)})).octets)


def test_the_longest_transported_key(mixed_federation: Federation) -> None:
    envelope = for_suite(mixed_federation, "rsa")
    for octets, is_recognised in ((768, True), (769, False)):
        envelope.wrap = lambda _, octets=octets: WrappedKey(wrapped=bytes(octets))
        assert (recognised(envelope.octets) is not None) is is_recognised
    gate_octets(replace(envelope, wrap=lambda _: WrappedKey(wrapped=bytes(768))).octets)


@pytest.mark.parametrize("name", SUITE_NAMES)
def test_the_longest_key_identifier(mixed_federation: Federation, name: str) -> None:
    envelope = for_suite(mixed_federation, name)
    identifier = b64encode(ski(envelope.recipient.agreement_certificate))
    for octets, is_recognised in ((48, True), (49, False)):
        envelope.in_encrypted_key = replacing(identifier, b64encode(bytes(octets)))
        assert (recognised(envelope.octets) is not None) is is_recognised


@pytest.mark.parametrize(
    "public",
    [bytes(32), templates.X25519_SPKI + bytes(31), templates.X25519_SPKI + bytes(33), POINT],
    ids=["without its form", "an octet less", "an octet more", "a point of P-256"],
)
def test_an_x25519_key_has_its_form_and_32_octets(mixed_federation: Federation, public: bytes) -> None:
    envelope = for_suite(mixed_federation, "ed25519")
    assert recognised(envelope.octets) is not None
    envelope.in_encrypted_key = lambda octets: re.sub(
        rb"(<dsig11:DEREncodedKeyValue[^>]*>)[^<]*", rb"\g<1>" + b64encode(public), octets
    )
    assert recognised(envelope.octets) is None


# --- the signature and the confirmation ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITE_NAMES)
def test_a_signature_of_every_suite_is_recognised(mixed_federation: Federation, name: str) -> None:
    sender = next(one for one in mixed_federation.members.values() if one.suite == name)
    envelope = UnsafeEnvelope.request(sender, mixed_federation.population)
    assert [one for one, _, _ in recognise_signature(envelope.signature()).digests][-1] == "personal-data"


def test_a_signature_over_a_confirmation_is_recognised(federation: Federation) -> None:
    reply = UnsafeEnvelope.reply(federation.population, federation.social)
    assert [one for one, _, _ in recognise_signature(reply.signature()).digests][-1] == "confirmation"


@pytest.mark.parametrize("beside", ["x", " ", "<x/>", "\n"])
def test_nothing_stands_beside_a_signature(envelope: UnsafeEnvelope, beside: str) -> None:
    good = envelope.signature()
    assert recognise_signature(good).digests
    for octets in (good + beside.encode(), beside.encode() + good):
        with pytest.raises(NotCanonical):
            recognise_signature(octets)


def test_the_longest_signature_value(envelope: UnsafeEnvelope) -> None:
    envelope.signature_value = lambda _: bytes(1536)
    assert len(recognise_signature(envelope.signature()).value) == 1536
    envelope.signature_value = lambda _: bytes(1537)
    with pytest.raises(NotCanonical):
        recognise_signature(envelope.signature())


def test_a_confirmation_is_recognised_with_its_octets() -> None:
    plaintext = templates.render_confirmation(b"v" * 64)
    found = recognise_confirmation(plaintext)
    assert found.value == b"v" * 64
    assert found.part == SignedPart(id="confirmation", octets=plaintext)
    for octets in (plaintext + b" ", plaintext.replace(b"Value=", b"value="), b""):
        with pytest.raises(NotCanonical):
            recognise_confirmation(octets)
