"""What the run under attack prints as it goes on, and the file of its figures."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.calm import quantile_ms
from bench.endurance_verdict import Phase, Verdict

_QUIET: Final = 0.5
_MARKS: Final = {
    (True, True): "    ok  ",
    (True, False): "FAILED  ",
    (False, True): "  noted ",
    (False, False): "  noted ",
}

Load = tuple[float, float, float]


def _load(load: Load) -> str:
    return f"load {load[0]:.1f} {load[1]:.1f} {load[2]:.1f} on {os.cpu_count()} processors"


def print_heading(groups: Mapping[str, int], load: Load) -> None:
    """The columns. groups: the process groups of the adapters, by name, in the order of the columns."""
    print(_load(load))
    if load[0] > _QUIET * (os.cpu_count() or 1):
        print("The machine is busy with something else: latencies and what the attackers reach will say nothing.")
    print(
        "calm client: calls, failed, p50 ms, p99 ms, p99 ms with an unrelated listener attacked instead; "
        f"{', '.join(groups)}: MiB, descriptors; CPU seconds in the same order, attackers last; answers",
        flush=True,
    )


def print_phase(phase: Phase) -> None:
    """One line."""
    times = phase.calls.latencies_s
    adapters = "  ".join(f"{seen.resident_mib:5.0f} {seen.descriptors:5}" for seen in phase.peak.values())
    said = sum((Counter(by) for by in phase.answers.values()), Counter[str]())
    answers = ", ".join(f"{code} {count}" for code, count in said.most_common(6))
    compared = f"{phase.compared.p99_ms:8.1f}" if phase.compared else " " * 8
    spent = " ".join(f"{seconds:5.1f}" for seconds in phase.cpu_s.values())
    print(
        f"{phase.name:36} {len(times):6} {phase.calls.failed:4} {quantile_ms(times, 0.5):8.1f} "
        f"{quantile_ms(times, 0.99):8.1f} {compared}  {adapters}  {spent}  {answers}",
        flush=True,
    )


def print_findings(verdict: Verdict, load: Load) -> None:
    """What was stated, and whether it was so."""
    for finding in verdict.findings:
        print(_MARKS[finding.decides, finding.holds] + finding.text)
    print(_load(load), flush=True)
    print("All is as stated." if verdict.holds else "Not all is as stated.", flush=True)


def _document(verdict: Verdict, load: tuple[Load, Load]) -> dict[str, Any]:
    document = asdict(verdict) | {"processors": os.cpu_count(), "load_before": load[0], "load_after": load[1]}
    for phase in document["phases"]:
        _summarise(phase["calls"])
        if phase["compared"]:
            _summarise(phase["compared"]["calls"])
    return document


def _summarise(calls: dict[str, Any]) -> None:
    """Figures instead of every single time."""
    times = calls.pop("latencies_s")
    calls |= {"answered": len(times), "p50_ms": quantile_ms(times, 0.5), "p99_ms": quantile_ms(times, 0.99)}


def write_json(path: Path, verdict: Verdict, *, load: tuple[Load, Load]) -> None:
    """All figures, in one step: whoever reads finds the old ones or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(json.dumps(_document(verdict, load), indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)
