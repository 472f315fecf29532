"""The listeners on real sockets: whatever arrives, however slowly, the answer is a SOAP fault with an incident id."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapter.dialects.model import ClientAnswer
from adapter.exchange.parts import NO_ATTACHMENTS
from adapter.identifiers import ServiceId
from adapter.stages import ReceivedCall, SoapVersion
from adapter.store.spool import Spool
from adapter.transport.client_listener import ClientListener
from adapter.transport.http_server import Handler, HttpBounds, Listener
from adapter.transport.intake import AttachmentIntake
from adapter.transport.peer_listener import PeerListener
from tests.fixtures_pki import federation
from tests.get_person import good_call
from tests.pki import Federation
from tests.two_sides import TwoSides, sealed_request, two_sides

__all__ = ["federation"]

BOUNDS = HttpBounds(max_message_bytes=20_000, read_timeout_s=0.5, max_connections=4, keepalive_s=5)


@pytest.fixture
def sides(federation: Federation) -> TwoSides:
    return two_sides(federation)


@dataclass(frozen=True)
class Answer:
    status: int
    head: str
    body: bytes

    @property
    def code(self) -> str:
        """The code of the catalogue in the fault, or nothing."""
        found = re.search(rb"<ia-fault:Code>(\w+)</ia-fault:Code>", self.body)
        return found[1].decode() if found else ""


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    length = int(next(line for line in head.splitlines() if line.lower().startswith("content-length")).split(":")[1])
    body = await asyncio.wait_for(reader.readexactly(length), 5)
    return Answer(status=int(head.split()[1]), head=head, body=body)


async def ask(port: int, octets: bytes) -> Answer:
    """Send octets as they are and read one answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(octets)
        await writer.drain()
        return await read_answer(reader)
    finally:
        writer.close()


def post(path: str, body: bytes, content_type: str, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def listening(handler: Handler, version: SoapVersion = SoapVersion.SOAP12) -> AsyncIterator[int]:
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setblocking(False)  # noqa: FBT003
    listener = Listener(handler, BOUNDS, version=version, grace_s=1)
    await listener.start(bound, None)
    try:
        yield bound.getsockname()[1]
    finally:
        await listener.stop()


INTAKE = AttachmentIntake(holding=Spool(Path("nowhere"), max_bytes=1).holding, bounds=NO_ATTACHMENTS)


def peer_listener(sides: TwoSides, bounds: HttpBounds = BOUNDS) -> PeerListener:
    return PeerListener(sides.provider, bounds, intake=INTAKE)


class EchoedPages:
    """Says what was asked for instead of a page."""

    async def prepare(self, service: ServiceId) -> None:
        return None

    async def document(self, service: ServiceId, url: str, name: str) -> ClientAnswer:
        return ClientAnswer(octets=f"{service} {url} {name}".encode(), content_type="text/plain")

    def index(self, url: str, *, is_for_people: bool) -> ClientAnswer:
        return ClientAnswer(octets=f"index {url} {is_for_people}".encode(), content_type="text/plain")


def client_listener(sides: TwoSides, bounds: HttpBounds = BOUNDS) -> ClientListener:
    async def documents(service: ServiceId, url: str, name: str, *, for_peers: bool) -> bytes:
        return f"{'peers ' if for_peers else ''}{service} {url} {name}".encode()

    async def own(call: ReceivedCall) -> ClientAnswer:
        return ClientAnswer(octets=str(call.service).encode(), content_type="text/xml")

    return ClientListener(
        sides.consumer,
        bounds,
        documents=documents,
        own_services=own,
        own_contract=lambda url: url.encode(),
        json_pages=EchoedPages(),
        intake=INTAKE,
    )


def client_path(sides: TwoSides) -> str:
    return f"/service/{sides.federation.population.service}"


# --- what is right ----------------------------------------------------------------------------------------------------


async def test_a_client_system_is_answered(sides: TwoSides) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        answer = await ask(port, post(client_path(sides), good_call().encode(), "text/xml; charset=utf-8"))
    assert answer.status == 200
    assert "Каримов".encode() in answer.body
    assert "Adapter-Record: 0 1" in answer.head


async def test_a_client_that_waits_for_100_continue_gets_it(sides: TwoSides) -> None:
    body = good_call().encode()
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            post(client_path(sides), b"", "text/xml", "Expect: 100-continue").replace(
                b"Content-Length: 0", f"Content-Length: {len(body)}".encode()
            )
        )
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).startswith(b"HTTP/1.1 100")
        writer.write(body)
        assert (await read_answer(reader)).status == 200
        writer.close()


async def test_documents_and_own_services_have_their_addresses(sides: TwoSides) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        wsdl = await ask(port, f"GET {client_path(sides)}?wsdl HTTP/1.1\r\nHost: here:1\r\n\r\n".encode())
        xsd = await ask(port, f"GET {client_path(sides)}?xsd=a.xsd HTTP/1.1\r\nHost: here:1\r\n\r\n".encode())
        own = await ask(port, b"GET /adapter?wsdl HTTP/1.1\r\nHost: here:1\r\n\r\n")
        called = await ask(port, post("/adapter", good_call().encode(), "text/xml"))
    assert wsdl.body.endswith(f"http://here:1{client_path(sides)} ".encode())
    assert xsd.body.endswith(b"a.xsd")
    assert own.body == b"http://here:1/adapter"
    assert b"adapter/AdapterServices/v1" in called.body


# --- what is wrong ----------------------------------------------------------------------------------------------------

Wrong = Callable[[TwoSides], bytes]
SOAP12 = "application/soap+xml; charset=utf-8"


