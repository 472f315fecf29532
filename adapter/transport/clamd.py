"""clamd's INSTREAM command: octets go there in pieces, a verdict comes back (man clamd, section COMMANDS)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from adapter.errors import ScanUnavailable

_MAX_REPLY_BYTES: Final = 1024
_FOUND: Final = re.compile(r"stream: ([!-~][ -~]{0,127}) FOUND")
_END_OF_STREAM: Final = bytes(4)


class Clamd:
    """Implements ports.Scanner. address: an absolute path of a socket, or host:port."""

    def __init__(self, address: str, *, timeout_s: float) -> None:
        self._address = address
        self._timeout_s = timeout_s

    async def scan(self, octets: AsyncIterator[bytes]) -> str | None:
        """The name of the signature that matched, None when none did. Raises ScanUnavailable, and what octets raise."""
        try:
            async with asyncio.timeout(self._timeout_s):
                reader, writer = await self._connect()
                try:
                    return _verdict(await self._ask(reader, writer, octets))
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


def _verdict(reply: bytes) -> str | None:
    text = reply.rstrip(b"\0\n").decode("ascii", "replace")
    if text == "stream: OK":
        return None
    if found := _FOUND.fullmatch(text):
        return found[1]
    # "INSTREAM size limit exceeded. ERROR" among others: nobody has looked at all of it.
    raise ScanUnavailable("clamd did not say OK or FOUND")
