"""The results as tables for a person to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.installation import ADAPTERS
from bench.results import CellResult, CpuTime, FloorLine, Results

TARGET: Final = 4.0
TARGET_SUITE: Final = "p256"
TARGET_MIX: Final = "2kB"

_WIDTH: Final = 120


def make_console() -> Console:
    """Standard output; as wide as the tables when it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def show(results: Results, console: Console) -> None:
    """Everything, the figure to steer by last."""
    console.print(_main_table(results.cells))
    console.print(_latency_table(results.cells))
    for suite, sizes in results.floors.items():
        console.print(_floor_table(suite, sizes[min(sizes)], min(sizes)))
    for cell in results.cells:
        if cell.profile is not None:
            _show_profile(cell, console)
    _show_verdict(results, console)


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for name in left:
        table.add_column(name)
    for name in right:
        table.add_column(name, justify="right")
    return table


def _main_table(cells: Sequence[CellResult]) -> Table:
    columns = ("exchanges", "per s", "CPU ms", "floor ms", "CPU / floor", "under load", "p50 ms", "p99 ms", "peak MiB")
    table = _table("CPU milliseconds for one exchange, both adapters, and the floor", ("suite", "mix"), columns)
    for cell in cells:
        table.add_row(
            cell.suite,
            cell.mix,
            f"{cell.exchanges}",
            f"{cell.exchanges_per_s:.0f}",
            f"{cell.cpu_ms:.2f}",
            f"{cell.floor_ms:.2f}",
            f"[bold]{cell.ratio:.1f}[/bold]",
            f"{cell.ratio_under_load:.1f}",
            f"{cell.latency.p50_ms:.1f}",
            f"{cell.latency.p99_ms:.1f}",
            " + ".join(f"{cell.peak_memory_mib[name]:.0f}" for name in ADAPTERS),
        )
    return table


def _latency_table(cells: Sequence[CellResult]) -> Table:
    left = ("suite", "mix", *(f"{name}: user + system ms" for name in ADAPTERS))
    table = _table("By adapter, and latency by size (p50 / p99 ms)", left, ("entries per fsync", "latency"))
    for cell in cells:
        sizes = (
            f"{_size(size)}: {found.p50_ms:.0f} / {found.p99_ms:.0f}" for size, found in cell.latency_by_size.items()
        )
        table.add_row(
            cell.suite,
            cell.mix,
            *(_cpu(cell.cpu[name]) for name in ADAPTERS),
            " + ".join(f"{cell.entries_per_commit[name]:.1f}" for name in ADAPTERS),
            "\n".join(sizes),
        )
    return table


def _cpu(cpu: CpuTime) -> str:
    return f"{cpu.user_ms:.2f} + {cpu.system_ms:.2f}"


def _floor_table(suite: str, lines: Sequence[FloorLine], size: int) -> Table:
    title = f"The floor of one message of {_size(size)}, suite {suite} (an exchange has two)"
    table = _table(title, ("primitive", "side"), ("µs", "µs under load"))
    for line in lines:
        table.add_row(line.name, line.side, f"{line.us:.1f}", f"{line.under_load_us:.1f}")
    table.add_section()
    total, under_load = sum(line.us for line in lines), sum(line.under_load_us for line in lines)
    table.add_row("one message", "", f"{total:.1f}", f"{under_load:.1f}")
    return table


def _show_profile(cell: CellResult, console: Console) -> None:
    if cell.profile is None:
        return
    total = sum(line.both_us for line in cell.profile.groups)
    parts = (("group", cell.profile.groups), ("function (own time)", cell.profile.functions))
    for what, lines in parts:
        title = f"Where the CPU time goes: {cell.suite}, {cell.mix} (µs for one exchange, under the profiler)"
        table = _table(title, (what,), (*ADAPTERS, "both", "share"))
        for line in lines:
            own = (f"{line.us[name]:.0f}" for name in ADAPTERS)
            table.add_row(line.name, *own, f"{line.both_us:.0f}", f"{line.both_us / total:.1%}")
        console.print(table)


def _show_verdict(results: Results, console: Console) -> None:
    if results.transport is not None:
        console.print(
            f"Two programs that only pass 2 kB on, over the same HTTP and TLS, need {results.transport.cpu_ms:.2f} ms."
        )
        for error in results.transport.errors:
            console.print(f"failed: transport: {error}", markup=False, highlight=False, style="red")
    for cell in results.cells:
        for error in cell.errors:
            console.print(f"failed: {cell.suite}, {cell.mix}: {error}", markup=False, highlight=False, style="red")
        if (cell.suite, cell.mix) == (TARGET_SUITE, TARGET_MIX):
            console.print(
                f"The figure to steer by: CPU per exchange / floor = [bold]{cell.ratio:.1f}[/bold] "
                f"at 2 kB with {cell.suite}; the target is {TARGET:g} or less."
            )


def _size(octets: int) -> str:
    for unit, name in ((1_000_000, "MB"), (1_000, "kB")):
        if octets >= unit:
            return f"{octets // unit} {name}"
    return f"{octets} octets"
