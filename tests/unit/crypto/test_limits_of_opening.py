"""The bounds of the settings hold for what was encrypted too, at every step: no others, neither narrower nor wider."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.crypto.open import decrypt, decrypt_with_content_key, verify
from adapter.envelope.gate import gate, parse_message
from adapter.errors import SecurityFailed
from adapter.stages import DecryptedMessage, MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS, XmlLimits
from tests.envelopes import UnsafeEnvelope, decryption_keys, received
from tests.pki import Federation

DEPTH = 140
DEEPER = replace(DEFAULT_LIMITS, max_depth=DEPTH + 60)
DEEP_BODY = b"<a>" * DEPTH + b"</a>" * DEPTH


@pytest.fixture(params=[False, True], ids=["our spelling", "foreign spelling"])
def envelope(federation: Federation, request: pytest.FixtureRequest) -> UnsafeEnvelope:
    return UnsafeEnvelope.request(federation.social, federation.population, foreign=request.param)


def opened(envelope: UnsafeEnvelope, limits: XmlLimits) -> DecryptedMessage:
    gated = gate(parse_message(received(envelope.octets), DEFAULT_LIMITS), MessageKind.REQUEST)
    return decrypt(gated, decryption_keys(envelope.recipient), limits=limits)


def test_a_body_as_deep_as_the_settings_allow(envelope: UnsafeEnvelope) -> None:
    envelope.body_content = DEEP_BODY
    envelope.in_outer = lambda octets: octets.replace(b"<env:Envelope ", b'<env:Envelope xmlns:t="urn:t" ', 1)
    verified = verify(opened(envelope, DEEPER), limits=DEEPER)
    assert len(list(verified.payload.iter())) == DEPTH


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, replace(DEFAULT_LIMITS, max_depth=DEPTH // 2)])
def test_a_body_deeper_than_the_settings_allow(envelope: UnsafeEnvelope, limits: XmlLimits) -> None:
    envelope.body_content = DEEP_BODY
    with pytest.raises(SecurityFailed, match="after decryption"):
        opened(envelope, limits)
    content_key = opened(envelope, DEEPER).content_key
    gated = gate(parse_message(received(envelope.octets), DEFAULT_LIMITS), MessageKind.REQUEST)
    with pytest.raises(SecurityFailed, match="after decryption"):
        decrypt_with_content_key(gated, content_key, limits=limits)


def test_the_digested_body_is_parsed_within_the_bounds(envelope: UnsafeEnvelope) -> None:
    """What is written out in full again may pass a bound that the message itself did not."""
    envelope.body_content = DEEP_BODY
    envelope.in_outer = lambda octets: octets.replace(b"<env:Envelope ", b'<env:Envelope xmlns:t="urn:t" ', 1)
    with pytest.raises(SecurityFailed):
        verify(opened(envelope, DEEPER), limits=DEFAULT_LIMITS)
