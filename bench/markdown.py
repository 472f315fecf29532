"""A results file as the tables of docs/benchmark.md.

    python -m bench.markdown bench/results/latest.json --write docs/benchmark.md

Without --write they go to standard output; with it, they replace what stands between the two markers of the page.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

_BEGIN: Final = "<!-- measured: begin -->\n"
_END: Final = "<!-- measured: end -->"
_SMALLEST: Final = "2000"
_CELL_HEAD: Final = (
    "suite, mix",
    "exchanges/s",
    "CPU ms",
    "floor ms",
    "**CPU / floor**",
    "under load",
    "p50 ms",
    "p99 ms",
    "peak MiB",
    "entries per fsync",
)

Document = Mapping[str, Any]


def tables(document: Document) -> str:
    """All tables of one run; of one under the profiler, which slows everything, the profile only."""
    profiled = [cell for cell in document["results"] if cell["profile"]]
    if profiled:
        return "\n".join(_groups(cell) for cell in profiled)
    return "\n".join([_about(document), _cells(document["results"]), _floor(document["floors"])])


def _about(document: Document) -> str:
    machine, options = document["machine"], document["options"]
    return (
        f"Python {machine['python']}, {machine['cpus']} processors, {options['concurrency']} calls at a time, "
        f"{options['workers']} worker process for each adapter; load average before the run "
        f"{machine['load_before']:.1f}. Two programs that only pass 2 kB on, over the same HTTP and TLS: "
        f"{document['transport']['cpu_ms']:.2f} ms of CPU for an exchange.\n"
    )


def _cells(cells: Sequence[Document]) -> str:
    rows = []
    for cell in cells:
        memory = " + ".join(f"{mib:.0f}" for mib in cell["peak_memory_mib"].values())
        entries = " + ".join(f"{count:.1f}" for count in cell["entries_per_commit"].values())
        rows.append(
            [
                f"{cell['suite']}, {cell['mix']}",
                f"{cell['exchanges_per_s']:.0f}",
                f"{cell['cpu_ms_per_exchange']:.2f}",
                f"{cell['floor_ms']:.2f}",
                f"**{cell['ratio']:.1f}**",
                f"{cell['ratio_under_load']:.1f}",
                f"{cell['latency']['p50_ms']:.0f}",
                f"{cell['latency']['p99_ms']:.0f}",
                memory,
                entries,
            ]
        )
    return _table(_CELL_HEAD, rows)


def _floor(floors: Mapping[str, Mapping[str, Sequence[Document]]]) -> str:
    """One column for each suite; the primitives in the order in which they first come."""
    of_suite = {
        suite: {f"{line['name']} ({line['side']})": line["us"] for line in sizes[_SMALLEST]}
        for suite, sizes in floors.items()
    }
    names = dict.fromkeys(name for lines in of_suite.values() for name in lines)
    rows = [[name, *(f"{lines[name]:.1f}" if name in lines else "" for lines in of_suite.values())] for name in names]
    rows.append(["**one message**", *(f"**{sum(lines.values()):.0f}**" for lines in of_suite.values())])
    head = ["one message of 2 kB, µs", *of_suite]
    return _table(head, rows)


def _groups(cell: Document) -> str:
    groups = cell["profile"]["groups"]
    total = sum(sum(group["us"].values()) for group in groups)
    rows = []
    for group in groups:
        both = sum(group["us"].values())
        rows.append(
            [group["name"], *(f"{us:.0f}" for us in group["us"].values()), f"{both:.0f}", f"{both / total:.0%}"]
        )
    return _table([f"{cell['suite']}, {cell['mix']}: µs for one exchange", *groups[0]["us"], "both", "share"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    lines.insert(1, "| --- |" + " ---: |" * (len(head) - 1))
    return "\n".join(lines) + "\n"


def replaced(page: str, measured: str) -> str:
    """The page with other figures. Raises ValueError when it has no markers."""
    before, begin, rest = page.partition(_BEGIN)
    _old, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("the page has no markers for the figures")
    return f"{before}{begin}\n{measured}\n{end}{after}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Results of the benchmark as Markdown.")
    parser.add_argument("results", type=Path, nargs="+", help="files that `python -m bench` wrote")
    parser.add_argument("--write", type=Path, default=None, help="page whose figures are replaced")
    arguments = parser.parse_args()
    measured = "\n".join(tables(json.loads(path.read_text(encoding="utf-8"))) for path in arguments.results)
    if arguments.write is None:
        print(measured)
    else:
        page: Path = arguments.write
        page.write_text(replaced(page.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main()
