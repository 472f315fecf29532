"""Fetching files of the authority's repository from its mirrors: web servers and folders, one after another."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import aiohttp

from adapter.directory.metadata import description_target, target_file
from adapter.directory.refresh import Found, Refresh, Steps, Wanted
from adapter.errors import AdapterError, DirectoryExpired, DirectoryRefused, DirectoryUnavailable, RefusedBecause

_ABSENT: Final = frozenset({403, 404, 410})
"""What web servers say of a file that is not there; object stores say 403."""

Value = TypeVar("Value")


class DirectoryClient:
    """Reads from where the settings say and nowhere else: no redirects, bounded sizes, bounded time."""

    def __init__(self, urls: Sequence[str], *, timeout_s: float = 10, max_bytes: int = 64 * 1024 * 1024) -> None:
        """urls: the mirrors. timeout_s: for one file. max_bytes: of directory.xml, and of a description bundle."""
        self._mirrors = [url.rstrip("/") for url in urls]
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self.max_bytes = max_bytes

    async def look(self, refresh: Refresh) -> Found | None:
        """Run one look against the first mirror that gives something to believe; it is asked first the next time.

        A mirror that is down, slow, behind or lying is passed over; when none is left, the gravest of what was wrong
        is raised. Raises DirectoryUnavailable, DirectoryRefused, DirectoryExpired.
        """
        wrong: list[AdapterError] = []
        for mirror in tuple(self._mirrors):
            try:
                found = await self._run(refresh.steps(), mirror)
            except AdapterError as failure:
                wrong.append(failure)
                continue
            self._prefer(mirror)
            return found
        raise _gravest(wrong)

    async def description(self, sha256: str) -> bytes:
        """A description bundle by its digest (hex). Raises DirectoryUnavailable, DirectoryRefused."""
        wanted = Wanted(target_file(description_target(sha256), sha256), self.max_bytes)
        wrong: list[AdapterError] = []
        for mirror in tuple(self._mirrors):
            try:
                octets = await self._read(mirror, wanted)
                if octets is None or hashlib.sha256(octets).hexdigest() != sha256:
                    raise DirectoryRefused(
                        "a service description is missing, or has not the digest that the directory names",
                        because=RefusedBecause.MISMATCH,
                    )
            except AdapterError as failure:
                wrong.append(failure)
                continue
            return octets
        raise _gravest(wrong)

    def _prefer(self, mirror: str) -> None:
        self._mirrors.remove(mirror)
        self._mirrors.insert(0, mirror)

    async def _run(self, steps: Steps, mirror: str) -> Found | None:
        answer: bytes | None = None
        try:
            wanted = next(steps)
            while True:
                answer = await self._read(mirror, wanted)
                wanted = await _next_step(steps, answer)
        except StopIteration as end:
            return _value(end)
        except _Ended as end:
            return end.found
        finally:
            steps.close()

    async def _read(self, mirror: str, wanted: Wanted) -> bytes | None:
        parts = urlsplit(mirror)
        if parts.scheme in ("http", "https"):
            return await self._read_http(f"{mirror}/{wanted.path}", wanted)
        folder = Path(parts.path if parts.scheme == "file" else mirror)
        try:
            return await asyncio.to_thread(_read_file, folder / wanted.path, wanted)
        except FileNotFoundError:
            if wanted.optional and await asyncio.to_thread(folder.is_dir):
                return None
            raise DirectoryUnavailable(f"{folder} has no {wanted.path}") from None
        except OSError as cause:
            raise DirectoryUnavailable(f"cannot read {wanted.path} in {folder}: {cause.strerror}") from None

    async def _read_http(self, url: str, wanted: Wanted) -> bytes | None:
        try:
            async with (
                aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                if wanted.optional and response.status in _ABSENT:
                    return None
                if response.status != 200:
                    raise DirectoryUnavailable(f"{url} answered with status {response.status}")
                return await _bounded(response, url, wanted.max_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as cause:
            raise DirectoryUnavailable(f"{url} cannot be read: {type(cause).__name__}") from None


class _Ended(Exception):
    def __init__(self, found: Found | None) -> None:
        super().__init__()
        self.found = found


async def _next_step(steps: Steps, answer: bytes | None) -> Wanted:
    """Verifying and reading a large directory takes its time: not in the loop that serves exchanges."""

    def step() -> Wanted:
        try:
            return steps.send(answer)
        except StopIteration as end:
            raise _Ended(_value(end)) from None

    return await asyncio.to_thread(step)


def _value(end: StopIteration) -> Found | None:
    found: Found | None = end.value
    return found


async def _bounded(response: aiohttp.ClientResponse, url: str, max_bytes: int) -> bytes:
    octets = bytearray()
    async for chunk in response.content.iter_any():
        octets += chunk
        if len(octets) > max_bytes:
            raise DirectoryRefused(f"{url} is larger than {max_bytes} octets", because=RefusedBecause.OVERSIZED)
    return bytes(octets)


def _read_file(path: Path, wanted: Wanted) -> bytes:
    with path.open("rb") as file:
        octets = file.read(wanted.max_bytes + 1)
    if len(octets) > wanted.max_bytes:
        raise DirectoryRefused(f"{path} is larger than {wanted.max_bytes} octets", because=RefusedBecause.OVERSIZED)
    return octets


def _gravest(wrong: Sequence[AdapterError]) -> AdapterError:
    """What an operator has to know: an attack before an expiry, an expiry before a server that is down."""
    for kind in (DirectoryRefused, DirectoryExpired, DirectoryUnavailable):
        for failure in wrong:
            if isinstance(failure, kind):
                return failure
    return DirectoryUnavailable("no mirror of the directory is named")
