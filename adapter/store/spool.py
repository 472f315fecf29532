"""Where attachments wait on this machine: encrypted, in files that have no name, within a bound.

A file is unlinked as it is made (O_TMPFILE), so that nothing is left of it when the process ends, however it ends.
What is written is ciphertext under the content key of the message, which is in memory only. A small attachment takes
no file at all, as long as all of these together are few octets. Disk and cipher work in threads of their own, a quarter
of a mebibyte at a time.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, TypeVar

from adapter.attachments import Measured, SealedOctets
from adapter.crypto.content import IV_OCTETS, TAG_OCTETS
from adapter.crypto.octet_streams import StreamOpener, StreamSealer
from adapter.errors import EnvelopeRefused, InternalError, Overloaded, SettingsInvalid

PIECE_BYTES: Final = 256 * 1024
MEMORY_BYTES: Final = 16 * 1024 * 1024
_THREADS: Final = 4
_FOLDER_MODE: Final = 0o700
_MAX_IN_MEMORY: Final = PIECE_BYTES + IV_OCTETS + TAG_OCTETS

_Result = TypeVar("_Result")


class Spool:
    """The place of one worker.

    max_bytes: octets of all attachments that wait at one time. memory_bytes: of those of them that have no file.
    """

    def __init__(self, folder: Path, *, max_bytes: int, memory_bytes: int = MEMORY_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._taken = 0
        self._memory_bytes = memory_bytes
        self._memory_taken = 0
        self._memory_lock = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="spool")

    def prepare(self) -> None:
        """Make the folder, for the owner only. Raises SettingsInvalid."""
        try:
            self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as cause:
            raise SettingsInvalid(
                f"[attachments] spool_dir: {self._folder} cannot be written to ({cause.strerror})"
            ) from None

    @property
    def max_bytes(self) -> int:
        """Octets that may wait at one time."""
        return self._max_bytes

    @property
    def free_bytes(self) -> int:
        """Octets that the disk has left for files. Raises OSError."""
        return shutil.disk_usage(self._folder).free

    @property
    def taken_bytes(self) -> int:
        """Octets that wait now."""
        return self._taken

    def holding(self) -> SpoolHolding:
        """A place for the attachments of one exchange. Close it."""
        return SpoolHolding(self)

    def take(self, octets: int) -> None:
        """Count octets in. Raises Overloaded past the bound."""
        if self._taken + octets > self._max_bytes:
            raise Overloaded("the spool for attachments is full")
        self._taken += octets

    def give_back(self, octets: int) -> None:
        """Count octets out."""
        self._taken -= octets

    @property
    def memory_taken_bytes(self) -> int:
        """Octets that wait in memory now."""
        return self._memory_taken

    def take_memory(self, octets: int) -> bool:
        """Count octets in that are to stay in memory, from any thread; False when they have to go to a file."""
        with self._memory_lock:
            if self._memory_taken + octets > self._memory_bytes:
                return False
            self._memory_taken += octets
            return True

    def give_memory_back(self, octets: int) -> None:
        """Count them out."""
        with self._memory_lock:
            self._memory_taken -= octets

    def new_file(self) -> IO[bytes]:
        """A file without a name. Raises Overloaded."""
        try:
            return tempfile.TemporaryFile(dir=self._folder, buffering=0)
        except OSError as cause:
            raise Overloaded(f"no file for an attachment: {cause.strerror}") from None

    async def in_thread(self, work: Callable[[], _Result]) -> _Result:
        """Do it where the event loop does not wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class SpoolHolding:
    """Implements ports' attachments.Holding over the spool; made for each exchange, costs nothing until it is used."""

    __slots__ = ("_held", "_spool")

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._held: list[_Waiting] = []

    def keeping(self) -> _KeepingSink:
        """For one attachment that comes encrypted."""
        return _KeepingSink(self._new())

    def sealing(self, content_key: bytes) -> _SealingSink:
        """For one attachment that comes in clear."""
        return _SealingSink(self._new(), content_key)

    def _new(self) -> _Waiting:
        waiting = _Waiting(self._spool)
        self._held.append(waiting)
        return waiting

    def close(self) -> None:
        """Forget everything that was held."""
        for waiting in self._held:
            waiting.discard()
        self._held.clear()


