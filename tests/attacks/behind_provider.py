"""A backend behind the whole provider's side: what the peer is told, and what stands in the record.

Of each case: the fault that the peer gets, one entry of the request and one with the failure in the record, and nothing
of what the system said or was asked (texts of exceptions, statements, personal data) in either.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest
from lxml import etree

from adapter.crypto.open import decrypt
from adapter.envelope import names
from adapter.envelope.faults import read_fault
from adapter.envelope.gate import gate, parse_message
from adapter.ports import Backend
from adapter.stages import MessageKind, Peer, ReceivedMessage
from adapter.xmlsafe import DEFAULT_LIMITS
from tests.get_person import GOOD_PERSONAL_DATA, PINFL
from tests.two_sides import TwoSides, opener_of, request_header, sealed_request

SECRET = "Xudoyberganov-4711"
"""What a system says in its errors and must not be heard by anybody."""


def backed_by(sides: TwoSides, backend: Backend) -> None:
    """Let this backend answer, in the place of the one that says what it is told to."""
    service = sides.federation.population.service
    changed = replace(sides.provider.services[service], backend=backend)
    sides.provider = replace(sides.provider, services={service: changed})
    sides.wire.provider = sides.provider


def opened(sides: TwoSides, octets: bytes) -> etree._Element:
    """The Body's element of a signed answer."""
    received = ReceivedMessage(
        octets=octets, received_at=sides.clock(), peer=Peer(certificate_sha256=None, address="192.0.2.1")
    )
    gated = gate(parse_message(received, DEFAULT_LIMITS), MessageKind.REPLY)
    return decrypt(gated, opener_of(sides.federation.social).keys).body[0]


async def outcome_of(
    sides: TwoSides, caplog: pytest.LogCaptureFixture, payload: str | None = None, *, operation: str = "GetPerson"
) -> str:
    """Ask once; what the peer is told, after everything that may not be in there was looked for."""
    with caplog.at_level(logging.DEBUG):
        header = replace(request_header(sides), operation=operation)
        sealed = sealed_request(sides, payload=payload, header=header, personal_data=GOOD_PERSONAL_DATA)
        answer = await sides.wire.post(sealed.octets)
    body = opened(sides, answer.octets)
    said = etree.tostring(body, encoding="unicode")
    failed = body.tag == names.SOAP12_FAULT
    code = read_fault(body).code if failed else "answered"
    first, second = sides.provider_record.log
    assert first.entry.kind == "request-received"
    assert (second.entry.kind, second.entry.outcome) == (("refused", code) if failed else ("reply-sent", "answered"))
    recorded = json.dumps([dict(write.entry.body) for write in (first, second)], default=str, ensure_ascii=False)
    for text in (SECRET, PINFL) if failed else (SECRET,):
        assert text not in said
        assert text not in recorded
        assert text not in caplog.text
    assert "Traceback" not in said + caplog.text
    return code
