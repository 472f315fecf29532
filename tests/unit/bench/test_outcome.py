"""What makes the benchmark fail, and what it says then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from bench import __main__ as command
from bench.installation import RecordSize
from bench.load import Outcome
from bench.markdown import replaced, tables
from bench.report import show
from bench.results import CellResult, CpuTime, FloorLine, Latency, Results, Transport
from bench.run import check_recorded, latency_of

LATENCY = Latency(exchanges=10, p50_ms=5.0, p99_ms=9.0, max_ms=10.0)
CELL = CellResult(
    suite="p256",
    mix="2kB",
    exchanges=10,
    failed=0,
    errors=[],
    seconds=2.0,
    cpu={"consumer": CpuTime(user_ms=1.0, system_ms=0.5), "provider": CpuTime(user_ms=0.25, system_ms=0.25)},
    floor_ms=0.5,
    floor_under_load_ms=0.8,
    latency=LATENCY,
    latency_by_size={2_000: LATENCY},
    peak_memory_mib={"consumer": 100.0, "provider": 101.0},
    entries_per_commit={"consumer": 3.0, "provider": 4.0},
)
FLOORS: dict[str, dict[int, Sequence[FloorLine]]] = {
    "p256": {2_000: [FloorLine(name="signature", side="sender", us=20.0, under_load_us=30.0)]}
}


def run(cell: CellResult, monkeypatch: pytest.MonkeyPatch, *options: str):
    results = Results(options={}, cells=[cell], floors=FLOORS)
    monkeypatch.setattr(command, "run_plan", lambda _plan, _console: results)
    app = typer.Typer()
    app.command()(command.bench)
    return CliRunner().invoke(app, list(options))


def test_the_exit_code_says_whether_every_answer_was_right(monkeypatch, tmp_path):
    to_file = ("--json", str(tmp_path / "found.json"))
    assert run(CELL, monkeypatch, *to_file).exit_code == 0
    failed = run(replace(CELL, failed=1, errors=["2000 octets: status 500"]), monkeypatch, *to_file)
    assert failed.exit_code == 1
    assert "status 500" in failed.stdout


def test_the_json_has_the_derived_figures(monkeypatch, tmp_path):
    run(CELL, monkeypatch, "--json", str(tmp_path / "found.json"))
    (cell,) = json.loads((tmp_path / "found.json").read_text())["results"]
    assert cell["cpu_ms_per_exchange"] == pytest.approx(2.0)
    assert cell["ratio"] == pytest.approx(4.0)
    assert cell["ratio_under_load"] == pytest.approx(2.5)
    assert cell["exchanges_per_s"] == pytest.approx(5.0)


def test_the_tables_show_the_figure_to_steer_by():
    console = Console(width=120, record=True, file=None, quiet=False)
    with console.capture() as shown:
        show(Results(options={}, cells=[CELL], floors=FLOORS), console)
    assert "CPU per exchange / floor = 4.0" in shown.get()


@pytest.mark.parametrize(("entries", "failed"), [(20, 0), (21, 0), (19, 1), (0, 1)])
def test_an_exchange_without_its_entries_in_the_record_is_a_failure(entries, failed):
    outcome = Outcome()
    check_recorded(outcome, 10, {"consumer": RecordSize(entries=entries, commits=1)})
    assert outcome.failed == failed


def test_percentiles_are_of_what_was_measured():
    found = latency_of([at / 1000 for at in range(1, 101)])
    assert (found.exchanges, found.p50_ms, found.p99_ms, found.max_ms) == pytest.approx((100, 50.0, 99.0, 100.0))
    assert latency_of([]).exchanges == 0


def test_the_page_gets_the_figures_between_its_markers():
    results = Results(options={"concurrency": 16, "workers": 1}, cells=[CELL], floors=FLOORS)
    results.transport = Transport(exchanges=10, failed=0, errors=[], exchanges_per_s=5.0, cpu_ms=0.75)
    measured = tables(json.loads(results.as_json()))
    assert "| p256, 2kB | 5 | 2.00 | 0.50 | **4.0** | 2.5 |" in measured
    page = replaced("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n", measured)
    assert measured in page
    assert "old" not in page
    assert replaced(page, measured) == page
    with pytest.raises(ValueError, match="markers"):
        replaced("a page without", measured)
