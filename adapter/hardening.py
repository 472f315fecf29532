"""What a process gives up before it holds a key: core dumps, files for others, and memory that is written to swap.

Linux only: the calls are those of prctl(2), getrlimit(2) and mlockall(2). Nothing here raises: where the platform does
not allow a protection, `protections` says so, and the adapter goes on with a warning.
"""

from __future__ import annotations

import ctypes
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PR_GET_DUMPABLE: Final = 3
_PR_SET_DUMPABLE: Final = 4
_MCL_CURRENT: Final = 1
_MCL_FUTURE: Final = 2
_MCL_ONFAULT: Final = 4
_CAP_IPC_LOCK: Final = 14
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_OWN_MAPPING_BYTES: Final = 1 << 20
_KEPT_AT_HAND_BYTES: Final = 16 << 20
_OWNER_ONLY: Final = 0o077
_C: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """One of them, as this process finds it. mend: what the administrator can do; empty when it holds."""

    what: str
    found: str
    mend: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is in force."""
        return not self.mend


def forbid_core_dumps() -> None:
    """No core file and no attaching by others of the same user, in this process and what it forks.

    Not dumpable as well as the limit: a core that is piped to a program does not ask for the limit.
    """
    with suppress(OSError, ValueError):  # a filter of system calls; the second line holds by itself
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _C.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def keep_files_private() -> None:
    """What this process makes from now on is for its owner only."""
    os.umask(_OWNER_ONLY)


def lock_memory() -> bool:
    """Keep this process's memory, also what it takes later, out of swap. Not inherited: each worker calls it.

    Only where there is no limit on it: below one, memory that is taken later would fail to come when the limit is
    reached, and an exchange with it. MCL_ONFAULT: only pages that are used count against the machine.
    """
    return may_lock_memory() and _C.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0


def map_large_buffers() -> None:
    """A buffer of a mebibyte or more gets pages of its own, which go back to the machine with it (mallopt(3)).

    Left to itself, the allocator of glibc takes ever larger ones out of its heap, where one small thing behind them
    keeps them. Told so, it also goes on giving back whatever is free at the end of the heap above 128 KiB: each record
    of TLS, for which a quarter of a mebibyte is asked and given back, would cost fresh pages. So 16 MiB stay at hand,
    until `give_back_memory`. Elsewhere there is nothing to set.
    """
    if hasattr(_C, "mallopt"):
        _C.mallopt(_M_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
        _C.mallopt(_M_TRIM_THRESHOLD, _KEPT_AT_HAND_BYTES)


def give_back_memory() -> None:
    """Give freed memory back to the machine (malloc_trim(3)); elsewhere than with glibc nothing happens.

    The kernel takes no locked page back: the lock is let go for as long as that takes, a tenth of a second for half a
    gibibyte, and is put on again; where it could not be put on again, it is not let go. Pages in use do not come near
    swap in that time: that takes idleness first. Whoever lets it go puts it on, so that it is on when the last of
    several threads is done; other processes have locks of their own.
    """
    if not hasattr(_C, "malloc_trim"):
        return
    locked = bool(_locked_kib()) and may_lock_memory()
    if locked:
        _C.munlockall()
    try:
        _C.malloc_trim(0)
    finally:
        if locked:
            lock_memory()


def resident_bytes() -> int:
    """What this process holds of the machine's memory; 0 where that cannot be asked (proc_pid_statm(5))."""
    pages = _read("/proc/self/statm").split()
    return int(pages[1]) * resource.getpagesize() if len(pages) > 1 else 0


def protections() -> tuple[Protection, ...]:
    """Core dumps and swap, as they are for this process."""
    return (_core_dumps(), _swap())


def _core_dumps() -> Protection:
    dumpable = _C.prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0) != 0
    if not dumpable and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0):
        return Protection(what="core dumps", found="off: no core file, not dumpable")
    return Protection(
        what="core dumps", found="a crash may write keys to a file", mend="Start it by the command `adapter`."
    )


def _swap() -> Protection:
    if _locked_kib():
        return Protection(what="swap", found="memory is locked")
    if len(_read("/proc/swaps").splitlines()) == 1:
        return Protection(what="swap", found="this machine has none")
    if _read(f"/sys/fs/cgroup{_own_cgroup()}/memory.swap.max").strip() == "0":
        return Protection(what="swap", found="off for this unit (MemorySwapMax=0)")
    if may_lock_memory():
        return Protection(what="swap", found="memory is locked when it serves")
    return Protection(
        what="swap",
        found="keys in memory may be written to swap",
        mend="Set LimitMEMLOCK=infinity or MemorySwapMax=0 in the unit, encrypt swap, or turn it off.",
    )


def may_lock_memory() -> bool:
    """Whether this process has no limit on locked memory, or the right to go past it."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return soft == resource.RLIM_INFINITY or bool(int(_status("CapEff") or "0", 16) >> _CAP_IPC_LOCK & 1)


def _locked_kib() -> int:
    return int((_status("VmLck") or "0").split()[0])


def _status(key: str) -> str:
    lines = _read("/proc/self/status").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{key}:")), "")


def _own_cgroup() -> str:
    lines = _read("/proc/self/cgroup").splitlines()
    return next((line.removeprefix("0::") for line in lines if line.startswith("0::")), "")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
