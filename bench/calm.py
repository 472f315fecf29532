"""What goes on during an attack: a client system that calls at an even pace, and an eye on the adapters' processes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp

from bench.messages import KB, SOAP_ACTION, make_call

_PACE_S: Final = 0.1
_TIMEOUT_S: Final = 30
_LOOK_EVERY_S: Final = 0.5
_WARM_UP: Final = 50
_KIB_PER_MIB: Final = 1024


@dataclass(kw_only=True)
class Calls:
    """Calls of one phase: how long each that was answered right took, and how many were not."""

    latencies_s: list[float] = field(default_factory=list)
    failed: int = 0
    errors: list[str] = field(default_factory=list)


def quantile_ms(times_s: Sequence[float], part: float) -> float:
    """The latency that so large a part stays below; 0 without any."""
    ordered = sorted(times_s)
    return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


class Calm:
    """Ten small calls a second, each at its time whether the earlier ones were answered or not."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._calls = Calls()
        self._number = 0

    def take(self) -> Calls:
        """The calls since it was last asked."""
        calls, self._calls = self._calls, Calls()
        return calls

    async def warm_up(self) -> None:
        """Some calls that are not counted."""
        async with aiohttp.ClientSession() as session:
            for _ in range(_WARM_UP):
                await self._call(session)
        self.take()

    async def go_on(self) -> None:
        """Until cancelled."""
        connector = aiohttp.TCPConnector(limit=64)
        async with aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S)
        ) as session:
            under_way: set[asyncio.Task[None]] = set()
            due = time.monotonic()
            while True:
                task = asyncio.create_task(self._call(session))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                due += _PACE_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _call(self, session: aiohttp.ClientSession) -> None:
        self._number += 1
        call = make_call(2 * KB, self._number)
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{SOAP_ACTION}"'}
        begin = time.perf_counter()
        try:
            async with session.post(self._url, data=call.octets, headers=headers) as response:
                octets = await response.read()
            problem = "" if response.status == 200 and call.expected in octets else f"status {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = type(error).__name__
        if problem:
            self._calls.failed += 1
            self._calls.errors = [*self._calls.errors, problem][:5]
        else:
            self._calls.latencies_s.append(time.perf_counter() - begin)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One adapter, all its processes: resident memory, open descriptors (connections are among them)."""

    resident_mib: float
    descriptors: int


class Watch:
    """Looks twice a second at the process groups of the adapters, and at the CPU time of whatever else it is told."""

    def __init__(self, groups: Mapping[str, int]) -> None:
        self._pids = {name: _pids_of(group) for name, group in groups.items()}
        self._seen: dict[str, list[Seen]] = {name: [] for name in groups}
        self._timed: dict[str, Sequence[int]] = dict(self._pids)
        self._cpu_s: dict[str, tuple[float, float]] = {}

    def time_also(self, name: str, group: int) -> None:
        """Count the CPU time of one more process group, from now on."""
        self._timed[name] = _pids_of(group)
        self._cpu_s.pop(name, None)

    def take_cpu_s(self) -> dict[str, float]:
        """The CPU time that each used since it was last asked, in seconds. What has ended is no longer counted."""
        self._look_at_times()
        used = {name: last - first for name, (first, last) in self._cpu_s.items()}
        self._timed = {name: pids for name, pids in self._timed.items() if any(map(_is_there, pids))}
        self._cpu_s = {name: (last, last) for name, (_, last) in self._cpu_s.items() if name in self._timed}
        return used

    def _look_at_times(self) -> None:
        for name, pids in self._timed.items():
            now = sum(map(_cpu_s, pids))
            first, last = self._cpu_s.get(name, (now, now))
            self._cpu_s[name] = (first, max(last, now))

    def take(self) -> dict[str, Seen]:
        """The most that each took since it was last asked."""
        seen, self._seen = self._seen, {name: [] for name in self._pids}
        return {
            name: Seen(
                resident_mib=max((one.resident_mib for one in looks), default=0.0),
                descriptors=max((one.descriptors for one in looks), default=0),
            )
            for name, looks in seen.items()
        }

    async def go_on(self) -> None:
        """Until cancelled."""
        while True:
            self._look_at_times()
            for name, pids in self._pids.items():
                self._seen[name].append(
                    Seen(resident_mib=sum(map(_resident_mib, pids)), descriptors=sum(map(_descriptors, pids)))
                )
            await asyncio.sleep(_LOOK_EVERY_S)


def _pids_of(group: int) -> list[int]:
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if _group_of(pid) == group]


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _resident_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(line.split()[1]) / _KIB_PER_MIB


def _is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _cpu_s(pid: int) -> float:
    """User and system time of a process with all its threads (proc(5), stat); 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _descriptors(pid: int) -> int:
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return 0
