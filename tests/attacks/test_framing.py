"""W114, W108, W112 at the HTTP level: what makes two readers of one connection see two different requests.

Whatever is sent, there is at most one exchange for it, and nothing that stands in the body of a request is taken for
a request of its own.
"""

from __future__ import annotations

import asyncio
import gzip

import pytest

from tests.adapters.test_listeners import listening, peer_listener
from tests.two_sides import TwoSides, sealed_request

HEAD = b"POST /peer HTTP/1.1\r\nHost: x\r\nContent-Type: application/soap+xml\r\n"
HIDDEN = b"POST /peer HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n<h/>"


async def everything_said(port: int, octets: bytes) -> bytes:
    """All that comes back until the other side closes, or is silent for a while."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = b""
    try:
        writer.write(octets)
        await writer.drain()
        while True:
            piece = await asyncio.wait_for(reader.read(65536), 0.5)
            if not piece:
                break
            said += piece
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return said


def chunked(*pieces: bytes, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    return body + b"0\r\n" + trailer + b"\r\n"


def both_lengths(body: bytes) -> bytes:
    """Whoever believes the length leaves a request in the connection."""
    return HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body) + HIDDEN


def two_lengths(body: bytes) -> bytes:
    return HEAD + b"Content-Length: %d\r\nContent-Length: 0\r\n\r\n%s" % (len(body), body)


def odd_length(text: bytes) -> bytes:
    return HEAD + b"Content-Length: " + text + b"\r\n\r\n" + HIDDEN


def odd_encoding(name: bytes, body: bytes) -> bytes:
    return HEAD + b"Transfer-Encoding: " + name + b"\r\n\r\n" + chunked(body) + HIDDEN


REFUSED_BY_THE_READER = {
    "both lengths": both_lengths(b"<x/>"),
    "two lengths": two_lengths(b"<x/>"),
    "a length with a sign": odd_length(b"+4"),
    "a negative length": odd_length(b"-4"),
    "a hexadecimal length": odd_length(b"0x4"),
    "a length of words": odd_length(b"four"),
    "two encodings": odd_encoding(b"chunked, chunked", b"<x/>"),
    "an unknown encoding": odd_encoding(b"xchunked", b"<x/>"),
    "a chunk of negative length": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-4\r\n<x/>\r\n0\r\n\r\n" + HIDDEN,
    "a header that goes on": HEAD + b"X: y\r\n Content-Length: 4\r\n\r\n<x/>",
    "a space before the colon": HEAD + b"Content-Length : 4\r\n\r\n<x/>",
    "a NUL in a header": HEAD + b"X: a\x00b\r\nContent-Length: 4\r\n\r\n<x/>",
}


@pytest.mark.parametrize("octets", REFUSED_BY_THE_READER.values(), ids=REFUSED_BY_THE_READER)
async def test_what_could_hide_a_request_is_one_refusal_at_most(sides: TwoSides, octets: bytes) -> None:
    async with listening(peer_listener(sides)) as port:
        said = await everything_said(port, octets)
    answers = said.count(b"HTTP/1.")
    assert answers <= 1, "a hidden request was answered"
    assert b" 200 OK" not in said
    assert not sides.register.asked
    assert len(sides.provider_record.log) <= 1


@pytest.mark.parametrize(
    ("extension", "trailer"),
    [(b"", b""), (b";name=value", b""), (b"", b"Content-Length: 4\r\nX-Peer: other\r\n")],
    ids=["plain", "extensions", "trailers"],
)
async def test_chunks_with_whatever_around_them_are_one_message(
    sides: TwoSides, extension: bytes, trailer: bytes
) -> None:
    """The octets of the chunks are the message; what stands around them says nothing to anybody."""
    octets = sealed_request(sides).octets
    body = chunked(octets[:100], octets[100:], extension=extension, trailer=trailer)
    async with listening(peer_listener(sides)) as port:
        said = await everything_said(port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    assert said.count(b"HTTP/1.") <= 1
    assert len(sides.provider_record.log) <= 1 or not sides.register.asked
    assert b"InternalError" not in said


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"gzip, gzip", b"identity, gzip", b"x"])
async def test_a_compressed_body_is_refused(sides: TwoSides, encoding: bytes) -> None:
    """Nothing is inflated for a peer: the profile sends nothing compressed (W112)."""
    body = gzip.compress(sealed_request(sides).octets)
    async with listening(peer_listener(sides)) as port:
        head = HEAD + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body))
        said = await everything_said(port, head + body)
    assert said.count(b"HTTP/1.") == 1
    assert b" 200 OK" not in said
    assert not sides.register.asked


async def test_a_bomb_is_not_inflated(sides: TwoSides) -> None:
    body = gzip.compress(bytes(200_000_000), 9)
    async with listening(peer_listener(sides)) as port:
        head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
        said = await everything_said(port, head + body)
    assert b" 200 OK" not in said
    assert not sides.register.asked


async def test_two_content_types_are_no_way_around(sides: TwoSides) -> None:
    """W108: the octets decide, so it does not matter which of them counts."""
    octets = sealed_request(sides).octets
    head = HEAD + b"Content-Type: multipart/related; boundary=a; boundary=b\r\nContent-Length: %d\r\n\r\n" % len(octets)
    async with listening(peer_listener(sides)) as port:
        said = await everything_said(port, head + octets)
    assert said.count(b"HTTP/1.") == 1
    assert b"InternalError" not in said
