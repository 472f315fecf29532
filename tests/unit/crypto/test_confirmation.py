"""The SignatureConfirmation of a reply: encrypted, signed, one, and with the value that is handed on.

Each case is a reply by a member with a valid key that is wrong in one thing; in our own spelling and in another.
"""

from __future__ import annotations

import pytest

from adapter.crypto import templates
from adapter.envelope import names
from adapter.errors import EnvelopeRefused, SecurityFailed
from tests.envelopes import UnsafeEnvelope, replacing
from tests.pki import Federation

VALUE = b"v" * 64
GOOD = templates.render_confirmation(VALUE)


@pytest.fixture(params=[False, True], ids=["our spelling", "foreign spelling"])
def envelope(federation: Federation, request: pytest.FixtureRequest) -> UnsafeEnvelope:
    return UnsafeEnvelope.reply(federation.population, federation.social, foreign=request.param)


def refused(envelope: UnsafeEnvelope) -> str:
    with pytest.raises(SecurityFailed) as failure:
        envelope.open()
    assert failure.value.text == "The security of the message could not be verified."
    return failure.value.reason


def test_the_control_is_accepted_and_its_value_handed_on(envelope: UnsafeEnvelope) -> None:
    assert envelope.open().confirmation == VALUE


def test_another_spelling_is_accepted_too(envelope: UnsafeEnvelope) -> None:
    envelope.confirmation = GOOD.replace(b"wsse11:", b"w:").replace(b"xmlns:wsse11", b"xmlns:w")
    assert envelope.open().confirmation == VALUE


def test_one_that_nobody_signed(envelope: UnsafeEnvelope) -> None:
    envelope.digested = lambda made: [part for part in made.parts() if part[0] != "confirmation"]
    assert "cover exactly" in refused(envelope)


def test_one_that_was_changed_after_it_was_signed(envelope: UnsafeEnvelope) -> None:
    envelope.digested = lambda made: [
        (name, octets if name != "confirmation" else templates.render_confirmation(b"w" * 64), more)
        for name, octets, more in made.parts()
    ]
    assert "digest of a part" in refused(envelope)


@pytest.mark.parametrize(
    ("confirmation", "word"),
    [
        pytest.param(templates.render_confirmation(b""), "without a value", id="no value"),
        pytest.param(replacing(b"></wsse11", b">x</wsse11")(GOOD), "empty", id="text in it"),
        pytest.param(replacing(b" Value=", b' x="" Value=')(GOOD), "not allowed", id="one attribute more"),
        pytest.param(replacing(b" Value=", b" Other=")(GOOD), "not allowed", id="no Value"),
        pytest.param(GOOD.replace(b"SignatureConfirmation", b"Other"), "something else", id="another element"),
        pytest.param(GOOD.replace(names.WSSE11.encode(), b"urn:x"), "something else", id="another namespace"),
        pytest.param(GOOD + GOOD, "exactly one element", id="two"),
        pytest.param(replacing(b'Value="dnZ2', b'Value="dnZ!')(GOOD), "base64", id="not base64"),
    ],
)
def test_one_of_another_form(envelope: UnsafeEnvelope, confirmation: bytes, word: str) -> None:
    envelope.confirmation = confirmation
    assert word in refused(envelope)


@pytest.mark.parametrize("taken", ["exchange", "token", "body", "confirmation-cipher"])
def test_an_id_that_occurs_elsewhere(envelope: UnsafeEnvelope, taken: str) -> None:
    envelope.confirmation = replacing('wsu:Id="confirmation"', f'wsu:Id="{taken}"')(GOOD)
    assert "twice" in refused(envelope)


def test_an_id_that_occurs_in_the_payload(envelope: UnsafeEnvelope) -> None:
    envelope.body_content = f'<a xmlns:wsu="{names.WSU}" wsu:Id="confirmation"/>'.encode()
    assert "twice" in refused(envelope)


def test_signature_and_confirmation_have_their_places(envelope: UnsafeEnvelope) -> None:
    def swap(octets: bytes) -> bytes:
        for old, new in ((b"signature-cipher", b"x"), (b"confirmation-cipher", b"signature-cipher")):
            octets = octets.replace(b'Id="' + old, b'Id="' + new)
        return octets.replace(b'Id="x', b'Id="confirmation-cipher')

    def exchanged(octets: bytes) -> bytes:
        parts = octets.split(b"<xenc:EncryptedData ")
        confirmation, signature_and_rest = parts[1], parts[2]
        signature, end, rest = signature_and_rest.partition(b"</xenc:EncryptedData>")
        return b"<xenc:EncryptedData ".join([parts[0], signature + end, confirmation + rest, parts[3]])

    envelope.in_outer = exchanged
    assert "something else" in refused(envelope)
    envelope.in_outer = lambda octets: swap(exchanged(octets))
    assert "something else" in refused(envelope)


def test_an_iv_that_occurs_twice(envelope: UnsafeEnvelope) -> None:
    envelope.ivs = (b"1" * 12, b"2" * 12, b"3" * 12, b"3" * 12)
    with pytest.raises(EnvelopeRefused, match="IV occurs twice"):
        envelope.open()
