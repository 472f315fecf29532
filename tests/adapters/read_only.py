"""usage: unshare -rm python read_only.py FOLDER COMMAND...   Run a command with every file system read-only but FOLDER.

By the system call, because mount(8) does it for all mounts at once only since util-linux 2.39. Linux 5.12.
"""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

_SYS_MOUNT_SETATTR: Final = 442
_AT_FDCWD: Final = -100
_AT_RECURSIVE: Final = 0x8000
_MOUNT_ATTR_RDONLY: Final = 1
_MS_BIND: Final = 4096
_C: Final = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    """struct mount_attr of mount_setattr(2)."""

    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("namespace", ctypes.c_uint64),
    )


def _done(result: int, what: str) -> None:
    if result:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")


def _change(path: str, flags: int, attributes: _Attributes) -> None:
    size = ctypes.sizeof(attributes)
    done = _C.syscall(_SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, ctypes.byref(attributes), size)
    _done(done, f"mount_setattr {path}")


def main(folder: str, command: list[str]) -> None:
    name = os.fsencode(folder)
    _done(_C.mount(name, name, None, _MS_BIND, None), f"mount {folder}")
    _change("/", _AT_RECURSIVE, _Attributes(set=_MOUNT_ATTR_RDONLY))
    _change(folder, 0, _Attributes(clear=_MOUNT_ATTR_RDONLY))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
