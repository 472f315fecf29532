"""Secrets as files: the only place that reads one, and refuses it when others can read it too."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from adapter.errors import KeyUnusable

MAX_FILE_BYTES: Final = 64 * 1024
CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
"""systemd names here the folder with what LoadCredential= handed to the unit (systemd.exec(5), CREDENTIALS)."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def is_credential(path: Path) -> bool:
    """Whether systemd put the file there for this unit alone.

    It belongs to root then, and an access control list lets the unit's user read it: the mask of that list is shown in
    the place of the group's permissions, so that the mode is 0440 although no group reads it.
    """
    folder = os.environ.get(CREDENTIALS_VARIABLE)
    return bool(folder) and path.parent == Path(folder or "")


def read_secret(path: Path) -> bytes:
    """A file that only its owner may read. Raises KeyUnusable: missing, readable by others, too long, not a file."""
    others = _OTHERS & ~stat.S_IRGRP if is_credential(path) else _OTHERS
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyUnusable(f"{path} is missing") from None
    except OSError as cause:
        raise KeyUnusable(f"{path} cannot be read: {cause.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyUnusable(f"{path} is not a file")
        if status.st_mode & others:
            raise KeyUnusable(f"{path} can be read by others; run: chmod 600 {path}")
        octets = os.read(descriptor, MAX_FILE_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(octets) > MAX_FILE_BYTES:
        raise KeyUnusable(f"{path} is too long for a secret")
    return octets
