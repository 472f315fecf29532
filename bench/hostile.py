"""The attackers, a process of its own: one attack on both listeners for so many seconds, and what was answered.

    python -m bench.hostile PLAN.json NAME SECONDS ANSWERS.json

The file with the answers by fault code is there as soon as everything is prepared, and is written again every second:
whoever started the process may kill it at any time and has the figures. What it costs is not counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import ssl
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.hostile_documents import DOCUMENTS, MANY_PARTS_TYPE, Document, bomb, many_parts

_SOURCES: Final = 40
_ANSWER_S: Final = 20
_CODE: Final = re.compile(rb"Code>(?:ia-fault:)?([A-Z]\w+)</")
_STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3})")
_KIB: Final = 1024
_SLOW: Final = 10_000
_TOLD_EVERY_S: Final = 1.0
CONNECTED: Final = "connected"


@dataclass(frozen=True, kw_only=True)
class HostilePlan:
    """Whom to attack. The certificate is that of a member, which the listener for peers lets in."""

    client_port: int
    client_path: str
    peer_port: int
    certificate_file: str
    key_file: str

    def write(self, path: Path) -> None:
        """Write it for the attackers."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> HostilePlan:
        """Read what `write` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True, kw_only=True)
class Target:
    """One listener. tls: None for plain HTTP."""

    port: int
    path: str
    content_type: str
    tls: ssl.SSLContext | None

    @property
    def for_peers(self) -> bool:
        """Whether it is the listener for peers."""
        return self.tls is not None

    async def connect(self, at: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from one of forty addresses. Raises OSError, TimeoutError."""
        source = (f"127.0.2.{1 + at % _SOURCES}", 0)
        async with asyncio.timeout(_ANSWER_S):
            return await asyncio.open_connection("127.0.0.1", self.port, local_addr=source, ssl=self.tls)

    def head(self, *lines: str, content_type: str = "") -> bytes:
        """A POST's head."""
        first = (f"POST {self.path} HTTP/1.1", "Host: x", f"Content-Type: {content_type or self.content_type}")
        return "\r\n".join((*first, *lines)).encode() + b"\r\n\r\n"


Attack = Callable[[Target, float, Counter[str]], Awaitable[None]]
Preparing = Callable[[bool], Attack]
"""Builds what is sent, which may take seconds: for the listener for peers (True) or for clients."""


async def answer_of(reader: asyncio.StreamReader, answers: Counter[str], within_s: float = _ANSWER_S) -> None:
    """Count what was said before the end: a fault's code, a status, or that the connection was closed."""
    said = b""
    try:
        async with asyncio.timeout(within_s):
            while len(said) < 64 * _KIB and not _CODE.search(said):
                piece = await reader.read(64 * _KIB)
                if not piece:
                    break
                said += piece
    except TimeoutError:
        answers["no answer"] += 1
        return
    except OSError:
        pass
    code, status = _CODE.search(said), _STATUS.search(said)
    answers[code[1].decode() if code else f"status {status[1].decode()}" if status else "closed"] += 1


async def _one(target: Target, at: int, answers: Counter[str], *pieces: bytes, pause_s: float = 0) -> None:
    """Connect, send the pieces with pauses between them, count the answer."""
    try:
        reader, writer = await target.connect(at)
    except (OSError, TimeoutError) as refused:
        answers[f"not connected: {type(refused).__name__}"] += 1
        return
    answers[CONNECTED] += 1
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
    except OSError:
        pass  # what was answered may be there all the same
    await answer_of(reader, answers)
    with suppress(OSError):
        writer.close()


async def _crowd(target: Target, count: int, seconds: float, answers: Counter[str], *pieces: bytes) -> None:
    """So many connections that send the beginning of something and then nothing; as one ends, the next one comes."""
    until = time.monotonic() + seconds

    async def one(at: int) -> None:
        await asyncio.sleep(seconds / 4 * at / count)
        while time.monotonic() < until:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.1, until - time.monotonic())):
                    await _one(target, at, answers, *pieces)
            await asyncio.sleep(5)

    await asyncio.gather(*(one(at) for at in range(count)))


async def _repeatedly(workers: int, seconds: float, once: Callable[[int], Awaitable[None]]) -> None:
    until = time.monotonic() + seconds

    async def worker(at: int) -> None:
        while time.monotonic() < until:
            await once(at)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(worker(at) for at in range(workers)))


