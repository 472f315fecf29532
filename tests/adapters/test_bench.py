"""A very small benchmark: it runs, every answer is right, its JSON has what is read from it. No times are judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from examples.federation.federation import CHECKOUT

pytestmark = pytest.mark.sockets

CELL = {
    "suite",
    "mix",
    "exchanges",
    "failed",
    "errors",
    "seconds",
    "cpu",
    "floor_ms",
    "floor_under_load_ms",
    "latency",
    "latency_by_size",
    "peak_memory_mib",
    "entries_per_commit",
    "profile",
    "exchanges_per_s",
    "cpu_ms_per_exchange",
    "ratio",
    "ratio_under_load",
}


def bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "--quick", *options]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=110, check=False)


def test_a_small_benchmark_with_everything_switched_on(tmp_path: Path):
    found = tmp_path / "found.json"
    ran = bench("--suite", "p256", "--exchanges", "20", "--client-tls", "--profile", "--json", str(found))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "The figure to steer by" in ran.stdout

    results = json.loads(found.read_text())
    assert results["format"] == 1
    assert {"cpus", "python", "libraries"} <= results["machine"].keys()
    assert (results["transport"]["exchanges"], results["transport"]["failed"]) == (20, 0)
    assert [(cell["suite"], cell["mix"]) for cell in results["results"]] == [("p256", "2kB"), ("p256", "mix")]
    for cell in results["results"]:
        assert cell.keys() == CELL
        assert (cell["exchanges"], cell["failed"], cell["errors"]) == (20, 0, [])
        assert cell["latency"]["exchanges"] == 20
        assert cell["cpu"].keys() == cell["peak_memory_mib"].keys() == {"consumer", "provider"}
        assert cell["cpu_ms_per_exchange"] > cell["floor_ms"] > 0
        assert cell["ratio"] == pytest.approx(cell["cpu_ms_per_exchange"] / cell["floor_ms"])
        assert min(cell["entries_per_commit"].values()) >= 1
        assert sum(group["us"]["consumer"] for group in cell["profile"]["groups"]) > 0
        assert sum(group["us"]["provider"] for group in cell["profile"]["groups"]) > 0
    assert results["floors"]["p256"].keys() == {"2000", "10000", "100000"}
