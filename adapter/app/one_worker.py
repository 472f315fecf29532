"""What one of several workers does for all of them."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

_OWNER_ONLY: Final = 0o600


class WorkerLock:
    """A file that one process at a time holds; the system lets go of it when that process is gone, however it went."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Whether this process holds it now. Raises OSError when the file cannot be made."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let another one do it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
