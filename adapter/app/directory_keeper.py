"""The current directory of one worker: the last good copy at start, refreshed in the background."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from adapter.directory.anchor import Anchor
from adapter.directory.model import Directory, DirectoryService
from adapter.directory.proof import authenticate_directory
from adapter.directory.refresh import Found, Refresh, fresh_until
from adapter.envelope.description import ServiceDescription, read_description
from adapter.envelope.description_bundle import unpack_bundle
from adapter.errors import AdapterError, DirectoryExpired, DirectoryRefused, DirectoryUnavailable
from adapter.exchange.incidents import where
from adapter.ports import Clock
from adapter.store.directory_copy import DirectoryCopy, KeptState
from adapter.transport.directory_client import DirectoryClient

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldDirectory:
    """What a worker trusts by. fresh_until: directory.refresh.Found. refuse_from: when its grace is over as well."""

    directory: Directory
    fresh_until: datetime
    refuse_from: datetime

    @classmethod
    def of(cls, directory: Directory, until: datetime) -> HeldDirectory:
        """With the grace that the directory names itself."""
        return cls(directory=directory, fresh_until=until, refuse_from=until + directory.grace)


class DirectoryKeeper:
    """Hands out the current directory and the descriptions of services that it names.

    A directory that is refused changes nothing: the last good one stays until it expires and its grace is over, then
    everything is refused (promise 4).
    """

    def __init__(self, *, client: DirectoryClient, copy: DirectoryCopy, anchor: Anchor, clock: Clock) -> None:
        self._client = client
        self._copy = copy
        self._anchor = anchor
        self._clock = clock
        self._kept: KeptState | None = None
        self._held: HeldDirectory | None = None
        self._told: list[Callable[[Directory], None]] = []
        self._descriptions: dict[str, ServiceDescription] = {}
        self._fetching: dict[str, asyncio.Lock] = {}
        self.failures: Counter[str] = Counter()
        """Looks that failed, by reason: errors.RefusedBecause, `expired`, `unavailable`, `other`."""

    @property
    def held(self) -> HeldDirectory | None:
        """What is trusted by, fresh or not; None before anything was read."""
        return self._held

    def current(self) -> Directory:
        """The directory to trust by. Raises DirectoryUnavailable, DirectoryExpired."""
        held = self._held
        if held is None:
            raise DirectoryUnavailable("no directory was read yet")
        if held.refuse_from <= self._clock():
            raise DirectoryExpired(f"version {held.directory.version} is past its expiry, and its grace is over")
        return held.directory

    def tell(self, listener: Callable[[Directory], None]) -> None:
        """Call `listener` with every directory that is adopted from now on, and with the one that is there."""
        self._told.append(listener)
        if self._held is not None:
            listener(self._held.directory)

    def _adopt(self, directory: Directory, until: datetime) -> None:
        is_new = self._held is None or self._held.directory.version != directory.version
        self._held = HeldDirectory.of(directory, until)
        if is_new:
            for listener in self._told:
                listener(directory)

    def load_copy(self) -> None:
        """Begin with the last good copy, if there is one. Its signatures are checked again: disks are not trusted."""
        self._kept = self._copy.known()
        proof = self._copy.load()
        if proof is None:
            return
        try:
            directory = authenticate_directory(proof, self._anchor)
            self._adopt(directory, fresh_until(self._kept.known, self._anchor, directory))
        except AdapterError as refused:
            log.error("the stored copy of the directory is refused", code=refused.code, because=refused.reason)

    async def refresh(self) -> None:
        """Look once and adopt what is newer. Raises DirectoryUnavailable, DirectoryRefused, DirectoryExpired."""
        kept = await self._newest_copy()
        known, version = kept.known, None if self._held is None else self._held.directory.version
        refresh = Refresh(
            self._anchor,
            known,
            now=self._clock(),
            has_document=version == known.version,
            earlier=None if self._held is None else self._held.directory,
            max_bytes=self._client.max_bytes,
        )
        try:
            found = await self._client.look(refresh)
        finally:
            await self._keep_roots(refresh.new_roots)
        if found is not None:
            await self._keep(found, kept.revision)

    async def _newest_copy(self) -> KeptState:
        """Ours, or the one that another worker kept since."""
        if self._kept is None or await asyncio.to_thread(self._copy.revision) != self._kept.revision:
            await asyncio.to_thread(self.load_copy)
        if self._kept is None:
            raise DirectoryUnavailable("the copy of the directory cannot be read")
        return self._kept

    async def _keep_roots(self, roots: dict[int, bytes]) -> None:
        """Whatever became of the rest: whoever went back to an older root would trust keys that were replaced."""
        if not roots:
            return
        await asyncio.to_thread(self._copy.keep_roots, roots)
        self._kept = await asyncio.to_thread(self._copy.known)

    async def _keep(self, found: Found, since: int) -> None:
        if not await asyncio.to_thread(self._copy.keep, found, since=since):
            await asyncio.to_thread(self.load_copy)
            return
        self._kept = KeptState(known=found.known, revision=since + 1)
        if found.directory is not None:
            self._adopt(found.directory, found.fresh_until)
            log.info("directory", version=found.directory.version, root=found.root_version, expires=found.fresh_until)
        elif self._held is not None:
            self._adopt(self._held.directory, found.fresh_until)

    async def keep_fresh(self, every_s: float) -> None:
        """Refresh for ever; a failure is logged and the last good directory stays."""
        while True:
            try:
                await self.refresh()
            except AdapterError as failure:
                why = reason_of(failure)
                self.failures[why] += 1
                log.warning("directory not refreshed", code=failure.code, why=why, because=failure.reason)
            except Exception as failure:  # noqa: BLE001 - whatever a server or a disk does, the next round is tried
                self.failures["other"] += 1
                log.error("directory not refreshed", error=type(failure).__name__, where=where(failure))
            self._warn()
            await asyncio.sleep(every_s)

    def _warn(self) -> None:
        """Once in every round: past its expiry the directory is trusted for its grace only."""
        held, now = self._held, self._clock()
        if held is None or now < held.fresh_until:
            return
        said = "directory expired: everything is refused" if now >= held.refuse_from else "directory expired: in grace"
        log.error(said, version=held.directory.version, expires=held.fresh_until, refused_from=held.refuse_from)

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


def reason_of(failure: AdapterError) -> str:
    """Why a look failed, in one word."""
    if isinstance(failure, DirectoryRefused):
        return failure.because.value
    if isinstance(failure, DirectoryExpired):
        return "expired"
    return "unavailable" if isinstance(failure, DirectoryUnavailable) else "other"


def _read_bundle(octets: bytes) -> ServiceDescription:
    entry, files = unpack_bundle(octets)
    return read_description(files.get, entry)