async def _slow_connections(target: Target, seconds: float, answers: Counter[str]) -> None:
    raw = Target(port=target.port, path=target.path, content_type=target.content_type, tls=None)
    await _crowd(raw, _SLOW // 2, seconds, answers)


async def _half_sent(target: Target, seconds: float, answers: Counter[str]) -> None:
    await _crowd(target, 400, seconds, answers, target.head("Content-Length: 1000") + b"<half")


async def _byte_a_second(target: Target, seconds: float, answers: Counter[str]) -> None:
    async def once(at: int) -> None:
        head = target.head("Content-Length: 100000")
        await _one(target, at, answers, head, *(b"<" for _ in range(60)), pause_s=1)

    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _repeatedly(300, seconds, once)


async def _large_heads(target: Target, seconds: float, answers: Counter[str]) -> None:
    line = b"X-Large: " + b"x" * 8000 + b"\r\n"

    async def once(at: int) -> None:
        await _one(target, at, answers, target.head()[:-2], *(line * 10 for _ in range(1250)))

    await _repeatedly(4, seconds, once)


async def _endless_chunks(target: Target, seconds: float, answers: Counter[str]) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"

    async def once(at: int) -> None:
        await _one(target, at, answers, target.head("Transfer-Encoding: chunked"), *(chunk for _ in range(2000)))

    await _repeatedly(8, seconds, once)


def _posted(body: bytes, *lines: str, content_type: str = "") -> Attack:
    """The same message again and again, four at a time."""

    async def attack(target: Target, seconds: float, answers: Counter[str]) -> None:
        head = target.head(f"Content-Length: {len(body)}", "Connection: close", *lines, content_type=content_type)
        await _repeatedly(4, seconds, lambda at: _one(target, at, answers, head, body))

    return attack


async def _garbage(target: Target, seconds: float, answers: Counter[str]) -> None:
    async def once(at: int) -> None:
        await _one(target, at, answers, target.head("Content-Length: 5", "Connection: close") + b"<half")

    await _repeatedly(50, seconds, once)


def _prepared(attack: Attack) -> Preparing:
    return lambda _for_peers: attack


def _document(document: Document) -> Preparing:
    return lambda for_peers: _posted(document(for_peers))


ATTACKS: Final[Mapping[str, Preparing]] = {
    "10,000 slow connections": _prepared(_slow_connections),
    "half-sent requests": _prepared(_half_sent),
    "byte-a-second bodies": _prepared(_byte_a_second),
    "heads of 100 MB": _prepared(_large_heads),
    "endless chunked bodies": _prepared(_endless_chunks),
    "decompression bombs": lambda _for_peers: _posted(bomb(), "Content-Encoding: gzip"),
    "a flood of garbage": _prepared(_garbage),
    "100,000 parts": lambda _for_peers: _posted(many_parts(), content_type=MANY_PARTS_TYPE),
    **{name: _document(document) for name, document in DOCUMENTS.items()},
}


def _targets(plan: HostilePlan) -> dict[str, Target]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # an attacker does not care whom it attacks
    context.load_cert_chain(plan.certificate_file, plan.key_file)
    return {
        "clients": Target(port=plan.client_port, path=plan.client_path, content_type="text/xml", tls=None),
        "peers": Target(port=plan.peer_port, path="/peer", content_type="application/soap+xml", tls=context),
    }


async def main(plan: HostilePlan, name: str, seconds: float, told: Path) -> None:
    """Prepare, then attack both listeners at a time; write what they answered."""
    targets = _targets(plan)
    answers: dict[str, Counter[str]] = {listener: Counter() for listener in targets}
    attacks = {listener: ATTACKS[name](target.for_peers) for listener, target in targets.items()}

    def tell() -> None:
        unfinished = told.with_suffix(".part")
        unfinished.write_text(json.dumps(answers), encoding="utf-8")
        unfinished.replace(told)

    async def go_on_telling() -> None:
        while True:
            tell()
            await asyncio.sleep(_TOLD_EVERY_S)

    telling = asyncio.create_task(go_on_telling())
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(attacks[to](target, seconds, answers[to]) for to, target in targets.items()))
    telling.cancel()
    tell()


if __name__ == "__main__":
    _, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (_hard, _hard))
    os.nice(19)  # what is measured is what the adapters do, not who gets the processor
    asyncio.run(main(HostilePlan.read(Path(sys.argv[1])), sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])))
