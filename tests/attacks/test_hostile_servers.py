"""A directory server and an information system that answer with whatever hurts."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from adapter.directory.refresh import Known, Refresh
from adapter.errors import AdapterError, DirectoryRefused, DirectoryUnavailable
from adapter.transport.directory_client import DirectoryClient
from tests.pki import NOW
from tests.repository import Repository

MEBIBYTE = 1024 * 1024


@asynccontextmanager
async def answering(pieces: Callable[[], Iterable[bytes]], *, pause_s: float = 0) -> AsyncIterator[str]:
    """A server that writes these pieces to whoever comes, each after a pause, then closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces():
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_s)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


OK = b"HTTP/1.1 200 OK\r\n"

HOSTILE: dict[str, Callable[[], Iterable[bytes]]] = {
    "nothing": list,
    "not HTTP": lambda: [b"\x00\xff" * 1000],
    "a redirect to a file": lambda: [
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"
    ],
    "a redirect elsewhere": lambda: [b"HTTP/1.1 302 Found\r\nLocation: http://[::bad\r\nContent-Length: 0\r\n\r\n"],
    "broken off": lambda: [OK + b"Content-Length: 100\r\n\r\nshort"],
    "two lengths": lambda: [OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
    "length and chunks": lambda: [OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"],
    "bad chunk": lambda: [OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\na\r\n"],
    "long header": lambda: [OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n"],
    "endless headers": lambda: itertools.chain([OK], (b"X%d: x\r\n" % at for at in itertools.count())),
    "bad cookie and type": lambda: [OK + b"Set-Cookie: \xff=\xfe\r\nContent-Type: \xff\r\nContent-Length: 5\r\n\r\n"],
    "endless interim answers": lambda: itertools.repeat(b"HTTP/1.1 103 Early\r\n\r\n"),
    "endless": lambda: itertools.chain([OK + b"\r\n"], itertools.repeat(b"x" * MEBIBYTE)),
    "silence": lambda: itertools.chain([OK], itertools.repeat(b"")),
}


async def look(client: DirectoryClient) -> None:
    await client.look(Refresh(Repository.make(NOW).anchor, Known(), now=NOW))


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_directory_server_is_a_refusal_in_time(name: str) -> None:
    """What does not end is ended by the client: the server would go on for ever."""
    async with answering(HOSTILE[name], pause_s=0.0 if name != "silence" else 0.05) as url:
        with pytest.raises((DirectoryUnavailable, DirectoryRefused)):
            await look(DirectoryClient((url,), timeout_s=2))


async def test_large_directory_in_small_pieces_is_read_in_time() -> None:
    """What reading costs grows with the document, not with its square."""
    pieces = [OK + b"\r\n", *(b"x" * 4096 for _ in range(8 * 1024))]
    async with answering(lambda: pieces) as url:
        started = time.thread_time()
        client = DirectoryClient((url,), timeout_s=120, max_bytes=64 * MEBIBYTE)
        assert len(await client.description(hashlib.sha256(b"x" * (32 * MEBIBYTE)).hexdigest())) == 32 * MEBIBYTE
        assert time.thread_time() - started < 10


async def test_every_failure_is_of_the_catalogue() -> None:
    for address in ("http://", "http://127.0.0.1:99999", "http://x..y/", "file:///nowhere"):
        with pytest.raises(AdapterError):
            await look(DirectoryClient((address,), timeout_s=2))
