"""What has our spelling and is wrong all the same is not recognised: the general gate has the last word on it."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest

from adapter.crypto import templates
from adapter.crypto.key_encryption import WrappedKey
from adapter.crypto.recognition import NotCanonical, recognise, recognise_signature
from adapter.envelope.gate import gate, parse_message
from adapter.envelope.headers import render_exchange
from adapter.envelope.statements import MAX_VALUE_CHARS
from adapter.errors import EnvelopeRefused
from adapter.identifiers import RecordNumber
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import UnsafeEnvelope, received, replacing, request_header
from tests.pki import Federation


@pytest.fixture
def envelope(federation: Federation) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population)


def assert_left_to_the_gate(envelope: UnsafeEnvelope) -> None:
    message = received(envelope.octets)
    assert recognise(message, MessageKind.REQUEST, DEFAULT_LIMITS) is None
    with pytest.raises(EnvelopeRefused):
        gate(parse_message(message, DEFAULT_LIMITS), MessageKind.REQUEST)


def test_the_control_is_recognised(envelope: UnsafeEnvelope) -> None:
    assert recognise(received(envelope.octets), MessageKind.REQUEST, DEFAULT_LIMITS) is not None
    assert recognise_signature(envelope.signature()).digests[3][0] == "body"


@pytest.mark.parametrize("ivs", [(b"1" * 12, b"1" * 12, b"2" * 12), (b"1" * 12, b"2" * 12, b"1" * 12)])
def test_a_repeated_iv(envelope: UnsafeEnvelope, ivs: tuple[bytes, bytes, bytes]) -> None:
    envelope.ivs = (*ivs, b"4" * 12)
    assert_left_to_the_gate(envelope)


def test_a_ciphertext_without_room_for_a_tag(envelope: UnsafeEnvelope) -> None:
    envelope.in_ciphertext = lambda part, octets: octets[:28] if part == "body" else octets
    assert_left_to_the_gate(envelope)


def test_a_request_that_has_what_only_a_reply_has(envelope: UnsafeEnvelope) -> None:
    header = request_header(envelope.sender, envelope.recipient, record_number=RecordNumber(1))
    envelope.exchange = render_exchange(header)
    assert_left_to_the_gate(envelope)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_digest_of_another_length(envelope: UnsafeEnvelope, length: int) -> None:
    good = recognise_signature(envelope.signature()).digests[0][1]
    changed = replacing(b64encode(good), b64encode(bytes(length)))(envelope.signature())
    with pytest.raises(NotCanonical):
        recognise_signature(changed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'URI="#timestamp"', b'URI="#exchange"'),
        (b'URI="#body"', b'URI="#key"'),
        (b'<wsse:Reference URI="#token"', b'<wsse:Reference URI="#body"'),
        (b"ecdsa-sha256", b"ecdsa-sha1"),
        (b"xmlenc#sha256", b"xmlenc#sha512"),
        (b"</ds:Signature>", b"<ds:Object></ds:Object></ds:Signature>"),
    ],
)
def test_a_signature_over_something_else(envelope: UnsafeEnvelope, old: bytes, new: bytes) -> None:
    with pytest.raises(NotCanonical):
        recognise_signature(replacing(old, new)(envelope.signature()))


def test_each_place_of_the_templates_is_held_by_a_value(envelope: UnsafeEnvelope) -> None:
    """A value that brings markup with it does not pass for a value."""
    for place in (b"<ia:Operation>", b"<xenc:CipherValue>", b'wsu:Id="token">', b"<wsu:Created>", b"<dsig-more:Salt>"):
        changed = envelope.octets.replace(place, place + b"<x/>", 1)
        assert recognise(received(changed), MessageKind.REQUEST, DEFAULT_LIMITS) is None
    assert templates.BODY_START in envelope.octets


def test_a_value_longer_than_any_may_be(envelope: UnsafeEnvelope) -> None:
    envelope.exchange = re.sub(
        rb"<ia:Official>[^<]*", b"<ia:Official>" + b"x" * (MAX_VALUE_CHARS + 1), envelope.exchange
    )
    assert_left_to_the_gate(envelope)


@pytest.mark.parametrize(
    ("wrapped", "public"),
    [(25, b"\x04" + bytes(64)), (24, b"\x02" + bytes(64)), (24, b"\x04" + bytes(63))],
    ids=["the wrapped key", "a compressed point", "a short point"],
)
def test_an_octet_too_many_or_too_few_in_the_encrypted_key(
    envelope: UnsafeEnvelope, wrapped: int, public: bytes
) -> None:
    envelope.wrap = lambda _: WrappedKey(
        wrapped=bytes(wrapped), ephemeral_public=public, hkdf_salt=bytes(32), hkdf_info=b"info"
    )
    assert_left_to_the_gate(envelope)