class _Waiting:
    """The ciphertext of one attachment: in memory while it is one piece and there is room, else in a file.

    The lock keeps a thread that still works for a cancelled exchange from a descriptor that is closed and used anew.
    """

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        self._file: IO[bytes] | None = None
        self._memory = b""
        self._discarded = False
        self._lock = threading.Lock()
        self._taken = 0
        self.size = 0

    def take(self, octets: int) -> None:
        """Count octets in that are to come. Raises Overloaded."""
        self.spool.take(octets)
        self._taken += octets

    def append(self, octets: bytes) -> None:
        """In a thread. Raises Overloaded when the disk is full."""
        with self._lock:
            self._check_held()
            if not self._stays_in_memory(octets):
                self._to_file(octets)
            self.size += len(octets)

    def _stays_in_memory(self, octets: bytes) -> bool:
        is_small = self._file is None and self.size + len(octets) <= _MAX_IN_MEMORY
        if not is_small or not self.spool.take_memory(len(octets)):
            return False
        self._memory += octets
        return True

    def _to_file(self, octets: bytes) -> None:
        if self._file is None:
            self._file = self.spool.new_file()
            self.spool.give_memory_back(len(self._memory))
            octets, self._memory = self._memory + octets, b""
        view = memoryview(octets)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as cause:
            raise Overloaded(f"an attachment cannot be kept: {cause.strerror}") from None

    def read(self, at: int, count: int) -> bytes:
        """In a thread. Exactly these octets."""
        with self._lock:
            self._check_held()
            octets = self._memory[at : at + count] if self._file is None else self._pread(self._file, at, count)
        if len(octets) != count:
            raise InternalError("an attachment is shorter than what was written")
        return octets

    @staticmethod
    def _pread(file: IO[bytes], at: int, count: int) -> bytes:
        octets = os.pread(file.fileno(), count, at)
        while len(octets) < count and (more := os.pread(file.fileno(), count - len(octets), at + len(octets))):
            octets += more
        return octets

    def _check_held(self) -> None:
        if self._discarded:
            raise InternalError("an attachment of an exchange that has ended")

    def discard(self) -> None:
        """Forget it."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self.spool.give_memory_back(len(self._memory))
            self._file, self._memory, self._discarded = None, b"", True
        self.spool.give_back(self._taken)
        self._taken = 0


class _Sink:
    """Gathers pieces of any size to pieces that are worth a thread."""

    def __init__(self, waiting: _Waiting) -> None:
        self._waiting = waiting
        self._gathered = bytearray()

    async def write(self, octets: bytes) -> None:
        """The next piece. Raises Overloaded."""
        self._waiting.take(len(octets))
        self._gathered += octets
        if len(self._gathered) >= PIECE_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        piece = bytes(self._gathered)
        self._gathered.clear()
        if len(piece) < PIECE_BYTES and not self._waiting.size:
            self._store(piece)  # the whole of a small attachment: sooner done than handed to a thread
        elif piece:
            await self._waiting.spool.in_thread(lambda: self._store(piece))

    def _store(self, piece: bytes) -> None:
        raise NotImplementedError


class _KeepingSink(_Sink):
    """Implements attachments.KeepingSink."""

    def _store(self, piece: bytes) -> None:
        self._waiting.append(piece)

    async def finish(self) -> SealedOctets:
        """What was written. Raises EnvelopeRefused when that is no ciphertext."""
        await self._flush()
        if self._waiting.size < IV_OCTETS + TAG_OCTETS:
            raise EnvelopeRefused("an attachment that is too short for an IV and a tag")
        return _Sealed(self._waiting)


class _SealingSink(_Sink):
    """Implements attachments.SealingSink."""

    def __init__(self, waiting: _Waiting, content_key: bytes) -> None:
        super().__init__(waiting)
        iv = os.urandom(IV_OCTETS)
        self._sealer = StreamSealer(content_key, iv)
        self._before = iv
        waiting.take(IV_OCTETS + TAG_OCTETS)

    def _store(self, piece: bytes) -> None:
        self._waiting.append(self._before + self._sealer.update(piece))
        self._before = b""

    async def finish(self) -> tuple[SealedOctets, Measured]:
        """What was encrypted."""
        await self._flush()
        tag, measured = self._sealer.finish()
        await self._waiting.spool.in_thread(lambda: self._waiting.append(self._before + tag))
        return _Sealed(self._waiting), measured


class _Sealed:
    """Implements attachments.SealedOctets."""

    def __init__(self, waiting: _Waiting) -> None:
        self._waiting = waiting
        self.size = waiting.size
        self.iv = waiting.read(0, IV_OCTETS)

    async def ciphertext(self) -> AsyncIterator[bytes]:
        """All of it, in pieces."""
        for at, count in _pieces(0, self.size):
            yield await self._read(at, count)

    async def plaintext(self, content_key: bytes) -> AsyncIterator[bytes]:
        """What it says, in pieces. Raises SecurityFailed at the end."""
        opener = StreamOpener(content_key, self.iv)
        for at, count in _pieces(IV_OCTETS, self.size - TAG_OCTETS):
            yield await self._waiting.spool.in_thread(lambda: opener.update(self._waiting.read(at, count)))  # noqa: B023
        opener.finish(await self._read(self.size - TAG_OCTETS, TAG_OCTETS))

    async def measure(self, content_key: bytes) -> Measured:
        """Its size and digest. Raises SecurityFailed for a wrong tag."""
        return await self._waiting.spool.in_thread(lambda: self._measure(content_key))

    def _measure(self, content_key: bytes) -> Measured:
        opener = StreamOpener(content_key, self.iv)
        digest = sha256()
        for at, count in _pieces(IV_OCTETS, self.size - TAG_OCTETS):
            digest.update(opener.update(self._waiting.read(at, count)))
        opener.finish(self._waiting.read(self.size - TAG_OCTETS, TAG_OCTETS))
        return Measured(size=self.size - IV_OCTETS - TAG_OCTETS, sha256=digest.digest())

    async def _read(self, at: int, count: int) -> bytes:
        return await self._waiting.spool.in_thread(lambda: self._waiting.read(at, count))


def _pieces(start: int, end: int) -> list[tuple[int, int]]:
    return [(at, min(PIECE_BYTES, end - at)) for at in range(start, end, PIECE_BYTES)]
