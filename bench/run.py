"""One cell of the benchmark: a suite and a mix of sizes, against adapters that run already."""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench import profiled
from bench.cost import Cost, members, peak_memory_bytes, reset_peak_memory
from bench.floor import FloorMeter
from bench.generator import LoadFailed, load_generator, measured_load
from bench.grouping import read_profile
from bench.installation import Installation, RecordSize
from bench.load import LoadPlan, Outcome
from bench.messages import KB, MIX, SMALL, draw_sizes
from bench.results import CellProfile, CellResult, CpuTime, FloorLine, Latency, ProfileLine
from bench.wire import wire_message

MIXES: Final[Mapping[str, Mapping[int, float]]] = MappingProxyType({"2kB": SMALL, "mix": MIX})

_WARM_UP: Final = 200
_MIB: Final = 1024 * 1024
_FUNCTIONS_SHOWN: Final = 40
_ENTRIES_PER_EXCHANGE: Final = 2
_PROFILE_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What to measure. profiles: folder into which the adapters, run under bench.profiled, write."""

    mix: str
    exchanges: int
    concurrency: int
    seed: int
    warm_up: int = _WARM_UP
    profiles: Path | None = None

    @property
    def sizes(self) -> list[int]:
        """The payloads' sizes in the order in which they are sent."""
        return draw_sizes(MIXES[self.mix], self.exchanges, self.seed)

    def plan(self, installation: Installation) -> LoadPlan:
        """For the load generator: the warm-up is of small messages, and one of each size."""
        warm_up = [2 * KB] * self.warm_up + sorted(set(self.sizes))
        tls = installation.client_tls
        return LoadPlan(
            url=installation.url,
            concurrency=self.concurrency,
            warm_up=warm_up,
            sizes=self.sizes,
            ca_file=str(tls.ca_file) if tls else "",
            certificate_file=str(tls.certificate_file("system")) if tls else "",
            key_file=str(tls.key_file("system")) if tls else "",
        )


def run_cell(cell: Cell, installation: Installation, folder: Path) -> tuple[CellResult, dict[int, list[FloorLine]]]:
    """Warm up, measure, and give back what was found and the floor beside it. Raises LoadFailed."""
    sizes = sorted(set(cell.sizes))
    meter = FloorMeter(installation.suite, {size: wire_message(installation, size) for size in sizes})
    plan_file = folder / f"load-{installation.suite}-{cell.mix}.json"
    with load_generator(cell.plan(installation), plan_file) as generator:
        meter.measure_alone()
        for group in installation.groups.values():
            reset_peak_memory(group)
        before = installation.records()
        with _profiling(cell, installation), _floor_under_load(meter):
            costs, outcome = measured_load(generator, installation.groups)
        entries = {name: after - before[name] for name, after in installation.records().items()}
        peaks = {name: peak_memory_bytes(group) / _MIB for name, group in installation.groups.items()}
    meter.measure_alone()
    check_recorded(outcome, cell.exchanges, entries)
    alone_s, under_load_s = _floors_of_mix(cell, meter)
    result = CellResult(
        suite=installation.suite,
        mix=cell.mix,
        exchanges=cell.exchanges,
        failed=outcome.failed,
        errors=outcome.errors,
        seconds=outcome.seconds,
        cpu={name: _cpu_time(cost, cell.exchanges) for name, cost in costs.items()},
        floor_ms=alone_s * 1e3,
        floor_under_load_ms=under_load_s * 1e3,
        latency=latency_of([time_s for times in outcome.latencies_s.values() for time_s in times]),
        latency_by_size={size: latency_of(times) for size, times in sorted(outcome.latencies_s.items())},
        peak_memory_mib=peaks,
        entries_per_commit={name: added.entries / max(1, added.commits) for name, added in entries.items()},
        profile=_profile(cell, installation),
    )
    return result, {size: _floor_lines(meter, size) for size in sizes}


