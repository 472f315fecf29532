"""The offline examination of an envelope says nothing wrong of what the gate takes, attachments included."""

from __future__ import annotations

import pytest

from adapter.envelope import lint_words as words
from adapter.envelope import names
from adapter.envelope.lint import examine
from adapter.envelope.lint_desk import MAX_PROBLEMS
from adapter.errors import EnvelopeRefused
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import gate_octets, replacing, seal_reply, seal_request
from tests.pki import NOW, Federation
from tests.unit.envelope.test_gate_attachments import CONTENT_ID, attachment_data, with_attachments


@pytest.fixture(scope="module")
def request_with_one(federation: Federation) -> bytes:
    return with_attachments(seal_request(federation.social, federation.population).octets, attachment_data())


@pytest.fixture(scope="module")
def reply_with_one(federation: Federation) -> bytes:
    request = seal_request(federation.social, federation.population)
    reply = seal_reply(federation.population, federation.social, request, b"<a/>").octets
    return with_attachments(reply, attachment_data())


def rules(octets: bytes) -> list[str]:
    return [problem.rule for problem in examine(octets, DEFAULT_LIMITS, now=NOW).problems]


def test_a_message_with_attachments_that_the_gate_takes_has_no_problem(
    request_with_one: bytes, reply_with_one: bytes
) -> None:
    assert gate_octets(request_with_one).attachments == (CONTENT_ID,)
    assert gate_octets(reply_with_one, MessageKind.REPLY).attachments == (CONTENT_ID,)
    assert rules(request_with_one) == []
    assert rules(reply_with_one) == []


def test_an_attachment_in_another_form_is_a_problem_at_its_place(request_with_one: bytes) -> None:
    found = rules(replacing(f"cid:{CONTENT_ID}", "http://127.0.0.1/")(request_with_one))
    assert found == [words.ATTACHMENT]


def test_an_encrypted_header_too_many_is_found_by_the_gate(federation: Federation) -> None:
    plain = seal_request(federation.social, federation.population).octets
    start, end = plain.index(b"<wsse11:EncryptedHeader"), plain.index(b"</wsse11:EncryptedHeader>") + 25
    twice = plain[:end] + plain[start:end].replace(b'Id="', b'Id="x-') + plain[end:]
    assert rules(twice) == [words.PROFILE]


def test_any_other_header_twice_is_named(request_with_one: bytes) -> None:
    start, end = request_with_one.index(b"<ia:Exchange "), request_with_one.index(b"</ia:Exchange>") + 14
    exchange = request_with_one[start:end]
    assert words.HEADER in rules(request_with_one[:end] + exchange + request_with_one[end:])


def without(octets: bytes, start: bytes, end: bytes) -> bytes:
    """The message without what stands from `start` to the end of `end`."""
    at = octets.index(start)
    return octets[:at] + octets[octets.index(end, at) + len(end) :]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        pytest.param(f'<s:Body><x:Exchange xmlns:x="{names.ENVELOPE}"/></s:Body>', {words.BODY}, id="no Header at all"),
        pytest.param(
            f'<s:Header><x:Exchange xmlns:x="{names.ENVELOPE}"/></s:Header>', {words.SOAP, words.HEADER}, id="no Body"
        ),
        pytest.param(
            f'<s:Header><x:Security xmlns:x="{names.WSSE}"><y:SignatureConfirmation xmlns:y="{names.WSSE11}"/>'
            "</x:Security></s:Header><s:Body/>",
            {words.CONFIRMATION, words.HEADER, words.BODY},
            id="a confirmation in clear",
        ),
    ],
)
def test_what_is_missing_or_in_clear_is_named(inner: str, expected: set[str]) -> None:
    assert expected <= set(rules(f'<s:Envelope xmlns:s="{names.SOAP12}">{inner}</s:Envelope>'.encode()))


def test_a_header_that_is_missing_is_refused_by_the_gate(request_with_one: bytes) -> None:
    for start, end in ((b"<ia:Exchange ", b"</ia:Exchange>"), (b"<wsse:Security ", b"</wsse:Security>")):
        with pytest.raises(EnvelopeRefused, match="is missing"):
            gate_octets(without(request_with_one, start, end))


def test_no_more_than_so_many_problems_are_noted() -> None:
    many = "<x/>\n" * (MAX_PROBLEMS + 5)
    envelope = f'<s:Envelope xmlns:s="{names.SOAP11}">{many}<s:Body><a/></s:Body></s:Envelope>'
    assert len(rules(envelope.encode())) == MAX_PROBLEMS
