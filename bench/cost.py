"""What processes cost, from /proc (proc(5)): CPU time and peak memory of a process group."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_HIGH_WATER: Final = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_RESET_HIGH_WATER: Final = "5"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """CPU seconds so far of all processes of a group, those that ended and were waited for included."""

    user_s: float
    system_s: float

    @property
    def cpu_s(self) -> float:
        """Both together."""
        return self.user_s + self.system_s

    def __sub__(self, earlier: Cost) -> Cost:
        return Cost(user_s=self.user_s - earlier.user_s, system_s=self.system_s - earlier.system_s)

    def __add__(self, other: Cost) -> Cost:
        return Cost(user_s=self.user_s + other.user_s, system_s=self.system_s + other.system_s)


def members(group: int) -> list[int]:
    """The process ids of a group: an adapter and its workers."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields and int(fields[2]) == group:
            found.append(int(stat.parent.name))
    return found


def cost_of(group: int) -> Cost:
    """What a group has cost until now (utime, stime, cutime, cstime)."""
    user = system = 0
    for pid in members(group):
        fields = _fields(Path(f"/proc/{pid}/stat"))
        if fields:
            user += int(fields[11]) + int(fields[13])
            system += int(fields[12]) + int(fields[14])
    return Cost(user_s=user / _TICKS_PER_S, system_s=system / _TICKS_PER_S)


def peak_memory_bytes(group: int) -> int:
    """VmHWM of the largest process of a group: the memory that it once had in RAM."""
    peaks = [0]
    for pid in members(group):
        found = _HIGH_WATER.search(_read(Path(f"/proc/{pid}/status")))
        peaks.append(int(found.group(1)) * 1024 if found else 0)
    return max(peaks)


def reset_peak_memory(group: int) -> None:
    """Begin to measure the peak anew."""
    for pid in members(group):
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_HIGH_WATER, encoding="ascii")


def _fields(stat: Path) -> list[str]:
    """What follows the program's name, from the state on; nothing when the process is gone."""
    return _read(stat).rpartition(")")[2].split()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
