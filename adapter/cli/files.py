"""Files that a command reads and writes, with failures said in words."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from adapter.errors import CommandRefused

MAX_FILE_BYTES: Final = 256 * 1024 * 1024


def read_octets(path: Path, *, what: str = "file", max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """The whole file. Raises CommandRefused: absent, unreadable, or larger than max_bytes."""
    try:
        with path.open("rb") as file:
            octets = file.read(max_bytes + 1)
    except OSError as cause:
        raise CommandRefused(f"the {what} {path} cannot be read: {_because(cause)}") from None
    if len(octets) > max_bytes:
        raise CommandRefused(f"the {what} {path} is larger than {max_bytes} octets")
    return octets


def write_octets(path: Path, octets: bytes, *, mode: int = 0o644) -> None:
    """Write the file in one step: whoever reads it sees the old or the new one, never half. Raises CommandRefused.

    A link at this path is replaced and not followed. What is written beside it first has a name that nobody can guess,
    and is made anew (O_EXCL), so that in a folder that others may write to nobody can put a link there beforehand.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as cause:
        with suppress(OSError):
            beside.unlink()
        raise CommandRefused(f"{path} cannot be written: {_because(cause)}") from None


def make_folder(path: Path, *, mode: int = 0o755) -> None:
    """Make the folder with exactly this mode, and the folders above it. Raises CommandRefused."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    except OSError as cause:
        raise CommandRefused(f"the folder {path} cannot be made: {_because(cause)}") from None


def confirm_overwrite(path: Path, *, yes: bool) -> None:
    """Ask before an existing file is replaced. Raises CommandRefused when the answer is no or nobody can answer."""
    if path.exists() and not yes:
        confirm(f"{path} exists. Replace it?", refusal=f"{path} was left as it is; --yes replaces it")


def confirm(question: str, *, refusal: str) -> None:
    """Ask on standard error, read from standard input. Raises CommandRefused for anything but yes."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        sys.stderr.write("\n")
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandRefused(refusal)


def _because(cause: OSError) -> str:
    return (cause.strerror or type(cause).__name__).lower()
