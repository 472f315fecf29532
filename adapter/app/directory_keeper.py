"""The current directory of one worker: the last good copy at start, refreshed in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from adapter.crypto.note import NoteVerifier
from adapter.directory.model import Directory, DirectoryService
from adapter.directory.signing import authenticate_directory, open_signed_directory
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.description_bundle import unpack_bundle
from adapter.errors import AdapterError, DirectoryExpired, DirectoryUnavailable
from adapter.exchange.incidents import where
from adapter.ports import Clock
from adapter.store.directory_copy import DirectoryCopy
from adapter.transport.directory_client import DirectoryClient

log = structlog.get_logger(__name__)


class DirectoryKeeper:
    """Hands out the current directory and the descriptions of services that it names.

    A directory that is refused changes nothing: the last good one stays until it expires, then everything is refused
    (promise 4).
    """

    def __init__(self, *, client: DirectoryClient, copy: DirectoryCopy, anchor: NoteVerifier, clock: Clock) -> None:
        self._client = client
        self._copy = copy
        self._anchor = anchor
        self._clock = clock
        self._current: Directory | None = None
        self._told: list[Callable[[Directory], None]] = []
        self._descriptions: dict[str, ServiceDescription] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    def current(self) -> Directory:
        """The directory to trust by. Raises DirectoryUnavailable, DirectoryExpired."""
        directory = self._current
        if directory is None:
            raise DirectoryUnavailable("no directory was read yet")
        if directory.expires <= self._clock():
            raise DirectoryExpired(f"version {directory.version} is past its expiry")
        return directory

    def tell(self, listener: Callable[[Directory], None]) -> None:
        """Call `listener` with every directory that is adopted from now on, and with the one that is there."""
        self._told.append(listener)
        if self._current is not None:
            listener(self._current)

    def _adopt(self, directory: Directory) -> None:
        self._current = directory
        for listener in self._told:
            listener(directory)

    def load_copy(self) -> None:
        """Begin with the last good copy, if there is one. Its signature is checked again: disks are not trusted."""
        stored = self._copy.load()
        if stored is None:
            return
        try:
            self._adopt(authenticate_directory(stored.document, stored.note, self._anchor))
        except AdapterError as refused:
            log.error("the stored copy of the directory is refused", code=refused.code, because=refused.reason)

    async def refresh(self) -> None:
        """Fetch once and adopt what is newer. Raises DirectoryUnavailable, DirectoryRefused, DirectoryExpired."""
        published = await self._client.fetch()
        known = await asyncio.to_thread(self._copy.known)
        directory = await asyncio.to_thread(
            open_signed_directory,
            published.document,
            published.note,
            self._anchor,
            known_version=known.version,
            known_sha256=known.sha256,
            now=self._clock(),
        )
        if self._current is not None and directory.version == self._current.version:
            return
        await asyncio.to_thread(self._copy.keep, published.document, published.note, directory.version)
        self._adopt(directory)
        log.info("directory", version=directory.version, expires=directory.expires)

    async def keep_fresh(self, every_s: float) -> None:
        """Refresh for ever; a failure is logged and the last good directory stays."""
        while True:
            try:
                await self.refresh()
            except AdapterError as failure:
                log.warning("directory not refreshed", code=failure.code, because=failure.reason)
            except Exception as failure:  # noqa: BLE001 - whatever a server or a disk does, the next round is tried
                log.error("directory not refreshed", error=type(failure).__name__, where=where(failure))
            await asyncio.sleep(every_s)

    async def description(self, service: DirectoryService) -> ServiceDescription:
        """The published contract of a service, by its digest: from memory, from disk, or fetched once and kept.

        Raises DirectoryUnavailable, DirectoryRefused, DescriptionUnusable.
        """
        digest = service.description_sha256
        if digest in self._descriptions:
            return self._descriptions[digest]
        async with self._fetching.setdefault(digest, asyncio.Lock()):
            if digest not in self._descriptions:
                octets = await asyncio.to_thread(self._copy.description, digest)
                if octets is None:
                    octets = await self._client.description(digest)
                    await asyncio.to_thread(self._copy.keep_description, digest, octets)
                self._descriptions[digest] = await asyncio.to_thread(_read_bundle, octets)
        return self._descriptions[digest]


def _read_bundle(octets: bytes) -> ServiceDescription:
    entry, files = unpack_bundle(octets)
    return read_description(files.get, entry)
