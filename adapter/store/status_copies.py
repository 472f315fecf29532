"""The newest OCSP response of each certificate on disk, so that a restart while a responder is down changes nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from adapter.crypto.status import MAX_OCSP_OCTETS


class StatusCopies:
    """One file for each certificate, named by its digest. A disk that is full or slow stops nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, certificate_sha256: bytes, octets: bytes) -> None:
        """Replace the copy of one certificate."""
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{certificate_sha256.hex()}.ocsp"
            scratch = path.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(octets)
            scratch.replace(path)

    def load(self, certificate_sha256: bytes) -> bytes | None:
        """The copy, untrusted; None without one."""
        try:
            with (self._folder / f"{certificate_sha256.hex()}.ocsp").open("rb") as file:
                return file.read(MAX_OCSP_OCTETS + 1)
        except OSError:
            return None