@pytest.mark.parametrize(
    ("request_of", "code"),
    [
        (
            lambda _sides: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is TLS, not HTTP\r\n\r\n",
            "MalformedMessage",
        ),
        (lambda _sides: b"NONSENSE\r\n\r\n", "MalformedMessage"),
        (lambda _sides: b"POST /peer HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", "LimitExceeded"),
        (
            lambda _sides: (
                b"POST /peer HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            "MalformedMessage",
        ),
        (lambda _sides: b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", "EnvelopeRefused"),
        (lambda _sides: post("/elsewhere", b"x", SOAP12), "EnvelopeRefused"),
        (lambda _sides: post("/peer", b"x", "text/plain"), "MalformedMessage"),
        (lambda _sides: post("/peer", b"x" * 10, SOAP12, "Content-Encoding: gzip"), "MalformedMessage"),
        (lambda _sides: post("/peer", b"", SOAP12), "EnvelopeRefused"),
        (lambda _sides: post("/peer", b"<a/>", SOAP12), "EnvelopeRefused"),
        # A good message, but the connection shows no certificate of an adapter.
        (lambda sides: post("/peer", sealed_request(sides).octets, SOAP12), "PeerMismatch"),
    ],
)
async def test_a_peer_gets_a_fault_whatever_it_sends(sides: TwoSides, request_of: Wrong, code: str) -> None:
    async with listening(peer_listener(sides)) as port:
        answer = await ask(port, request_of(sides))
    assert answer.code == code
    assert "application/soap+xml" in answer.head
    assert b":Incident>" in answer.body
    assert sides.register.asked == []


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/service/UZ/GOV/200000001/population/GetPerson/v1", b"", "MalformedMessage"),
        ("/service/UZ/GOV/200000001/population/GetPerson/v9", good_call().encode(), "UnknownService"),
        ("/service/nonsense", good_call().encode(), "UnknownService"),
        ("/service/../../etc/passwd", good_call().encode(), "UnknownService"),
        ("/", good_call().encode(), "UnknownService"),
    ],
)
async def test_a_client_gets_a_fault_whatever_it_sends(sides: TwoSides, path: str, body: bytes, code: str) -> None:
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        answer = await ask(port, post(path, body, "text/xml"))
    assert answer.code == code
    assert "text/xml" in answer.head


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_page_of_another_site_cannot_call_through_a_browser(sides: TwoSides, content_type: str) -> None:
    call = post(client_path(sides), good_call().encode(), content_type)
    origin = b"\r\nOrigin: http://elsewhere.example\r\n\r\n"
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        assert (await ask(port, call)).status == 200  # an old system that names its media type wrongly
        answer = await ask(port, call.replace(b"\r\n\r\n", origin, 1))
    assert answer.code == "ClientNotAllowed"
    assert len(sides.register.asked) == 1


async def test_a_peers_content_type_that_cannot_be_read_is_refused_and_recorded(sides: TwoSides) -> None:
    async with listening(peer_listener(sides)) as port:
        answer = await ask(port, post("/peer", b"x", "multipart/related; boundary*=undefined''b"))
    assert answer.code == "MalformedMessage"
    assert sides.provider_record.outcomes == ["MalformedMessage"]


async def test_what_nobody_foresaw_is_refused_and_recorded_too(
    sides: TwoSides, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("adapter.transport.peer_listener.read_related_type", fails)
    async with listening(peer_listener(sides)) as port:
        answer = await ask(port, post("/peer", b"x", "multipart/related; boundary=b"))
    assert answer.code == "InternalError"
    assert sides.provider_record.outcomes == ["InternalError"]


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_past_the_bound_gets_a_fault(sides: TwoSides, announced: bool) -> None:  # noqa: FBT001
    body = b"x" * 30_000
    if announced:
        request = post("/peer", body, SOAP12)
    else:
        head = post("/peer", b"", SOAP12, "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        request = head + b"7530\r\n" + body + b"\r\n0\r\n\r\n"
    async with listening(peer_listener(sides)) as port:
        answer = await ask(port, request)
    assert answer.code == "LimitExceeded"
    assert sides.provider_record.outcomes == ["LimitExceeded"]


async def test_a_body_that_stops_coming_gets_a_fault(sides: TwoSides) -> None:
    request = post("/peer", b"", SOAP12).replace(b"Content-Length: 0", b"Content-Length: 1000") + b"<env"
    async with listening(peer_listener(sides)) as port:
        answer = await ask(port, request)
    assert answer.code == "RequestIncomplete"
    assert sides.provider_record.outcomes == ["RequestIncomplete"]


async def test_a_silent_connection_is_closed(sides: TwoSides) -> None:
    async with listening(peer_listener(sides)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /peer HTTP/1.1\r\nHost: x\r\n")  # and no more
        assert (await read_answer(reader)).code == "RequestIncomplete"
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()


async def test_one_connection_too_many_gets_a_fault(sides: TwoSides) -> None:
    async with listening(peer_listener(sides)) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(BOUNDS.max_connections)]
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = await read_answer(reader)
        assert answer.code == "Overloaded"
        for _, held_writer in (*held, (reader, writer)):
            held_writer.close()
        await asyncio.sleep(0.05)
        assert (await ask(port, post("/peer", b"<a/>", SOAP12))).code == "EnvelopeRefused", "others are served again"


async def test_a_peer_that_hangs_up_changes_nothing(sides: TwoSides) -> None:
    """The exchange goes on to its recorded end when nobody waits for the answer any more."""
    async with listening(client_listener(sides), SoapVersion.SOAP11) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(client_path(sides), good_call().encode(), "text/xml"))
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.close()
        for _ in range(100):
            if sides.consumer_record.kinds == ["request-sent", "reply-received"]:
                break
            await asyncio.sleep(0.02)
    assert sides.consumer_record.kinds == ["request-sent", "reply-received"]