def check_recorded(outcome: Outcome, exchanges: int, entries: Mapping[str, RecordSize]) -> None:
    """Every exchange has two entries in each adapter's record, or something was not measured that should have been."""
    for name, added in entries.items():
        if added.entries < _ENTRIES_PER_EXCHANGE * (exchanges - outcome.failed):
            outcome.fail(f"{name} recorded {added.entries} entries for {exchanges} exchanges")


@contextmanager
def _floor_under_load(meter: FloorMeter) -> Iterator[None]:
    """Take samples of the floor, a few per cent of one processor, as long as the block runs."""
    stopped = threading.Event()
    thread = threading.Thread(target=meter.measure_under_load, args=(stopped.is_set,), name="floor")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


# --- the profile -----------------------------------------------------------------------------------------------------


@contextmanager
def _profiling(cell: Cell, installation: Installation) -> Iterator[None]:
    """Have the adapters' processes sample themselves as long as the block runs, if the cell wants that."""
    if cell.profiles is None:
        yield
        return
    processes = [pid for group in installation.groups.values() for pid in _workers(group)]
    for pid in processes:
        os.kill(pid, profiled.BEGIN)
    yield
    for pid in processes:
        (cell.profiles / f"{pid}.json").unlink(missing_ok=True)
        os.kill(pid, profiled.END)
    deadline = time.monotonic() + _PROFILE_TIMEOUT_S
    while not all((cell.profiles / f"{pid}.json").exists() for pid in processes):
        if time.monotonic() > deadline:
            raise LoadFailed("an adapter did not write its profile")
        time.sleep(0.05)


def _workers(group: int) -> list[int]:
    """The processes of an adapter that do its work: all but the parent of several."""
    found = members(group)
    return [pid for pid in found if pid != group] or found


def _profile(cell: Cell, installation: Installation) -> CellProfile | None:
    if cell.profiles is None:
        return None
    folder = cell.profiles
    profiles = {
        name: read_profile(folder / f"{pid}.json" for pid in _workers(group))
        for name, group in installation.groups.items()
    }
    return CellProfile(
        groups=_lines({name: profile.groups for name, profile in profiles.items()}, cell.exchanges),
        functions=_lines({name: profile.own for name, profile in profiles.items()}, cell.exchanges)[:_FUNCTIONS_SHOWN],
    )


def _lines(counters: Mapping[str, Mapping[str, float]], exchanges: int) -> list[ProfileLine]:
    """The most expensive first."""
    names = {name for counter in counters.values() for name in counter}
    lines = [
        ProfileLine(
            name=name, us={adapter: counter.get(name, 0.0) / exchanges * 1e6 for adapter, counter in counters.items()}
        )
        for name in names
    ]
    return sorted(lines, key=lambda line: line.both_us, reverse=True)


# --- figures ---------------------------------------------------------------------------------------------------------


def _cpu_time(cost: Cost, exchanges: int) -> CpuTime:
    return CpuTime(user_ms=cost.user_s / exchanges * 1e3, system_ms=cost.system_s / exchanges * 1e3)


def latency_of(times_s: Sequence[float]) -> Latency:
    """Percentiles of some times in seconds."""
    ordered = sorted(times_s)
    if not ordered:
        return Latency(exchanges=0, p50_ms=0.0, p99_ms=0.0, max_ms=0.0)
    return Latency(
        exchanges=len(ordered),
        p50_ms=_percentile(ordered, 0.50) * 1e3,
        p99_ms=_percentile(ordered, 0.99) * 1e3,
        max_ms=ordered[-1] * 1e3,
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _floors_of_mix(cell: Cell, meter: FloorMeter) -> tuple[float, float]:
    """The floor of the sizes that were really sent, alone and under load."""
    floors = [(count / cell.exchanges, *meter.exchange(size)) for size, count in Counter(cell.sizes).items()]
    return sum(share * alone for share, alone, _ in floors), sum(share * loaded for share, _, loaded in floors)


def _floor_lines(meter: FloorMeter, size: int) -> list[FloorLine]:
    return [
        FloorLine(name=row.name, side=row.side, us=row.seconds * 1e6, under_load_us=row.under_load_s * 1e6)
        for row in meter.rows(size)
    ]
