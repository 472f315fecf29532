"""Fetching the published directory and the service descriptions that it names, from a URL or a folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from adapter.errors import DirectoryRefused, DirectoryUnavailable

DIRECTORY_FILE = "directory.xml"
NOTE_FILE = "directory.note"
DESCRIPTIONS = "descriptions"


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedDirectory:
    """The two files as they came, untrusted until directory.signing opened them."""

    document: bytes
    note: bytes


class DirectoryClient:
    """Reads from where the settings say and nowhere else: no redirects, bounded sizes, bounded time."""

    def __init__(self, url: str, *, timeout_s: float = 10, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._url = url.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._max_bytes = max_bytes

    async def fetch(self) -> PublishedDirectory:
        """The published directory. Raises DirectoryUnavailable, DirectoryRefused (too large)."""
        note = await self._read(NOTE_FILE)
        return PublishedDirectory(document=await self._read(DIRECTORY_FILE), note=note)

    async def description(self, sha256: str) -> bytes:
        """A description bundle by its digest (hex). Raises DirectoryUnavailable, DirectoryRefused."""
        octets = await self._read(f"{DESCRIPTIONS}/{sha256}.zip")
        if hashlib.sha256(octets).hexdigest() != sha256:
            raise DirectoryRefused("a service description does not have the digest that the directory names")
        return octets

    async def _read(self, name: str) -> bytes:
        parts = urlsplit(self._url)
        if parts.scheme in ("http", "https"):
            return await self._read_http(f"{self._url}/{name}")
        folder = Path(parts.path if parts.scheme == "file" else self._url)
        try:
            return (folder / name).read_bytes()
        except OSError as cause:
            raise DirectoryUnavailable(f"cannot read {name} in {folder}: {cause.strerror}") from None

    async def _read_http(self, url: str) -> bytes:
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise DirectoryUnavailable(f"{url} answered with status {response.status}")
                return await self._bounded(response, url)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as cause:
            raise DirectoryUnavailable(f"{url} cannot be read: {type(cause).__name__}") from None

    async def _bounded(self, response: aiohttp.ClientResponse, url: str) -> bytes:
        octets = bytearray()
        async for chunk in response.content.iter_any():
            octets += chunk
            if len(octets) > self._max_bytes:
                raise DirectoryRefused(f"{url} is larger than {self._max_bytes} octets")
        return bytes(octets)
