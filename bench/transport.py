"""The transport baseline: what the same HTTP exchanges and the same TLS cost when nothing else is done."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.client_tls import ClientTls, make_certificates
from bench.cost import Cost
from bench.generator import load_generator, measured_load
from bench.installation import CONSUMER, PROVIDER, start_backend
from bench.load import LoadPlan
from bench.messages import KB
from bench.results import Transport
from examples.federation.federation import CHECKOUT
from examples.federation.free_ports import free_ports
from examples.federation.processes import Processes

_SIZE = 2 * KB


def measure_transport(folder: Path, *, exchanges: int, concurrency: int, warm_up: int) -> Transport:
    """Two programs that pass 2 kB on, in the places of the two adapters. Raises NotStarted, LoadFailed."""
    files = ClientTls(folder=folder / "tls")
    make_certificates(files)
    backend, provider, consumer = free_ports(3)
    with Processes(folder / "logs") as processes:
        start_backend(processes, backend)
        _start(processes, PROVIDER, provider, f"http://127.0.0.1:{backend}/", files)
        _start(processes, CONSUMER, consumer, f"https://127.0.0.1:{provider}/", files)
        plan = LoadPlan(
            url=f"http://127.0.0.1:{consumer}/",
            concurrency=concurrency,
            warm_up=[_SIZE] * warm_up,
            sizes=[_SIZE] * exchanges,
        )
        with load_generator(plan, folder / "transport.json") as generator:
            groups = {name: processes[name].pid for name in (CONSUMER, PROVIDER)}
            costs, outcome = measured_load(generator, groups)
    cost = sum(costs.values(), Cost(user_s=0.0, system_s=0.0))
    return Transport(
        exchanges=exchanges,
        failed=outcome.failed,
        errors=outcome.errors,
        exchanges_per_s=exchanges / outcome.seconds,
        cpu_ms=cost.cpu_s / exchanges * 1e3,
    )


def _start(processes: Processes, name: str, port: int, target: str, files: ClientTls) -> None:
    command = [sys.executable, "-m", "bench.passing", "--port", str(port), "--target", target]
    running = processes.start(name, [*command, "--tls", str(files.folder), "--side", name], cwd=CHECKOUT)
    processes.wait_until(name, lambda: "ready" in running.log.read_text(encoding="utf-8"))
