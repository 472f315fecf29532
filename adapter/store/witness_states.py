"""What a witness of our own remembers of each log: the last checkpoint that it cosigned, one file each.

The file is the whole memory: it is on disk before anything is cosigned, and a size never goes back. Nobody has signed
it: its own digest says that the disk gave back what was written, else a record would be disputed that is as it was.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

from adapter.audit.checkpoint import Checkpoint
from adapter.errors import AdapterError, StoreUnusable
from adapter.store.failures import translated

_OWNER_ONLY: Final = 0o600
_MAX_OCTETS: Final = 4_096


class WitnessStates:
    """The states in a folder. For one process, and one task at a time: whoever judges holds on until it has written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def held(self, origin: str) -> Checkpoint | None:
        """The last one cosigned of this log. Raises StoreUnusable: what was kept cannot be read."""
        file = self._file(origin)
        try:
            octets = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise StoreUnusable(f"{file} cannot be read: {cause.strerror}") from None
        try:
            kept = Checkpoint.parse(_text_in(octets[:_MAX_OCTETS].decode()))
        except (AdapterError, ValueError):  # UnicodeDecodeError is one
            raise StoreUnusable(f"{file} is not what was written there") from None
        if kept.origin != origin:
            raise StoreUnusable(f"{file} is of another log")
        return kept

    def keep(self, checkpoint: Checkpoint) -> None:
        """Durable when this returns: the file and its name are on disk (fsync of both). Raises StoreUnusable."""
        file = self._file(checkpoint.origin)
        beside = file.with_suffix(".part")
        with translated(StoreUnusable):
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _OWNER_ONLY)
            with os.fdopen(descriptor, "wb") as written:
                written.write(f"{checkpoint.text}\n{_digest(checkpoint.text)}\n".encode())
                written.flush()
                os.fsync(written.fileno())
            beside.replace(file)
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"


def _text_in(content: str) -> str:
    """The checkpoint in a file; one that an earlier version wrote has no digest. Raises ValueError: another digest."""
    head, parting, digest = content.partition("\n\n")
    text = f"{head}\n" if parting else content
    if parting and digest != f"{_digest(text)}\n":
        raise ValueError(digest)
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
