"""What is refused whatever follows is refused before the rest of it is read."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from adapter.envelope.wire_limits import MAX_WIRE_ATTRIBUTES, MAX_WIRE_ELEMENTS
from adapter.stages import SoapVersion
from adapter.transport.http_server import Handler
from adapter.xmlsafe import LARGE_BYTES
from tests.adapters.test_listeners import (
    BOUNDS,
    SOAP12,
    Answer,
    client_listener,
    client_path,
    listening,
    peer_listener,
    post,
    read_answer,
)
from tests.get_person import good_call
from tests.two_sides import TwoSides, sealed_request

WIDE = replace(BOUNDS, max_message_bytes=10_000_000)
ANNOUNCED = 8_000_000


async def begun(handler: Handler, head: bytes, begin: bytes, version: SoapVersion) -> Answer:
    """The answer to a message of which only the beginning is ever sent."""
    announced = head.replace(b"Content-Length: 0", b"Content-Length: %d" % ANNOUNCED)
    assert announced != head
    async with listening(handler, version) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(announced + begin)
        answer = await read_answer(reader)
        writer.close()
    return answer


@pytest.mark.parametrize(
    "inside",
    [b"<a/>" * 2 * MAX_WIRE_ELEMENTS, b"<a></a>" * MAX_WIRE_ELEMENTS, b"<a" + b' b="1"' * MAX_WIRE_ATTRIBUTES],
)
async def test_a_peers_message_with_too_many_elements_is_refused_while_it_comes(sides: TwoSides, inside: bytes) -> None:
    answer = await begun(
        peer_listener(sides, WIDE), post("/peer", b"", SOAP12), b"<a><b c='d'>" + inside, SoapVersion.SOAP12
    )
    assert answer.code == "LimitExceeded"
    assert sides.provider_record.outcomes == ["LimitExceeded"]


async def test_a_peers_message_with_few_elements_is_waited_for(sides: TwoSides) -> None:
    begin = sealed_request(sides).octets[:-20] + b" " * 200_000
    answer = await begun(peer_listener(sides, WIDE), post("/peer", b"", SOAP12), begin, SoapVersion.SOAP12)
    assert answer.code == "RequestIncomplete"


async def test_of_a_caller_whom_nobody_knows_nothing_large_is_read(sides: TwoSides) -> None:
    head = post(client_path(sides), b"", "text/xml", "Authorization: Bearer unknown")
    answer = await begun(client_listener(sides, WIDE), head, b"<a/>" * 10, SoapVersion.SOAP11)
    assert answer.code == "ClientNotIdentified"
    assert sides.consumer_record.outcomes == ["ClientNotIdentified"]


async def test_a_large_message_of_a_known_client_is_read(sides: TwoSides) -> None:
    padded = good_call().encode().replace(b"</soap:Envelope>", b" " * LARGE_BYTES + b"</soap:Envelope>")
    assert len(padded) > LARGE_BYTES
    async with listening(client_listener(sides, WIDE), SoapVersion.SOAP11) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(client_path(sides), padded, "text/xml"))
        answer = await read_answer(reader)
        writer.close()
    assert answer.status == 200
