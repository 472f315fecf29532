"""Whether a message made the adapter open a file or a connection: a bait that watches who comes to it.

Python's own calls are seen by an audit hook. libxml2 and libxmlsec open files and connections in C, where no hook
sees them: so there is a bait file that the kernel watches (inotify) and a bait port that somebody would connect to.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_IN_OPEN = 0x20
_IN_NONBLOCK = os.O_NONBLOCK
_EVENTS = frozenset(
    ("open", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "subprocess.Popen", "os.system", "os.exec")
)
_heard: list[str] = []
_armed = False
_installed = False


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _armed and event in _EVENTS:
        _heard.append(f"{event} {arguments[:2]!r}")


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A file and a port that nobody has any business with. CONTENT is what the file says."""

    path: Path
    url: str
    _inotify: int
    _listener: socket.socket

    CONTENT = b"<secret>canary</secret>"

    @classmethod
    def make(cls, folder: Path) -> Canary:
        """A bait in this folder. Needs inotify (Linux)."""
        global _installed  # noqa: PLW0603 - an audit hook cannot be taken away again
        if not _installed:
            sys.addaudithook(_hook)
            _installed = True
        path = folder / "canary.xml"
        path.write_bytes(cls.CONTENT)
        libc = ctypes.CDLL(None, use_errno=True)
        inotify = libc.inotify_init1(_IN_NONBLOCK)
        if inotify < 0 or libc.inotify_add_watch(inotify, os.fsencode(path), _IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/canary.xml"
        return cls(path=path, url=url, _inotify=inotify, _listener=listener)

    def close(self) -> None:
        """Take the bait away."""
        os.close(self._inotify)
        self._listener.close()

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """What was touched, complete when the block is left."""
        global _armed  # noqa: PLW0603 - the hook is one for the process
        touched: list[str] = []
        self._taken()
        _heard.clear()
        _armed = True
        try:
            yield touched
        finally:
            _armed = False
            touched += [*_heard, *self._taken()]

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """While the attacker works: what Python opens for that (a codec, a module) is not the adapter's doing."""
        global _armed  # noqa: PLW0603 - the hook is one for the process
        before, _armed = _armed, False
        try:
            yield
        finally:
            _armed = before

    def _taken(self) -> list[str]:
        found = []
        try:
            events = os.read(self._inotify, 4096)
            found += ["bait file opened"] * (len(events) // struct.calcsize("iIII"))
        except BlockingIOError:
            pass
        try:
            while True:
                self._listener.accept()[0].close()
                found.append("bait port connected to")
        except BlockingIOError:
            pass
        return found
