"""`make fuzz`: each target for some time, one after the other; the findings, tried again alone; a table.

python -m tests.fuzz run [--time SECONDS] [--target NAME]...
python -m tests.fuzz replay --target NAME FILE...
python -m tests.fuzz keep [--target NAME]...      writes tests/fuzz/corpus from what was found
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.conftest import ROOT
from tests.fuzz.driver import Run, fuzz
from tests.fuzz.keeping import keep
from tests.fuzz.model import ACCEPTED, MAX_CASE_S, judge, warm_up
from tests.fuzz.targets.table import TARGETS

DEFAULT_S = 20 * 60
_OUT = Console(soft_wrap=True)


def main() -> int:
    """0 when nothing was found."""
    arguments = read_arguments(sys.argv[1:])
    chosen = arguments.target or list(TARGETS)
    if arguments.what == "replay":
        return _replay(chosen[0], arguments.file)
    if arguments.what == "keep":
        for name in chosen:
            _OUT.print(f"{name}: {keep(TARGETS[name])} files kept")
        return 0
    runs = []
    for name in chosen:
        _OUT.print(f"{name}: {TARGETS[name].what}; {arguments.time} s")
        runs.append(fuzz(TARGETS[name], arguments.time, lambda line: _OUT.print(f"  {line}")))
    _OUT.print(_table(runs))
    findings = [(run.target, path) for run in runs for path in run.confirmed]
    for name, path in findings:
        _OUT.print(f"replay: python -m tests.fuzz replay --target {name} {path.relative_to(ROOT)}")
    broken = [run for run in runs if run.exit_code and not run.confirmed]
    for run in broken:
        _OUT.print(f"{run.target}: the fuzzer ended with {run.exit_code}: {run.last_lines}")
    return 1 if findings or broken else 0


def read_arguments(words: list[str]) -> argparse.Namespace:
    """Options may stand anywhere among the files."""
    return _parser().parse_intermixed_args(words)


def _replay(name: str, files: list[Path]) -> int:
    """In this process, without instrumentation."""
    worst = 0
    warm_up(TARGETS[name])
    for path in files:
        verdict = judge(TARGETS[name], path.read_bytes())
        _OUT.print(f"{path.name}: {verdict.code or f'{verdict.kind}: {verdict.where}'}, {verdict.seconds:.3f} s")
        worst = max(worst, verdict.is_finding)
    return worst


def _table(runs: list[Run]) -> Table:
    table = Table(box=None, title=f"bounds: {MAX_CASE_S} s of CPU time an input; what is not '{ACCEPTED}' is refused")
    for column in ("target", "seconds", "executions", "a second", "coverage", "features", "corpus", "findings"):
        table.add_column(column, justify="left" if column == "target" else "right")
    for run in runs:
        each_second = round(run.executions / run.seconds) if run.seconds else 0
        numbers = (round(run.seconds), run.executions, each_second, run.coverage, run.features, run.corpus)
        table.add_row(run.target, *map(str, numbers), str(len(run.confirmed)))
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", choices=("run", "replay", "keep"))
    parser.add_argument("file", nargs="*", type=Path, help="inputs to replay")
    parser.add_argument("--time", type=int, default=DEFAULT_S, help="seconds for each target")
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="one of the targets; all without")
    return parser


if __name__ == "__main__":
    sys.exit(main())
