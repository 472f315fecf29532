"""Statuses that a message brings along: signed like everything else, and only ever a status of its own signer."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from adapter.crypto.recognition import recognise
from adapter.envelope.headers import MAX_STATUS_CHARS
from adapter.errors import EnvelopeRefused, LimitExceeded, SecurityFailed
from adapter.stages import MessageKind
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.envelopes import gate_octets, open_octets, received, request_header, seal_request
from tests.pki import Federation

STATUS = bytes(range(256)) * 4
_ELEMENT = b"<ia:CertificateStatus>%s</ia:CertificateStatus>"
_SECURITY = b"<wsse:Security "
_END = b"</ia:Exchange>"


def sealed_with(federation: Federation, status: bytes | None) -> bytes:
    header = replace(request_header(federation.social, federation.population), certificate_status=status)
    return seal_request(federation.social, federation.population, header=header).octets


@pytest.mark.parametrize("status", [None, STATUS, b"\x00", bytes(MAX_STATUS_CHARS // 4 * 3)])
def test_what_is_sent_along_is_read_from_what_was_signed(federation: Federation, status: bytes | None) -> None:
    octets = sealed_with(federation, status)
    assert gate_octets(octets).is_canonical
    assert open_octets(octets, federation.population).header.certificate_status == status


def _element(octets: bytes) -> bytes:
    return octets[octets.index(b"<ia:CertificateStatus>") : octets.index(_END)]


def changed(octets: bytes) -> bytes:
    return octets.replace(b"<ia:CertificateStatus>AA", b"<ia:CertificateStatus>AB")


def taken_away(octets: bytes) -> bytes:
    return octets.replace(_element(octets), b"")


def of_another_message(octets: bytes) -> bytes:
    return octets.replace(_element(octets), _ELEMENT % b64encode(STATUS[::-1]))


@pytest.mark.parametrize("change", [changed, taken_away, of_another_message])
def test_a_status_is_covered_by_the_signature(federation: Federation, change: Callable[[bytes], bytes]) -> None:
    octets = sealed_with(federation, STATUS)
    forged = change(octets)
    assert forged != octets
    with pytest.raises(SecurityFailed, match="digest of a part"):
        open_octets(forged, federation.population)


def test_an_unsigned_status_put_into_a_message_without_one(federation: Federation) -> None:
    octets = sealed_with(federation, None)
    forged = octets.replace(_END, _ELEMENT % b64encode(STATUS) + _END)
    assert forged != octets
    with pytest.raises(SecurityFailed, match="digest of a part"):
        open_octets(forged, federation.population)


_DECLARED = b'<ia:CertificateStatus xmlns:ia="urn:interagency-adapter:envelope:1">%s</ia:CertificateStatus>'
OUTSIDE: dict[str, Callable[[bytes], bytes]] = {
    "beside the signed headers": lambda octets: octets.replace(_SECURITY, _DECLARED % b64encode(STATUS) + _SECURITY, 1),
    "in Security": lambda octets: octets.replace(
        b"</wsse:Security>", _DECLARED % b64encode(STATUS) + b"</wsse:Security>", 1
    ),
    "twice": lambda octets: octets.replace(_END, _element(octets) + _END),
    "before the record number": lambda octets: octets.replace(
        b"<ia:Official>", _element(octets) + b"<ia:Official>", 1
    ).replace(_element(octets) + _END, _END),
    "empty": lambda octets: octets.replace(_element(octets), _ELEMENT % b""),
    "not base64": lambda octets: octets.replace(_element(octets), _ELEMENT % b"A==="),
    "with unused bits": lambda octets: octets.replace(_element(octets), _ELEMENT % b"AB=="),
    "with a child": lambda octets: octets.replace(_element(octets), _ELEMENT % b"<ia:A></ia:A>"),
    "with an attribute": lambda octets: octets.replace(b"<ia:CertificateStatus>", b'<ia:CertificateStatus a="b">'),
    "longer than allowed": lambda octets: octets.replace(_element(octets), _ELEMENT % (b"A" * (MAX_STATUS_CHARS + 4))),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_status_anywhere_else_or_of_another_form_is_refused_before_any_cryptography(
    federation: Federation, name: str
) -> None:
    octets = sealed_with(federation, STATUS)
    forged = OUTSIDE[name](octets)
    assert forged != octets
    assert recognise(received(forged), MessageKind.REQUEST, DEFAULT_LIMITS) is None
    with pytest.raises((EnvelopeRefused, LimitExceeded)):
        gate_octets(forged)


@pytest.mark.parametrize("space", [b"\n", b" "])
def test_a_foreign_stack_may_break_its_lines_and_is_not_taken_for_ours(federation: Federation, space: bytes) -> None:
    octets = sealed_with(federation, STATUS)
    text = b64encode(STATUS)
    broken = octets.replace(text, text[:76] + space + text[76:])
    assert recognise(received(broken), MessageKind.REQUEST, DEFAULT_LIMITS) is None
    assert gate_octets(broken).claimed_header.certificate_status == STATUS
