"""A system that speaks SOAP and answers with whatever hurts.

What is asked of each case: tests/attacks/behind_provider.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from lxml import etree

from adapter.backends.soap import SoapBackend, SoapBackendConfig
from adapter.envelope import names
from tests.attacks.behind_provider import SECRET, backed_by, opened, outcome_of
from tests.attacks.watch import Canary
from tests.get_person import ANSWER, PERSON, description
from tests.two_sides import TwoSides

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def system(serve: Serve) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that does this to each request; its address, and the request lines that it got."""
    lines: list[bytes] = []

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines.append(head.split(b"\r\n")[0])
            await serve(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/s", lines
    finally:
        server.close()


def envelope(content: str, before: str = "", header: str = "") -> bytes:
    return f'{before}<e:Envelope xmlns:e="{names.SOAP11}">{header}<e:Body>{content}</e:Body></e:Envelope>'.encode()


def says(
    octets: bytes, *, status: str = "200 OK", content_type: str = "text/xml; charset=utf-8", more: str = ""
) -> Serve:
    """One whole answer."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(octets)}\r\n{more}\r\n"
        writer.write(head.encode() + octets)

    return serve


def goes_on(piece: bytes, *, head: bytes = b"", pause_s: float = 0) -> Serve:
    """An answer that does not end."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head or b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return serve


def _entities(depth: int) -> str:
    declared = "".join(f'<!ENTITY e{at} "{f"&e{at - 1};" * 10 if at else "x" * 10}">' for at in range(depth))
    return f"<!DOCTYPE e [{declared}]>"


FAULT = f"<e:Fault><faultcode>e:Server</faultcode><faultstring>{{}}</faultstring><detail>{SECRET}</detail></e:Fault>"
INVALID, DOWN, LATE, FAULTED = (
    "ProviderSystemInvalid",
    "ProviderSystemDown",
    "ProviderSystemTimeout",
    "ProviderSystemFault",
)
ATTRIBUTES = " ".join(f'a{at}="x"' for at in range(50_000))
HOSTILE: dict[str, tuple[Serve, str]] = {
    "a page": (says(f"<html>{SECRET}</html>".encode(), content_type="text/html"), INVALID),
    "JSON": (says(f'{{"error": "{SECRET}"}}'.encode(), content_type="application/json"), INVALID),
    "no type": (says(envelope(ANSWER), content_type=""), INVALID),
    "two types": (says(envelope(ANSWER), content_type="text/html", more="Content-Type: text/xml\r\n"), INVALID),
    "a type that lies": (says(f"%PDF {SECRET}".encode()), INVALID),
    "another character set": (says(envelope(ANSWER), content_type="text/xml; charset=utf-7"), INVALID),
    "an entity of a file": (
        says(envelope(ANSWER.replace("Каримов", "&f;"), '<!DOCTYPE e [<!ENTITY f SYSTEM "{file}">]>')),
        INVALID,
    ),
    "an entity of a host": (
        says(envelope(ANSWER.replace("Каримов", "&f;"), '<!DOCTYPE e [<!ENTITY f SYSTEM "{url}">]>')),
        INVALID,
    ),
    "an external DTD": (says(envelope(ANSWER, '<!DOCTYPE e SYSTEM "{url}">')), INVALID),
    "XInclude": (
        says(
            envelope(ANSWER.replace("Каримов", '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{file}"/>'))
        ),
        INVALID,
    ),
    "entities in entities": (says(envelope(ANSWER.replace("Каримов", "&e7;"), _entities(8))), INVALID),
    "an entity often": (
        says(envelope(ANSWER.replace("Каримов", "&e;" * 9_000), f'<!DOCTYPE e [<!ENTITY e "{"x" * 9_000}">]>')),
        INVALID,
    ),
    "depth": (says(envelope("<a>" * 50_000 + "</a>" * 50_000)), INVALID),
    "attributes": (
        says(envelope(ANSWER.replace("><Surname", f" {ATTRIBUTES}><Surname", 1))),
        INVALID,
    ),
    "compressed": (says(b"\x1f\x8b" + bytes(100), more="Content-Encoding: gzip\r\n"), INVALID),
    "an endless answer": (goes_on(b" " * 65_536), INVALID),
    "an endless header": (goes_on(b"X: y\r\n" * 100, head=b"HTTP/1.1 200 OK\r\n"), INVALID),
    "endless interim answers": (goes_on(b"HTTP/1.1 103 E\r\n\r\n", head=b"HTTP/1.1 103 E\r\n\r\n"), LATE),
    "an octet at a time": (goes_on(b" ", pause_s=0.01), LATE),
    "silence": (goes_on(b"", head=b"HTTP/1.1 200 OK\r\n", pause_s=0.05), LATE),
    "not HTTP": (goes_on(b"\x00\xff" * 1_000, head=b"\x00"), INVALID),
    "a redirect": (says(b"", status="302 Found", more="Location: {url}\r\n"), INVALID),
    "a redirect that keeps the method": (says(b"", status="307 Temporary", more="Location: {url}\r\n"), INVALID),
    "a redirect to a file": (says(b"", status="301 Moved", more="Location: {file}\r\n"), INVALID),
    "a page that leads on": (says(envelope(ANSWER), status="200 OK", more="Refresh: 0; url={url}\r\n"), "answered"),
    "credentials demanded": (says(b"", status="401 Unauthorized", more="WWW-Authenticate: Negotiate\r\n"), INVALID),
    "a proxy named": (says(b"", status="305 Use Proxy", more="Location: {url}\r\n"), INVALID),
    "a fault with a stack trace": (says(envelope(FAULT.format("failed")), status="500 Error"), FAULTED),
    "an answer that the schema does not know": (
        says(envelope(ANSWER.replace("</Surname>", f"</Surname><Extra>{SECRET}</Extra>"))),
        INVALID,
    ),
    "another element": (says(envelope(f'<Other xmlns="{PERSON}">{SECRET}</Other>')), INVALID),
    "two answers": (says(envelope(ANSWER + ANSWER)), INVALID),
    "a header that must be understood": (
        says(envelope(ANSWER, header='<e:Header><x e:mustUnderstand="1"/></e:Header>')),
        INVALID,
    ),
    "broken off": (says(envelope(ANSWER)[:-9]), INVALID),
    "longer than said": (
        goes_on(envelope(ANSWER), head=b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 9\r\n\r\n"),
        INVALID,
    ),
    "cookies": (says(envelope(ANSWER), more="Set-Cookie: a=b; Domain=.\r\n"), "answered"),
}


def with_baits(serve: Serve, canary: Canary) -> Serve:
    """The same answers, with the bait's address and path where they name one."""

    async def change(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        write = writer.write

        def baited(octets: bytes) -> None:
            if b"{url}" in octets or b"{file}" in octets:
                head, _, body = octets.partition(b"\r\n\r\n")
                put = [
                    part.replace(b"{url}", canary.url.encode()).replace(b"{file}", canary.path.as_uri().encode())
                    for part in (head, body)
                ]
                length = head.split(b"Content-Length: ")[1].split(b"\r\n")[0]
                put[0] = put[0].replace(b"Content-Length: " + length, b"Content-Length: %d" % len(put[1]))
                octets = b"\r\n\r\n".join(put)
            write(octets)

        writer.write = baited  # type: ignore[method-assign, assignment]
        await serve(reader, writer)

    return change


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_system(what: str, sides: TwoSides, canary: Canary, caplog: pytest.LogCaptureFixture) -> None:
    serve, code = HOSTILE[what]
    async with system(with_baits(serve, canary)) as (address, lines):
        backend = SoapBackend(
            SoapBackendConfig(address=address, timeout_s=1 if code == LATE else 60, max_answer_bytes=1_000_000),
            description(),
        )
        backed_by(sides, backend)
        with canary.watching() as touched:
            assert await outcome_of(sides, caplog) == code
        await backend.close()
    assert len(lines) == 1, "asked once, and nobody else"
    assert not [one for one in touched if one.startswith("bait")]
    port = address.split(":")[2].split("/")[0]
    assert not [one for one in touched if one.startswith("socket.connect") and port not in one]


async def test_a_good_system_is_heard(sides: TwoSides, caplog: pytest.LogCaptureFixture) -> None:
    """The control of the cases above."""
    async with system(says(envelope(ANSWER))) as (address, lines):
        backend = SoapBackend(SoapBackendConfig(address=address, timeout_s=5), description())
        backed_by(sides, backend)
        assert await outcome_of(sides, caplog) == "answered"
        await backend.close()
    assert lines == [b"POST /s HTTP/1.1"]


async def test_a_fault_says_its_text_and_no_more(sides: TwoSides, caplog: pytest.LogCaptureFixture) -> None:
    """What a system puts into faultstring is for the caller; its detail, where stack traces are, is not handed on."""
    async with system(says(envelope(FAULT.format("No such key")), status="500 Error")) as (address, _):
        backend = SoapBackend(SoapBackendConfig(address=address, timeout_s=5), description())
        backed_by(sides, backend)
        assert await outcome_of(sides, caplog) == FAULTED
        await backend.close()
    assert "No such key" in etree.tostring(opened(sides, sides.wire.answers[-1].octets), encoding="unicode")
