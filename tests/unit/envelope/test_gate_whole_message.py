"""The first gate on what belongs to the message as a whole: its root, its headers, its kind."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from adapter.envelope.gate import check_kind, gate, parse_message
from adapter.errors import EnvelopeRefused, LimitExceeded
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import gate_octets, received, replacing, seal_reply, seal_request
from tests.pki import Federation


@pytest.fixture(scope="module")
def message(federation: Federation) -> bytes:
    return seal_request(federation.social, federation.population).octets


@pytest.fixture(scope="module")
def reply(federation: Federation) -> bytes:
    request = seal_request(federation.social, federation.population)
    return seal_reply(federation.population, federation.social, request, b"<a/>").octets


def test_the_general_gate_takes_no_spelling_for_ours(message: bytes) -> None:
    """Recognising what we write is another gate's work; whoever reads what this one let through reads it as foreign."""
    gated = gate(parse_message(received(message), DEFAULT_LIMITS), MessageKind.REQUEST)
    assert gated.is_canonical is False


@pytest.mark.parametrize("field", ["in_reply_to", "record_number"])
def test_a_request_answers_nothing_and_has_no_number_of_the_record(message: bytes, reply: bytes, field: str) -> None:
    answer = gate_octets(reply, MessageKind.REPLY).claimed_header
    assert getattr(answer, field) is not None
    claimed = replace(gate_octets(message).claimed_header, **{field: getattr(answer, field)})
    with pytest.raises(EnvelopeRefused, match="a request has neither"):
        check_kind(claimed, MessageKind.REQUEST)


@pytest.mark.parametrize("name", ["ia:Exchange", "wsse:Security"])
def test_a_header_that_is_missing(message: bytes, name: str) -> None:
    end = f"</{name}>".encode()
    start, stop = message.index(f"<{name} ".encode()), message.index(end) + len(end)
    with pytest.raises(EnvelopeRefused, match="is missing"):
        gate_octets(message[:start] + message[stop:])


def test_another_root(message: bytes) -> None:
    with pytest.raises(EnvelopeRefused, match="the root element"):
        gate_octets(message.replace(b"env:Envelope", b"env:Letter"))


def test_the_reason_names_what_wsse_security_must_have(message: bytes) -> None:
    with pytest.raises(EnvelopeRefused, match=r"nothing else: BinarySecurityToken, EncryptedKey, Timestamp$"):
        gate_octets(replacing("<wsu:Timestamp", "<wsse:UsernameToken/><wsu:Timestamp")(message))


def test_an_iv_is_twelve_octets_and_another_one_when_the_last_is(message: bytes) -> None:
    gated = gate_octets(message)
    of_signature, body = gated.encrypted_signature[:12], gated.encrypted_body
    close = of_signature[:11] + bytes((of_signature[11] ^ 1,)) + body[12:]
    changed = replacing(base64.b64encode(body), base64.b64encode(close))(message)
    assert gate_octets(changed).encrypted_body == close


@pytest.mark.parametrize(("part", "longest"), [("personal_data", 512 * 1024), ("signature", 64 * 1024)])
def test_the_longest_text_of_what_is_encrypted(message: bytes, part: str, longest: int) -> None:
    text = base64.b64encode(getattr(gate_octets(message), f"encrypted_{part}"))

    def padded(chars: int) -> bytes:
        return replacing(text, text.ljust(chars))(message)

    gate_octets(padded(longest))
    with pytest.raises(LimitExceeded):
        gate_octets(padded(longest + 1))
