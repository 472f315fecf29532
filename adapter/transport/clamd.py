"""clamd's INSTREAM command: octets go there in pieces, a verdict comes back (man clamd, section COMMANDS)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from adapter.errors import ScanUnavailable

_MAX_REPLY_BYTES: Final = 1024
# `ClamAV 1.4.2/27512/Wed Nov  5 08:00:00 2025`; without signatures of its maker only the first (clamd's VERSION).
_VERSION: Final = re.compile(r"(ClamAV [0-9][!-.0-~]{0,31})(?:/([0-9]{1,9})/([A-Za-z0-9: ]{1,40}))?")
_DATE: Final = "%a %b %d %H:%M:%S %Y"
_FOUND: Final = re.compile(r"stream: ([!-~][ -~]{0,127}) FOUND")
_END_OF_STREAM: Final = bytes(4)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClamdVersion:
    """What a clamd says of itself. signatures: the number of its database, and made_on its day; absent without one."""

    engine: str
    signatures: int | None = None
    made_on: datetime | None = None


class Clamd:
    """Implements ports.Scanner. address: an absolute path of a socket, or host:port."""

    def __init__(self, address: str, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s

    async def scan(self, octets: AsyncIterator[bytes]) -> str | None:
        """The name of the signature that matched, None when none did. Raises ScanUnavailable, and what octets raise."""
        async with self._connection() as (reader, writer):
            return _verdict(await self._ask(reader, writer, octets))

    async def version(self) -> ClamdVersion:
        """Whether it is there, and with which signatures. Raises ScanUnavailable."""
        async with self._connection() as (reader, writer):
            await _send(writer, b"zVERSION\0")
            return _read_version(await reader.read(_MAX_REPLY_BYTES))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """One question, within the time. Raises ScanUnavailable."""
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await self._connect()
                try:
                    yield reader, writer
                finally:
                    writer.close()
        except TimeoutError:
            raise ScanUnavailable(f"clamd did not answer in {self._timeout_s} s") from None
        except OSError as cause:
            raise ScanUnavailable(f"clamd cannot be reached: {type(cause).__name__}") from None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.startswith("/"):
            return await asyncio.open_unix_connection(self._address)
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, octets: AsyncIterator[bytes]
    ) -> bytes:
        """The reply, which may come before everything was sent: then clamd has seen enough, or too much."""
        try:
            await _send(writer, b"zINSTREAM\0")
            async for piece in octets:
                await _send(writer, len(piece).to_bytes(4, "big") + piece)
            await _send(writer, _END_OF_STREAM)
        except ConnectionError:
            pass  # what it said before it hung up is still there to be read
        return await reader.read(_MAX_REPLY_BYTES)


async def _send(writer: asyncio.StreamWriter, octets: bytes) -> None:
    """Raises ConnectionError. uvloop says RuntimeError where asyncio says that the connection is gone."""
    try:
        writer.write(octets)
        await writer.drain()
    except RuntimeError:
        raise ConnectionResetError from None


def _read_version(reply: bytes) -> ClamdVersion:
    found = _VERSION.fullmatch(reply.rstrip(b"\0\n").decode("ascii", "replace"))
    if found is None:
        raise ScanUnavailable("what answers there does not say that it is ClamAV")
    if found[2] is None:
        return ClamdVersion(engine=found[1])
    try:
        made_on = datetime.strptime(found[3], _DATE).replace(tzinfo=UTC)
    except ValueError:
        made_on = None
    return ClamdVersion(engine=found[1], signatures=int(found[2]), made_on=made_on)


def _verdict(reply: bytes) -> str | None:
    text = reply.rstrip(b"\0\n").decode("ascii", "replace")
    if text == "stream: OK":
        return None
    if found := _FOUND.fullmatch(text):
        return found[1]
    # "INSTREAM size limit exceeded. ERROR" among others: nobody has looked at all of it.
    raise ScanUnavailable("clamd did not say OK or FOUND")
