"""Driving the load generator (bench.load): warmed up, let go, and what it cost others meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.cost import Cost, cost_of
from bench.load import LoadPlan, Outcome
from examples.federation.federation import CHECKOUT


class LoadFailed(Exception):
    """The load generator ended without an outcome."""


@contextmanager
def load_generator(plan: LoadPlan, plan_file: Path) -> Iterator[subprocess.Popen[str]]:
    """The load generator, warmed up and waiting. Raises LoadFailed."""
    plan.write(plan_file)
    command = [sys.executable, "-m", "bench.load", str(plan_file)]
    with subprocess.Popen(  # noqa: S603  our own program
        command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            _read_line(process)
            yield process
        finally:
            process.kill()


def measured_load(generator: subprocess.Popen[str], groups: Mapping[str, int]) -> tuple[dict[str, Cost], Outcome]:
    """Let the load go; what it cost each process group, and what came out. Raises LoadFailed."""
    before = {name: cost_of(group) for name, group in groups.items()}
    if generator.stdin is None:
        raise LoadFailed("no way to start the load generator")
    generator.stdin.write("go\n")
    generator.stdin.flush()
    outcome = Outcome.parse(_read_line(generator))
    return {name: cost_of(group) - before[name] for name, group in groups.items()}, outcome


def _read_line(generator: subprocess.Popen[str]) -> str:
    line = generator.stdout.readline() if generator.stdout else ""
    if not line:
        raise LoadFailed("the load generator ended before it had an outcome")
    return line
