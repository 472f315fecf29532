"""The SOAP backend against a real server on a real socket that answers well, badly, late, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from lxml import etree

from adapter.backends.soap import SoapBackend, SoapBackendConfig
from adapter.envelope.carried import ACCEPTED
from adapter.errors import ProviderSystemDown, ProviderSystemFault, ProviderSystemInvalid, ProviderSystemTimeout
from examples.federation.free_ports import free_ports
from tests.unit.backends.recorded import recorded
from tests.unit.envelope.descriptions import ASK_AND_ANSWER, NS, read, schema, wsdl

pytestmark = pytest.mark.sockets

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"
SECRET = "30101900010014"
REQUEST = recorded(f'<Ask xmlns="{NS}">{SECRET}</Ask>', "Ask")
ANSWER = f'<Answer xmlns="{NS}">yes</Answer>'


def envelope(content: str, namespace: str = SOAP11, before: str = "") -> bytes:
    return f'{before}<e:Envelope xmlns:e="{namespace}"><e:Body>{content}</e:Body></e:Envelope>'.encode()


def drop(request: web.BaseRequest) -> None:
    assert request.transport is not None
    request.transport.close()


def answers(
    octets: bytes,
    *,
    status: int = 200,
    content_type: str = "text/xml; charset=utf-8",
    content_encoding="identity",
    location="",
):
    headers = {"Content-Type": content_type, "Content-Encoding": content_encoding, "Location": location}

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(body=octets, status=status, headers=headers)

    return handler


@pytest.fixture
async def system():
    """Starts a server with this handler and returns a backend for it."""
    closers = []

    async def start(handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], *, soap12=False, **config):
        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        binding = "http://schemas.xmlsoap.org/wsdl/soap12/" if soap12 else "http://schemas.xmlsoap.org/wsdl/soap/"
        text = config.pop("text", wsdl(schema(ASK_AND_ANSWER), soap=binding))
        description = read({"a.wsdl": text})
        clock = config.pop("clock", None)
        backend = SoapBackend(
            SoapBackendConfig(**{"address": f"http://127.0.0.1:{port}/s", "timeout_s": 5, **config}),
            description,
            *([clock] if clock else []),
        )
        closers.extend([backend.close, runner.cleanup])
        return backend

    yield start
    for close in closers:
        await close()


async def test_soap11_request_and_answer(system):
    seen: dict[str, Any] = {}

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.update(request.headers, body=await request.read())
        return web.Response(body=envelope(ANSWER), content_type="text/xml")

    answer = await (await system(handler)).answer(REQUEST)
    assert (answer.payload.tag, answer.payload.text) == (f"{{{NS}}}Answer", "yes")
    assert seen["Content-Type"] == "text/xml; charset=utf-8"
    assert seen["SOAPAction"] == '"urn:ask"'
    sent = etree.fromstring(seen["body"])
    assert sent.tag == f"{{{SOAP11}}}Envelope"
    assert etree.tostring(sent[0][0], method="c14n", exclusive=True) == etree.tostring(
        REQUEST.payload, method="c14n", exclusive=True
    )


async def test_an_operation_may_have_an_address_of_its_own(system):
    (nobody_there,) = free_ports(1)
    elsewhere = f"http://127.0.0.1:{nobody_there}/"
    handler = answers(envelope(ANSWER))
    assert (await (await system(handler, addresses={"Other": elsewhere})).answer(REQUEST)).payload.text == "yes"
    with pytest.raises(ProviderSystemDown):
        await (await system(handler, addresses={"Ask": elsewhere})).answer(REQUEST)


async def test_soap12_request_and_answer(system):
    seen: dict[str, Any] = {}

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.update(request.headers, body=await request.read())
        return web.Response(body=envelope(ANSWER, SOAP12), content_type="application/soap+xml")

    answer = await (await system(handler, soap12=True)).answer(REQUEST)
    assert answer.payload.text == "yes"
    assert seen["Content-Type"] == 'application/soap+xml; charset=utf-8; action="urn:ask"'
    assert "SOAPAction" not in seen
    assert etree.fromstring(seen["body"]).tag == f"{{{SOAP12}}}Envelope"


@pytest.mark.parametrize(
    ("octets", "content_type"),
    [
        (envelope(ANSWER.replace("yes", "Ҳа")), "text/xml; charset=utf-8"),
        (envelope(ANSWER.replace("yes", "Ҳа"), before='<?xml version="1.0" encoding="utf-8"?>'), "text/xml"),
        (envelope(ANSWER.replace("yes", "Ҳа")).decode().encode("utf-16"), "text/xml; charset=utf-16"),
        (b"\xef\xbb\xbf" + envelope(ANSWER.replace("yes", "Ҳа")), "application/xml"),
    ],
)
async def test_encodings_of_old_systems(system, octets, content_type):
    assert (await (await system(answers(octets, content_type=content_type))).answer(REQUEST)).payload.text == "Ҳа"


HEADER = b'<e:Header><h e:mustUnderstand="1"/></e:Header>'
FAULT11 = "<e:Fault><faultcode>e:Client</faultcode><faultstring>No such\n key</faultstring></e:Fault>"
FAULT12 = (
    '<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text xml:lang="en">No such key</e:Text>'
    "</e:Reason></e:Fault>"
)


@pytest.mark.parametrize(
    ("octets", "status", "rule"),
    [
        (envelope(FAULT11), 500, "soap:Client"),
        (envelope(FAULT11), 200, "soap:Client"),
        (envelope(FAULT11), 503, "soap:Client"),
        (envelope(FAULT12, SOAP12), 400, "soap:Sender"),
    ],
)
async def test_fault_of_the_system(system, octets, status, rule):
    with pytest.raises(ProviderSystemFault) as caught:
        await (await system(answers(octets, status=status))).answer(REQUEST)
    assert [(problem.rule, problem.text) for problem in caught.value.problems] == [(rule, "No such key")]


async def test_text_of_a_fault_is_bounded(system):
    fault = FAULT11.replace("No such", "x" * 100_000)
    with pytest.raises(ProviderSystemFault) as caught:
        await (await system(answers(envelope(fault)))).answer(REQUEST)
    assert len(caught.value.problems[0].text) <= 500


@pytest.mark.parametrize(
    "handler",
    [
        answers(b"<html><body>It works!</body></html>", content_type="text/html"),
        answers(b"<html><body>It works!</body></html>"),
        answers(envelope(ANSWER), content_type="text/html"),
        answers(b""),
        answers(b"{}", content_type="application/json"),
        answers(envelope("")),
        answers(envelope(ANSWER + ANSWER)),
        answers(envelope(ANSWER, "urn:not-soap")),
        answers(b"<!DOCTYPE a []>" + envelope(ANSWER)),
        answers(envelope(ANSWER)[:-3]),
        answers(envelope(ANSWER), status=404),
        answers(envelope(ANSWER), status=301, location="/other"),
        answers(envelope(ANSWER), status=401),
        answers(envelope(ANSWER), content_type="text/xml; charset=cp037"),
        answers(b"\x1f\x8b", content_encoding="gzip"),
        answers(envelope(ANSWER).replace(b"<e:Body>", HEADER + b"<e:Body>")),
        answers(b"--x\r\n\r\n<a/>\r\n--x--", content_type="multipart/related; boundary=x"),
    ],
)  # fmt: skip
async def test_nonsense(system, handler):
    with pytest.raises(ProviderSystemInvalid) as caught:
        await (await system(handler)).answer(REQUEST)
    assert SECRET not in caught.value.reason


async def test_no_redirect_is_followed(system):
    paths = []

    async def handler(request: web.BaseRequest) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/other"})

    with pytest.raises(ProviderSystemInvalid):
        await (await system(handler)).answer(REQUEST)
    assert paths == ["/s"]


async def test_answer_is_bounded(system):
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    with pytest.raises(ProviderSystemInvalid, match="longer than 100000 octets"):
        await (await system(handler, max_answer_bytes=100_000)).answer(REQUEST)


async def test_answer_that_breaks_off(system):
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/xml", "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"<a>")
        drop(request)
        return response

    with pytest.raises((ProviderSystemInvalid, ProviderSystemDown)):
        await (await system(handler)).answer(REQUEST)


async def test_nobody_listens(system):
    (port,) = free_ports(1)
    backend = await system(answers(b""), address=f"http://127.0.0.1:{port}/")
    with pytest.raises(ProviderSystemDown):
        await backend.answer(REQUEST)


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_proxy_says_that_the_system_is_down(system, status):
    with pytest.raises(ProviderSystemDown):
        await (await system(answers(b"<html/>", status=status, content_type="text/html"))).answer(REQUEST)


async def test_slow_system(system):
    async def handler(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    with pytest.raises(ProviderSystemTimeout):
        await (await system(handler, timeout_s=0.1)).answer(REQUEST)


async def test_answer_that_trickles_ends_at_the_time_out(system):
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/xml"})
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.02)

    with pytest.raises(ProviderSystemTimeout):
        await (await system(handler, timeout_s=0.2)).answer(REQUEST)


async def test_never_sent_twice(system):
    """The connection is closed on the request: whether it took effect is not known, so it is not repeated."""
    calls = []

    async def handler(request: web.BaseRequest) -> web.Response:
        calls.append(1)
        if len(calls) > 1:
            drop(request)
        return web.Response(body=envelope(ANSWER), content_type="text/xml")

    backend = await system(handler)
    await backend.answer(REQUEST)
    with pytest.raises((ProviderSystemTimeout, ProviderSystemInvalid)):
        await backend.answer(REQUEST)
    assert len(calls) == 2


async def test_breaker_leaves_a_failing_system_in_peace(system):
    calls, now, healthy = [], [0.0], [False]

    async def handler(_: web.BaseRequest) -> web.Response:
        calls.append(1)
        if healthy[0]:
            return web.Response(body=envelope(ANSWER), content_type="text/xml")
        return web.Response(status=503, content_type="text/html")

    backend = await system(handler, breaker_failures=3, breaker_reset_s=10, clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(ProviderSystemDown):
            await backend.answer(REQUEST)
    assert len(calls) == 3
    healthy[0], now[0] = True, 10.0
    assert (await backend.answer(REQUEST)).payload.text == "yes"
    assert (await backend.answer(REQUEST)).payload.text == "yes"


async def test_faults_do_not_trip_the_breaker(system):
    backend = await system(answers(envelope(FAULT11), status=500), breaker_failures=2)
    for _ in range(4):
        with pytest.raises(ProviderSystemFault):
            await backend.answer(REQUEST)


async def test_pool_is_bounded(system):
    at_once, most = [0], [0]

    async def handler(_: web.BaseRequest) -> web.Response:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        await asyncio.sleep(0.02)
        at_once[0] -= 1
        return web.Response(body=envelope(ANSWER), content_type="text/xml")

    backend = await system(handler, pool=2)
    await asyncio.gather(*(backend.answer(REQUEST) for _ in range(10)))
    assert most[0] == 2


ONE_WAY = wsdl(schema(ASK_AND_ANSWER)).replace('<w:output message="t:out"/>', "")


@pytest.mark.parametrize(
    "handler",
    [answers(b"", status=202), answers(b""), answers(b"", status=204), answers(b"", content_type="text/plain")],
)
async def test_one_way_request_is_taken_without_an_envelope(system, handler):
    answer = await (await system(handler, text=ONE_WAY)).answer(REQUEST)
    assert answer.payload.tag == ACCEPTED


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (answers(b"", status=500), ProviderSystemInvalid),
        (answers(b"", status=503, content_type="text/plain"), ProviderSystemDown),
        (answers(b"<html/>", content_type="text/html"), ProviderSystemInvalid),
        (answers(envelope(FAULT11), status=500), ProviderSystemFault),
        (answers(envelope(FAULT11)), ProviderSystemFault),
    ],
)
async def test_one_way_request_that_was_not_taken(system, handler, error):
    with pytest.raises(error):
        await (await system(handler, text=ONE_WAY)).answer(REQUEST)
