"""What the benchmark found, as values and as JSON. Exchanges in milliseconds, primitives in microseconds."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
_LIBRARIES: Final = ("lxml", "cryptography", "aiohttp", "uvloop")


@dataclass(frozen=True, kw_only=True, slots=True)
class CpuTime:
    """CPU milliseconds for one exchange."""

    user_ms: float
    system_ms: float

    @property
    def both_ms(self) -> float:
        """User and system."""
        return self.user_ms + self.system_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """What the calling system waited for, over the exchanges that were measured."""

    exchanges: int
    p50_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileLine:
    """A group of functions, or one function: CPU microseconds for one exchange in each adapter."""

    name: str
    us: Mapping[str, float]

    @property
    def both_us(self) -> float:
        """In both adapters."""
        return sum(self.us.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class CellProfile:
    """Where the CPU time went."""

    groups: Sequence[ProfileLine]
    functions: Sequence[ProfileLine]


@dataclass(frozen=True, kw_only=True, slots=True)
class CellResult:
    """One suite with one mix of sizes. cpu, peak_memory_mib, entries_per_commit: by adapter.

    floor_ms: the bare primitives, each repeated alone before and after. floor_under_load_ms: one at a time while the
    adapters work, with caches as cold as theirs.
    """

    suite: str
    mix: str
    exchanges: int
    failed: int
    errors: Sequence[str]
    seconds: float
    cpu: Mapping[str, CpuTime]
    floor_ms: float
    floor_under_load_ms: float
    latency: Latency
    latency_by_size: Mapping[int, Latency]
    peak_memory_mib: Mapping[str, float]
    entries_per_commit: Mapping[str, float]
    profile: CellProfile | None = None

    @property
    def exchanges_per_s(self) -> float:
        """Throughput, with the load generator and the information system on the same processors."""
        return (self.exchanges - self.failed) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds for one exchange, both adapters."""
        return sum(cpu.both_ms for cpu in self.cpu.values())

    @property
    def ratio(self) -> float:
        """The figure to steer by."""
        return self.cpu_ms / self.floor_ms

    @property
    def ratio_under_load(self) -> float:
        """The same with the other floor."""
        return self.cpu_ms / self.floor_under_load_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class FloorLine:
    """One primitive of one message. side: `sender` or `recipient`."""

    name: str
    side: str
    us: float
    under_load_us: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Transport:
    """The baseline: 2 kB through two programs that only pass it on. cpu_ms: of both, for one exchange."""

    exchanges: int
    failed: int
    errors: Sequence[str]
    exchanges_per_s: float
    cpu_ms: float


@dataclass(kw_only=True)
class Results:
    """A whole run. floors: by suite and size of the payload."""

    options: Mapping[str, Any]
    cells: list[CellResult] = field(default_factory=list)
    floors: dict[str, dict[int, Sequence[FloorLine]]] = field(default_factory=dict)
    transport: Transport | None = None

    @property
    def failed(self) -> int:
        """Exchanges that did not come out right."""
        return sum(cell.failed for cell in self.cells) + (self.transport.failed if self.transport else 0)

    def as_json(self) -> str:
        """The whole of it, with the derived figures."""
        document = {
            "format": FORMAT,
            "machine": machine(),
            "options": dict(self.options),
            "transport": asdict(self.transport) if self.transport else None,
            "results": [_cell(cell) for cell in self.cells],
            "floors": {
                suite: {size: [asdict(line) for line in lines] for size, lines in sizes.items()}
                for suite, sizes in self.floors.items()
            },
        }
        return json.dumps(document, indent=2) + "\n"


def _cell(cell: CellResult) -> dict[str, Any]:
    derived = {
        "exchanges_per_s": cell.exchanges_per_s,
        "cpu_ms_per_exchange": cell.cpu_ms,
        "ratio": cell.ratio,
        "ratio_under_load": cell.ratio_under_load,
    }
    return asdict(cell) | derived


def machine() -> dict[str, Any]:
    """What it was measured on, as far as it matters."""
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {
        "processor": _processor(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "libraries": libraries,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
